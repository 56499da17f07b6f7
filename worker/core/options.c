/* options.c - tables of options: a key that nobody knows is a typing mistake, and is told as one.
 * Owns nothing.  An option that is not read would be a setting that somebody believes in; so each function that takes options
 * has its keys looked at, and the message names the one that was probably meant.
 * Called by functions with options, before they read any.  Must not know what the options mean. */
#include "worker/core/options.h"

#include <lauxlib.h>
#include <string.h>

#include "common/nearest.h"

static int is_known(const char *key, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], key) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *push_message(lua_State *L, const char *what, const char *key,
                                const char *const *names, size_t count)
{
    const char *near = nearest_find(key, names, count);
    return near == NULL ? lua_pushfstring(L, "%s: unknown option \"%s\"", what, key)
                        : lua_pushfstring(L, "%s: unknown option \"%s\"; did you mean \"%s\"?",
                                          what, key, near);
}

const char *options_push_fault(lua_State *L, int index, const char *what, const char *const *names,
                               size_t count)
{
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        if (key != NULL && is_known(key, names, count)) {
            continue;
        }
        const char *message =
            key != NULL ? push_message(L, what, key, names, count)
                        : lua_pushfstring(L, "%s: an option's name must be a string, got a %s",
                                          what, luaL_typename(L, -1));
        lua_remove(L, -2);
        return message;
    }
    return NULL;
}

void options_check(lua_State *L, int index, const char *what, const char *const *names,
                   size_t count)
{
    const char *fault = options_push_fault(L, index, what, names, count);
    if (fault != NULL) {
        luaL_error(L, "%s", fault);
    }
}
