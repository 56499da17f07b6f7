#ifndef FSD_CTL_CODE_H
#define FSD_CTL_CODE_H

#include <jansson.h>

struct command_args;
struct output;

/* The run functions of rows in commands.c. */
int code_generations_run(const struct command_args *args);
int code_rollback_run(const struct command_args *args);
int code_confirm_run(const struct command_args *args);

/* Prints fsd.generations/1 for people.  0, -EPROTO: it makes no sense; -ENOMEM. */
int code_render_generations(const json_t *result, const struct output *output);

#endif
