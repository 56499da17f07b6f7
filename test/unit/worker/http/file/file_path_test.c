#include "worker/http/file/file_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum file_path_fault decode(const char *text, struct file_path *path)
{
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    assert_non_null(exact);
    memcpy(exact, text, len);
    enum file_path_fault fault = file_path_decode(exact, len, path);
    free(exact);
    return fault;
}

static void paths_become_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
        bool is_folder;
        bool has_dotfile;
    } cases[] = {
        {"", "", true, false},
        {"/", "", true, false},
        {"/a", "a", false, false},
        {"a", "a", false, false},
        {"/a/", "a", true, false},
        {"/a/b.txt", "a/b.txt", false, false},
        {"/a/b/", "a/b", true, false},
        {"/a%20b", "a b", false, false},
        {"/%c3%bc", "\xc3\xbc", false, false},
        {"/\xc3\xbc", "\xc3\xbc", false, false},
        {"/100%25", "100%", false, false},
        {"/%2541", "%41", false, false},
        {"/a+b", "a+b", false, false},
        {"/a;b=c,d", "a;b=c,d", false, false},
        {"/...", "...", false, true},
        {"/..a", "..a", false, true},
        {"/.a", ".a", false, true},
        {"/a/.b/c", "a/.b/c", false, true},
        {"/a.b/c.", "a.b/c.", false, false},
        {"/.well-known/x/", ".well-known/x", true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct file_path path;
        assert_int_equal(decode(cases[i].text, &path), FILE_PATH_FINE);
        assert_string_equal(path.name, cases[i].name);
        assert_int_equal(path.len, strlen(cases[i].name));
        assert_int_equal(path.is_folder, cases[i].is_folder);
        assert_int_equal(path.has_dotfile, cases[i].has_dotfile);
    }
}

static void other_spellings_of_a_name_are_refused(void **state)
{
    (void)state;
    static const char *const forbidden[] = {
        "//",     "//a",         "/a//b",   "/a//",       "/.",     "/./",     "/./a", "/a/.",
        "/a/./b", "/..",         "/../",    "/../a",      "/a/..",  "/a/../b", "..",   ".",
        "/%2e",   "/%2E%2e",     "/.%2e/a", "/%2e./a",    "/a%2fb", "/a%2Fb",  "/%2f", "/a\\b",
        "/..\\a", "/a%5cb",      "/%5C",    "/%70rivate", "/%50",   "/%39",    "/%2d", "/%5f",
        "/%7e",   "/a/%2e%2e/b", "/a%2e",   "/%41",       "/%7a",   "/\\",
    };
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        struct file_path path;
        if (decode(forbidden[i], &path) != FILE_PATH_FORBIDDEN) {
            fail_msg("taken: %s", forbidden[i]);
        }
    }
}

static void what_can_not_be_decoded_is_malformed(void **state)
{
    (void)state;
    static const char *const malformed[] = {"/%",   "/%2",  "/%zz",  "/%2z",    "/a%",
                                            "/%00", "/a%4", "/%%41", "/a%00.b", "/%u0041"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct file_path path;
        assert_int_equal(decode(malformed[i], &path), FILE_PATH_MALFORMED);
    }
    struct file_path path;
    assert_int_equal(file_path_decode("/a\0b", 4, &path), FILE_PATH_MALFORMED);
}

static void a_name_has_its_limit(void **state)
{
    (void)state;
    char text[FILE_PATH_MAX + 8];
    struct file_path path;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(file_path_decode(text, FILE_PATH_MAX, &path), FILE_PATH_FINE);
    assert_int_equal(path.len, FILE_PATH_MAX - 1);
    assert_int_equal(file_path_decode(text, FILE_PATH_MAX + 1, &path), FILE_PATH_TOO_LONG);
}

static void names_that_are_no_urls_keep_their_escapes(void **state)
{
    (void)state;
    struct file_path path;
    assert_int_equal(file_path_take("a%20b/c%2f%70", 13, &path), FILE_PATH_FINE);
    assert_string_equal(path.name, "a%20b/c%2f%70");
    assert_int_equal(file_path_take("a/../b", 6, &path), FILE_PATH_FORBIDDEN);
    assert_int_equal(file_path_take("/a", 2, &path), FILE_PATH_FORBIDDEN);
    assert_int_equal(file_path_take("a\0b", 3, &path), FILE_PATH_MALFORMED);
    assert_int_equal(file_path_take("", 0, &path), FILE_PATH_FINE);
    assert_true(path.is_folder);
}

static bool is_listed(const char *text, const char *pattern)
{
    struct file_path path;
    assert_int_equal(decode(text, &path), FILE_PATH_FINE);
    return file_path_is_listed(&path, pattern);
}

static void patterns_are_whole_or_end_with_a_star(void **state)
{
    (void)state;
    assert_true(is_listed("/.well-known/a", "/.well-known/*"));
    assert_true(is_listed("/.well-known/a/b", "/.well-known/*"));
    assert_false(is_listed("/.well-knownx", "/.well-known/*"));
    assert_false(is_listed("/.well", "/.well-known/*"));
    assert_false(is_listed("/a/.well-known/b", "/.well-known/*"));
    assert_true(is_listed("/.a", "/.a"));
    assert_false(is_listed("/.a/b", "/.a"));
    assert_false(is_listed("/.ab", "/.a"));
    assert_true(is_listed("/.a", "/*"));
    assert_false(is_listed("/.a", ""));
    assert_false(is_listed("/.a", ".a"));
    assert_false(is_listed("/.a", "/"));
}

static void endings_are_of_the_last_part(void **state)
{
    (void)state;
    assert_string_equal(file_path_find_ending("a.b"), "b");
    assert_string_equal(file_path_find_ending("a/b.c.d"), "d");
    assert_null(file_path_find_ending("a"));
    assert_null(file_path_find_ending(""));
    assert_null(file_path_find_ending("a.b/c"));
    assert_null(file_path_find_ending(".a"));
    assert_null(file_path_find_ending("a/.b"));
    assert_null(file_path_find_ending("a."));
}

static void hashes_of_bundlers_are_known(void **state)
{
    (void)state;
    static const char *const hashed[] = {
        "app.3f2a9c1b.js", "assets/index-BkH3xY2z.css", "main.8A7D6F5C.js",
        "a_0123abcd.css",  "chunk-5Z3K7QWE.js",         "x/y/v.0f9e8d7c6b5a49382716.png",
    };
    static const char *const plain[] = {
        "app.js",
        "bootstrap.min.js",
        "report-20240101.pdf",
        "jquery-3.7.1.js",
        "app-Version1.js",
        "app-release1.js",
        "index",
        "3f2a9c1b.js",
        "a/3f2a9c1b.js",
        "app.3f2a9c1.js",
        "",
        ".3f2a9c1b",
        "photo-DSC00012.jpg",
        "app.deadbeef.js",
        "app.3f2a9c1b",
        "app.3f2a9$1b.js",
    };
    for (size_t i = 0; i < sizeof(hashed) / sizeof(hashed[0]); i++) {
        if (!file_path_has_hash(hashed[i])) {
            fail_msg("no hash: %s", hashed[i]);
        }
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (file_path_has_hash(plain[i])) {
            fail_msg("a hash: %s", plain[i]);
        }
    }
    char lengthy[100] = "a.";
    memset(lengthy + 2, '7', 60);
    memcpy(lengthy + 62, "abcde.js", 9);
    assert_false(file_path_has_hash(lengthy));
    memmove(lengthy + 2, lengthy + 3, 70);
    assert_true(file_path_has_hash(lengthy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_names),
        cmocka_unit_test(other_spellings_of_a_name_are_refused),
        cmocka_unit_test(what_can_not_be_decoded_is_malformed),
        cmocka_unit_test(a_name_has_its_limit),
        cmocka_unit_test(names_that_are_no_urls_keep_their_escapes),
        cmocka_unit_test(patterns_are_whole_or_end_with_a_star),
        cmocka_unit_test(endings_are_of_the_last_part),
        cmocka_unit_test(hashes_of_bundlers_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
