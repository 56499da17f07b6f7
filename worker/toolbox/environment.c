/* environment.c - arguments and environment of programs, from Lua's tables.
 * Owns nothing: the lists are userdata of Lua's, and the texts stand in a table that is pushed below each, so both live as long as they
 * stand on the stack.  Called by mod_process.c. */
#include "worker/toolbox/environment.h"

#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proto.h"

enum { ARGUMENTS_MAX = 4096, NAMES_MAX = 1024 };

/* execve takes its texts so, and only reads them. */
static char *as_argument(const char *text)
{
    char *argument = NULL;
    memcpy(&argument, &text, sizeof(argument));
    return argument;
}

/* The text on the top; raises when it is not fit for an argument. */
static char *check_text(lua_State *L, const char *function, const char *what)
{
    size_t len = 0;
    int type = lua_type(L, -1);
    const char *text =
        type == LUA_TSTRING || type == LUA_TNUMBER ? lua_tolstring(L, -1, &len) : NULL;
    if (text == NULL) {
        luaL_error(L, "%s: %s must be a string, got %s", function, what, luaL_typename(L, -1));
    } else if (strlen(text) != len) {
        luaL_error(L, "%s: %s has a zero byte in it", function, what);
    }
    return as_argument(text);
}

char **environment_push_arguments(lua_State *L, int index, const char *function)
{
    lua_Integer count = luaL_len(L, index);
    if (count < 1 || count > ARGUMENTS_MAX) {
        luaL_error(L, "%s: a program is needed, and at most %d arguments", function, ARGUMENTS_MAX);
    }
    lua_createtable(L, (int)count, 0);
    char **list = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*list), 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, index, i);
        list[i - 1] = check_text(L, function, "an argument");
        lua_seti(L, -3, i); /* a number has become a string */
    }
    list[count] = NULL;
    return list;
}

static bool is_masters(const char *entry)
{
    static const char *const names[] = {PROTO_ENV_INCARNATION, PROTO_ENV_MASTER_PID,
                                        PROTO_ENV_SHIELD};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (strncmp(entry, names[i], len) == 0 && entry[len] == '=') {
            return true;
        }
    }
    return false;
}

/* Into the table on the top: name -> "name=value". */
static void add_own(lua_State *L)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *end = strchr(*entry, '=');
        if (end != NULL && !is_masters(*entry)) {
            lua_pushlstring(L, *entry, (size_t)(end - *entry));
            lua_pushstring(L, *entry);
            lua_rawset(L, -3);
        }
    }
}

/* The table at index over the one on the top. */
static void add_given(lua_State *L, int index, const char *function)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        bool is_name = lua_type(L, -2) == LUA_TSTRING;
        const char *name = is_name ? lua_tostring(L, -2) : "";
        if (!is_name || *name == '\0' || strchr(name, '=') != NULL ||
            strlen(name) != lua_rawlen(L, -2)) {
            luaL_error(L, "%s: the name of a variable is a string without \"=\"", function);
        }
        lua_pushvalue(L, -2);
        if (lua_isboolean(L, -2) && !lua_toboolean(L, -2)) {
            lua_pushnil(L);
        } else {
            lua_pushvalue(L, -2);
            lua_pushfstring(L, "%s=%s", name, check_text(L, function, "the value of a variable"));
            lua_remove(L, -2);
        }
        lua_rawset(L, -5);
        lua_pop(L, 1);
    }
}

char **environment_push(lua_State *L, int index, bool is_inherited, const char *function)
{
    size_t count = 0;
    lua_newtable(L);
    lua_pushliteral(L, "PATH=/usr/local/bin:/usr/bin:/bin");
    lua_setfield(L, -2, "PATH");
    if (is_inherited) {
        add_own(L);
    }
    if (!lua_isnoneornil(L, index)) {
        add_given(L, index, function);
    }
    char **list = lua_newuserdatauv(L, (NAMES_MAX + 1) * sizeof(*list), 0);
    lua_pushnil(L);
    while (lua_next(L, -3) != 0 && count < NAMES_MAX) {
        list[count++] = as_argument(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    list[count] = NULL;
    return list;
}

const char *environment_find(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=') {
            return *environment + len + 1;
        }
    }
    return NULL;
}
