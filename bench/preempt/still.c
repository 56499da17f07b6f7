/* still.c - loaded into a worker before libc: its timers are never set, so that nothing is ever preempted.
 * The same program runs the same code at the same addresses, and what differs is what preemption costs. */
#include <time.h>

int timer_settime(timer_t timer, int flags, const struct itimerspec *new_times,
                  struct itimerspec *old_times)
{
    (void)timer, (void)flags, (void)new_times, (void)old_times;
    return 0;
}
