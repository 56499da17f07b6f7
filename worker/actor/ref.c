/* ref.c - the value that names one monitor or one pending call: a userdata "fsd.Ref" without any state.
 * Owns the metatable.  Called where monitors are made and calls are received; a message carries it like a number.
 * Must not know what it refers to. */
#include "worker/actor/ref.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>

#define REF_METATABLE "fsd.Ref"

enum { TEXT_MAX = 64 };

static const char metatable_key =
    0; /* its address is the key in the registry: found faster than by the name */

static int ref_tostring(lua_State *L)
{
    const struct ref_value *value = luaL_checkudata(L, 1, REF_METATABLE);
    const struct ref *ref = &value->ref;
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof(text), "#ref<%" PRIu32 ".%" PRIu64 ".%" PRIu64 ">", ref->node,
                   ref->incarnation, ref->number);
    lua_pushstring(L, text);
    return 1;
}

static int ref_eq(lua_State *L)
{
    const struct ref_value *a = luaL_testudata(L, 1, REF_METATABLE);
    const struct ref_value *b = luaL_testudata(L, 2, REF_METATABLE);
    bool same = a != NULL && b != NULL && a->ref.number == b->ref.number &&
                a->ref.incarnation == b->ref.incarnation && a->ref.node == b->ref.node;
    lua_pushboolean(L, same);
    return 1;
}

void ref_init(lua_State *L)
{
    luaL_newmetatable(L, REF_METATABLE);
    lua_pushcfunction(L, ref_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, ref_eq);
    lua_setfield(L, -2, "__eq");
    lua_pushliteral(L, REF_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}

const void *ref_mark(lua_State *L)
{
    luaL_getmetatable(L, REF_METATABLE);
    const void *mark = lua_topointer(L, -1);
    lua_pop(L, 1);
    return mark;
}

struct ref_value *ref_push(lua_State *L, const struct ref *ref)
{
    struct ref_value *made = lua_newuserdatauv(L, sizeof(*made), 0);
    *made = (struct ref_value){.ref = *ref};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setmetatable(L, -2);
    return made;
}

struct ref_value *ref_test(lua_State *L, int index, const void *mark)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) {
        return NULL;
    }
    const void *metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
    return metatable == mark ? lua_touserdata(L, index) : NULL;
}
