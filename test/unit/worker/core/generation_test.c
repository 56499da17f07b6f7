#include "worker/core/generation.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/lua_bundle.h"
#include "worker/core/runtime.h"

enum { GENERATIONS_MAX = 4, FILES_MAX = 8 };

static struct runtime runtime;
static struct generation *loaded[GENERATIONS_MAX];
static size_t loaded_count;
static struct fsd_err err;

/* What stands in for fsd's own modules. */
static int open_fsd(lua_State *L)
{
    lua_newtable(L);
    return 1;
}

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    luaL_getsubtable(runtime.L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(runtime.L, open_fsd);
    lua_setfield(runtime.L, -2, "fsd");
    lua_pop(runtime.L, 1);
    loaded_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(lua_gettop(runtime.L), 0);
    for (size_t i = 0; i < loaded_count; i++) {
        generation_free(&runtime, loaded[i]);
    }
    runtime_fini(&runtime);
    return 0;
}

static int load(const char *main_name, const struct lua_file *files)
{
    int fd = lua_bundle_make(main_name, files);
    assert_true(fd >= 0);
    err.text[0] = '\0';
    int error = generation_load(&runtime, fd, loaded_count + 1, &loaded[loaded_count], &err);
    fd_close(&fd);
    loaded_count += error == 0;
    return error;
}

static int load_main(const char *source)
{
    const struct lua_file files[] = {{"app.lua", source}, {NULL, NULL}};
    return load("app.lua", files);
}

/* The result of the generation's main file, as text. */
static void assert_result(const struct generation *generation, const char *wanted)
{
    lua_State *L = runtime.L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    assert_string_equal(luaL_tolstring(L, -1, NULL), wanted);
    lua_settop(L, 0);
}

/* Calls what the generation's main file returned; its result (or error) is left as text in told. */
static char told[512];

static int call_result(const struct generation *generation)
{
    lua_State *L = runtime.L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    int status = lua_pcall(L, 0, 1, 0);
    (void)snprintf(told, sizeof(told), "%s", luaL_tolstring(L, -1, NULL));
    lua_settop(L, 0);
    return status;
}

static void the_main_file_runs_and_its_result_is_kept(void **state)
{
    (void)state;
    assert_int_equal(load_main("return 'the application'"), 0);
    assert_int_equal(loaded[0]->number, 1);
    assert_result(loaded[0], "the application");
}

static void modules_come_from_the_bundle_and_run_once(void **state)
{
    static const struct lua_file files[] = {
        {"app.lua", "local a, again = require 'a', require 'a'\n"
                    "assert(rawequal(a, again) and a.name == 'a' and a.file == 'a.lua')\n"
                    "return table.concat({ require 'dir', require 'dir.sub', require 'helper',\n"
                    "  require 'pack', tostring(require 'silent') }, ' ')"},
        {"a.lua", "local name, file = ... count = (count or 0) + 1 assert(count == 1)\n"
                  "return {name = name, file = file}"},
        {"dir/init.lua", "return 'dir'"},
        {"dir/sub.lua", "return 'sub'"},
        {"lib/helper.lua", "return 'helper'"},
        {"lib/pack/init.lua", "return 'pack'"},
        {"silent.lua", ""},
        {NULL, NULL},
    };
    static struct lua_file sorted[FILES_MAX];
    (void)state;
    memcpy(sorted, files, sizeof(files));
    sorted[0] = files[1];
    sorted[1] = files[0];
    assert_int_equal(load("app.lua", sorted), 0);
    assert_result(loaded[0], "dir sub helper pack true");
}

static void own_and_system_modules_come_from_outside(void **state)
{
    static const struct lua_file files[] = {
        {"app.lua", "assert(type(require 'fsd') == 'table' and require 'string' == string)\n"
                    "local ok, err = pcall(require, 'fsd.nothing')\n"
                    "return ok == false and err:match('^[^\\n]*')"},
        {"fsd.lua", "error('the application cannot replace it')"},
        {NULL, NULL},
    };
    (void)state;
    assert_int_equal(load("app.lua", files), 0);
    assert_result(loaded[0], "module 'fsd.nothing' not found:");
    assert_int_equal(load_main("\nrequire 'no.such'"), -EINVAL);
    assert_memory_equal(err.text, "app.lua:2: module 'no.such' not found:", 38);
}

static void an_error_names_file_and_line(void **state)
{
    static const struct lua_file in_module[] = {
        {"app.lua", "\nrequire 'lib.deep'"}, {"lib/deep.lua", "\n\nerror 'boom'"}, {NULL, NULL}};
    static const struct lua_file bad_syntax[] = {
        {"app.lua", "require 'bad'"}, {"bad.lua", "x = = 1"}, {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", in_module), -EINVAL);
    assert_memory_equal(err.text, "lib/deep.lua:3: boom\nstack traceback:", 37);
    assert_non_null(strstr(err.text, "app.lua:2: in main chunk"));
    assert_int_equal(load("app.lua", bad_syntax), -EINVAL);
    assert_non_null(strstr(err.text, "bad.lua:1: unexpected symbol near '='"));
    assert_int_equal(load_main("error{message = 'a table', status = 404}"), -EINVAL);
    assert_memory_equal(err.text, "a table\n", 8);
    assert_int_equal(load_main("error()"), -EINVAL);
    assert_memory_equal(err.text, "nil\n", 4);
}

static void an_error_that_fights_back_is_still_only_a_refusal(void **state)
{
    static const char *const sources[] = {
        "local boom = setmetatable({}, {__tostring = function() error('again') end}) error(boom)",
        "error{message = 'm', traceback = setmetatable({}, {__tostring = function() error() end})}",
        "local function f() return 1 + f() end f()",
        "local boom = setmetatable({}, {__tostring = function(self) error(self) end}) error(boom)",
        "string.rep('x', 1 << 62)",
        "coroutine.yield()",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        assert_int_equal(load_main(sources[i]), -EINVAL);
        assert_true(err.text[0] != '\0');
        assert_int_equal(lua_gettop(runtime.L), 0);
    }
}

static void a_module_that_requires_itself_is_an_error(void **state)
{
    static const struct lua_file files[] = {{"a.lua", "return require 'b'"},
                                            {"app.lua", "return require 'a'"},
                                            {"b.lua", "\nreturn require 'a'"},
                                            {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", files), -EINVAL);
    assert_non_null(strstr(err.text, "b.lua:2: module \"a\" is being loaded already: it requires "
                                     "itself, directly or through others"));
}

static void a_module_that_failed_may_be_required_again(void **state)
{
    static const struct lua_file files[] = {
        {"app.lua",
         "local ok, err = pcall(require, 'weak') assert(not ok and err:find('not yet'))\n"
         "ready = true return require 'weak'"},
        {"weak.lua", "assert(ready, 'not yet') return 'strong'"},
        {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", files), 0);
    assert_result(loaded[0], "strong");
}

static void generations_do_not_see_each_others_globals_and_modules(void **state)
{
    static const struct lua_file first[] = {
        {"app.lua", "leak = 'old' assert(_G.leak == 'old') print = nil\n"
                    "load('loaded_leak = leak')() assert(loaded_leak == 'old')\n"
                    "return require 'm'"},
        {"m.lua", "assert(leak == 'old') return 'old'"},
        {NULL, NULL}};
    static const struct lua_file second[] = {
        {"app.lua", "assert(leak == nil and _G.leak == nil and print and loaded_leak == nil)\n"
                    "assert(load('return leak', 'c', 't', {leak = 'given'})() == 'given')\n"
                    "assert(load('y = 1', 'c', 't', nil))\n"
                    "assert(select('#', load('= 1')) == 2)\n"
                    "return require 'm'"},
        {"m.lua", "return 'new'"},
        {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", first), 0);
    assert_int_equal(load("app.lua", second), 0);
    assert_result(loaded[0], "old");
    assert_result(loaded[1], "new");
    assert_int_equal(lua_getglobal(runtime.L, "leak"), LUA_TNIL);
    lua_settop(runtime.L, 0);
}

static void code_that_is_given_up_still_finds_its_modules(void **state)
{
    static const struct lua_file files[] = {{"app.lua",
                                             "require 'early'\n"
                                             "package.keep = function() return require 'late' end\n"
                                             "return package.keep"},
                                            {"early.lua", "return 'early'"},
                                            {"late.lua", "return 'late of the first'"},
                                            {NULL, NULL}};
    static const struct lua_file second[] = {
        {"app.lua", "return package.keep"}, {"late.lua", "return 'second'"}, {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", files), 0);
    assert_int_equal(load("app.lua", second), 0);
    generation_free(&runtime, loaded[0]);
    loaded[0] = NULL;
    (void)lua_gc(runtime.L, LUA_GCCOLLECT);
    assert_int_equal(call_result(loaded[1]), LUA_OK);
    assert_string_equal(told, "late of the first");
}

static void what_a_generation_held_is_collected_after_it(void **state)
{
    (void)state;
    assert_int_equal(load_main("local big = string.rep('x', 1 << 20)\n"
                               "return function() return #big end"),
                     0);
    assert_int_equal(call_result(loaded[0]), LUA_OK);
    assert_string_equal(told, "1048576");
    (void)lua_gc(runtime.L, LUA_GCCOLLECT);
    int before = lua_gc(runtime.L, LUA_GCCOUNT);
    generation_free(&runtime, loaded[0]);
    loaded[0] = NULL;
    (void)lua_gc(runtime.L, LUA_GCCOLLECT);
    assert_true(lua_gc(runtime.L, LUA_GCCOUNT) <= before - 1024);
}

static void a_bundle_without_its_main_file_or_none_at_all_is_refused(void **state)
{
    static const struct lua_file files[] = {{"other.lua", ""}, {NULL, NULL}};
    (void)state;
    assert_int_equal(load("app.lua", files), -EINVAL);
    assert_non_null(strstr(err.text, "the bundle has no main file"));
    int fd = fd_sealed_from("text", "text", 4);
    struct generation *generation = NULL;
    assert_int_equal(generation_load(&runtime, fd, 1, &generation, &err), -EPROTO);
    assert_null(generation);
    fd_close(&fd);
    generation_free(&runtime, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_main_file_runs_and_its_result_is_kept),
        TEST(modules_come_from_the_bundle_and_run_once),
        TEST(own_and_system_modules_come_from_outside),
        TEST(an_error_names_file_and_line),
        TEST(an_error_that_fights_back_is_still_only_a_refusal),
        TEST(a_module_that_requires_itself_is_an_error),
        TEST(a_module_that_failed_may_be_required_again),
        TEST(generations_do_not_see_each_others_globals_and_modules),
        TEST(code_that_is_given_up_still_finds_its_modules),
        TEST(what_a_generation_held_is_collected_after_it),
        TEST(a_bundle_without_its_main_file_or_none_at_all_is_refused),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
