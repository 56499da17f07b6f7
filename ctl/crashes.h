#ifndef FSD_CTL_CRASHES_H
#define FSD_CTL_CRASHES_H

#include <jansson.h>
#include <stdint.h>

struct command_args;
struct output;

/* `fsdctl crashes [ID]` */
int crashes_run(const struct command_args *args);

/* Prints the list for people; now_ms is on the wall clock.  0, -EPROTO, -ENOMEM. */
int crashes_render(const json_t *result, uint64_t now_ms, const struct output *output);

#endif
