#include "common/source_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void lua_files_and_templates_are_code_wherever_they_lie(void **state)
{
    (void)state;
    const char *const code[] = {"app.lua",          "lib/a/b.lua",
                                "mail.tpl",         "lib/mails/hello.etlua",
                                "views/x.html.tpl", "views/.tpl.lua"};
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
        assert_true(source_name_is_code(code[i]));
        assert_true(source_name_may_be_code(code[i]));
    }
}

static void other_texts_are_code_below_views_only(void **state)
{
    (void)state;
    const char *const texts[] = {"a.html", "a/b.htm", "x.xml",      "x.txt", "x.md",
                                 "x.json", "x.css",   "x.mustache", "x.js",  "x.svg"};
    char path[64] = "views/";
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(source_name_is_code(texts[i]));
        assert_true(source_name_may_be_code(texts[i]));
        size_t at = 6;
        for (const char *c = texts[i]; *c != '\0'; c++) {
            path[at++] = *c;
        }
        path[at] = '\0';
        assert_true(source_name_is_code(path));
    }
}

static void what_else_lies_there_is_not_code(void **state)
{
    (void)state;
    const char *const others[] = {"README", "a.LUA", "views/photo.jpg", "views/lua",
                                  ".lua",   "a.b/c", "public/x.png",    "views/.html",
                                  "",       "x.",    "views/a/",        "a.lua/b"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(source_name_is_code(others[i]));
        assert_false(source_name_may_be_code(others[i]));
    }
    assert_false(source_name_is_code("lib/views/x.html"));
    assert_false(source_name_is_code("views.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lua_files_and_templates_are_code_wherever_they_lie),
        cmocka_unit_test(other_texts_are_code_below_views_only),
        cmocka_unit_test(what_else_lies_there_is_not_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
