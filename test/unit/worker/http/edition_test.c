#include "worker/http/edition.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/lua_bundle.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/http/app/app.h"
#include "worker/http/mod_http.h"

static struct runtime runtime;
static struct generation *generation;
static struct edition *edition;
static struct fsd_err err;

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    luaL_requiref(runtime.L, "fsd.http", luaopen_fsd_http_core, 0);
    lua_settop(runtime.L, 0);
    edition = NULL;
    generation = NULL;
    return luaL_dostring(runtime.L, "alive = setmetatable({}, { __mode = 'k' })");
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(lua_gettop(runtime.L), 0);
    edition_release(runtime.L, edition);
    generation_free(&runtime, generation);
    runtime_fini(&runtime);
    return 0;
}

static void load(const char *source)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "local app = require('fsd.http').app() alive[app] = 1 %s",
                   source);
    const struct lua_file files[] = {{"app.lua", text}, {NULL, NULL}};
    int fd = lua_bundle_make("app.lua", files);
    if (generation_load(&runtime, fd, 9, &generation, &err) != 0) {
        fail_msg("%s", err.text);
    }
    fd_close(&fd);
}

static bool is_collected(void)
{
    lua_State *L = runtime.L;
    (void)lua_gc(L, LUA_GCCOLLECT);
    (void)lua_gc(L, LUA_GCCOLLECT);
    bool is = luaL_dostring(L, "assert(next(alive) == nil)") == LUA_OK;
    lua_settop(L, 0);
    return is;
}

static void an_edition_has_the_application_of_its_generation(void **state)
{
    (void)state;
    load("app:get('/', function() end) return app");
    assert_int_equal(edition_open(runtime.L, generation, &edition, &err), 0);
    assert_int_equal(edition->generation, 9);
    assert_int_equal(edition->users, 1);
    assert_true(edition->app->frozen);
    assert_int_equal(lua_rawgeti(runtime.L, LUA_REGISTRYINDEX, edition->app_ref), LUA_TUSERDATA);
    assert_ptr_equal(app_test(runtime.L, -1), edition->app);
    assert_int_equal(lua_rawgeti(runtime.L, LUA_REGISTRYINDEX, edition->values_ref), LUA_TTABLE);
    assert_int_equal(lua_rawlen(runtime.L, -1), 3);
    lua_settop(runtime.L, 0);
}

static void nothing_is_added_to_an_application_that_was_judged(void **state)
{
    (void)state;
    load("later = app return app");
    lua_State *L = runtime.L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    assert_int_equal(edition_judge(L, "app.lua", 7, &err), 0);
    assert_int_equal(lua_gettop(L), 1);
    assert_int_equal(edition_judge(L, "app.lua", 7, &err), 0); /* twice does no harm */
    lua_setglobal(L, "app");
    assert_int_not_equal(luaL_dostring(L, "app:get('/', function() end)"), LUA_OK);
    lua_settop(L, 0);
    assert_int_equal(luaL_dostring(L, "app = nil"), LUA_OK);
}

static const struct unusable {
    const char *source;
    const char *type;
} unusable[] = {
    {"", "nil"}, {"return 5", "number"}, {"return {}", "table"}, {"return io.stdout", "userdata"}};

static void what_is_no_application_is_refused_with_its_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        char wanted[128];
        (void)snprintf(wanted, sizeof(wanted),
                       "app.lua must end with `return app` (what fsd.app() gave), it returned %s",
                       unusable[i].type);
        load(unusable[i].source);
        assert_int_equal(edition_open(runtime.L, generation, &edition, &err), -EINVAL);
        assert_string_equal(err.text, wanted);
        assert_null(edition);
        assert_int_equal(lua_gettop(runtime.L), 0);
        generation_free(&runtime, generation);
        generation = NULL;
    }
}

static void the_last_user_lets_go_of_the_application(void **state)
{
    (void)state;
    load("app:get('/', function() return app end) return app");
    assert_int_equal(edition_open(runtime.L, generation, &edition, &err), 0);
    struct edition *request = edition_acquire(edition);
    assert_ptr_equal(request, edition);
    generation_free(&runtime, generation); /* other code has taken over */
    generation = NULL;
    edition_release(runtime.L, edition);
    edition = NULL;
    assert_false(is_collected());
    assert_int_equal(request->users, 1);
    edition_release(runtime.L, request);
    assert_true(is_collected());
}

static void no_edition_is_released_in_vain(void **state)
{
    (void)state;
    edition_release(runtime.L, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_edition_has_the_application_of_its_generation),
        TEST(nothing_is_added_to_an_application_that_was_judged),
        TEST(what_is_no_application_is_refused_with_its_type),
        TEST(the_last_user_lets_go_of_the_application),
        TEST(no_edition_is_released_in_vain),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
