/* children.c - what the application declares to be supervised, as the worker sees it: one actor.
 * Owns nothing but a mark on that actor, the root, whose code is lua/fsd/supervisor/root.lua: a supervisor of the declared ones
 * that restarts none of them, because the worker's own supervisor is the pool's.  The root says when all have started, and
 * whatever its end is, the worker hears of it.
 * When other code takes over, the root is told what that declares, and the supervisors compare (lua/fsd/supervisor/change.lua).
 * The declarations stand in a list for each application (core/app_list.c).
 * Called by worker/life.c at ACTIVATE and at DRAIN, by life_code.c at COMMIT; modules.c adds the method to http/app.c's class.
 * Must not know what a supervisor is. */
#include "worker/actor/children.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/exit.h"
#include "worker/actor/post.h"
#include "worker/core/app_list.h"
#include "worker/core/generation.h"

#define APP_METATABLE  "fsd.App" /* http/app.c's class */
#define LISTS          "fsd.children"
#define ROOT_MODULE    "fsd.supervisor.root"
#define DECLARE_MODULE "fsd.supervisor.declare"

enum { MAILBOX_COUNT = 10000, MAILBOX_BYTES = 1 << 20 };

static struct actors *actors_of_job(struct loop_job *job)
{
    return H2O_STRUCT_FROM_MEMBER(struct actors, children.job, job);
}

static void on_started_job(struct loop_job *job)
{
    struct actors *actors = actors_of_job(job);
    if (actors->children.root != NULL && !actors->children.is_stopping) {
        actors->children.calls.on_started(actors->runtime);
    }
}

static void on_ended_job(struct loop_job *job)
{
    struct actors *actors = actors_of_job(job);
    const struct children *children = &actors->children;
    if (children->is_stopping) {
        children->calls.on_stopped(actors->runtime);
    } else {
        children->calls.on_failed(actors->runtime);
    }
}

/* A job that still says that all have started is told what is true now. */
static void on_root_end(struct actors *actors)
{
    struct children *children = &actors->children;
    children->root = NULL;
    children->job.on_run = on_ended_job;
    loop_defer(&actors->runtime->loop, &children->job, on_ended_job);
}

/* app:supervisor(options) -> app.  What a supervisor may be told is known to the module in Lua, which gives the options as they
 * can be kept. */
static int declare(lua_State *L)
{
    if (luaL_testudata(L, 1, APP_METATABLE) == NULL) {
        return luaL_error(L, "call app:supervisor(...) with a colon");
    }
    if (!task_is_declaring(L)) {
        return luaL_error(L, "app:supervisor is for code that is being loaded; what runs already "
                             "has fsd.supervisor");
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    app_list_get(L, LISTS, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, DECLARE_MODULE);
    lua_call(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) {
        return luaL_error(L, "%s", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
    lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    lua_settop(L, 1);
    return 1;
}

const luaL_Reg children_methods[] = {{"supervisor", declare}, {NULL, NULL}};

/* Pushes the list of the loaded application, or nil. */
static void push_loaded(lua_State *L, const struct generation *generation)
{
    if (generation == NULL) { /* a pool that is held has no code */
        lua_pushnil(L);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    app_list_find(L, LISTS, -1);
    lua_remove(L, -2);
}

void children_start(struct runtime *runtime, struct children_calls calls)
{
    lua_State *L = runtime->L;
    push_loaded(L, runtime->generation);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        calls.on_started(runtime);
        return;
    }
    struct actor_options options = {.mailbox_count = MAILBOX_COUNT, .mailbox_bytes = MAILBOX_BYTES};
    struct actor *root = actor_spawn(L, ROOT_MODULE, &options);
    root->on_end = on_root_end;
    runtime->actors->children = (struct children){.root = root, .calls = calls};
}

static void on_nothing(struct runtime *runtime)
{
    (void)runtime;
}

void children_replace(struct runtime *runtime, void (*on_failed)(struct runtime *runtime))
{
    struct actors *actors = runtime->actors;
    lua_State *L = runtime->L;
    if (actors == NULL || actors->children.is_stopping) {
        return;
    }
    if (actors->children.root == NULL) {
        children_start(runtime, (struct children_calls){on_nothing, on_failed, NULL});
        return;
    }
    lua_createtable(L, 2, 0);
    lua_pushliteral(L, "$declared");
    lua_rawseti(L, -2, 1);
    push_loaded(L, runtime->generation);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    lua_rawseti(L, -2, 2);
    post_signal(actors->children.root, L);
}

void children_on_started(lua_State *L)
{
    struct actors *actors = actors_of(L);
    if (actors->children.root != NULL && actors->children.root == actor_running(L)) {
        loop_defer(&actors->runtime->loop, &actors->children.job, on_started_job);
    }
}

void children_stop(struct runtime *runtime, void (*on_stopped)(struct runtime *runtime))
{
    struct actors *actors = runtime->actors;
    if (actors == NULL || actors->children.root == NULL) {
        on_stopped(runtime);
        return;
    }
    struct pid from = actors_worker_pid(actors);
    actors->children.is_stopping = true;
    actors->children.calls.on_stopped = on_stopped;
    lua_pushliteral(runtime->L, "shutdown");
    exit_signal(actors->children.root, runtime->L, SIGNAL_EXIT, &from);
}
