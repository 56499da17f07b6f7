#ifndef FSD_CTL_RELOAD_H
#define FSD_CTL_RELOAD_H

#include <jansson.h>

struct command_args;
struct output;

/* `fsdctl reload` */
int reload_run(const struct command_args *args);

/* Prints the result for people: one line an app.  0, or -EPROTO when it is no result of a reload. */
int reload_render(const json_t *result, const struct output *output);

#endif
