#include "worker/core/json/json_turns.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/lua_aside.h"
#include "worker/core/json/json_decoder.h"
#include "worker/core/json/json_encoder.h"
#include "worker/core/stdlib/breath.h"

static const char *const texts[] = {
    "null",
    "7",
    "[]",
    "{}",
    "[1,2.5,\"x\",true,null,[],{},[[[]]]]",
    "{\"a\":1,\"b\":{\"c\":[1,2,{\"d\":\"e\"}]},\"f\":\"\\u00e4\\n\"}",
    "[{\"id\":1,\"tags\":[\"a\",\"b\"]},{\"id\":2,\"tags\":[]},{\"id\":3,\"tags\":[null]}]",
    "{\"a\":[1,2,3],\"a\":4}",
    "[1,2",
    "[1,2}",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "[1,,2]",
    "[1] x",
    "[\"abc",
    "{\"a\":{\"b\":[nul]}}",
    "",
};

/* Reads by turns of budget bytes; the value, or the sentence, is on the top. */
static int read_in_turns(lua_State *L, const char *text, size_t budget)
{
    struct json_open open[JSON_DEPTH_DEFAULT];
    struct json_decoder decoder;
    struct fsd_err err;
    decoder.open = open;
    decoder.err = &err;
    int r = json_decoder_init(&decoder, L, text, strlen(text), NULL);
    unsigned turns = 0;
    while (r == 0 && (r = json_decoder_run(&decoder, budget)) == -EAGAIN) {
        r = 0;
        assert_true(++turns <= strlen(text)); /* each gets on */
    }
    if (r < 0) {
        lua_pushstring(L, err.text);
    }
    return r;
}

/* Writes by turns of budget bytes; the text, or the sentence, is on the top. */
static int write_in_turns(lua_State *L, int index, size_t budget)
{
    struct json_encoder encoder;
    struct json_buf buf;
    struct fsd_err err;
    json_buf_init(&buf);
    int r = json_encoder_init(&encoder, L, index, &buf, &err);
    do {
        r = json_encoder_run(&encoder, budget);
    } while (r == -EAGAIN);
    if (r < 0) {
        assert_int_equal(buf.len, 0);
        lua_pushstring(L, err.text);
    } else {
        lua_pushlstring(L, buf.data, buf.len);
    }
    json_buf_fini(&buf);
    return r;
}

static void texts_are_read_the_same_in_any_turns(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t budget = 1; budget < 40; budget += 3) {
            lua_settop(L, 0);
            int whole = read_in_turns(L, texts[i], SIZE_MAX);
            int pieces = read_in_turns(L, texts[i], budget);
            assert_int_equal(lua_gettop(L), 2);
            assert_int_equal(pieces, whole);
            if (whole == 0) {
                assert_int_equal(write_in_turns(L, 1, SIZE_MAX), 0);
                assert_int_equal(write_in_turns(L, 2, SIZE_MAX), 0);
            }
            assert_true(lua_compare(L, -1, -2, LUA_OPEQ));
        }
    }
    lua_close(L);
}

static void values_are_written_the_same_in_any_turns(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "return {1,2,{3,{4}},'x'}",
        "return {a={b={c=1}}}",
        "return {[3]='c',[2]='b',[1]='a'}",
        "return {[1]='a',[2]={x=1},[3]='c'}",
        "return {[1]=1,[3]=3}",
        "return {1,2,x=3}",
        "return {{{{{print}}}}}",
        "return {a={b={1,2,print}}}",
        "return {[10]=1,[20]=2}",
        "local t = {} t[1] = t return t",
        "return {1,{['\\xff']=1}}",
        "return {}",
        "return 7",
    };
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        for (size_t budget = 0; budget < 30; budget += 4) {
            lua_settop(L, 0);
            assert_int_equal(luaL_dostring(L, sources[i]), LUA_OK);
            int whole = write_in_turns(L, 1, SIZE_MAX);
            int pieces = write_in_turns(L, 1, budget);
            assert_int_equal(lua_gettop(L), 3);
            assert_int_equal(pieces, whole);
            assert_true(lua_compare(L, -1, -2, LUA_OPEQ));
        }
    }
    lua_close(L);
}

static unsigned checked; /* how often the text was asked for */

static void count_check(lua_State *L)
{
    (void)L;
    checked++;
}

static int give_value(lua_State *L, int result, const struct fsd_err *err)
{
    if (result < 0) {
        lua_pushstring(L, err->text);
    }
    return 1;
}

static int read_long(lua_State *L)
{
    static const struct json_turns_calls calls = {count_check, give_value};
    size_t len = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    return json_turns_decode(L, text, len, NULL, &calls);
}

static int give_text(lua_State *L, int result, struct json_buf *buf, const struct fsd_err *err)
{
    if (result < 0) {
        lua_pushstring(L, err->text);
    } else {
        lua_pushlstring(L, buf->data, buf->len);
    }
    return 1;
}

static int write_long(lua_State *L)
{
    struct json_buf *buf = lua_touserdata(L, lua_upvalueindex(1));
    buf->len = 0;
    return json_turns_encode(L, 1, buf, give_text);
}

/* Runs source, aside and with the collector at work; returns how often it was put aside. */
static unsigned run(lua_State *L, const char *source)
{
    lua_State *thread = aside_load(L, source);
    unsigned yields = 0;
    while (aside_step(L, thread)) {
        yields++;
        (void)lua_gc(L, LUA_GCSTEP, 1);
    }
    lua_settop(L, 0);
    return yields;
}

static void long_ones_let_others_run(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    struct json_buf buf;
    luaL_openlibs(L);
    breath_open(L);
    json_buf_init(&buf);
    lua_register(L, "read", read_long);
    lua_pushlightuserdata(L, &buf);
    lua_pushcclosure(L, write_long, 1);
    lua_setglobal(L, "write");
    assert_int_equal(
        luaL_dostring(L,
                      "list = {} for i = 1, 20000 do list[i] = {id = i, text = 'text ' .. i} end "
                      "short = write({1, 2, {a = 'b'}}) text = write(list)"),
        LUA_OK);
    checked = 0;
    unsigned base = run(L, "assert(short == '[1,2,{\"a\":\"b\"}]')");
    unsigned writes = run(L, "assert(write(list) == text)");
    assert_true(writes > base + 10); /* 600 KB */
    unsigned reads =
        run(L, "local t = read(text) assert(#t == 20000 and t[20000].text == 'text 20000')");
    assert_true(reads > base + 10);
    assert_true(checked > 10);
    (void)run(L, "local s = read(text .. 'x') assert(s:find('unexpected \"x\"'), s)");
    (void)run(L, "list[20000].text = print "
                 "assert(write(list) == 'cannot encode a function at \"[20000].text\"')");
    json_buf_fini(&buf);
    lua_close(L);
}

static void what_is_left_in_the_middle_is_freed(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    struct json_buf buf;
    luaL_openlibs(L);
    breath_open(L);
    json_buf_init(&buf);
    lua_register(L, "read", read_long);
    lua_pushlightuserdata(L, &buf);
    lua_pushcclosure(L, write_long, 1);
    lua_setglobal(L, "write");
    assert_int_equal(luaL_dostring(L, "list = {} for i = 1, 50000 do list[i] = i end"), LUA_OK);
    lua_State *thread = aside_load(L, "return read(write(list))");
    for (int i = 0; i < 12; i++) {
        assert_true(aside_step(L, thread));
    }
    json_buf_fini(&buf);
    lua_close(L); /* the sanitizer would tell of the writing's buffer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_the_same_in_any_turns),
        cmocka_unit_test(values_are_written_the_same_in_any_turns),
        cmocka_unit_test(long_ones_let_others_run),
        cmocka_unit_test(what_is_left_in_the_middle_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
