#include "worker/http/text/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *of_name(const char *name)
{
    const char *type = mime_of_name(name, strlen(name));
    return type != NULL ? type : "";
}

static void the_ending_of_a_name_says_the_type(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"index.html", "text/html; charset=utf-8"},
        {"INDEX.HTML", "text/html; charset=utf-8"},
        {"a/b.c/app.min.js", "text/javascript; charset=utf-8"},
        {"app.mjs", "text/javascript; charset=utf-8"},
        {"style.css", "text/css; charset=utf-8"},
        {"data.json", "application/json; charset=utf-8"},
        {"app.webmanifest", "application/manifest+json; charset=utf-8"},
        {"logo.svg", "image/svg+xml"},
        {"logo.png", "image/png"},
        {"logo.avif", "image/avif"},
        {"font.woff2", "font/woff2"},
        {"film.mp4", "video/mp4"},
        {"mod.wasm", "application/wasm"},
        {"paper.pdf", "application/pdf"},
        {"x.7z", "application/x-7z-compressed"},
        {"x.zst", "application/zstd"},
        {"README.md", "text/markdown; charset=utf-8"},
        {"..html", "text/html; charset=utf-8"},
        {"README", ""},
        {"", ""},
        {".", ""},
        {"a.", ""},
        {".html", ""},
        {"a/.html", ""},
        {"a.html/b", ""},
        {"a.html/", ""},
        {"a.unknownending", ""},
        {"a.verylongendingindeed", ""},
        {"html", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(of_name(cases[i][0]), cases[i][1]);
    }
}

static void a_nul_ends_no_ending(void **state)
{
    (void)state;
    assert_null(mime_of_name("a.html\0", 7));
    assert_null(mime_of_name("a.html\0x", 8));
    assert_null(mime_find("css\0", 4));
}

/* The search by halves finds only what stands in order. */
static void short_words_all_over_the_alphabet_are_found(void **state)
{
    (void)state;
    static const char *const known[] = {
        "3gp", "7z",  "aac", "avi", "bin", "br",  "bz2",  "c",   "csv", "css", "deb", "epub",
        "eot", "gif", "glb", "gz",  "h",   "htm", "ico",  "ics", "js",  "jpg", "lua", "map",
        "md",  "mov", "mp3", "mpd", "ogg", "otf", "py",   "rar", "rss", "rtf", "sql", "svg",
        "tar", "ttf", "txt", "vtt", "wav", "xls", "xlsx", "xml", "xz",  "yml", "zip", "zst"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        bool is_there = mime_find(known[i], strlen(known[i])) != NULL;
        assert_int_equal(is_there, strcmp(known[i], "br") != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ending_of_a_name_says_the_type),
        cmocka_unit_test(a_nul_ends_no_ending),
        cmocka_unit_test(short_words_all_over_the_alphabet_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
