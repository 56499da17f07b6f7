/* background.c - what goes on in a worker beside its requests, and how that ends.
 * Owns the sets of spawned tasks and of timers; they live in Lua's registry, like what they list.  A worker that leaves lets requests
 * end first, because they may need tasks; then the tasks have the rest of a phase, as idle connections have, and are cancelled; the
 * grace of a cancelled task is task.c's.  So they can't keep a worker for ever.
 * Called by the modules that spawn and set timers, and by life.c.  Must not know what runs. */
#include "worker/lib/background.h"

#include <lauxlib.h>

#include "worker/core/runtime.h"
#include "worker/lib/spawned_report.h"

static void on_look(struct runtime *runtime)
{
    alarm_set_look(&runtime->background->alarms);
}

struct background *background_of(lua_State *L)
{
    struct runtime *runtime = runtime_of(L);
    if (runtime->background == NULL) {
        struct background *background = lua_newuserdatauv(L, sizeof(*background), 0);
        *background = (struct background){0};
        spawned_set_init(&background->spawns, runtime);
        alarm_set_init(&background->alarms, &background->spawns);
        lua_rawsetp(L, LUA_REGISTRYINDEX, background);
        runtime->background = background;
        runtime->generations.on_look = on_look;
    }
    return runtime->background;
}

void background_end(struct runtime *runtime)
{
    if (runtime->background != NULL) {
        alarm_set_end(&runtime->background->alarms);
    }
}

static void on_over(struct loop_job *job)
{
    struct background *background = H2O_STRUCT_FROM_MEMBER(struct background, over, job);
    background->on_over(background->spawns.runtime);
}

static void finish(struct background *background)
{
    struct loop *loop = &background->spawns.runtime->loop;
    background->spawns.is_closed = true;
    timer_clear(&loop->timers, &background->phase);
    alarm_set_clear(&background->alarms);
    spawned_report_all(&background->spawns);
    loop_defer(loop, &background->over, on_over);
}

static void on_empty(struct spawned_set *set)
{
    finish(H2O_STRUCT_FROM_MEMBER(struct background, spawns, set));
}

static void on_phase_over(struct timer *timer)
{
    struct background *background = H2O_STRUCT_FROM_MEMBER(struct background, phase, timer);
    logger_write(&background->spawns.runtime->logger, LOG_LEVEL_WARNING,
                 "cancelling %zu tasks that have not ended: the worker is leaving",
                 background->spawns.live);
    spawned_set_close(&background->spawns);
}

void background_drain(struct runtime *runtime, uint64_t phase_ms,
                      void (*over)(struct runtime *runtime))
{
    struct background *background = background_of(runtime->L);
    if (background->on_over != NULL) {
        return;
    }
    background->on_over = over;
    if (background->spawns.live == 0) {
        finish(background);
        return;
    }
    background->spawns.on_empty = on_empty;
    loop_set_timer(&runtime->loop, &background->phase, phase_ms, on_phase_over);
}
