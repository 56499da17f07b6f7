#ifndef FSD_DAEMON_CHANGE_PLAN_SUPERVISOR_H
#define FSD_DAEMON_CHANGE_PLAN_SUPERVISOR_H

#include <stdbool.h>

#include "daemon/change/plan_text.h"

struct conf;
struct conf_children;
struct conf_supervisor;

/* Adds what differs to text, nothing when it is all the same. */
void plan_supervisor_compare(const struct conf *from, const struct conf_supervisor *old,
                             const struct conf *to, const struct conf_supervisor *now,
                             struct plan_text *text);
/* Are they the same names in the same order? */
bool plan_supervisor_is_same_children(const struct conf *from, const struct conf_children *old,
                                      const struct conf *to, const struct conf_children *now);

#endif
