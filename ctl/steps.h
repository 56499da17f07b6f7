#ifndef FSD_CTL_STEPS_H
#define FSD_CTL_STEPS_H

#include <jansson.h>

struct ask_row;
struct command_args;

/* ask_and_show for what workers do one after another: on a terminal each step of a worker is a line while it goes on, and with --json one
 * object a line (the event), before the result, which is the last one: {"schema":..., "error":{...}} when the daemon says no.  Elsewhere
 * there is only the result. */
int steps_ask_and_show(const struct command_args *args, const struct ask_row *row, json_t *params);

#endif
