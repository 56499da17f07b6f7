#include "worker/http/text/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_listed(const char *list, const char *etag, bool is_strong)
{
    size_t len = strlen(list);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    assert_non_null(exact);
    memcpy(exact, list, len);
    bool found = etag_is_listed(exact, len, etag, strlen(etag), is_strong);
    free(exact);
    return found;
}

static void lists_are_searched_by_both_comparisons(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *etag;
        bool weakly;
        bool strongly;
    } cases[] = {
        {"\"a\"", "\"a\"", true, true},
        {"W/\"a\"", "\"a\"", true, false},
        {"\"a\"", "W/\"a\"", true, false},
        {"W/\"a\"", "W/\"a\"", true, false},
        {"\"b\"", "\"a\"", false, false},
        {"W/\"b\"", "W/\"a\"", false, false},
        {"\"b\", \"a\"", "\"a\"", true, true},
        {"\"b\",\"a\"", "\"a\"", true, true},
        {"\"b\"\t ,\t\"a\" ", "\"a\"", true, true},
        {" \"a\"", "\"a\"", true, true},
        {",,\"a\",", "\"a\"", true, true},
        {"\"a, b\"", "\"a, b\"", false, false}, /* a blank can't be in a tag */
        {"\"a,b\"", "\"a,b\"", true, true},
        {"\"a,b\"", "\"a\"", false, false},
        {"\"x,\", \"a\"", "\"a\"", true, true},
        {"\"\"", "\"\"", true, true},
        {"\"\"", "\"a\"", false, false},
        {"a", "\"a\"", false, false},
        {"a", "a", false, false},
        {"w/\"a\"", "\"a\"", false, false},
        {"W/ \"a\"", "\"a\"", false, false},
        {"W/a", "\"a\"", false, false},
        {"W", "\"a\"", false, false},
        {"W/", "\"a\"", false, false},
        {"\"a", "\"a\"", false, false},
        {"\"", "\"a\"", false, false},
        {"\"a\"\"b\"", "\"a\"", false, false},
        {"\"a\" \"b\"", "\"b\"", false, false},
        {"\"a\"x, \"b\"", "\"a\"", false, false},
        {"junk, \"b\"", "\"b\"", true, true},
        {"\"A\"", "\"a\"", false, false},
        {"\"aa\"", "\"a\"", false, false},
        {"\"\xc3\xa4\"", "\"\xc3\xa4\"", true, true},
        {"\"\x7f\"", "\"\x7f\"", false, false},
        {"", "\"a\"", false, false},
        {"*", "\"a\"", false, false},
        {"\"*\"", "\"*\"", true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(is_listed(cases[i].list, cases[i].etag, false), cases[i].weakly);
        assert_int_equal(is_listed(cases[i].list, cases[i].etag, true), cases[i].strongly);
    }
}

static void a_star_alone_is_any_tag(void **state)
{
    (void)state;
    assert_true(etag_is_any("*", 1));
    assert_true(etag_is_any(" *\t", 3));
    assert_false(etag_is_any("", 0));
    assert_false(etag_is_any("**", 2));
    assert_false(etag_is_any("*, \"a\"", 6));
    assert_false(etag_is_any("\"*\"", 3));
}

static void only_whole_tags_are_valid(void **state)
{
    (void)state;
    static const char *const good[] = {"\"\"", "\"a\"", "W/\"a\"", "\"!#~\""};
    static const char *const bad[] = {"",      "a",      "\"",     "\"a",     "a\"",    "W/",
                                      "W/\"a", "W\"a\"", "\"a\" ", "\"a\"\"", "\"a b\""};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(etag_is_valid(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(etag_is_valid(bad[i], strlen(bad[i])));
    }
}

static void tags_of_bodies_and_files_are_valid(void **state)
{
    (void)state;
    char text[ETAG_MAX];
    size_t len = etag_from_body("hello", 5, true, text);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(text, "W/\"5-", 5);
    assert_true(etag_is_valid(text, len));
    len = etag_from_body("hello", 5, false, text);
    assert_memory_equal(text, "\"5-", 3);
    assert_true(etag_is_valid(text, len));
    len = etag_from_body("", 0, true, text);
    assert_memory_equal(text, "W/\"0-", 5);
    assert_true(etag_is_valid(text, len));
    len = etag_from_file(0x1234, 1, 2, text);
    assert_string_equal(text, "W/\"1234-3b9aca02\"");
    assert_int_equal(len, strlen(text));
    len = etag_from_file(UINT64_MAX, INT64_MIN, UINT32_MAX, text);
    assert_true(len < ETAG_MAX);
    assert_true(etag_is_valid(text, len));
}

static void the_hash_is_the_same_everywhere(void **state)
{
    (void)state;
    /* Clients keep tags over restarts and get answers from all workers: a change makes each of them ask again. */
    assert_true(etag_hash("", 0) == etag_hash(NULL, 0));
    uint64_t first = etag_hash("Hello, World!", 13);
    char moved[16] = "xHello, World!";
    assert_true(etag_hash(moved + 1, 13) == first);
}

enum { SAMPLE = 64 };

static void each_bit_and_the_length_change_the_hash(void **state)
{
    (void)state;
    unsigned char bytes[SAMPLE] = {0};
    for (size_t len = 0; len <= SAMPLE; len++) {
        uint64_t plain = etag_hash(bytes, len);
        if (len > 0) {
            assert_true(plain != etag_hash(bytes, len - 1));
        }
        int changed = 0;
        for (size_t bit = 0; bit < 8 * len; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
            uint64_t other = etag_hash(bytes, len);
            assert_true(other != plain);
            changed += __builtin_popcountll(other ^ plain);
            bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
        if (len > 0) { /* half of the bits, about */
            int average = changed / (int)(8 * len);
            assert_in_range(average, 26, 38);
        }
    }
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static void a_million_similar_bodies_have_no_hash_in_common(void **state)
{
    (void)state;
    enum { COUNT = 1000000 };
    uint64_t *hashes = malloc(COUNT * sizeof(*hashes));
    assert_non_null(hashes);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t body[8] = {0, i, 0, 0, i % 1000, 0, 0, i / 1000};
        hashes[i] = etag_hash(body, sizeof(body));
    }
    qsort(hashes, COUNT, sizeof(*hashes), compare);
    for (uint32_t i = 1; i < COUNT; i++) {
        assert_true(hashes[i] != hashes[i - 1]);
    }
    free(hashes);
}

static void swapped_blocks_change_the_hash(void **state)
{
    (void)state;
    char body[64];
    memset(body, 'a', 32);
    memset(body + 16, 'b', 16);
    uint64_t one = etag_hash(body, 48);
    memset(body, 'b', 16);
    memset(body + 16, 'a', 16);
    assert_true(one != etag_hash(body, 48));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_searched_by_both_comparisons),
        cmocka_unit_test(a_star_alone_is_any_tag),
        cmocka_unit_test(only_whole_tags_are_valid),
        cmocka_unit_test(tags_of_bodies_and_files_are_valid),
        cmocka_unit_test(the_hash_is_the_same_everywhere),
        cmocka_unit_test(each_bit_and_the_length_change_the_hash),
        cmocka_unit_test(a_million_similar_bodies_have_no_hash_in_common),
        cmocka_unit_test(swapped_blocks_change_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
