#ifndef FSD_CTL_CRASH_RENDER_H
#define FSD_CTL_CRASH_RENDER_H

#include <jansson.h>

struct output;

/* Prints a crash report (fsd.crash/1) for people: why, what was running, stacks, last words, what happened next.  0, or
 * -EPROTO when it has no cause. */
int crash_render(const json_t *report, const struct output *output);

#endif
