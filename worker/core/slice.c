/* slice.c - the timer that takes the CPU away from Lua code that does not give it back.
 * Owns the timer, its signal, and the one static that the handler needs.  A count hook that is left armed doubles the cost of all
 * Lua code, so none is: the timer's signal arms it on the running coroutine once a slice is used up, which Lua allows at any
 * moment (lua_sethook only sets fields), and the hook clears itself.  The timer is armed when a task gets the CPU and disarms
 * itself after some ticks at which nothing ran, so that an idle worker sleeps and a busy one makes no system calls for this.
 * Called by task.c and coroutine.c at each change of the coroutine that runs.  Must not know what a task is. */
#include "worker/core/slice.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    SIGNAL = SIGVTALRM, /* nothing else in a worker uses it */
    TICK_US = 2000,     /* each tick takes 10 to 25 us in a virtual machine */
    LIMIT_TICKS = 1,
    HARD_LIMIT_US = 50000,
    IDLE_TICKS = 4,
    REST_FACTOR = 10,
};

static struct slice
    *volatile open_slice; /* borrowed; a handler of a signal is given nothing else */

static void set_timer(const struct slice *slice, unsigned period_us)
{
    const struct timespec period = {period_us / 1000000, (long)(period_us % 1000000) * 1000};
    const struct itimerspec times = {period, period};
    (void)timer_settime(slice->timer, 0, &times, NULL); /* fails for bad arguments only */
}

/* Lua walks the whole stack for this, which takes longer than a tick when a recursion is some 100,000 calls deep. */
static void arm_hook(struct slice *slice, lua_State *L, uint64_t now_us)
{
    if (now_us >= slice->rest_until_us) {
        lua_sethook(L, slice->hook, LUA_MASKCOUNT, 1);
        slice->rest_until_us = now_us + (clock_thread_us() - now_us) * REST_FACTOR;
    }
}

/* The timer does not begin with the slice, whose first tick comes soon then: that one is let pass, or who had just begun would
 * go to the end of the queue. */
static bool is_used_up(const struct slice *slice)
{
    return slice->ticks >= slice->limit_ticks &&
           clock_monotonic_us() >= slice->begun_us + slice->tick_us / 2;
}

static void on_tick(int number)
{
    (void)number;
    int error = errno; /* of whatever was interrupted */
    struct slice *slice = open_slice;
    if (slice == NULL) {
        return; /* sent just before it was closed */
    }
    uint64_t now_us = clock_thread_us();
    lua_State *L = slice->current;
    if (L == NULL) {
        slice->idle++;
        if (slice->idle >= IDLE_TICKS) {
            slice->is_armed = false;
            set_timer(slice, 0);
        }
    } else {
        slice->used_us += now_us - slice->mark_us;
        slice->ticks++;
        if (slice->is_over || is_used_up(slice)) {
            slice->is_over = true;
            arm_hook(slice, L, now_us);
        }
    }
    slice->mark_us = now_us;
    errno = error;
}

/* The thread's own timer: the signal must not interrupt another one, such as those that libh2o resolves names with. */
static int create_timer(timer_t *timer)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    return timer_create(CLOCK_MONOTONIC, &event, timer) == 0 ? 0 : -errno;
}

int slice_open(struct slice *slice, lua_Hook hook)
{
    *slice = (struct slice){
        .hook = hook,
        .tick_us = TICK_US,
        .limit_ticks = LIMIT_TICKS,
        .hard_limit_us = HARD_LIMIT_US,
    };
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    if (sigaction(SIGNAL, &action, NULL) != 0) {
        return -errno;
    }
    int error = create_timer(&slice->timer);
    slice->is_open = error == 0;
    open_slice = slice->is_open ? slice : NULL;
    return error;
}

void slice_close(struct slice *slice)
{
    if (slice->is_open) {
        (void)timer_delete(slice->timer); /* a signal of it may still come */
        open_slice = NULL;
        slice->is_open = false;
    }
}

void slice_silence(void)
{
    open_slice = NULL;
}

static void arm(struct slice *slice)
{
    slice->mark_us = clock_thread_us();
    slice->is_armed = true;
    set_timer(slice, slice->tick_us);
}

static void arm_test_hook(const struct slice *slice, lua_State *L)
{
    if (slice->every > 0) {
        lua_sethook(L, slice->hook, LUA_MASKCOUNT, (int)slice->every);
    }
}

void slice_begin(struct slice *slice, lua_State *L, uint64_t now_us)
{
    slice->begun_us = now_us;
    slice->is_over = false;
    slice->idle = 0;
    slice->ticks = 0;
    slice->used_us = 0;
    slice->strikes = 0;
    slice->strike_at_us = slice->hard_limit_us;
    slice->current = L;
    if (!slice->is_armed) {
        arm(slice);
    }
    arm_test_hook(slice, L);
}

uint64_t slice_end(struct slice *slice)
{
    slice->current = NULL;
    return slice->used_us;
}

lua_State *slice_switch(struct slice *slice, lua_State *L)
{
    lua_State *before = slice->current;
    if (before != NULL) {
        slice->current = L;
        arm_test_hook(slice, L);
    }
    return before;
}

void slice_cut(struct slice *slice)
{
    lua_State *L = slice->current;
    if (L != NULL) {
        slice->is_over = true;
        lua_sethook(L, slice->hook, LUA_MASKCOUNT, 1);
    }
}

bool slice_is_over(const struct slice *slice)
{
    return slice->every > 0 || slice->is_over;
}

void slice_rearm(struct slice *slice, lua_State *L, int instructions)
{
    if (instructions == 0) {
        instructions = (int)slice->every;
    }
    lua_sethook(L, slice->hook, instructions > 0 ? LUA_MASKCOUNT : 0, instructions);
}
