#ifndef FSD_WORKER_TOOLBOX_MOMENT_H
#define FSD_WORKER_TOOLBOX_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Dates and times as text (RFC 3339, ISO 8601).  Pure. */

struct moment {
    int64_t seconds; /* since 1970, UTC */
    uint32_t nanoseconds;
    bool has_offset; /* else the text did not say where it is that time, and UTC was taken */
    int32_t offset;  /* in seconds, east of Greenwich */
};

/* Seconds from 1970 to the begin of a day of the Gregorian calendar; months are 1 to 12, years 0 to 9999. */
int64_t moment_of_day(int year, int month, int day);
int moment_days_in(int year, int month);
/* "2026-11-22", "2026-11-22T16:30", "2026-11-22 16:30:05.25", each time with "Z", "+01:00", "+0100" or "+01" behind it.  A second 60 is
 * the first one of the next minute.  False: anything else. */
bool moment_parse(const char *text, size_t len, struct moment *moment);

#endif
