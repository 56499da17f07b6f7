/* generations.c - what still runs on code that was replaced, and until when it may.
 * Owns the list of replaced generations and a timer, which looks once a second while there are any.  Each task says in which
 * generation it was started; requests and tasks that are left when the time of theirs is over are cancelled with the code
 * "replaced", and closed by force a second later, as whatever is cancelled; what becomes of actors is decided in actor/renewal.c.  The
 * master hears whenever what is left has changed (laggards.c).  As long as something runs on a generation, its require is held, so that actors which
 * that starts run on the same code, also when nothing else of it would be left.  What nothing runs on any more is swept out (sweep.c).
 * Called by life_code.c at COMMIT and by whoever starts tasks.  Must not know what they do. */
#include "worker/core/generations.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "worker/core/generation.h"
#include "worker/core/laggards.h"
#include "worker/core/link.h"
#include "worker/core/runtime.h"
#include "worker/core/trial.h"

enum {
    LOOK_MS = 1000,
    ENDED_MAX =
        1000, /* in one look; the next one follows soon then, and goes on there, and tells */
    GO_ON_MS = 50,
};

/* One look at what is left. */
struct generations_report {
    struct laggards laggards; /* as the master is told */
    uint64_t now_ms;
    uint32_t ended;
    uint32_t ended_to; /* the account of the last of these */
};

uint64_t generations_current(const struct runtime *runtime)
{
    return runtime->generation == NULL ? 0 : runtime->generation->number;
}

/* A task has room for the low half only; generations that are alive at a time are close together. */
uint64_t generations_of(const struct runtime *runtime, const struct task *task)
{
    uint64_t current = generations_current(runtime);
    return current - (uint16_t)(current - task->generation);
}

uint64_t generations_here(lua_State *L)
{
    const struct runtime *runtime = runtime_of(L);
    const struct task *task = runtime->tasks.running;
    return task != NULL ? generations_of(runtime, task) : generations_current(runtime);
}

void generations_assign(struct task *task, uint64_t number)
{
    generations_leave(task->runtime, task->generation);
    task->generation = (uint16_t)number;
    generations_enter(task->runtime, task->generation);
}

void generations_enter(struct runtime *runtime, uint16_t generation)
{
    runtime->generations.users[generation % GENERATIONS_USERS]++;
}

void generations_leave(struct runtime *runtime, uint16_t generation)
{
    assert(runtime->generations.users[generation % GENERATIONS_USERS] > 0);
    runtime->generations.users[generation % GENERATIONS_USERS]--;
}

/* The one of that number; else the next one, of which it is known that this one was replaced before it.  NULL: there is none. */
static struct generations_old *find_old(struct generations *generations, uint64_t number)
{
    for (size_t i = 0; i < generations->count; i++) {
        if (generations->old[i].number >= number) {
            return &generations->old[i];
        }
    }
    return generations->count > 0 ? &generations->old[generations->count - 1] : NULL;
}

/* FILE:LINE of the innermost function of the application's: names in a bundle are relative, those of libraries are not. */
static void find_place(lua_State *L, char *place, size_t room)
{
    lua_Debug info;
    (void)snprintf(place, room, "?");
    for (int level = 0; lua_getstack(L, level, &info) == 1; level++) {
        if (lua_getinfo(L, "Sl", &info) != 0 && info.currentline > 0 &&
            strncmp(info.source, "@/", 2) != 0) {
            (void)snprintf(place, room, "%s:%d", info.short_src, info.currentline);
            return;
        }
    }
}

static uint64_t limit_ms(const struct runtime *runtime)
{
    uint64_t ms = runtime->config.replaced_ms;
    return ms == 0 ? GENERATIONS_REPLACED_MS : ms;
}

/* Something of a replaced generation was found; true: its time is over. */
static bool meet(struct runtime *runtime, uint64_t number, uint64_t *ret_age_ms)
{
    struct generations_report *report = runtime->generations.report;
    const struct generations_old *old = find_old(&runtime->generations, number);
    laggards_count(&report->laggards, number);
    uint64_t since_ms = old == NULL ? runtime->generations.full_ms : old->since_ms;
    *ret_age_ms = since_ms == 0 ? 0 : report->now_ms - since_ms;
    return *ret_age_ms >= limit_ms(runtime);
}

static void describe(const struct task *task, struct laggards *laggards, uint64_t age_s)
{
    char what[LAGGARDS_LINE_MAX / 2] = "-";
    char place[LUA_IDSIZE + 16];
    if (task->owner->on_describe != NULL) {
        task->owner->on_describe(task, what, sizeof(what));
    }
    find_place(task->L, place, sizeof(place));
    laggards_add(laggards, task->owner->kind, what, place, age_s);
}

static void end(struct task *task)
{
    if (task->owner->on_replaced != NULL) {
        task->owner->on_replaced(task);
    } else {
        task_cancel(task, TASK_CANCEL_REPLACED);
    }
}

/* Whether a task is to be ended in this look, which goes through them by their accounts. */
static bool is_its_turn(struct generations *generations, const struct task *task)
{
    struct generations_report *report = generations->report;
    if (task->account <= generations->ended_to || report->ended == ENDED_MAX) {
        return false;
    }
    report->ended++;
    report->ended_to = task->account;
    return true;
}

/* Reports one that is left, and ends it when its time is over. */
static void judge(struct runtime *runtime, struct task *task)
{
    uint64_t age_ms = 0;
    struct laggards *laggards = &runtime->generations.report->laggards;
    bool is_over = meet(runtime, generations_of(runtime, task), &age_ms);
    if (laggards_has_room(laggards)) {
        describe(task, laggards, age_ms / 1000);
    }
    if (is_over && is_its_turn(&runtime->generations, task)) {
        end(task);
    }
}

bool generations_meet(struct runtime *runtime, uint16_t generation, const char *kind,
                      const char *what)
{
    uint64_t current = generations_current(runtime);
    uint64_t age_ms = 0;
    if (generation == (uint16_t)current) {
        return false;
    }
    struct laggards *laggards = &runtime->generations.report->laggards;
    bool is_over = meet(runtime, current - (uint16_t)(current - generation), &age_ms);
    if (laggards_has_room(laggards)) {
        laggards_add(laggards, kind, what, what, age_ms / 1000);
    }
    return is_over;
}

static void tell(struct runtime *runtime, struct laggards *laggards)
{
    uint64_t hash = laggards_finish(laggards);
    if (hash != runtime->generations.told && runtime->link != NULL) {
        runtime->generations.told = hash;
        link_send_text(runtime->link, PROTO_LAGGARDS, &laggards->body, sizeof(laggards->body),
                       laggards->text);
    }
}

/* Lets go of the code that nothing runs on. */
static void let_go(struct runtime *runtime)
{
    struct generations *generations = &runtime->generations;
    size_t kept = 0;
    for (size_t i = 0; i < generations->count; i++) {
        const struct generations_old *old = &generations->old[i];
        if (generations->users[old->number % GENERATIONS_USERS] > 0) {
            generations->old[kept++] = *old;
        } else {
            luaL_unref(runtime->L, LUA_REGISTRYINDEX, old->require_ref);
        }
    }
    if (kept < generations->count) {
        sweep_begin(runtime);
    }
    generations->count = kept;
}

/* Goes through all that runs on replaced code. */
static void look(struct runtime *runtime, struct generations_report *report)
{
    struct generations *generations = &runtime->generations;
    struct heap *heap = &runtime->heap;
    uint16_t current = (uint16_t)generations_current(runtime);
    generations->report = report;
    for (uint32_t account = 0; (account = heap_next_holder(heap, account)) != 0;) {
        struct task *task = heap->accounts[account].holder;
        if (task->generation != current && task->trial == TASK_TRIAL_NONE) {
            judge(runtime, task);
        }
    }
    if (generations->on_look != NULL) {
        generations->on_look(runtime);
    }
    generations->report = NULL;
    generations->ended_to = report->ended == ENDED_MAX ? report->ended_to : 0;
}

static void on_look(struct timer *timer)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, generations.look, timer);
    struct generations_report report = {.now_ms = clock_monotonic_ms()};
    laggards_init(&report.laggards);
    look(runtime, &report);
    let_go(runtime);
    if (runtime->generations.ended_to > 0) {
        loop_set_timer(&runtime->loop, timer, GO_ON_MS, on_look);
        return;
    }
    tell(runtime, &report.laggards);
    if (report.laggards.body.count > 0) {
        loop_set_timer(&runtime->loop, timer, LOOK_MS, on_look);
    }
}

void generations_replace(struct runtime *runtime, uint64_t number)
{
    struct generations *generations = &runtime->generations;
    if (generations->count < GENERATIONS_REPLACED_MAX) {
        generations->old[generations->count++] =
            (struct generations_old){number, clock_monotonic_ms(), LUA_NOREF};
    } else {
        generations->full_ms = clock_monotonic_ms();
    }
    if (!timer_is_set(&generations->look)) {
        loop_set_timer(&runtime->loop, &generations->look, LOOK_MS, on_look);
    }
}

void generations_hold(struct runtime *runtime, const struct generation *old)
{
    struct generations_old *last = find_old(&runtime->generations, old->number);
    if (last != NULL && last->number == old->number) {
        lua_rawgeti(runtime->L, LUA_REGISTRYINDEX, old->require_ref);
        last->require_ref = luaL_ref(runtime->L, LUA_REGISTRYINDEX);
    }
    let_go(runtime);
}

void generations_push_require(lua_State *L, uint64_t number)
{
    struct runtime *runtime = runtime_of(L);
    struct generations_old *old = find_old(&runtime->generations, number);
    if (old != NULL && old->number == number && old->require_ref != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, old->require_ref);
    } else if (runtime->generation != NULL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->generation->require_ref);
    } else {
        lua_getglobal(L, "require");
    }
}

void generations_push_require_here(lua_State *L)
{
    const struct runtime *runtime = runtime_of(L);
    const struct task *task = runtime->tasks.running;
    const struct generation *loading = runtime->loading;
    if (task != NULL) {
        loading = task->trial == TASK_TRIAL_NONE ? NULL : trial_generation(task);
    }
    if (loading != NULL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, loading->require_ref);
    } else {
        generations_push_require(L, generations_here(L));
    }
}

const struct bundle *generations_push_folder(lua_State *L)
{
    generations_push_require_here(L);
    const struct generation *generation = generation_of_require(L, -1);
    if (generation == NULL || generation->bundle.root == NULL) {
        lua_pop(L, generation == NULL ? 1 : 2);
        return NULL;
    }
    lua_pop(L, 2); /* the task, or who loads it, keeps it alive */
    lua_pushlstring(L, generation->bundle.root, generation->bundle.root_len);
    return &generation->bundle;
}

void generations_fini(struct runtime *runtime)
{
    timer_clear(&runtime->loop.timers, &runtime->generations.look);
}
