/* generation.c - one version of the application's code: an environment of its own, and `require` inside it.
 * Owns the bundle.  The struct is a userdata that each require of the generation holds, so that the bundle is there for as long as any
 * of its code may ask for a module: C code holds it by references into Lua's registry, and when these are given up, Lua
 * collects what no task, timer or actor uses any more.  The environment is a copy of the standard globals, so what an
 * application stores in a global belongs to its generation; `require` looks into the generation's own loaded table, then
 * among fsd's modules, then in the bundle, and last in the system's Lua paths (modules that Debian installed).  In a task the top
 * level of a module may wait and is preempted like any code; another task that requires it meanwhile waits for it.
 * Called by life.c when LOAD arrives, and by trial.c beside traffic.  Must not know what an application object is: the areas
 * judge what the main file returned. */
#include "worker/core/generation.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

#define LOADING_METATABLE    "fsd.loading"
#define GENERATION_METATABLE "fsd.generation"

/* What require's closure carries. */
enum { UPVALUE_GENERATION = 1, UPVALUE_LOADED, UPVALUE_ENV, UPVALUE_COUNT = UPVALUE_ENV };

enum {
    OTHER_MS = 10000
}; /* how long another task may take to load a module that this one requires, too */

/* The mark that stands in the loaded table while a module's top level runs. */
struct loading {
    const struct task *task; /* borrowed: whose; NULL: the application is being loaded */
};

static const char *const patterns[] = {"%s.lua", "%s/init.lua", "lib/%s.lua", "lib/%s/init.lua"};

static const struct bundle_file *find_module(lua_State *L, const struct bundle *bundle,
                                             const char *name)
{
    const char *path = luaL_gsub(L, name, ".", "/");
    const struct bundle_file *found = NULL;
    for (size_t i = 0; found == NULL && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const char *candidate = luaL_gsub(L, patterns[i], "%s", path);
        found = bundle_find(bundle, candidate, strlen(candidate));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return found;
}

/* Compiles a file of the bundle with the environment at env_index; leaves the function on the stack, or raises. */
static void push_chunk(lua_State *L, const struct bundle_file *file, int env_index)
{
    lua_pushlstring(L, file->name, file->name_len);
    const char *chunk_name = lua_pushfstring(L, "@%s", lua_tostring(L, -1));
    if (luaL_loadbufferx(L, file->source, file->source_len, chunk_name, "t") != LUA_OK) {
        lua_error(L);
    }
    lua_pushvalue(L, env_index);
    lua_setupvalue(L, -2, 1); /* _ENV: the first upvalue of every main chunk */
    lua_replace(L, -3);
    lua_pop(L, 1);
}

static int is_own_module(const char *name)
{
    return strcmp(name, "fsd") == 0 || strncmp(name, "fsd.", 4) == 0;
}

/* __close of the mark: when the top level has failed, the module may be required again. */
static int loading_close(lua_State *L)
{
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1); /* 2: the loaded table */
    lua_getiuservalue(L, 1, 2); /* 3: the name */
    lua_pushvalue(L, 3);
    lua_rawget(L, 2);
    if (lua_rawequal(L, -1, 1)) {
        lua_pushvalue(L, 3);
        lua_pushnil(L);
        lua_rawset(L, 2);
    }
    return 0;
}

/* Pushes the mark and stores it under the name at index 1. */
static void begin_loading(lua_State *L)
{
    struct loading *loading = lua_newuserdatauv(L, sizeof(*loading), 2);
    loading->task = runtime_of(L)->tasks.running;
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_LOADED));
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    if (luaL_newmetatable(L, LOADING_METATABLE)) {
        lua_pushcfunction(L, loading_close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(UPVALUE_LOADED));
}

/* Calls the state's own require, for fsd's modules and the system's.  Lua's "module 'x' not found" names the place that
 * called it, but sees only us there; so the place is put in front here. */
static int require_outside(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
        return 1;
    }
    if (lua_type(L, -1) == LUA_TSTRING && strncmp(lua_tostring(L, -1), "module '", 8) == 0) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int require_module(lua_State *L);

static int on_look_again(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    return require_module(L);
}

/* A module whose top level waits, or computes for long, may be loading in another task. */
static int require_loading(lua_State *L, const struct loading *loading)
{
    const char *name = lua_tostring(L, 1);
    if (loading->task == runtime_of(L)->tasks.running) {
        return luaL_error(L,
                          "module \"%s\" is being loaded already: it requires itself, directly "
                          "or through others",
                          name);
    }
    lua_Integer now_ms = (lua_Integer)clock_monotonic_ms();
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_pushinteger(L, now_ms + OTHER_MS);
        lua_replace(L, 2);
    } else if (now_ms >= lua_tointeger(L, 2)) {
        return luaL_error(
            L, "module \"%s\" is being loaded by another task, and was not ready in %d s", name,
            OTHER_MS / 1000);
    }
    return task_sleep_then(L, 0.001, on_look_again);
}

/* The module's result is on the top, its name at index 1. */
static int after_loading(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1); /* as Lua's require does for a module that returns nothing */
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(UPVALUE_LOADED));
    return 1;
}

/* Index 1: the name; 2, when it was loading in another task before: the time until which to wait for that. */
static int require_module(lua_State *L)
{
    const char *name = lua_tostring(L, 1);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(UPVALUE_LOADED)) != LUA_TNIL) {
        const struct loading *loading = luaL_testudata(L, -1, LOADING_METATABLE);
        if (loading == NULL) {
            return 1;
        }
        lua_pop(L, 1);
        return require_loading(L, loading);
    }
    lua_settop(L, 1);
    const struct generation *generation = lua_touserdata(L, lua_upvalueindex(UPVALUE_GENERATION));
    if (generation->bundle.bytes == NULL) { /* a finalizer that comes behind ours */
        return luaL_error(L, "cannot require \"%s\": the code it belongs to is gone", name);
    }
    const struct bundle_file *file =
        is_own_module(name) ? NULL : find_module(L, &generation->bundle, name);
    if (file == NULL) {
        return require_outside(L);
    }
    begin_loading(L);
    push_chunk(L, file, lua_upvalueindex(UPVALUE_ENV));
    lua_pushvalue(L, 1);
    lua_pushlstring(L, file->name, file->name_len);
    lua_callk(L, 2, 1, 0, after_loading);
    return after_loading(L, LUA_OK, 0);
}

/* require(name) of a generation. */
static int generation_require(lua_State *L)
{
    (void)luaL_checkstring(L, 1);
    lua_settop(L, 1);
    return require_module(L);
}

/* load(...) of a generation: the same as Lua's, but its chunks see the generation's globals unless they are given others. */
static int generation_load_chunk(lua_State *L)
{
    if (lua_gettop(L) < 4) {
        lua_settop(L, 3);
        lua_pushvalue(L, lua_upvalueindex(2));
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void push_environment(lua_State *L)
{
    lua_newtable(L);
    lua_pushglobaltable(L);
    value_move_pairs(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_getfield(L, -1, "load");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, generation_load_chunk, 2);
    lua_setfield(L, -2, "load");
}

static int after_main(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct generation *generation = (struct generation *)context; /* NOLINT: held by the caller */
    lua_pushvalue(L, -1);
    generation->app_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

int generation_run_main(lua_State *L)
{
    struct generation *generation = lua_touserdata(L, 1);
    push_environment(L); /* 2 */
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->anchor);
    lua_newtable(L);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, generation_require, UPVALUE_COUNT);
    lua_pushvalue(L, -1);
    generation->require_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_setfield(L, 2, "require");
    const struct bundle *bundle = &generation->bundle;
    const struct bundle_file *file = bundle_find(bundle, bundle->main, bundle->main_len);
    if (file == NULL) {
        return luaL_error(L, "the bundle has no main file");
    }
    push_chunk(L, file, 2);
    lua_callk(L, 0, 1, (lua_KContext)generation, after_main);
    return after_main(L, LUA_OK, (lua_KContext)generation);
}

int generation_fail(lua_State *L, struct fsd_err *err)
{
    if (!error_is(L, -1)) { /* not even the message handler could run */
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "unknown error";
        return fsd_err_set(err, EINVAL, "%s", text);
    }
    const char *message = error_push_text(L, -1, "message");
    const char *traceback = error_push_text(L, -2, "traceback");
    int error = fsd_err_set(err, EINVAL, "%s\n%s", message != NULL ? message : "unknown error",
                            traceback != NULL ? traceback : "");
    lua_pop(L, 2);
    return error;
}

static int generation_gc(lua_State *L)
{
    struct generation *generation = lua_touserdata(L, 1);
    bundle_close(&generation->bundle);
    generation->bundle = (struct bundle){0};
    return 0;
}

int generation_new(struct runtime *runtime, int fd, uint64_t number,
                   struct generation **ret_generation, struct fsd_err *err)
{
    struct bundle bundle = {0};
    int error = bundle_open(&bundle, fd, err);
    if (error != 0) {
        return error;
    }
    lua_State *L = runtime->L;
    struct generation *generation = lua_newuserdatauv(L, sizeof(*generation), 0);
    *generation = (struct generation){
        .number = number, .bundle = bundle, .app_ref = LUA_NOREF, .require_ref = LUA_NOREF};
    if (luaL_newmetatable(L, GENERATION_METATABLE)) {
        lua_pushcfunction(L, generation_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    generation->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    *ret_generation = generation;
    return 0;
}

int generation_load(struct runtime *runtime, int fd, uint64_t number,
                    struct generation **ret_generation, struct fsd_err *err)
{
    struct generation *generation = NULL;
    int error = generation_new(runtime, fd, number, &generation, err);
    if (error != 0) {
        return error;
    }
    lua_State *L = runtime->L;
    int top = lua_gettop(L);
    lua_pushcfunction(L, error_traceback);
    lua_pushcfunction(L, generation_run_main);
    lua_pushlightuserdata(L, generation);
    recorder_run_load(&runtime->recorder, number, generation->bundle.main,
                      generation->bundle.main_len);
    runtime->is_loading = true;
    runtime->loading = generation;
    int status = lua_pcall(L, 1, 1, top + 1);
    runtime->is_loading = false;
    runtime->loading = NULL;
    recorder_pause(&runtime->recorder);
    if (status != LUA_OK) {
        error = generation_fail(L, err);
        generation_free(runtime, generation);
    } else {
        *ret_generation = generation;
    }
    lua_settop(L, top);
    return error;
}

void generation_to_loaded(lua_State *L)
{
    (void)lua_getupvalue(L, -1, UPVALUE_LOADED);
    lua_remove(L, -2);
}

const struct generation *generation_of_require(lua_State *L, int index)
{
    if (lua_tocfunction(L, index) != generation_require) {
        return NULL;
    }
    (void)lua_getupvalue(L, index, UPVALUE_GENERATION);
    return lua_touserdata(L, -1);
}

const struct generation *generation_check(lua_State *L, int index)
{
    return luaL_checkudata(L, index, GENERATION_METATABLE);
}

void generation_free(struct runtime *runtime, struct generation *generation)
{
    if (generation == NULL) {
        return;
    }
    luaL_unref(runtime->L, LUA_REGISTRYINDEX, generation->app_ref);
    luaL_unref(runtime->L, LUA_REGISTRYINDEX, generation->require_ref);
    luaL_unref(runtime->L, LUA_REGISTRYINDEX, generation->anchor); /* from here on Lua's alone */
}
