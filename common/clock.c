/* clock.c - reads the clocks that fsd uses and prints the one for people.
 * Owns nothing.  The only place that calls clock_gettime, so that tests of pure modules never meet a clock: those
 * get the time as an argument. */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now); /* cannot fail for the clocks below */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_coarse_us(void)
{
    return read_us(CLOCK_MONOTONIC_COARSE);
}

uint64_t clock_thread_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

void clock_format(uint64_t wall_us, char text[CLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL) {
        (void)snprintf(text, CLOCK_TEXT_MAX, "-");
        return;
    }
    char whole[CLOCK_TEXT_MAX];
    (void)strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &utc); /* 19 characters always fit */
    (void)snprintf(text, CLOCK_TEXT_MAX, "%.19s.%03uZ", whole, (unsigned)(wall_us / 1000 % 1000));
}
