/* reason.c - which worker it was that made a change fail.
 * Owns nothing.  The words are the worker's, often many lines; who it was stands where it is read first, and behind FILE:LINE,
 * which editors find at the beginning.
 * Called by deploy.c, restart.c and swap_members.c.  Pure: no system call, no clock, no log. */
#include "daemon/change/reason.h"

#include <stdio.h>
#include <string.h>

#include "common/proto.h"
#include "daemon/log/log_record.h"

void reason_format(char *text, size_t size, const char *why, const char *pool, unsigned slot)
{
    char place[16] = "-";
    size_t first = strcspn(why, "\n");
    if (slot != LOG_SLOT_NONE) {
        (void)snprintf(place, sizeof(place), "%u", slot);
    }
    (void)snprintf(text, size, "%.*s (worker %.*s/%s)%s", (int)first, why, PROTO_NAME_MAX, pool,
                   place, why + first);
}
