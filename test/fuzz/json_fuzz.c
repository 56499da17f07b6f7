/* sources: worker/core/json/json.c worker/core/json/json_decode.c worker/core/json/json_decoder.c worker/core/json/json_encode.c worker/core/json/json_number.c worker/core/json/json_string.c worker/core/json/json_text.c worker/core/json/json_write.c worker/core/value.c worker/core/value_path.c common/msgpack.c common/msgpack_read.c common/err.c | lua5.4 */
/* What is accepted can be written, and what was written is read as the same value; in turns as in one go. */
#include "worker/core/json/json.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/json/json_decoder.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_value(lua_State *L, int a, int b);

static size_t count_pairs(lua_State *L, int table)
{
    size_t count = 0;
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        count++;
    }
    return count;
}

/* Every pair of a is in b, and b has no more. */
static bool same_pairs(lua_State *L, int a, int b)
{
    bool is_same = count_pairs(L, a) == count_pairs(L, b);
    int top = lua_gettop(L);
    lua_pushnil(L);
    while (is_same && lua_next(L, a)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        is_same = same_value(L, top + 2, top + 3);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    return is_same;
}

static bool same_value(lua_State *L, int a, int b)
{
    if (lua_type(L, a) != LUA_TTABLE || lua_type(L, b) != LUA_TTABLE) {
        return lua_rawequal(L, a, b) && lua_isinteger(L, a) == lua_isinteger(L, b);
    }
    bool has_mark = lua_getmetatable(L, a) != 0;
    lua_pop(L, has_mark ? 1 : 0);
    bool other_has_mark = lua_getmetatable(L, b) != 0;
    lua_pop(L, other_has_mark ? 1 : 0);
    return has_mark == other_has_mark && same_pairs(L, a, b);
}

/* The value that is read in turns is the one at index 1; or neither is there. */
static void check_turns(lua_State *L, const char *text, size_t len,
                        const struct json_options *options)
{
    struct json_open open[JSON_DEPTH_DEFAULT];
    struct json_decoder decoder;
    int top = lua_gettop(L);
    decoder.open = open;
    decoder.err = NULL;
    int r = json_decoder_init(&decoder, L, text, len, options);
    while (r == 0 && (r = json_decoder_run(&decoder, 2)) == -EAGAIN) {
        r = 0;
    }
    if ((r == 0) != (top == 1) || lua_gettop(L) != (r == 0 ? 2 : 0) ||
        (r == 0 && !same_value(L, 1, 2))) {
        abort();
    }
    lua_settop(L, top);
}

static void check(lua_State *L, const char *text, size_t len, const struct json_options *options)
{
    struct json_buf buf;
    struct json_buf again;
    if (json_decode(L, text, len, options, NULL) != 0) {
        if (lua_gettop(L) != 0) {
            abort();
        }
        check_turns(L, text, len, options);
        return;
    }
    check_turns(L, text, len, options);
    json_buf_init(&buf);
    json_buf_init(&again);
    if (lua_gettop(L) != 1 || json_encode(L, 1, &buf, NULL) != 0 ||
        json_decode(L, buf.data, buf.len, options, NULL) != 0 || !same_value(L, 1, 2) ||
        json_encode(L, 2, &again, NULL) != 0 || again.len != buf.len) {
        abort();
    }
    json_buf_fini(&buf);
    json_buf_fini(&again);
    lua_settop(L, 0);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct json_options keep = {.keep_null = true};
    static lua_State *L;
    if (L == NULL) {
        L = luaL_newstate();
    }
    check(L, (const char *)data, size, NULL);
    check(L, (const char *)data, size, &keep);
    return 0;
}
