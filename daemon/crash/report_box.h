#ifndef FSD_DAEMON_CRASH_REPORT_BOX_H
#define FSD_DAEMON_CRASH_REPORT_BOX_H

#include <jansson.h>
#include <stdint.h>

struct blackbox;
struct mask;

/* Adds to a report what the worker's black box says: running, open_requests, recent_requests, fault, lua_stack, c_backtrace,
 * log_lines.  at_us: when it died.  0, or -ENOMEM. */
int report_box_add(json_t *report, const struct blackbox *box, uint64_t at_us,
                   const struct mask *mask);
/* A text of somebody else as JSON: masked and clean; null for "" and NULL.  NULL when memory is out. */
json_t *report_box_text(const struct mask *mask, const char *text);

#endif
