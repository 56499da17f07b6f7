#include "worker/http/text/disposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/http/text/header_text.h"

static void names_are_written_as_node_writes_them(void **state)
{
    static const struct {
        const char *name, *wanted;
    } rows[] = {
        {"a.txt", "attachment; filename=a.txt"},
        {"", "attachment; filename=\"\""},
        {"a b.txt", "attachment; filename=\"a b.txt\""},
        {"a\"b\\.txt", "attachment; filename=\"a\\\"b\\\\.txt\""},
        {"50%.txt", "attachment; filename=50%.txt"},
        {"50%4", "attachment; filename=50%4"},
        {"a%20b", "attachment; filename=a%20b; filename*=UTF-8''a%2520b"},
        {"it's", "attachment; filename=it's"},
        {"\xc3\xa4 it's(*)!.txt",
         "attachment; filename=\"? it's(*)!.txt\"; filename*=UTF-8''%C3%A4%20it%27s%28%2A%29!.txt"},
        {"\r\nx", "attachment; filename=\"??x\"; filename*=UTF-8''%0D%0Ax"},
        {"\xf0\x9f\x98\x80\xe2\x82\xac", "attachment; filename=\"??\"; "
                                         "filename*=UTF-8''%F0%9F%98%80%E2%82%AC"},
        {"a\xff", "attachment; filename=\"a?\"; filename*=UTF-8''a%EF%BF%BD"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[512];
        size_t len = disposition_format(rows[i].name, strlen(rows[i].name), out);
        out[len] = '\0';
        assert_string_equal(out, rows[i].wanted);
    }
}

static void without_a_name_it_is_a_download_all_the_same(void **state)
{
    char out[DISPOSITION_MAX(0)];
    (void)state;
    assert_int_equal(disposition_format(NULL, 0, out), strlen("attachment"));
    assert_memory_equal(out, "attachment", strlen("attachment"));
}

/* Each pair and triple of bytes: what comes out can stand in a header, and fits. */
static void whatever_the_name_is_it_fits_and_has_no_controls(void **state)
{
    static const unsigned char bytes[] = {
        0x00, 0x0a, 0x0d, 0x1f, 0x20, 0x22, 0x25, 0x30, 0x41, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
        0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
    const size_t count = sizeof(bytes);
    (void)state;
    for (size_t i = 0; i < count * count * count * count; i++) {
        char name[4] = {(char)bytes[i % count], (char)bytes[i / count % count],
                        (char)bytes[i / count / count % count],
                        (char)bytes[i / count / count / count]};
        for (size_t size = 1; size <= sizeof(name); size += 3) {
            char out[DISPOSITION_MAX(sizeof(name))];
            size_t len = disposition_format(name, size, out);
            assert_true(len < DISPOSITION_MAX(size));
            assert_true(header_text_is_value(out, len));
        }
    }
}

static void a_name_of_the_worst_kind_fits(void **state)
{
    (void)state;
    for (size_t len = 0; len < 300; len++) {
        char *name = malloc(len + 1);
        char *out = malloc(DISPOSITION_MAX(len));
        memset(name, len % 2 == 0 ? 0xff : '"', len);
        assert_true(disposition_format(name, len, out) <= DISPOSITION_MAX(len));
        free(name);
        free(out);
    }
}

static void the_base_name_stands_behind_the_last_slash(void **state)
{
    size_t len;
    (void)state;
    assert_string_equal(disposition_base_name("/a/b.txt", 8, &len), "b.txt");
    assert_int_equal(len, 5);
    assert_string_equal(disposition_base_name("b.txt", 5, &len), "b.txt");
    assert_int_equal(len, 5);
    assert_string_equal(disposition_base_name("a/", 2, &len), "");
    assert_int_equal(len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_written_as_node_writes_them),
        cmocka_unit_test(without_a_name_it_is_a_download_all_the_same),
        cmocka_unit_test(whatever_the_name_is_it_fits_and_has_no_controls),
        cmocka_unit_test(a_name_of_the_worst_kind_fits),
        cmocka_unit_test(the_base_name_stands_behind_the_last_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
