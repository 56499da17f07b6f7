/* preempt.c - what becomes of Lua code that has used up its slice.
 * Owns nothing.  Where the task can yield, it goes to the end of the run queue, or gets the error that is due: its CPU time is used
 * up, or it was cancelled while it had not waited.  Where it can't (Lua runs below a C function: a __tostring, a
 * <close> variable of a task that is closed by force) it may go on up to the hard limit, and the hook stays, so that it yields
 * soon after it has come out of there: in a loop that is there nearly always, most ticks would find it there.  At the limit an error is
 * raised, and again soon afterwards, at last after every instruction, so that a pcall in there does not keep it alive.
 * Called by Lua between two instructions.  Must not know how the timer ticks (slice.c). */
#include "worker/core/preempt.h"

#include <stdbool.h>

#include "worker/core/error.h"
#include "worker/core/hook_error.h"
#include "worker/core/runtime.h"

/* The first errors leave message handlers and <close> variables on the way out a part of the limit. */
enum { LENIENT_STRIKES = 4, LENIENT_PART = 8 };

/* Where the machine stands still, or takes the CPU away unseen, one tick can count for all of the limit.  So many ticks mean that the code
 * was seen where it can't yield, again and again. */
enum { LEAST_TICKS = 4 };

/* From one look to the next, whether it can yield now; a prime, so that few loops bring it to the same place each time. */
enum { LOOK_INSTRUCTIONS = 101 };

static bool is_yieldable(lua_State *L, const struct task_pool *tasks)
{
    return tasks->running != NULL && tasks->pins == 0 && lua_isyieldable(L);
}

/* Arming the hook walks the stack, so what is armed already stays as it is. */
static void look_again(lua_State *L, struct slice *slice)
{
    if (lua_gethookcount(L) != LOOK_INSTRUCTIONS) {
        slice_rearm(slice, L, slice->every > 0 ? 0 : LOOK_INSTRUCTIONS);
    }
}

static void enforce_hard_limit(lua_State *L, struct slice *slice)
{
    slice_rearm(slice, L, 0);
    slice->strikes++;
    if (slice->strikes <= LENIENT_STRIKES) {
        slice->strike_at_us = slice->used_us + slice->hard_limit_us / LENIENT_PART;
    } else {
        slice_rearm(slice, L, 1);
    }
    error_push(
        L, "LimitError", "slice", 503,
        "it ran too long where it can't be interrupted: in a function that a C function calls "
        "(a __tostring, a reader of load ...)");
    hook_error_raise(L);
}

void preempt_hook(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    struct runtime *runtime = runtime_of(L);
    struct slice *slice = &runtime->slice;
    if (slice->current != L || !slice_is_over(slice)) {
        /* left over from another slice, or inherited from the coroutine that made this one */
        slice_rearm(slice, L, 0);
    } else if (is_yieldable(L, &runtime->tasks)) {
        slice_rearm(slice, L, 0);
        task_preempt(L);
    } else if (slice->used_us < slice->strike_at_us || slice->ticks < LEAST_TICKS) {
        look_again(L, slice);
    } else {
        enforce_hard_limit(L, slice);
    }
}
