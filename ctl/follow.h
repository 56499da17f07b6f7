#ifndef FSD_CTL_FOLLOW_H
#define FSD_CTL_FOLLOW_H

#include <jansson.h>
#include <stddef.h>

struct command_args;
struct output;

/* What `logs` and `events` have in common: what was, and with -f what comes. */
struct follow_row {
    const char *method;
    const char *schema;
    const char *list;         /* the key under which the result has what was */
    const char *notification; /* the method of what comes */
    size_t tail;              /* with -f at most so many of what was */
    void (*print)(const json_t *record, const struct output *output);
};

/* Takes params (NULL: no memory for them).  is_since: somebody wants all from a moment on, and is told when there is no
 * such thing any more.  Returns the exit code; Ctrl-C ends what follows with FSD_EXIT_OK. */
int follow_run(const struct command_args *args, const struct follow_row *row, json_t *params,
               int is_since);

#endif
