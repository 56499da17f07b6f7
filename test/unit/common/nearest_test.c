#include "common/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const keys[] = {
    "listeners", "apps", "pools", "log", "control", "request_timeout", "keepalive", "body",
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static void mistyped_words_find_what_was_meant(void **state)
{
    /* NULL: no suggestion is better than a far one. */
    static const char *const rows[][2] = {
        {"listenres", "listeners"},     /* swapped */
        {"listners", "listeners"},      /* one missing */
        {"listenerss", "listeners"},    /* one too many */
        {"lisfeners", "listeners"},     /* one changed */
        {"lisfennrs", "listeners"},     /* two changed in a long word */
        {"LISTENERS", "listeners"},     /* case does not count */
        {"app", "apps"},                /* short words allow one mistake */
        {"ap", NULL},                   /* but not two */
        {"bdoy", "body"},               /* swapped, short */
        {"request", "request_timeout"}, /* cut short */
        {"con", "control"},             /* the same */
        {"keep-alive", "keepalive"},    /* one too many */
        {"databases", NULL},            /* nothing near */
        {"x", NULL},                    /* everything is one letter away from nothing */
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *found = nearest_find(rows[i][0], keys, KEY_COUNT);
        if (rows[i][1] == NULL) {
            assert_null(found);
        } else {
            assert_non_null(found);
            assert_string_equal(found, rows[i][1]);
        }
    }
}

static void the_first_of_equally_near_words_wins(void **state)
{
    static const char *const words[] = {"start", "state", "stats"};

    (void)state;
    assert_string_equal(nearest_find("stat", words, 3), "start");
    assert_string_equal(nearest_find("stats", words, 3), "stats");
    assert_string_equal(nearest_find("statt", words, 3), "start");
}

static void a_cut_word_with_two_completions_finds_nothing(void **state)
{
    static const char *const words[] = {"request_timeout", "request_body"};

    (void)state;
    assert_null(nearest_find("request", words, 2));
}

static void long_words_and_no_words_are_harmless(void **state)
{
    char longer[1000];
    const char *const words[] = {longer, "body"};

    (void)state;
    memset(longer, 'b', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_null(nearest_find(longer, words, 2));
    assert_string_equal(nearest_find("bodi", words, 2), "body");
    assert_null(nearest_find("body", NULL, 0));
    longer[63] = '\0';
    assert_ptr_equal(nearest_find(longer, words, 2), longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistyped_words_find_what_was_meant),
        cmocka_unit_test(the_first_of_equally_near_words_wins),
        cmocka_unit_test(a_cut_word_with_two_completions_finds_nothing),
        cmocka_unit_test(long_words_and_no_words_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
