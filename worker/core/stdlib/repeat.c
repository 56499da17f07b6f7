/* repeat.c - string.rep with a limit.
 * Owns nothing.  The result is made by doubling, so that its length is all that it costs: Lua's own takes a step for each
 * repetition, even of the empty string.  Called by Lua. */
#include "worker/core/stdlib/repeat.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/stdlib/stdlib.h"

/* Fills all of it with the bytes that stand at its begin. */
static void fill_by_doubling(char *bytes, size_t done, size_t len)
{
    while (done < len) {
        size_t part = done < len - done ? done : len - done;
        memcpy(bytes + done, bytes, part);
        done += part;
    }
}

int repeat_call(lua_State *L)
{
    size_t len;
    size_t separator_len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer count = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &separator_len);
    if (count <= 0 || len + separator_len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (len > STDLIB_STRING_MAX || separator_len > STDLIB_STRING_MAX ||
        (size_t)count > (STDLIB_STRING_MAX + separator_len) / (len + separator_len)) {
        return luaL_error(L, "resulting string too large (string.rep makes at most %d MiB)",
                          STDLIB_STRING_MAX / 1024 / 1024);
    }
    size_t total = (size_t)count * (len + separator_len) - separator_len;
    luaL_Buffer buf;
    char *bytes = luaL_buffinitsize(L, &buf, total + separator_len);
    memcpy(bytes, text, len);
    memcpy(bytes + len, separator, separator_len);
    fill_by_doubling(bytes, len + separator_len, total);
    luaL_pushresultsize(&buf, total);
    return 1;
}
