#include "worker/lib/mod_log.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/log_packet.h"
#include "worker/core/runtime.h"

static struct runtime runtime;
static int master;
static struct log_packet packet;

static int set_up(void **state)
{
    (void)state;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    runtime_init(&runtime);
    runtime.logger.fd = pair[0];
    master = pair[1];
    luaL_requiref(runtime.L, "log", luaopen_fsd_log, 1);
    log_install_print(runtime.L);
    lua_settop(runtime.L, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_false(log_packet_read(master, &packet)); /* the test has read all */
    close(master);
    runtime_fini(&runtime);
    return 0;
}

static void run(const char *chunk)
{
    if (luaL_dostring(runtime.L, chunk)) {
        fail_msg("%s", luaL_tolstring(runtime.L, -1, NULL));
    }
    assert_int_equal(lua_gettop(runtime.L), 0);
}

static void assert_record(int64_t level, const char *message, const char *fields)
{
    assert_true(log_packet_read(master, &packet));
    assert_int_equal(packet.level, level);
    assert_string_equal(packet.message, message);
    assert_string_equal(packet.fields, fields);
}

static void each_level_is_a_method(void **state)
{
    static const struct {
        const char *verb;
        enum log_level level;
    } rows[] = {
        {"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
        {"info", LOG_LEVEL_INFO},   {"debug", LOG_LEVEL_DEBUG},
    };
    (void)state;
    runtime.logger.level = LOG_LEVEL_DEBUG;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lua_pushfstring(runtime.L, "log:%s('said')", rows[i].verb);
        assert_false(luaL_dostring(runtime.L, lua_tostring(runtime.L, -1)));
        lua_settop(runtime.L, 0);
        assert_record(rows[i].level, "said", "");
    }
}

static void below_the_level_nothing_is_sent(void **state)
{
    (void)state;
    runtime.logger.level = LOG_LEVEL_WARNING;
    run("log:info('x') log:debug('x', {a = 1}) print('x') log:warning('y')");
    assert_record(LOG_LEVEL_WARNING, "y", "");
}

static void messages_may_be_anything_and_fields_stand_alone(void **state)
{
    (void)state;
    run("log:info(42) log:info(nil) log:info({ms = 7}) log:info('m', {ms = 1.5})\n"
        "log:info(setmetatable({}, nil), {a = 1})");
    assert_record(LOG_LEVEL_INFO, "42", "");
    assert_record(LOG_LEVEL_INFO, "nil", "");
    assert_record(LOG_LEVEL_INFO, "", "ms=7");
    assert_record(LOG_LEVEL_INFO, "m", "ms=1.5");
    assert_record(LOG_LEVEL_INFO, "", "");
}

static void fields_keep_their_kinds_and_other_keys_are_left_out(void **state)
{
    (void)state;
    run("log:info('m', {b = true}) log:info('m', {s = 'text'}) log:info('m', {t = {1, 'x'}})\n"
        "log:info('m', {[1] = 'x', [true] = 'y', n = 1})");
    assert_record(LOG_LEVEL_INFO, "m", "b=true");
    assert_record(LOG_LEVEL_INFO, "m", "s=text");
    assert_record(LOG_LEVEL_INFO, "m", "t=[1,\"x\"]");
    assert_record(LOG_LEVEL_INFO, "m", "n=1");
}

static void a_child_adds_its_fields(void **state)
{
    (void)state;
    run("local child = log:with{request_id = 'r1'}\n"
        "child:info('m') child:info('m', {a = 1})\n"
        "local grandchild = child:with{request_id = 'r2'}\n"
        "grandchild:info('m') child:info('again') log:info('root')");
    assert_record(LOG_LEVEL_INFO, "m", "request_id=r1");
    assert_record(LOG_LEVEL_INFO, "m", "request_id=r1 a=1");
    assert_record(LOG_LEVEL_INFO, "m", "request_id=r2");
    assert_record(LOG_LEVEL_INFO, "again", "request_id=r1");
    assert_record(LOG_LEVEL_INFO, "root", "");
}

static void the_fields_of_a_child_are_a_copy(void **state)
{
    (void)state;
    run("local fields = {a = 1} local child = log:with(fields) fields.a = 2 child:info('m')");
    assert_record(LOG_LEVEL_INFO, "m", "a=1");
}

static void print_is_a_line_of_the_log(void **state)
{
    (void)state;
    run("print('a', 1, nil, true) print()");
    assert_record(LOG_LEVEL_INFO, "a\t1\tnil\ttrue", "");
    assert_record(LOG_LEVEL_INFO, "", "");
}

static void wrong_calls_say_what_is_wrong(void **state)
{
    static const struct {
        const char *chunk;
        const char *text;
    } rows[] = {
        {"log.info('x')", "call log:info(...) with a colon"},
        {"log.with({})", "call log:with(...) with a colon"},
        {"log.info({}, 'x')", "call log:info(...) with a colon"},
        {"log:info('x', 5)", "table expected, got number"},
        {"log:with()", "table expected, got no value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(luaL_dostring(runtime.L, rows[i].chunk));
        assert_non_null(strstr(lua_tostring(runtime.L, -1), rows[i].text));
        lua_settop(runtime.L, 0);
    }
}

static void a_value_that_cannot_be_told_loses_no_record(void **state)
{
    (void)state;
    run("local boom = setmetatable({}, {__tostring = error, __index = error, __pairs = error})\n"
        "log:info('m', {b = boom})");
    assert_record(LOG_LEVEL_INFO, "m", "b={}");
}

static void a_message_that_raises_is_the_callers_error(void **state)
{
    (void)state;
    run("local boom = setmetatable({}, {__tostring = function() error('boom', 0) end})\n"
        "local ok, err = pcall(print, 'a', boom) assert(not ok and err == 'boom')\n"
        "log:info('still here')");
    assert_record(LOG_LEVEL_INFO, "still here", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(each_level_is_a_method),
        TEST(below_the_level_nothing_is_sent),
        TEST(messages_may_be_anything_and_fields_stand_alone),
        TEST(fields_keep_their_kinds_and_other_keys_are_left_out),
        TEST(a_child_adds_its_fields),
        TEST(the_fields_of_a_child_are_a_copy),
        TEST(print_is_a_line_of_the_log),
        TEST(wrong_calls_say_what_is_wrong),
        TEST(a_value_that_cannot_be_told_loses_no_record),
        TEST(a_message_that_raises_is_the_callers_error),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
