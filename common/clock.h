#ifndef FSD_COMMON_CLOCK_H
#define FSD_COMMON_CLOCK_H

#include <stdint.h>

/* Intervals are measured on the monotonic clock only; the wall clock is for people. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
uint64_t clock_coarse_us(void); /* monotonic; the value of the last tick: cheap, some ms old */
uint64_t clock_thread_us(void); /* CPU time of this thread */
uint64_t clock_wall_us(void);   /* since 1970-01-01 UTC */

enum { CLOCK_TEXT_MAX = 32 };
/* "2026-11-21T09:12:33.123Z"; text has room for CLOCK_TEXT_MAX bytes. */
void clock_format(uint64_t wall_us, char text[CLOCK_TEXT_MAX]);

#endif
