#include "worker/http/body/inflation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKED_MAX = 256 * 1024 };

/* Compresses len bytes (zeros, where text is NULL) behind what out has; window as deflateInit2's. */
static size_t pack(const char *text, size_t len, int window, char *out, size_t used)
{
    char *zeros = calloc(1, len + 1);
    z_stream stream = {0};
    assert_non_null(zeros);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (const unsigned char *)(text != NULL ? text : zeros);
    stream.avail_in = (unsigned)len;
    stream.next_out = (unsigned char *)out + used;
    stream.avail_out = (unsigned)(PACKED_MAX - used);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    used = PACKED_MAX - stream.avail_out;
    (void)deflateEnd(&stream);
    free(zeros);
    return used;
}

/* Runs to the end by pieces of budget bytes; what came out is compared with want, if it is done. */
static enum inflation_result run(const char *bytes, size_t len, bool is_gzip, size_t limit,
                                 size_t budget, const char *want)
{
    char *exact = malloc(len + (len == 0));
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    struct body_text body = {exact, len};
    struct inflation inflation;
    enum inflation_result result;
    inflation_init(&inflation, body, is_gzip, limit);
    while ((result = inflation_run(&inflation, body, budget)) == INFLATION_GOES_ON) {
        assert_true(inflation.len <= limit);
    }
    assert_true(inflation.room <= limit + 1 || inflation.room <= 16 * 1024);
    if (result == INFLATION_DONE && want != NULL) {
        assert_int_equal(inflation.len, strlen(want));
        assert_memory_equal(inflation.out, want, inflation.len);
    }
    inflation_fini(&inflation);
    inflation_fini(&inflation); /* again does no harm */
    free(exact);
    return result;
}

static char packed[PACKED_MAX];

static void every_coding_is_inflated_in_any_pieces(void **state)
{
    (void)state;
    static const struct {
        int window;
        bool is_gzip;
    } rows[] = {{16 + MAX_WBITS, true}, {MAX_WBITS, false}, {-MAX_WBITS, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = pack("hello, hello", 12, rows[i].window, packed, 0);
        for (size_t budget = 1; budget < 20; budget += 3) {
            assert_int_equal(run(packed, len, rows[i].is_gzip, 12, budget, "hello, hello"),
                             INFLATION_DONE);
            assert_int_equal(run(packed, len, rows[i].is_gzip, 11, budget, NULL),
                             INFLATION_TOO_LARGE);
        }
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(run(packed, cut, rows[i].is_gzip, 12, 100, NULL), INFLATION_BROKEN);
        }
        packed[len] = 'x';
        assert_int_equal(run(packed, len + 1, rows[i].is_gzip, 12, 100, NULL), INFLATION_BROKEN);
    }
}

static void members_of_gzip_are_one_body(void **state)
{
    (void)state;
    size_t len = pack("one ", 4, 16 + MAX_WBITS, packed, 0);
    len = pack("", 0, 16 + MAX_WBITS, packed, len);
    len = pack("two", 3, 16 + MAX_WBITS, packed, len);
    assert_int_equal(run(packed, len, true, 100, 2, "one two"), INFLATION_DONE);
}

static void members_without_content_come_to_an_end(void **state)
{
    (void)state;
    size_t len = 0;
    for (int i = 0; i < 5000; i++) {
        len = pack("", 0, 16 + MAX_WBITS, packed, len);
    }
    assert_int_equal(run(packed, len, true, 100, 64, ""), INFLATION_DONE);
}

static void a_bomb_is_stopped_by_its_ratio(void **state)
{
    (void)state;
    size_t len = pack(NULL, 16 * 1024 * 1024, 16 + MAX_WBITS, packed, 0);
    assert_int_equal(run(packed, len, true, 64 * 1024 * 1024, 128 * 1024, NULL), INFLATION_BOMB);
    len = pack(NULL, INFLATION_RATIO_FREE, 16 + MAX_WBITS, packed, 0); /* as much is free */
    assert_int_equal(run(packed, len, true, 64 * 1024 * 1024, 128 * 1024, NULL), INFLATION_DONE);
}

static void nothing_is_no_stream(void **state)
{
    (void)state;
    assert_int_equal(run("", 0, true, 10, 10, NULL), INFLATION_BROKEN);
    assert_int_equal(run("", 0, false, 10, 10, NULL), INFLATION_BROKEN);
    assert_int_equal(run("not gzip at all", 15, true, 10, 10, NULL), INFLATION_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_is_inflated_in_any_pieces),
        cmocka_unit_test(members_of_gzip_are_one_body),
        cmocka_unit_test(members_without_content_come_to_an_end),
        cmocka_unit_test(a_bomb_is_stopped_by_its_ratio),
        cmocka_unit_test(nothing_is_no_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
