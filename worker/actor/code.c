/* code.c - the modules that actors run: which function that is.
 * Owns one struct per module name and generation that has users or a known body.  The first actor of a module requires it in its own
 * coroutine, where that may fail or wait without anybody else noticing; the function that was found is kept for the next
 * ones, until another generation of the application's code is the current one.  Actors that old code still starts require it each time.
 * Called by spawn and at the end of an actor.  Must not know how a generation finds a module. */
#include "worker/actor/code.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actors.h"
#include "worker/core/runtime.h"

static void forget_body(struct code *code, lua_State *L)
{
    luaL_unref(L, LUA_REGISTRYINDEX, code->body_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, code->self_ref);
    code->body_ref = LUA_NOREF;
    code->self_ref = LUA_NOREF;
}

static struct code *make(struct actors *actors, const char *name, uint64_t generation)
{
    struct code *code = calloc(1, sizeof(*code));
    char *copy = strdup(name);
    if (code == NULL || copy == NULL) {
        abort();
    }
    *code = (struct code){.name = copy,
                          .generation = generation,
                          .body_ref = LUA_NOREF,
                          .self_ref = LUA_NOREF,
                          .next = actors->codes};
    size_t len = strlen(name);
    memcpy(code->place, name, len < sizeof(code->place) ? len : sizeof(code->place) - 1);
    actors->codes = code;
    return code;
}

/* The one that was found is put first: few modules have many actors. */
static struct code *find(struct actors *actors, const char *name, uint64_t generation)
{
    for (struct code **link = &actors->codes; *link != NULL; link = &(*link)->next) {
        struct code *code = *link;
        if (code->generation == generation && strcmp(code->name, name) == 0) {
            *link = code->next;
            code->next = actors->codes;
            actors->codes = code;
            return code;
        }
    }
    return NULL;
}

struct code *code_acquire(struct actors *actors, const char *name, uint64_t generation)
{
    struct code *code = find(actors, name, generation);
    if (code == NULL) {
        code = make(actors, name, generation);
    }
    code->users++;
    return code;
}

/* It is the first one. */
static void free_first(struct actors *actors)
{
    struct code *code = actors->codes;
    actors->codes = code->next;
    free(code->name);
    free(code);
}

void code_release(struct actors *actors, struct code *code)
{
    if (--code->users > 0 || code->body_ref != LUA_NOREF) {
        return;
    }
    (void)find(actors, code->name, code->generation); /* puts it first */
    free_first(actors);
}

void code_forget(struct actors *actors)
{
    struct code *next = NULL;
    for (struct code *code = actors == NULL ? NULL : actors->codes; code != NULL; code = next) {
        next = code->next;
        forget_body(code, actors->runtime->L);
        code->users++;
        code_release(actors, code); /* frees one that nobody runs */
    }
}

void code_free_all(struct actors *actors)
{
    while (actors->codes != NULL) {
        free_first(actors);
    }
}

static int on_body_over(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

/* The function is on the top, its module at 3. */
static void remember(struct code *code, lua_State *L, bool is_table)
{
    forget_body(code, L); /* another one may have come first */
    lua_pushvalue(L, -1);
    code->body_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    if (is_table) {
        lua_pushvalue(L, 3);
        code->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

/* 1: the code, 2: the argument, 3: the module.  Remembers what the module offers, and runs it. */
static int run_module(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct code *code = lua_touserdata(L, 1);
    bool is_current = code->generation == generations_current(runtime_of(L));
    bool is_table = lua_type(L, 3) == LUA_TTABLE;
    if (is_table) {
        lua_getfield(L, 3, "run");
    } else {
        lua_pushvalue(L, 3);
    }
    if (lua_type(L, -1) != LUA_TFUNCTION) {
        return luaL_error(L,
                          "cannot run \"%s\" as an actor: the module must return a function, or a "
                          "table with a function `run`",
                          code->name);
    }
    if (is_current) { /* else it would be held for ever */
        remember(code, L, is_table);
    }
    if (is_table) {
        lua_pushvalue(L, 3);
    }
    lua_pushvalue(L, 2);
    lua_remove(L, 3); /* a server may move to other code, and this must not hold the old one */
    lua_callk(L, is_table ? 2 : 1, 0, 0, on_body_over);
    return 0;
}

/* The first actor of a module: 1 is the code, 2 the argument. */
static int load_module(lua_State *L)
{
    const struct code *code = lua_touserdata(L, 1);
    generations_push_require(L, code->generation);
    lua_pushstring(L, code->name);
    lua_callk(L, 1, 1, 0, run_module);
    return run_module(L, LUA_OK, 0);
}

void code_push(struct code *code, lua_State *L, lua_State *to)
{
    if (code->body_ref == LUA_NOREF) {
        lua_pushcfunction(to, load_module);
        lua_pushlightuserdata(to, code);
    } else {
        lua_rawgeti(to, LUA_REGISTRYINDEX, code->body_ref);
        if (code->self_ref != LUA_NOREF) {
            lua_rawgeti(to, LUA_REGISTRYINDEX, code->self_ref);
        }
    }
    lua_xmove(L, to, 1);
}
