#ifndef FSD_DAEMON_CRASH_OOM_PARSE_H
#define FSD_DAEMON_CRASH_OOM_PARSE_H

#include <stdint.h>

/* The number of the line "oom_kill N" in memory.events or memory.oom_control.  0, or -EINVAL when there is none. */
int oom_parse_count(const char *text, uint64_t *ret_count);

#endif
