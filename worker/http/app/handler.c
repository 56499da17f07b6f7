/* handler.c - one handler as an application has registered it.
 * Owns the lists, and in the registry a table of what makes handlers and is none; the Lua values stand in an array that the collector
 * sees.  What can be known of one (does it take next, where does it stand, does it need Lua at all) is found out here, so that no
 * request has to.
 * Called by register.c, mount.c and flatten.c while an application loads.  Must not know what a handler is for. */
#include "worker/http/app/handler.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/native.h"

static const char factories[] = "fsd.factories"; /* of the registry: values to examples */

int handler_note_factory(lua_State *L)
{
    luaL_checkany(L, 1);
    luaL_checkstring(L, 2);
    (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, factories);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_rawset(L, -3);
    return 0;
}

void handler_refuse_factory(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, factories);
    lua_pushvalue(L, index);
    if (!lua_isnil(L, -1) && lua_rawget(L, -2) == LUA_TSTRING) {
        luaL_error(L, "this makes a handler, and is none itself: call it, as in %s",
                   lua_tostring(L, -1));
    }
    lua_pop(L, 2);
}

void handler_refuse_error_handler(lua_State *L, int index)
{
    enum { PARAMS_MAX = 3 };
    lua_Debug info;
    if (!lua_isfunction(L, index)) {
        return;
    }
    lua_pushvalue(L, index);
    lua_getinfo(L, ">u", &info);
    if (info.nparams > PARAMS_MAX) {
        luaL_error(L,
                   "a handler takes req, res and next, this one %d parameters; one that takes an "
                   "error is registered by app:on_error",
                   (int)info.nparams);
    }
}

bool handler_is(lua_State *L, int index)
{
    if (lua_isfunction(L, index) || native_test(L, index) != NULL) {
        return true;
    }
    if (luaL_getmetafield(L, index, "__call") == LUA_TNIL) {
        return false;
    }
    lua_pop(L, 1);
    return true;
}

/* A function of fsd's around one of the application's: that one is what a person looks for. */
static void push_inner(lua_State *L, int index)
{
    if (!lua_iscfunction(L, index) || lua_getupvalue(L, index, 1) == NULL) {
        lua_pushvalue(L, index);
    } else if (!lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        lua_pushvalue(L, index);
    }
}

static void describe(lua_State *L, int index, struct app_handler *handler)
{
    lua_Debug info;
    handler->wants_next = true; /* a callable table or C function may take anything */
    if (!lua_isfunction(L, index)) {
        (void)strncpy(handler->where, luaL_typename(L, index), sizeof(handler->where) - 1);
        return;
    }
    push_inner(L, index);
    lua_getinfo(L, ">Su", &info);
    if (!lua_iscfunction(L, index)) {
        handler->wants_next = info.isvararg != 0 || info.nparams > 2;
    }
    (void)snprintf(handler->where, sizeof(handler->where), "%.50s:%d", info.short_src,
                   info.linedefined);
}

void handler_init(lua_State *L, struct app_handler *handler, int values, int index)
{
    index = lua_absindex(L, index);
    values = lua_absindex(L, values);
    *handler = (struct app_handler){.native = native_test(L, index)};
    describe(L, index, handler);
    handler->index = (int)lua_rawlen(L, values) + 1;
    lua_pushvalue(L, index);
    lua_rawseti(L, values, handler->index);
}

struct app_handler *handler_add(struct app_handlers *list)
{
    struct app_handler *items = realloc(list->items, (list->count + 1) * sizeof(items[0]));
    if (items == NULL) {
        abort();
    }
    list->items = items;
    items[list->count] = (struct app_handler){0};
    return &items[list->count++];
}

void handler_free_all(struct app_handlers *list)
{
    free(list->items);
    *list = (struct app_handlers){NULL, 0};
}
