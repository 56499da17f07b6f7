#ifndef FSD_DAEMON_CHANGE_REASON_H
#define FSD_DAEMON_CHANGE_REASON_H

#include <stddef.h>

/* Why a worker has made a change fail, with its place behind the first line: "app.lua:3: no (worker web/0)", and then the traceback.  slot
 * LOG_SLOT_NONE: it is in reserve.  Cut at size. */
void reason_format(char *text, size_t size, const char *why, const char *pool, unsigned slot);

#endif
