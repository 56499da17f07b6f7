/* actors.c - the table of a worker's actors: places, pids, the queue of those that are to begin, the end of all.
 * Owns the array of places and, through it, the actors.  A place is used again after its actor has ended; a serial never is,
 * so that a pid of old finds nothing.  New actors begin in a job of the loop, because nothing runs a coroutine from within
 * another one.  Called by spawn and the end of an actor, and by worker/life.c for the drain.
 * Must not know what actors do. */
#include "worker/actor/actors.h"

#include <assert.h>
#include <stdlib.h>

#include "worker/actor/actor.h"
#include "worker/actor/code.h"
#include "worker/actor/exit.h"
#include "worker/actor/names.h"
#include "worker/core/error.h"
#include "worker/core/value.h"

enum { FIRST_SLOTS = 16 };

static void collect_marks(lua_State *L, struct copy_marks *marks)
{
    marks->ref = ref_mark(L);
    value_push_array_mark(L);
    marks->array = lua_topointer(L, -1);
    lua_getfield(L, LUA_REGISTRYINDEX, ERROR_METATABLE);
    marks->error = lua_topointer(L, -1);
    lua_pop(L, 2);
}

struct actors *actors_new(struct runtime *runtime)
{
    lua_State *L = runtime->L;
    struct actors *actors = calloc(1, sizeof(*actors));
    if (actors == NULL) {
        abort();
    }
    actors->runtime = runtime;
    actors->starting_end = &actors->starting;
    actors->next_serial = 1;
    pid_init(L);
    ref_init(L);
    names_init(L);
    collect_marks(L, &actors->marks);
    remotes_init(&actors->remotes, actors);
    return actors;
}

void actors_free(struct actors *actors)
{
    if (actors == NULL) {
        return;
    }
    assert(actors->live == 0 && !timer_is_set(&actors->stop_limit));
    code_free_all(actors);
    free(actors->calls);
    free(actors->slots);
    free(actors);
}

bool actors_are_idle(const struct actors *actors)
{
    return actors == NULL || actors->live == 0;
}

struct actor *actors_find(const struct actors *actors, const struct pid *pid)
{
    if (pid->incarnation != actors->runtime->incarnation || pid->node != 0 ||
        pid->index >= actors->slot_count) {
        return NULL;
    }
    if (pid->index == 0) {
        return actors->server != NULL && !actors->server->is_exiting ? actors->server : NULL;
    }
    struct actor *actor = actors->slots[pid->index].actor;
    return actor != NULL && actor->serial == pid->serial && !actor->is_exiting ? actor : NULL;
}

static void grow(struct actors *actors)
{
    uint32_t count = actors->slot_count == 0 ? FIRST_SLOTS : actors->slot_count * 2;
    struct actors_slot *slots = realloc(actors->slots, count * sizeof(*slots));
    if (slots == NULL) {
        abort();
    }
    uint32_t first = actors->slot_count == 0 ? 1 : actors->slot_count;
    for (uint32_t i = first; i < count; i++) {
        slots[i] = (struct actors_slot){.next_free = i + 1 < count ? i + 1 : 0};
    }
    slots[0] = (struct actors_slot){0};
    actors->slots = slots;
    actors->slot_count = count;
    actors->first_free = first;
}

void actors_add(struct actors *actors, struct actor *actor)
{
    if (actors->first_free == 0) {
        grow(actors);
    }
    actor->index = actors->first_free;
    actor->serial = actors->next_serial++;
    struct actors_slot *slot = &actors->slots[actor->index];
    actors->first_free = slot->next_free;
    slot->actor = actor;
    actors->live++;
    actors->system_live += actor->is_system;
}

static void on_stopped(struct loop_job *job)
{
    struct actors *actors = H2O_STRUCT_FROM_MEMBER(struct actors, stopped, job);
    timer_clear(&actors->runtime->loop.timers, &actors->stop_limit);
    timer_clear(&actors->runtime->loop.timers, &actors->server_retry);
    actors->on_stopped(actors->runtime);
}

static void signal_all(struct actors *actors, const char *reason, bool are_system)
{
    struct pid from = actors_worker_pid(actors);
    lua_State *L = actors->runtime->L;
    for (uint32_t i = 1; i < actors->slot_count; i++) {
        struct actor *actor = actors->slots[i].actor;
        if (actor != NULL && !actor->is_exiting && actor->is_system == are_system) {
            lua_pushstring(L, reason);
            exit_signal(actor, L, SIGNAL_EXIT, &from);
        }
    }
}

static void check_stopped(struct actors *actors)
{
    if (actors->is_stopping && actors->live == 0) {
        loop_defer(&actors->runtime->loop, &actors->stopped, on_stopped);
    } else if (actors->is_stopping && actors->live == actors->system_live) {
        signal_all(actors, "kill", true);
    }
}

void actors_remove(struct actors *actors, struct actor *actor)
{
    actors->slots[actor->index] = (struct actors_slot){.next_free = actors->first_free};
    actors->first_free = actor->index;
    actors->live--;
    actors->system_live -= actor->is_system;
    if (actors->server == actor) {
        actors->server = NULL;
    }
    check_stopped(actors);
}

static int end_at_once(lua_State *L)
{
    (void)L;
    return 0;
}

static void start(struct actor *actor)
{
    lua_State *L = actor->task->L;
    actor->has_begun = true;
    if (actor->is_exiting) { /* an exit signal came first: nothing of it shall run */
        lua_settop(L, 0);
        lua_pushcfunction(L, end_at_once);
    }
    task_start(actor->task, lua_gettop(L) - 1);
}

static struct actor *take_first(struct actors *actors)
{
    struct actor *actor = actors->starting;
    actors->starting = actor->next_start;
    if (actors->starting == NULL) {
        actors->starting_end = &actors->starting;
    }
    return actor;
}

/* Those that were spawned meanwhile begin in a job of their own, behind what else was queued; so do those behind one that has used
 * up its slice at once: a thousand that spin must not begin in one turn. */
static void on_start(struct loop_job *job)
{
    struct actors *actors = H2O_STRUCT_FROM_MEMBER(struct actors, start, job);
    const struct slice *slice = &actors->runtime->slice;
    struct actor *const *end = actors->starting_end;
    bool is_last = false;
    do {
        struct actor *actor = take_first(actors);
        is_last = &actor->next_start == end;
        start(actor);
    } while (!is_last && !slice_is_over(slice));
    if (actors->starting != NULL) {
        loop_defer(&actors->runtime->loop, &actors->start, on_start);
    }
}

void actors_start(struct actors *actors, struct actor *actor)
{
    actor->next_start = NULL;
    *actors->starting_end = actor;
    actors->starting_end = &actor->next_start;
    loop_defer(&actors->runtime->loop, &actors->start, on_start);
}

uint64_t actors_next_monitor(struct actors *actors)
{
    return actors->next_monitor++ << 1 | 1;
}

struct pid actors_worker_pid(const struct actors *actors)
{
    return (struct pid){.incarnation = actors->runtime->incarnation};
}

static void on_stop_limit(struct timer *timer)
{
    signal_all(H2O_STRUCT_FROM_MEMBER(struct actors, stop_limit, timer), "kill", false);
}

void actors_stop(struct runtime *runtime, void (*on_stopped_call)(struct runtime *runtime))
{
    struct actors *actors = runtime->actors;
    if (actors == NULL) {
        on_stopped_call(runtime);
        return;
    }
    actors->is_stopping = true;
    actors->on_stopped = on_stopped_call;
    signal_all(actors, "shutdown", false);
    loop_set_timer(&runtime->loop, &actors->stop_limit, ACTORS_STOP_MS, on_stop_limit);
    check_stopped(actors);
}
