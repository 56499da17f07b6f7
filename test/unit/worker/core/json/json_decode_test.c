#include "worker/core/json/json.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define SAME          NULL, 0

struct text {
    const char *bytes;
    size_t len;
};

struct accepted {
    const char *text;
    size_t len;
    const char *encoded; /* NULL: encoded again it is the same text */
    size_t encoded_len;
};

/* clang-format off */
static const struct accepted accepted[] = {
    {TEXT("true"), SAME}, {TEXT("false"), SAME}, {TEXT("null"), SAME}, {TEXT("0"), SAME},
    {TEXT("1"), SAME}, {TEXT("-1"), SAME}, {TEXT("\"\""), SAME}, {TEXT("\"a\""), SAME},
    {TEXT("1.5"), SAME}, {TEXT("-1.5"), SAME}, {TEXT("[]"), SAME}, {TEXT("{}"), SAME},
    {TEXT("\" \""), SAME}, {TEXT("9223372036854775807"), SAME},
    {TEXT("-9223372036854775808"), SAME}, {TEXT(" true\n"), TEXT("true")},
    {TEXT("\t\r\n 1 \t\r\n"), TEXT("1")}, {TEXT("-0"), TEXT("0")}, {TEXT("[-0.0]"), SAME},
    {TEXT("-0.0e1"), TEXT("-0.0")}, {TEXT("0.0"), SAME}, {TEXT("0e0"), TEXT("0.0")},
    {TEXT("0e+1"), TEXT("0.0")}, {TEXT("0E-7"), TEXT("0.0")}, {TEXT("1e0"), TEXT("1.0")},
    {TEXT("1E22"), TEXT("1e+22")}, {TEXT("1e23"), TEXT("1e+23")}, {TEXT("1E+2"), TEXT("100.0")},
    {TEXT("1e-2"), TEXT("0.01")}, {TEXT("123e45"), TEXT("1.23e+47")},
    {TEXT("123.456e78"), TEXT("1.23456e+80")}, {TEXT("0.1"), SAME},
    {TEXT("0.5e-10"), TEXT("5e-11")}, {TEXT("20e1"), TEXT("200.0")}, {TEXT("123.456789"), SAME},
    {TEXT("-123123123123"), SAME}, {TEXT("-1.0"), SAME}, {TEXT("1.0"), SAME},
    {TEXT("1.000"), TEXT("1.0")}, {TEXT("100000000000000.0"), SAME}, {TEXT("1e15"), TEXT("1e+15")},
    {TEXT("123456789012345678"), SAME},
    {TEXT("9223372036854775808"), TEXT("9.223372036854776e+18")},
    {TEXT("-9223372036854775809"), TEXT("-9.223372036854776e+18")},
    {TEXT("18446744073709551616"), TEXT("1.8446744073709552e+19")},
    {TEXT("99999999999999999999"), TEXT("1e+20")},
    {TEXT("100000000000000000000000"), TEXT("1e+23")}, {TEXT("9007199254740993"), SAME},
    {TEXT("9007199254740993.0"), TEXT("9007199254740992.0")},
    {TEXT("1.7976931348623157e308"), TEXT("1.7976931348623157e+308")}, {TEXT("5e-324"), SAME},
    {TEXT("2.2250738585072014e-308"), SAME},
    {TEXT("2.2250738585072011e-308"), TEXT("2.225073858507201e-308")},
    {TEXT("1e-400"), TEXT("0.0")}, {TEXT("-1e-400"), TEXT("-0.0")},
    {TEXT("0.0000000000000000000000000000001"), TEXT("1e-31")},
    {TEXT("1000000000000000000000000000000.5"), TEXT("1e+30")}, {TEXT("0.3"), SAME},
    {TEXT("0.30000000000000004"), SAME}, {TEXT("3.141592653589793"), SAME},
    {TEXT("1.1111111111111111111111111111111111111111"), TEXT("1.1111111111111112")},
    {TEXT("4.35"), SAME}, {TEXT("0.000001"), TEXT("1e-06")}, {TEXT("0.0001"), SAME},
    {TEXT("[1]"), SAME}, {TEXT("[1,2]"), SAME}, {TEXT("[null]"), SAME}, {TEXT("[1,null,2]"), SAME},
    {TEXT("[[]]"), SAME}, {TEXT("[[],[]]"), SAME}, {TEXT("[[[1]]]"), SAME}, {TEXT("[{}]"), SAME},
    {TEXT("[true,false,null]"), SAME}, {TEXT("[\"\"]"), SAME}, {TEXT("[\"a\",\"b\"]"), SAME},
    {TEXT("[{\"a\":1},{\"a\":2}]"), SAME}, {TEXT("[1,\"a\",null,true,{\"x\":[]}]"), SAME},
    {TEXT("[ ]"), TEXT("[]")}, {TEXT("[ 1 , 2 ]"), TEXT("[1,2]")},
    {TEXT("[\n1\r\n,\t2]"), TEXT("[1,2]")}, {TEXT("[null,null]"), SAME}, {TEXT(" [] "), TEXT("[]")},
    {TEXT("{\"a\":1}"), SAME}, {TEXT("{\"\":0}"), SAME}, {TEXT("{\"a\":[]}"), SAME},
    {TEXT("{\"a\":{}}"), SAME}, {TEXT("{\"a\":{\"b\":{\"c\":[1,2]}}}"), SAME},
    {TEXT("{\"a b\":\"c d\"}"), SAME}, {TEXT("{\"\\u0000\":1}"), SAME}, {TEXT("{\"1\":2}"), SAME},
    {TEXT("{\"a\":[{\"b\":[{}]}]}"), SAME}, {TEXT("{ \"a\" : 1 }"), TEXT("{\"a\":1}")},
    {TEXT("{\"a\":1,\"a\":2}"), TEXT("{\"a\":2}")}, {TEXT("{\"a\":1,\"a\":null}"), TEXT("{}")},
    {TEXT("{\"a\":null,\"a\":1}"), TEXT("{\"a\":1}")}, {TEXT("{\"a\":null}"), TEXT("{}")},
    {TEXT("\n{\n\"a\"\n:\n1\n}\n"), TEXT("{\"a\":1}")},
    {TEXT("{\"long_key_of_more_than_fifteen_bytes\":1}"), SAME},
    {TEXT("{\"fifteen_bytes_k\":1}"), SAME}, {TEXT("{\"sixteen_bytes_ke\":1}"), SAME},
    {TEXT("{\"eightbyt\":1}"), SAME}, {TEXT("{\"sevenby\":1}"), SAME},
    {TEXT("[{\"a\":1},{\"b\":2},{\"a\":3},{\"\":4},{\"a\":5}]"), SAME},
    {TEXT("{\"\\u0061\":1}"), TEXT("{\"a\":1}")}, {TEXT("{\"caf\303\251\":1}"), SAME},
    {TEXT("{\"a\\\"b\":1}"), SAME},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("\"\\\"\\\\/\\b\\f\\n\\r\\t\"")},
    {TEXT("\"\\u0041\""), TEXT("\"A\"")}, {TEXT("\"\\u00e9\""), TEXT("\"\303\251\"")},
    {TEXT("\"\\u00E9\""), TEXT("\"\303\251\"")}, {TEXT("\"\\u20ac\""), TEXT("\"\342\202\254\"")},
    {TEXT("\"\\ud834\\udd1e\""), TEXT("\"\360\235\204\236\"")},
    {TEXT("\"\\uD834\\uDD1E\""), TEXT("\"\360\235\204\236\"")},
    {TEXT("\"\\uDBFF\\uDFFF\""), TEXT("\"\364\217\277\277\"")},
    {TEXT("\"\\ud800\\udc00\""), TEXT("\"\360\220\200\200\"")}, {TEXT("\"\\u0000\""), SAME},
    {TEXT("\"a\\u0000b\""), SAME}, {TEXT("\"\\u001f\""), SAME},
    {TEXT("\"\\u007f\""), TEXT("\"\177\"")}, {TEXT("\"\177\""), SAME},
    {TEXT("\"\\uffff\""), TEXT("\"\357\277\277\"")},
    {TEXT("\"\\ue000\\ud7ff\""), TEXT("\"\356\200\200\355\237\277\"")},
    {TEXT("\"\303\251\""), SAME}, {TEXT("\"\342\202\254\342\202\254\""), SAME},
    {TEXT("\"\360\235\204\236\""), SAME}, {TEXT("\"\364\217\277\277\""), SAME},
    {TEXT("\"\302\200\""), SAME}, {TEXT("\"\337\277\340\240\200\""), SAME},
    {TEXT("\"\355\237\277\356\200\200\""), SAME}, {TEXT("\"\342\200\250\342\200\251\""), SAME},
    {TEXT("\"/\""), SAME}, {TEXT("\"\\/\""), TEXT("\"/\"")}, {TEXT("\"a/*b*/c\""), SAME},
    {TEXT("\"\\\\a\""), SAME}, {TEXT("\"\\\\u0000\""), SAME}, {TEXT("\"\\\\\""), SAME},
    {TEXT("\"\\\"\""), SAME}, {TEXT("\"12345678\""), SAME}, {TEXT("\"1234567\\\"9\""), SAME},
    {TEXT("\"[]{},:\""), SAME}, {TEXT("\"'\""), SAME}, {TEXT("\"asd\\u0020x\""), TEXT("\"asd x\"")},
};

static const struct text rejected[] = {
    {TEXT("")}, {TEXT(" ")}, {TEXT("\n")}, {TEXT("\t \r")}, {TEXT("x")}, {TEXT("tru")},
    {TEXT("truE")}, {TEXT("True")}, {TEXT("TRUE")}, {TEXT("fals")}, {TEXT("False")}, {TEXT("nul")},
    {TEXT("Null")}, {TEXT("NULL")}, {TEXT("nil")}, {TEXT("none")}, {TEXT("undefined")},
    {TEXT("NaN")}, {TEXT("nan")}, {TEXT("-NaN")}, {TEXT("Infinity")}, {TEXT("-Infinity")},
    {TEXT("+Infinity")}, {TEXT("inf")}, {TEXT("-inf")}, {TEXT("truetrue")}, {TEXT("true1")},
    {TEXT("nullx")}, {TEXT("true false")}, {TEXT("1 2")}, {TEXT("1,")}, {TEXT("[],")},
    {TEXT("{},")}, {TEXT("[] []")}, {TEXT("{} {}")}, {TEXT("1 true")}, {TEXT("\"\"x")},
    {TEXT("\"a\" \"b\"")}, {TEXT("[]]")}, {TEXT("{}}")}, {TEXT("[1]x")}, {TEXT("{\"a\":1}x")},
    {TEXT("{\"a\":1}#")}, {TEXT("[1]//c")}, {TEXT("/**/1")}, {TEXT("1/**/")}, {TEXT("//\n1")},
    {TEXT("[1,/**/2]")}, {TEXT("#1")}, {TEXT("+1")}, {TEXT("+")}, {TEXT("-")}, {TEXT("--1")},
    {TEXT("-+1")}, {TEXT("- 1")}, {TEXT("01")}, {TEXT("00")}, {TEXT("-01")}, {TEXT("-00")},
    {TEXT("012")}, {TEXT("0123.4")}, {TEXT("1.")}, {TEXT("-1.")}, {TEXT("0.")}, {TEXT(".1")},
    {TEXT("-.1")}, {TEXT(".")}, {TEXT("1.e1")}, {TEXT("1.e")}, {TEXT(".e1")}, {TEXT("1e")},
    {TEXT("1E")}, {TEXT("1e+")}, {TEXT("1e-")}, {TEXT("1E+")}, {TEXT("0e")}, {TEXT("0e+")},
    {TEXT("1e1.5")}, {TEXT("1e1e1")}, {TEXT("1ee1")}, {TEXT("1.2.3")}, {TEXT("1..2")},
    {TEXT("0x10")}, {TEXT("0X1F")}, {TEXT("0b1")}, {TEXT("0o7")}, {TEXT("1_000")}, {TEXT("1,000")},
    {TEXT("1a")}, {TEXT("-a")}, {TEXT("1-")}, {TEXT("1+1")}, {TEXT("0x")}, {TEXT("1e 1")},
    {TEXT("1 e1")}, {TEXT("1. 5")}, {TEXT("- 0")}, {TEXT("1\302\240")}, {TEXT("\357\274\221")},
    {TEXT("1e999")}, {TEXT("-1e999")}, {TEXT("2e308")}, {TEXT("1.7976931348623159e308")},
    {TEXT("1f")}, {TEXT("1L")}, {TEXT("1n")}, {TEXT("00.5")}, {TEXT("-0x1")}, {TEXT("0 1")},
    {TEXT("$1")}, {TEXT("[")}, {TEXT("[[")}, {TEXT("[1")}, {TEXT("[1,")}, {TEXT("[,")},
    {TEXT("[,]")}, {TEXT("[1,]")}, {TEXT("[1,,2]")}, {TEXT("[,1]")}, {TEXT("[1 2]")},
    {TEXT("[\"a\" \"b\"]")}, {TEXT("[1:2]")}, {TEXT("[\"a\":1]")}, {TEXT("[1;2]")}, {TEXT("[1}")},
    {TEXT("[}")}, {TEXT("[1,2")}, {TEXT("[[1]")}, {TEXT("[1,[2]")}, {TEXT("(1)")}, {TEXT("[a]")},
    {TEXT("[NaN]")}, {TEXT("[Infinity]")}, {TEXT("[-]")}, {TEXT("[1,-]")}, {TEXT("[.]")},
    {TEXT("[tru]")}, {TEXT("[nul]")}, {TEXT("['a']")}, {TEXT("[*]")}, {TEXT("[1,]]")},
    {TEXT("[[],")}, {TEXT("[]\\")}, {TEXT("[\\n]")}, {TEXT("[1\\,2]")}, {TEXT("[1]]")},
    {TEXT("][")}, {TEXT("[\302\240]")}, {TEXT("[\357\273\277]")}, {TEXT("{")}, {TEXT("{\"")},
    {TEXT("{\"a")}, {TEXT("{\"a\"")}, {TEXT("{\"a\":")}, {TEXT("{\"a\":1")}, {TEXT("{\"a\":1,")},
    {TEXT("{,}")}, {TEXT("{\"a\":1,}")}, {TEXT("{,\"a\":1}")}, {TEXT("{\"a\":1,,\"b\":2}")},
    {TEXT("{\"a\" 1}")}, {TEXT("{\"a\",1}")}, {TEXT("{\"a\"::1}")}, {TEXT("{\"a\"=1}")},
    {TEXT("{a:1}")}, {TEXT("{'a':1}")}, {TEXT("{1:1}")}, {TEXT("{null:1}")}, {TEXT("{true:1}")},
    {TEXT("{[]:1}")}, {TEXT("{{}:1}")}, {TEXT("{\"a\":}")}, {TEXT("{\"a\":,}")}, {TEXT("{:1}")},
    {TEXT("{\"a\":1 \"b\":2}")}, {TEXT("{\"a\":1;\"b\":2}")}, {TEXT("{\"a\":1]")}, {TEXT("{]")},
    {TEXT("{\"a\":1:2}")}, {TEXT("{\"a\"}")}, {TEXT("{\"a\":\"a")}, {TEXT("{\"a\":'a'}")},
    {TEXT("{\"a\":NaN}")}, {TEXT("{\"a\":01}")}, {TEXT("{\"a\":1}}")}, {TEXT("}")},
    {TEXT("{\"a\":{}")}, {TEXT("{\"a\":1,\"b\"}")}, {TEXT("{\"a\":1,2}")},
    {TEXT("{\"a\":1,\"b\":")}, {TEXT("{\"a\" :")}, {TEXT("{ ")}, {TEXT("{\"a\":tru}")},
    {TEXT("{\"a\":/**/1}")}, {TEXT("{\"a\":1}/**/")}, {TEXT("{\"x\\\":1}")}, {TEXT("\"")},
    {TEXT("\"a")}, {TEXT("\"a\\")}, {TEXT("\"a\\\"")}, {TEXT("\"\\")}, {TEXT("\"\\\"")},
    {TEXT("\"\\x41\"")}, {TEXT("\"\\a\"")}, {TEXT("\"\\v\"")}, {TEXT("\"\\0\"")}, {TEXT("\"\\'\"")},
    {TEXT("\"\\U0041\"")}, {TEXT("\"\\ \"")}, {TEXT("\"\\\n\"")}, {TEXT("\"\\1\"")},
    {TEXT("\"\\u\"")}, {TEXT("\"\\u1\"")}, {TEXT("\"\\u12\"")}, {TEXT("\"\\u123\"")},
    {TEXT("\"\\u123")}, {TEXT("\"\\u12g4\"")}, {TEXT("\"\\u 123\"")}, {TEXT("\"\\u+123\"")},
    {TEXT("\"\\u-123\"")}, {TEXT("\"\\u0x41\"")}, {TEXT("\"\\ug000\"")}, {TEXT("\"\\u{41}\"")},
    {TEXT("\"\\ud800\"")}, {TEXT("\"\\udc00\"")}, {TEXT("\"\\ud800x\"")}, {TEXT("\"\\ud800\\n\"")},
    {TEXT("\"\\ud800\\u0041\"")}, {TEXT("\"\\ud800\\ud800\"")}, {TEXT("\"\\udc00\\ud800\"")},
    {TEXT("\"\\ud834\\u\"")}, {TEXT("\"\\ud834\\udd1\"")}, {TEXT("\"\\ud834\\")},
    {TEXT("\"\\ud834")}, {TEXT("\"\\uDFFF\"")}, {TEXT("\"\\uDBFF\\uE000\"")},
    {TEXT("\"\\ud800\\udc0g\"")}, {TEXT("'a'")}, {TEXT("'")}, {TEXT("`a`")}, {TEXT("\"a\nb\"")},
    {TEXT("\"a\tb\"")}, {TEXT("\"a\rb\"")}, {TEXT("\\\"a\"")}, {TEXT("a\"")}, {TEXT("\"a\"b")},
    {TEXT("\"\303\251")}, {TEXT("{\"\n\":1}")}, {TEXT("{\"\\x\":1}")}, {TEXT("{\"\\ud800\":1}")},
    {TEXT("\"\000\"")}, {TEXT("\"\037\"")}, {TEXT("\"a\001b\"")}, {TEXT("\"12345678\037\"")},
    {TEXT("\000")}, {TEXT("1\000")}, {TEXT("[1]\000")}, {TEXT("[\0141]")}, {TEXT("[1\013]")},
    {TEXT("\0141")}, {TEXT("\357\273\2771")}, {TEXT("\357\273\277{}")},
    {TEXT("\377\376[\000]\000")}, {TEXT("\"\200\"")}, {TEXT("\"\277\"")}, {TEXT("\"\300\200\"")},
    {TEXT("\"\301\277\"")}, {TEXT("\"\303\"")}, {TEXT("\"\303(\"")}, {TEXT("\"\303")},
    {TEXT("\"\342\202\"")}, {TEXT("\"\342(\241\"")}, {TEXT("\"\342\202(\"")},
    {TEXT("\"\340\200\200\"")}, {TEXT("\"\340\237\277\"")}, {TEXT("\"\355\240\200\"")},
    {TEXT("\"\355\277\277\"")}, {TEXT("\"\355\240\264\355\264\236\"")},
    {TEXT("\"\360\200\200\200\"")}, {TEXT("\"\360\217\277\277\"")}, {TEXT("\"\360\237\230\"")},
    {TEXT("\"\360(\214\274\"")}, {TEXT("\"\360\220(\274\"")}, {TEXT("\"\360\220\214(\"")},
    {TEXT("\"\364\220\200\200\"")}, {TEXT("\"\365\200\200\200\"")},
    {TEXT("\"\370\210\200\200\200\"")}, {TEXT("\"\374\204\200\200\200\200\"")}, {TEXT("\"\376\"")},
    {TEXT("\"\377\"")}, {TEXT("\"abcdefgh\377\"")}, {TEXT("\377")}, {TEXT("\303\251")},
    {TEXT("{\"\377\":1}")}, {TEXT("{\"a\303\":1}")}, {TEXT("[\"\351\"]")}, {TEXT("\"\\\303\251\"")},
    {TEXT("\"\\u00\303\251\"")}, {TEXT("[\377]")}, {TEXT("[1\345]")}, {TEXT("\"\\n\377\"")},
    {TEXT("\"\\n\001\"")}, {TEXT("\"\\n")}, {TEXT("[\342\200\250]")},
};
/* clang-format on */
_Static_assert(sizeof(accepted) / sizeof(accepted[0]) >= 95, "as many as the standard test suite");
_Static_assert(sizeof(rejected) / sizeof(rejected[0]) >= 188, "as many as the standard test suite");

static int open_state(void **state)
{
    *state = luaL_newstate();
    return *state == NULL;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* Decodes a copy that ends where the text ends, so that the sanitizer sees a read behind it. */
static int decode_exactly(lua_State *L, const char *text, size_t len, struct fsd_err *err)
{
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    int r = json_decode(L, copy + 1, len, NULL, err);
    free(copy);
    return r;
}

static void every_valid_text_is_accepted_and_written_again(void **state)
{
    lua_State *L = *state;
    struct json_buf buf;
    json_buf_init(&buf);
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        const struct accepted *row = &accepted[i];
        struct fsd_err err;
        if (decode_exactly(L, row->text, row->len, &err) != 0) {
            fail_msg("%s refused: %s", row->text, err.text);
        }
        assert_int_equal(lua_gettop(L), 1);
        buf.len = 0;
        assert_int_equal(json_encode(L, 1, &buf, &err), 0);
        const char *encoded = row->encoded != NULL ? row->encoded : row->text;
        size_t encoded_len = row->encoded != NULL ? row->encoded_len : row->len;
        if (buf.len != encoded_len || memcmp(buf.data, encoded, encoded_len) != 0) {
            fail_msg("%s was written as %.*s", row->text, (int)buf.len, buf.data);
        }
        lua_settop(L, 0);
    }
    json_buf_fini(&buf);
}

static void every_invalid_text_is_refused_with_its_place(void **state)
{
    lua_State *L = *state;
    lua_pushinteger(L, 77);
    for (size_t i = 0; i < sizeof(rejected) / sizeof(rejected[0]); i++) {
        struct fsd_err err = {.text = ""};
        if (decode_exactly(L, rejected[i].bytes, rejected[i].len, &err) != -EINVAL) {
            fail_msg("row %zu, \"%s\", was accepted", i, rejected[i].bytes);
        }
        assert_int_equal(lua_gettop(L), 1);
        assert_ptr_equal(strstr(err.text, "invalid JSON at line "), err.text);
    }
}

static void every_beginning_of_a_valid_text_is_refused_or_a_number(void **state)
{
    lua_State *L = *state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        for (size_t len = 0; len < accepted[i].len; len++) {
            if (decode_exactly(L, accepted[i].text, len, NULL) == 0) {
                int type = lua_type(L, -1);
                bool rest_is_space = strspn(accepted[i].text + len, " \t\r\n") > 0;
                assert_true(type == LUA_TNUMBER || rest_is_space);
            }
            lua_settop(L, 0);
        }
    }
}

static void long_texts_are_held_to_the_same_rules(void **state)
{
    lua_State *L = *state;
    enum { LEN = 200000 };
    static const struct {
        const char *unit;
        const char *tail;
        bool is_valid;
    } cases[] = {
        {"[", "", false},  {"{\"a\":", "", false}, {" ", "1", true},
        {"1", "", false}, /* beyond a double */
        {"0.", "", false}, {"\"", "", false},      {"1,", "1", false},
    };
    char *text = malloc(LEN + 16);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t unit_len = strlen(cases[i].unit);
        size_t len = 0;
        while (len + unit_len <= LEN) {
            memcpy(text + len, cases[i].unit, unit_len);
            len += unit_len;
        }
        memcpy(text + len, cases[i].tail, strlen(cases[i].tail));
        len += strlen(cases[i].tail);
        assert_int_equal(json_decode(L, text, len, NULL, NULL), cases[i].is_valid ? 0 : -EINVAL);
        lua_settop(L, 0);
    }
    memset(text, '0', LEN);
    text[1] = '.';
    (void)snprintf(text + LEN - 1, 9, "1e199998"); /* what makes 0.000...1 a 1 */
    size_t len = LEN + 7;
    assert_int_equal(json_decode(L, text, len, NULL, NULL), 0);
    assert_true(lua_tonumber(L, -1) == 1.0);
    free(text);
}

static void a_refusal_says_line_column_and_reason(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[1, 2, x]", "line 1 column 8: unexpected \"x\""},
        {"", "line 1 column 1: unexpected end"},
        {"{\"a\":\n  \"b\"\n  \"c\"}", "line 3 column 3: unexpected \"\"\""},
        {"[\"\xc3\xa9\xe2\x82\xac\" x]", "line 1 column 7: unexpected \"x\""},
        {"[1", "line 1 column 3: unexpected end"},
        {"\x01", "line 1 column 1: unexpected byte 0x01"},
        {"\xff", "line 1 column 1: unexpected byte 0xff"},
        {"\"a\nb\"", "line 1 column 3: unescaped control character in a string"},
        {"\"a\\qb\"", "line 1 column 3: invalid escape in a string"},
        {"\"\\u12x4\"", "line 1 column 6: \\u escape without four hexadecimal digits"},
        {"\"\\u12", "line 1 column 4: incomplete \\u escape"},
        {"\"\\", "line 1 column 3: unexpected end in a string"},
        {"\"abc", "line 1 column 5: unexpected end in a string"},
        {"\"a\\udc00\"", "line 1 column 3: lone surrogate in a string"},
        {"\"a\xff\"", "line 1 column 3: invalid UTF-8 in a string"},
        {"[1e400]", "line 1 column 2: number out of range"},
        {"[01]", "line 1 column 3: unexpected \"1\""},
        {"[-]", "line 1 column 3: unexpected \"]\""},
        {"[1.e5]", "line 1 column 4: unexpected \"e\""},
        {"[trux]", "line 1 column 5: unexpected \"x\""},
        {"{} 1", "line 1 column 4: unexpected \"1\""},
        {"{\"a\" 1}", "line 1 column 6: unexpected \"1\""},
        {"{\"a\":1,}", "line 1 column 8: unexpected \"}\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fsd_err err;
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "invalid JSON at %s", cases[i].message);
        assert_int_equal(json_decode(L, cases[i].text, strlen(cases[i].text), NULL, &err), -EINVAL);
        assert_string_equal(err.text, expected);
    }
}

static void the_depth_limit_is_an_option(void **state)
{
    lua_State *L = *state;
    char text[2 * JSON_DEPTH_MAX];
    static const unsigned limits[] = {0, 1, 2, 128, JSON_DEPTH_MAX};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct json_options options = {.max_depth = limits[i]};
        struct fsd_err err;
        size_t depth = limits[i] > 0 ? limits[i] : JSON_DEPTH_DEFAULT;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(json_decode(L, text, 2 * depth, &options, &err), 0);
        lua_settop(L, 0);
        char expected[128];
        char deeper[2 * JSON_DEPTH_MAX + 2];
        memset(deeper, '[', depth + 1);
        memset(deeper + depth + 1, ']', depth + 1);
        (void)snprintf(expected, sizeof(expected),
                       "invalid JSON at line 1 column %zu: more than %zu levels of nesting",
                       depth + 1, depth);
        assert_int_equal(json_decode(L, deeper, 2 * depth + 2, &options, &err), -EINVAL);
        assert_string_equal(err.text, expected);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_valid_text_is_accepted_and_written_again),
        TEST(every_invalid_text_is_refused_with_its_place),
        TEST(every_beginning_of_a_valid_text_is_refused_or_a_number),
        TEST(long_texts_are_held_to_the_same_rules),
        TEST(a_refusal_says_line_column_and_reason),
        TEST(the_depth_limit_is_an_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
