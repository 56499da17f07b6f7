#ifndef FSD_DAEMON_CONF_PROBLEM_H
#define FSD_DAEMON_CONF_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct source;

enum {
    PROBLEM_MAX = 50, /* more are counted, not kept */
    PROBLEM_TEXT_MAX = 1024,
    PROBLEM_HINT_MAX = 256,
    PROBLEM_EXCERPT_MAX = 160,
};

enum problem_severity { PROBLEM_ERROR, PROBLEM_WARNING };

/* What a problem points at.  source NULL: a value that stands in no file (a flag, a default). */
struct problem_place {
    const struct source *source; /* borrowed */
    unsigned line;               /* 1-based; 0: the file as a whole */
    unsigned column;             /* 1-based, in bytes */
    unsigned end_column; /* the column behind; up to column + 1: only one character is marked */
};

/* One diagnostic; it holds copies, so it outlives what it talks about. */
struct problem {
    enum problem_severity severity;
    char *file; /* owned; NULL: none */
    unsigned line;
    unsigned column;
    unsigned end_column;
    char message[PROBLEM_TEXT_MAX];    /* no full stop, printable */
    char hint[PROBLEM_HINT_MAX];       /* "" : none */
    char excerpt[PROBLEM_EXCERPT_MAX]; /* the line, perhaps a part of it; "" : none */
    unsigned excerpt_column;           /* where column is in excerpt, 1-based */
};

/* Initialise with problem_list_init. */
struct problem_list {
    struct problem items[PROBLEM_MAX];
    size_t count;       /* of items */
    size_t errors;      /* all, kept or not */
    size_t warnings;    /* all, kept or not */
    size_t files_count; /* read so far; whoever reads them counts */
};

void problem_list_init(struct problem_list *list);
void problem_list_fini(struct problem_list *list);
/* Adds one; place NULL is the same as a place without a source.  The result (for problem_hint) is
 * borrowed from list, and NULL when the list is full. */
struct problem *problem_add(struct problem_list *list, enum problem_severity severity,
                            const struct problem_place *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Says what to do about it, as a sentence of its own; problem may be NULL. */
void problem_hint(struct problem *problem, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* All of list->items, file by file and from top to bottom. */
void problem_sort(const struct problem_list *list, const struct problem *ret_sorted[PROBLEM_MAX]);
/* Prints everything as compilers do, file by file and from top to bottom, then one line of totals;
 * nothing for an empty list. */
void problem_print(const struct problem_list *list, FILE *out);
/* Prints each as a JSON object on a line of its own: {file, line, column, end_column, severity,
 * message, hint}, less what it has not.  False: no memory. */
bool problem_print_json(const struct problem_list *list, FILE *out);

#endif
