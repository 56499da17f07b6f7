#ifndef FSD_DAEMON_CRASH_CRASH_ID_H
#define FSD_DAEMON_CRASH_CRASH_ID_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { CRASH_ID_MAX = 128 };
#define CRASH_NO_SLOT UINT_MAX /* of a worker in reserve; its id has "standby" there */

/* "20261122-103355-web-0-17": UTC time, pool, slot, incarnation.  Ids sort by time.  repeat: 0, or the number of a further report
 * of the same name, which is put behind it. */
void crash_id_format(uint64_t at_us, const char *pool, unsigned slot, uint64_t incarnation,
                     unsigned repeat, char id[CRASH_ID_MAX]);
/* Whether a text has the form of an id: 20 to CRASH_ID_MAX - 1 of [0-9a-z-], the time first.  Such a text is no path. */
bool crash_id_is_valid(const char *id);
/* Whether the id begins with this time. */
bool crash_id_is_of(const char *id, uint64_t at_us);

#endif
