#include "daemon/conf/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_character_is_found_where_it_begins(void **state)
{
    static const char *const characters[] = {"a", "\xc3\xa4", "\n", "\xe2\x82\xac",
                                             "\xf0\x9f\x8c\x8d"};
    enum { COUNT = 1000 };
    char text[COUNT * 4 + 1] = "";
    size_t starts[COUNT + 1];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const char *character = characters[i * i % 5];
        starts[i] = len;
        len = (size_t)(stpcpy(text + len, character) - text);
    }
    starts[COUNT] = len;
    /* A text of any length, as the last step may be full or begun. */
    for (size_t count = 0; count <= COUNT; count++) {
        struct source *source = source_new("t.yaml", text, starts[count]);
        assert_non_null(source);
        for (size_t i = 0; i <= count; i++) {
            assert_int_equal(source_offset(source, i), starts[i]);
        }
        assert_int_equal(source_offset(source, count + 1), starts[count]);
        assert_int_equal(source_offset(source, SIZE_MAX), starts[count]);
        source_free(source);
    }
}

static void bytes_that_begin_no_character_are_passed(void **state)
{
    struct source *source = source_new("t.yaml", "\x80\x80z\xbf", 4);

    (void)state;
    assert_non_null(source);
    assert_int_equal(source_offset(source, 0), 2);
    assert_int_equal(source_offset(source, 1), 4);
    source_free(source);
    source = source_new("t.yaml", "\x80", 1);
    assert_non_null(source);
    assert_int_equal(source_offset(source, 0), 1);
    source_free(source);
}

static void a_line_is_found_without_its_end(void **state)
{
    static const char text[] = "one\r\n\nthree";
    struct source *source = source_new("t.yaml", text, strlen(text));
    size_t len = 0;

    (void)state;
    assert_non_null(source);
    assert_ptr_equal(source_line(source, 1, &len), source->text);
    assert_int_equal(len, 3);
    assert_ptr_equal(source_line(source, 2, &len), source->text + 5);
    assert_int_equal(len, 0);
    assert_ptr_equal(source_line(source, 3, &len), source->text + 6);
    assert_int_equal(len, 5);
    assert_null(source_line(source, 4, &len));
    assert_null(source_line(source, 0, &len));
    source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_found_where_it_begins),
        cmocka_unit_test(bytes_that_begin_no_character_are_passed),
        cmocka_unit_test(a_line_is_found_without_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
