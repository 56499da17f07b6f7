/* leisure.c - gives back the memory that a worker which has nothing to do does not need.
 * Owns a timer.  Lua's collector works while something is allocated, and so what large answers have left stays for as long as nobody
 * comes: twice what is alive, or more.  Once a second this looks at the turns of the loop, of which one that is idle has one or two; when
 * there were few, and Lua has so much more than was left by the last collection, it has sweep.c make one, in steps.  What is alive is
 * looked at once for each growth, and a busy worker never by this.  What Lua and malloc keep for the next blocks goes to the system in the
 * first quiet second after some work.
 * Started by life.c.  Must not know what there is to collect. */
#include "worker/core/leisure.h"

#include <malloc.h>

#include "worker/core/runtime.h"

enum {
    LOOK_MS = 1000, /* the heartbeat's pause: no turn more */
    IDLE_TURNS = 2, /* in that time */
};

static bool is_worth_it(const struct leisure *leisure, size_t used_bytes)
{
    size_t growth = used_bytes - leisure->floor_bytes;
    return growth >= LEISURE_GROWTH && growth >= leisure->floor_bytes / LEISURE_GROWTH_PART;
}

/* Whether one of ours has just come to its end; its last steps may be a second ago. */
static bool is_swept(struct leisure *leisure, const struct sweep *sweep)
{
    bool is_over = leisure->is_sweeping && sweep->left == 0;
    leisure->is_sweeping = leisure->is_sweeping && !is_over;
    return is_over;
}

static void give_back(struct leisure *leisure, struct heap *heap)
{
    leisure->has_worked = false;
    heap_pool_cool(&heap->pool);
    (void)malloc_trim(0); /* also what is free between blocks that stay */
}

void leisure_look(struct runtime *runtime)
{
    struct leisure *leisure = &runtime->leisure;
    size_t used_bytes = runtime->heap.used_bytes;
    uint64_t turns = runtime->loop.lag.total - leisure->turns;
    leisure->turns += turns;
    leisure->has_worked = leisure->has_worked || turns > IDLE_TURNS;
    if (is_swept(leisure, &runtime->sweep) || used_bytes < leisure->floor_bytes) {
        leisure->floor_bytes = used_bytes;
    }
    if (turns >= LEISURE_TURNS) {
        return;
    }
    if (leisure->has_worked) {
        give_back(leisure, &runtime->heap);
    }
    if (runtime->sweep.left == 0 && is_worth_it(leisure, used_bytes) &&
        lua_gc(runtime->L, LUA_GCISRUNNING)) {
        leisure->is_sweeping = true;
        sweep_begin(runtime);
    }
}

static void on_second(struct timer *timer)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, leisure.timer, timer);
    leisure_look(runtime);
    loop_set_timer(&runtime->loop, timer, LOOK_MS, on_second);
}

void leisure_start(struct runtime *runtime)
{
    loop_set_timer(&runtime->loop, &runtime->leisure.timer, LOOK_MS, on_second);
}
