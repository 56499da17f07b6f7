/* code.c - the modules that actors run: which function that is.
 * Owns one struct per module name that has users or a known body.  The first actor of a module requires it in its own
 * coroutine, where that may fail or wait without anybody else noticing; the function that was found is kept for the next
 * ones, until another generation of the application's code is the current one.
 * Called by spawn and at the end of an actor.  Must not know how a generation finds a module. */
#include "worker/actor/code.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actors.h"
#include "worker/core/generation.h"

static void forget_body(struct code *code, lua_State *L)
{
    luaL_unref(L, LUA_REGISTRYINDEX, code->body_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, code->self_ref);
    code->body_ref = LUA_NOREF;
    code->self_ref = LUA_NOREF;
}

static uint64_t current_generation(const struct actors *actors)
{
    const struct generation *generation = actors->runtime->generation;
    return generation != NULL ? generation->number : 0;
}

static struct code *make(struct actors *actors, const char *name)
{
    struct code *code = calloc(1, sizeof(*code));
    char *copy = strdup(name);
    if (code == NULL || copy == NULL) {
        abort();
    }
    *code = (struct code){
        .name = copy, .body_ref = LUA_NOREF, .self_ref = LUA_NOREF, .next = actors->codes};
    size_t len = strlen(name);
    memcpy(code->place, name, len < sizeof(code->place) ? len : sizeof(code->place) - 1);
    actors->codes = code;
    return code;
}

/* The one that was found is put first: few modules have many actors. */
static struct code *find(struct actors *actors, const char *name)
{
    for (struct code **link = &actors->codes; *link != NULL; link = &(*link)->next) {
        struct code *code = *link;
        if (strcmp(code->name, name) == 0) {
            *link = code->next;
            code->next = actors->codes;
            actors->codes = code;
            return code;
        }
    }
    return NULL;
}

struct code *code_acquire(struct actors *actors, const char *name)
{
    struct code *code = find(actors, name);
    if (code == NULL) {
        code = make(actors, name);
    }
    code->users++;
    uint64_t generation = current_generation(actors);
    if (code->generation != generation) {
        forget_body(code, actors->runtime->L);
        code->generation = generation;
    }
    return code;
}

void code_release(struct actors *actors, struct code *code)
{
    if (--code->users > 0 || code->body_ref != LUA_NOREF) {
        return;
    }
    (void)find(actors, code->name); /* puts it first */
    actors->codes = code->next;
    free(code->name);
    free(code);
}

void code_forget(struct actors *actors)
{
    for (struct code *code = actors == NULL ? NULL : actors->codes; code != NULL;
         code = code->next) {
        forget_body(code, actors->runtime->L);
        code->generation = current_generation(actors);
    }
}

void code_free_all(struct actors *actors)
{
    while (actors->codes != NULL) {
        struct code *code = actors->codes;
        actors->codes = code->next;
        free(code->name);
        free(code);
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
    struct code *code = lua_touserdata(L, 1);
    bool is_current = (uint64_t)context == current_generation(actors_of(L));
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
    if (is_current) { /* else other code came while it loaded */
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

void code_push_require(lua_State *L)
{
    const struct generation *generation = runtime_of(L)->generation;
    if (generation != NULL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, generation->require_ref);
    } else {
        lua_getglobal(L, "require");
    }
}

/* The first actor of a module: 1 is the code, 2 the argument. */
static int load_module(lua_State *L)
{
    const struct code *code = lua_touserdata(L, 1);
    code_push_require(L);
    lua_pushstring(L, code->name);
    lua_KContext generation = (lua_KContext)current_generation(actors_of(L));
    lua_callk(L, 1, 1, generation, run_module);
    return run_module(L, LUA_OK, generation);
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
