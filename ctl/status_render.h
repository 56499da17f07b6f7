#ifndef FSD_CTL_STATUS_RENDER_H
#define FSD_CTL_STATUS_RENDER_H

#include <jansson.h>
#include <stdint.h>

struct output;

/* Prints a status that status_judge accepted, for people.  now_ms is on the wall clock.  0 or -ENOMEM. */
int status_render(const json_t *status, uint64_t now_ms, const struct output *output);

#endif
