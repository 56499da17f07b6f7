#include "worker/core/logger.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/clock.h"
#include "common/fd.h"
#include "test/support/log_packet.h"
#include "worker/core/recorder.h"

static struct logger logger;
static int master;
static struct log_packet packet;

static int set_up(void **state)
{
    (void)state;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    logger_init(&logger);
    logger.fd = pair[0];
    master = pair[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    logger_fini(&logger);
    close(master);
    return 0;
}

static void a_record_carries_level_time_and_text(void **state)
{
    (void)state;
    uint64_t before_us = clock_wall_us();
    logger_write(&logger, LOG_LEVEL_WARNING, "slot %d of \"%s\"", 3, "web");
    assert_true(log_packet_read(master, &packet));
    assert_int_equal(packet.level, LOG_LEVEL_WARNING);
    assert_string_equal(packet.message, "slot 3 of \"web\"");
    assert_int_equal(packet.dropped, 0);
    assert_true((uint64_t)packet.wall_us >= before_us);
    assert_string_equal(packet.fields, "");
}

static void what_is_said_also_goes_into_the_black_box(void **state)
{
    (void)state;
    static struct blackbox_copy copy;
    struct recorder recorder;
    struct logger_record record;
    lua_State *L = luaL_newstate();
    int fd = blackbox_create();
    assert_int_equal(recorder_open(&recorder, fd), 0);
    logger.recorder = &recorder;
    logger_begin(&record, &logger, LOG_LEVEL_NOTICE, "paid", 4);
    logger_field_text(&record, "user", "ann", 3);
    lua_pushinteger(L, 12);
    logger_field_value(&record, "cents", 5, L, -1);
    lua_pushnumber(L, 0.5);
    logger_field_value(&record, "rate", 4, L, -1);
    lua_pushboolean(L, 1);
    logger_field_value(&record, "final", 5, L, -1);
    lua_newtable(L);
    logger_field_value(&record, "cart", 4, L, -1);
    logger_send(&record);
    logger_write(&logger, LOG_LEVEL_DEBUG, "below the level");
    fd_close(&logger.fd);
    logger_write(&logger, LOG_LEVEL_ERROR, "no socket");
    blackbox_read(recorder.box, &copy);
    assert_int_equal(copy.line_count, 2);
    assert_string_equal(copy.lines[0].text, "paid user=ann cents=12 rate=0.5 final=true");
    assert_int_equal(copy.lines[0].level, LOG_LEVEL_NOTICE);
    assert_string_equal(copy.lines[1].text, "no socket");
    logger.recorder = NULL;
    recorder_close(&recorder);
    fd_close(&fd);
    lua_close(L);
}

static void records_below_the_level_are_not_made(void **state)
{
    (void)state;
    assert_true(logger_takes(&logger, LOG_LEVEL_INFO));
    assert_false(logger_takes(&logger, LOG_LEVEL_DEBUG));
    logger_write(&logger, LOG_LEVEL_DEBUG, "x");
    assert_false(log_packet_read(master, &packet));
    logger.level = LOG_LEVEL_DEBUG;
    logger_write(&logger, LOG_LEVEL_DEBUG, "x");
    assert_true(log_packet_read(master, &packet));
}

static void lua_values_become_scalars(void **state)
{
    static const struct {
        const char *value;
        const char *field;
    } rows[] = {
        {"nil", "k=nil"},
        {"true", "k=true"},
        {"-7", "k=-7"},
        {"0.5", "k=0.5"},
        {"'text'", "k=text"},
        {"{1, {a = 'b'}}", "k=[1,{\"a\":\"b\"}]"},
        {"{}", "k={}"},
        {"{print}", "k=(a table that is not JSON)"},
        {"print", "k=function"},
        {"coroutine.create(print)", "k=thread"},
        {"(function() local t = {} t.t = t return t end)()", "k=(a table that is not JSON)"},
        {"setmetatable({}, {__tostring = error, __index = error})", "k={}"},
    };
    (void)state;
    lua_State *L = luaL_newstate();
    luaL_requiref(L, "_G", luaopen_base, 1);
    luaL_requiref(L, "coroutine", luaopen_coroutine, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lua_settop(L, 0);
        lua_pushfstring(L, "return %s", rows[i].value);
        assert_false(luaL_dostring(L, lua_tostring(L, 1)));
        struct logger_record record;
        logger_begin(&record, &logger, LOG_LEVEL_INFO, "m", 1);
        logger_field_value(&record, "k", 1, L, 2);
        logger_send(&record);
        assert_int_equal(lua_gettop(L), 2);
        assert_true(log_packet_read(master, &packet));
        assert_string_equal(packet.fields, rows[i].field);
    }
    lua_close(L);
}

static void text_that_is_too_long_is_cut(void **state)
{
    enum { LONG = 100000 };
    (void)state;
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG);
    struct logger_record record;
    logger_begin(&record, &logger, LOG_LEVEL_INFO, text, LONG);
    logger_field_text(&record, "first", "1", 1);
    logger_field_text(&record, "text", text, LONG);
    logger_field_text(&record, "late", "no room is left for it", 22);
    logger_send(&record);
    free(text);
    assert_true(log_packet_read(master, &packet));
    assert_int_equal(packet.message_len, 8192);
    assert_memory_equal(packet.fields, "first=1 text=xxx", 16);
    assert_true(strlen(packet.fields) > 8000);
}

static void a_long_string_of_lua_is_cut_too(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    luaL_Buffer buffer;
    char *room = luaL_buffinitsize(L, &buffer, 50000);
    memset(room, 'y', 50000);
    luaL_pushresultsize(&buffer, 50000);
    struct logger_record record;
    logger_begin(&record, &logger, LOG_LEVEL_INFO, "m", 1);
    logger_field_value(&record, "body", 4, L, 1);
    logger_send(&record);
    lua_close(L);
    assert_true(log_packet_read(master, &packet));
    assert_memory_equal(packet.fields, "body=yyy", 8);
}

static void a_key_that_does_not_fit_is_left_out(void **state)
{
    enum { LONG = 20000 };
    (void)state;
    lua_State *L = luaL_newstate();
    char *key = malloc(LONG);
    assert_non_null(key);
    memset(key, 'k', LONG);
    lua_pushinteger(L, 1);
    lua_pushliteral(L, "text");
    struct logger_record record;
    logger_begin(&record, &logger, LOG_LEVEL_INFO, "m", 1);
    logger_field_value(&record, key, LONG, L, 1);
    logger_field_value(&record, key, LONG, L, 2);
    logger_field_text(&record, "short", "1", 1);
    logger_send(&record);
    free(key);
    lua_close(L);
    assert_true(log_packet_read(master, &packet));
    assert_string_equal(packet.fields, "short=1");
}

static void what_a_full_socket_does_not_take_is_counted(void **state)
{
    (void)state;
    size_t sent = 0;
    while (logger.dropped == 0) {
        logger_write(&logger, LOG_LEVEL_INFO, "record %zu", sent++);
        assert_true(sent < 1000000);
    }
    logger_write(&logger, LOG_LEVEL_INFO, "dropped too");
    assert_int_equal(logger.dropped, 2);
    while (log_packet_read(master, &packet)) {
        assert_int_equal(packet.dropped, 0);
    }
    logger_write(&logger, LOG_LEVEL_INFO, "fits again");
    assert_true(log_packet_read(master, &packet));
    assert_string_equal(packet.message, "fits again");
    assert_int_equal(packet.dropped, 2);
    assert_int_equal(logger.dropped, 0);
}

static void a_master_that_has_gone_costs_only_the_record(void **state)
{
    (void)state;
    close(master);
    logger_write(&logger, LOG_LEVEL_INFO, "x");
    assert_int_equal(logger.dropped, 1);
    master = dup(logger.fd); /* for tear_down */
}

static void records_before_the_socket_has_come_are_counted(void **state)
{
    (void)state;
    int fd = logger.fd;
    logger.fd = -1;
    struct logger_record record;
    logger_begin(&record, &logger, LOG_LEVEL_INFO, "early", 5);
    logger_send(&record);
    assert_int_equal(logger.dropped, 1);
    logger.fd = fd;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_record_carries_level_time_and_text),
        TEST(what_is_said_also_goes_into_the_black_box),
        TEST(records_below_the_level_are_not_made),
        TEST(lua_values_become_scalars),
        TEST(text_that_is_too_long_is_cut),
        TEST(a_long_string_of_lua_is_cut_too),
        TEST(a_key_that_does_not_fit_is_left_out),
        TEST(what_a_full_socket_does_not_take_is_counted),
        TEST(a_master_that_has_gone_costs_only_the_record),
        TEST(records_before_the_socket_has_come_are_counted),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
