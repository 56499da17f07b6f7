#include "worker/http/body/byte_size.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        {"0", 0},
        {"512", 512},
        {"512b", 512},
        {"1k", 1024},
        {"100kb", 102400},
        {"100 KB", 102400},
        {"64KiB", 65536},
        {"1M", 1048576},
        {"1mb", 1048576},
        {"2.5 MB", 2621440},
        {"0.5kb", 512},
        {"1MiB", 1048576},
        {"1g", 1073741824},
        {"1GB", 1073741824},
        {"1gib", 1073741824},
        {"1024gb", UINT64_C(1) << 40},
        {"0.000001kb", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 7;
        assert_int_equal(byte_size_parse(rows[i].text, strlen(rows[i].text), &bytes), 0);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "kb",
        "-1",
        "+1",
        "1 x",
        "1.",
        "1.kb",
        ".5kb",
        "1kbb",
        "1 kb ",
        "1tb",
        "0x10",
        "1e3",
        "1,5kb",
        "much",
        "1k b",
        "12345678901234",
        "1.1234567kb",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bytes = 7;
        assert_int_equal(byte_size_parse(rows[i], strlen(rows[i]), &bytes), -EINVAL);
        assert_int_equal(bytes, 7);
    }
    uint64_t bytes = 7;
    assert_int_equal(byte_size_parse("1025gb", 6, &bytes), -ERANGE);
    assert_int_equal(byte_size_parse("1k\0", 3, &bytes), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(what_is_no_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
