#ifndef FSD_WORKER_CORE_SLICE_H
#define FSD_WORKER_CORE_SLICE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* How long Lua may keep the CPU: a timer that ticks while tasks run, and a hook that it arms on the running coroutine
 * when a slice is used up.  What the hook does is preempt.c's.  Embedded in the runtime; the fields that say "handler" are
 * written by the handler of a signal, between any two instructions. */
struct slice {
    lua_State *volatile current; /* the coroutine that runs; NULL: no task has the CPU */
    volatile uint64_t begun_us;  /* monotonic: it got the CPU then, or somewhat later */
    volatile bool is_over;       /* handler: its slice is used up */
    volatile unsigned ticks;     /* handler: since the task got the CPU */
    volatile unsigned idle;      /* handler: ticks at which nothing ran */
    volatile uint64_t used_us;   /* handler: CPU time since the task got the CPU, whole ticks */
    volatile uint64_t mark_us;   /* handler: CPU time of the thread at the last tick */
    /* handler: CPU time of the thread before which no hook is armed */
    volatile uint64_t rest_until_us;
    volatile bool is_armed; /* handler: the timer ticks */
    bool is_open;
    timer_t timer;
    lua_Hook hook;
    unsigned tick_us;
    unsigned limit_ticks;   /* one slice; what got the CPU less than half a tick ago has one more */
    unsigned hard_limit_us; /* CPU time where a slice can't end: an error is raised then */
    unsigned strikes;       /* errors raised for that, in this run */
    uint64_t strike_at_us;  /* CPU time of this run at which the next one is due */
    /* tests: the hook runs every so many instructions; 0: only when a slice is used up */
    unsigned every;
};

/* Makes the timer, which does not tick yet, and takes the signal over; one slice is open at a time.  The hook runs in Lua
 * at the next instruction after a slice was used up.  0, or a negative errno. */
int slice_open(struct slice *slice, lua_Hook hook);
/* Nothing happens when it is not open. */
void slice_close(struct slice *slice);
/* Async-signal-safe: no hook is armed from now on, whatever runs. */
void slice_silence(void);

/* A coroutine gets the CPU with a slice in front of it; now_us is the monotonic time, or somewhat before. */
void slice_begin(struct slice *slice, lua_State *L, uint64_t now_us);
/* It has let go.  Returns the CPU time it had, in microseconds, counted in ticks. */
uint64_t slice_end(struct slice *slice);
/* Another coroutine runs on the same slice, and later the first one again; nothing happens between slices.  Returns the one that
 * ran until now, for the way back. */
lua_State *slice_switch(struct slice *slice, lua_State *L);
/* What runs now has used its slice up: its hook runs at the next instruction.  May be called wherever the hook's arming may. */
void slice_cut(struct slice *slice);
/* In the hook: whether the slice is used up.  If not, the hook was left over from an earlier one. */
bool slice_is_over(const struct slice *slice);
/* In the hook: it runs again after so many instructions of L; 0: not before the next tick. */
void slice_rearm(struct slice *slice, lua_State *L, int instructions);

#endif
