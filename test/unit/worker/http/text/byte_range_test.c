#include "worker/http/text/byte_range.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Writes the ranges as "0-4 6-7"; returns what byte_range_parse did. */
static int parse(const char *text, uint64_t size, bool combine, char *out, size_t out_size)
{
    struct byte_range ranges[BYTE_RANGE_MAX];
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    size_t used = 0;
    assert_non_null(exact);
    memcpy(exact, text, len);
    int count = byte_range_parse(exact, len, size, combine, ranges);
    free(exact);
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        int n = snprintf(out + used, out_size - used, "%s%" PRIu64 "-%" PRIu64, i > 0 ? " " : "",
                         ranges[i].first, ranges[i].last);
        assert_true(n > 0 && (size_t)n < out_size - used);
        used += (size_t)n;
    }
    return count;
}

static void ranges_are_cut_off_at_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size;
        const char *ranges; /* "" with what is returned */
        int result;
    } cases[] = {
        {"bytes=0-4", 10, "0-4", 1},
        {"bytes=0-0", 10, "0-0", 1},
        {"bytes=9-9", 10, "9-9", 1},
        {"bytes=5-", 10, "5-9", 1},
        {"bytes=0-", 10, "0-9", 1},
        {"bytes=-3", 10, "7-9", 1},
        {"bytes=-10", 10, "0-9", 1},
        {"bytes=-11", 10, "0-9", 1},
        {"bytes=0-100", 10, "0-9", 1},
        {"bytes=0-99999999999999999999999999", 10, "0-9", 1},
        {"bytes=-99999999999999999999999999", 10, "0-9", 1},
        {"bytes=18446744073709551615-", 10, "", -ERANGE},
        {"bytes=99999999999999999999999999-", 10, "", -ERANGE},
        {"bytes=10-", 10, "", -ERANGE},
        {"bytes=10-20", 10, "", -ERANGE},
        {"bytes=-0", 10, "", -ERANGE},
        {"bytes=5-4", 10, "", -ERANGE},
        {"bytes=-", 10, "", -EINVAL},
        {"bytes=", 10, "", -EINVAL},
        {"bytes=,", 10, "", -EINVAL},
        {"bytes=abc", 10, "", -EINVAL},
        {"bytes=a-b", 10, "", -EINVAL},
        {"bytes=1-b", 10, "", -EINVAL},
        {"bytes=+1-2", 10, "", -EINVAL},
        {"bytes=1--2", 10, "", -EINVAL},
        {"bytes=0x1-2", 10, "", -EINVAL},
        {"bytes=1 -\t2", 10, "1-2", 1},
        {"bytes=1 2-3", 10, "", -EINVAL},
        {"bytes=a-b", 0, "", -EINVAL},
        {"bytes=20-,b-", 10, "", -EINVAL},
        {"bytes=0-0", 0, "", -ERANGE},
        {"bytes=-1", 0, "", -ERANGE},
        {"bytes", 10, "", -EINVAL},
        {"", 10, "", -EINVAL},
        {"=0-1", 10, "0-1", 1},
        {"items=0-1", 10, "0-1", 1},
        {"bytes=0-1,3-4", 10, "0-1 3-4", 2},
        {"bytes= 0-1 ,\t3-4 ", 10, "0-1 3-4", 2},
        {"bytes=0-1,x,3-4", 10, "", -EINVAL},
        {"bytes=0-1,20-,-2", 10, "0-1 8-9", 2},
        {"bytes=,0-1", 10, "", -EINVAL},
        {"bytes=0-1,", 10, "", -EINVAL},
        {"bytes=4-,0-1", 10, "4-9 0-1", 2},
        {"bytes=0-", UINT64_MAX, "0-18446744073709551614", 1},
        {"bytes=-1", UINT64_MAX, "18446744073709551614-18446744073709551614", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[256];
        assert_int_equal(parse(cases[i].text, cases[i].size, false, out, sizeof(out)),
                         cases[i].result);
        assert_string_equal(out, cases[i].ranges);
    }
}

static void ranges_that_overlap_or_touch_are_combined(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *ranges;
    } cases[] = {
        {"bytes=0-4,90-99,5-75,100-199,101-102", "0-75 90-149"},
        {"bytes=-1,20-100,0-1,101-120", "149-149 20-120 0-1"},
        {"bytes=0-1,3-4", "0-1 3-4"},
        {"bytes=0-1,2-4", "0-4"},
        {"bytes=2-4,0-1", "0-4"},
        {"bytes=0-,0-,0-,0-", "0-149"},
        {"bytes=10-20,30-40,15-35", "10-40"},
        {"bytes=10-20,30-40,50-60,19-51", "10-60"},
        {"bytes=5-5,0-149,7-7", "0-149"},
        {"bytes=0-0,149-149,0-149", "0-149"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[256];
        assert_true(parse(cases[i].text, 150, true, out, sizeof(out)) > 0);
        assert_string_equal(out, cases[i].ranges);
    }
}

static void more_ranges_than_the_limit_are_refused(void **state)
{
    (void)state;
    char text[256] = "bytes=0-0";
    char out[256];
    for (int i = 1; i < BYTE_RANGE_MAX; i++) {
        strcat(text, ",0-0");
    }
    assert_int_equal(parse(text, 1, false, out, sizeof(out)), BYTE_RANGE_MAX);
    assert_int_equal(parse(text, 1, true, out, sizeof(out)), 1);
    strcat(text, ",x"); /* what is no range counts as well */
    assert_int_equal(parse(text, 1, false, out, sizeof(out)), -E2BIG);
    assert_int_equal(parse(text, 1, true, out, sizeof(out)), -E2BIG);
}

static void only_bytes_are_bytes(void **state)
{
    (void)state;
    assert_true(byte_range_is_bytes("bytes=", 6));
    assert_true(byte_range_is_bytes("BYTES=0-", 8));
    assert_false(byte_range_is_bytes("bytes", 5));
    assert_false(byte_range_is_bytes("bytes =0-", 9));
    assert_false(byte_range_is_bytes("items=0-", 8));
    assert_false(byte_range_is_bytes("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_cut_off_at_the_end),
        cmocka_unit_test(ranges_that_overlap_or_touch_are_combined),
        cmocka_unit_test(more_ranges_than_the_limit_are_refused),
        cmocka_unit_test(only_bytes_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
