/* The line for `systemctl status`: its form, and that it always fits. */
#include "daemon/host/notify_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_line_names_phase_pools_and_configuration(void **state)
{
    (void)state;
    const struct notify_text_pool pools[] = {{"web", 4, 4, NULL}, {"jobs", 0, 1, "held"}};
    const struct {
        const char *phase;
        size_t count;
        uint64_t config;
        const char *expected;
    } rows[] = {
        {"running", 2, 17, "running: web 4/4, jobs 0/1 held; config 17"},
        {"running", 1, 0, "running: web 4/4"},
        {"starting", 0, 1, "starting; config 1"},
        {"stopping", 0, 0, "stopping"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[NOTIFY_TEXT_MAX];
        notify_text_format(rows[i].phase, pools, rows[i].count, rows[i].config, text);
        assert_string_equal(text, rows[i].expected);
    }
}

static void pools_without_room_are_counted(void **state)
{
    (void)state;
    struct notify_text_pool pools[256];
    char text[NOTIFY_TEXT_MAX];
    char tail[64];
    for (size_t i = 0; i < 256; i++) {
        pools[i] = (struct notify_text_pool){"a-pool-with-a-name", 10, 12, NULL};
    }
    notify_text_format("running", pools, 256, UINT64_MAX, text);
    unsigned shown = 0;
    for (const char *at = text; (at = strstr(at, "name 10/12")) != NULL; at++) {
        shown++;
    }
    assert_in_range(shown, 5, 10);
    (void)snprintf(tail, sizeof(tail), "name 10/12 and %u more; config 18446744073709551615",
                   256 - shown);
    assert_string_equal(text + strlen(text) - strlen(tail), tail);
}

static void a_line_fits_whatever_the_lengths_are(void **state)
{
    (void)state;
    char name[300];
    char guarded[NOTIFY_TEXT_MAX + 1];
    memset(name, 'n', sizeof(name));
    for (size_t len = 0; len < sizeof(name); len++) {
        name[sizeof(name) - 1 - len] = 'n';
        const char *text = name + sizeof(name) - 1 - len;
        name[sizeof(name) - 1] = '\0';
        const struct notify_text_pool pools[] = {{text, UINT32_MAX, UINT32_MAX, text},
                                                 {"b", 1, 1, NULL}};
        guarded[NOTIFY_TEXT_MAX] = '#';
        notify_text_format(text, pools, 2, UINT64_MAX, guarded);
        assert_true(strlen(guarded) < NOTIFY_TEXT_MAX);
        notify_text_format("running", pools, 2, UINT64_MAX, guarded);
        assert_true(strlen(guarded) < NOTIFY_TEXT_MAX);
        assert_int_equal(guarded[NOTIFY_TEXT_MAX], '#');
        assert_non_null(strstr(guarded, "; config 18446744073709551615"));
    }
}

static void other_peoples_text_stays_one_line(void **state)
{
    (void)state;
    char clean[NOTIFY_TEXT_MAX];
    notify_text_clean("held\nREADY=1\x7f\x1b[m \xc3\xa4", clean);
    assert_string_equal(clean, "held READY=1  [m \xc3\xa4");
    notify_text_clean("", clean);
    assert_string_equal(clean, "");
}

static void a_cut_never_halves_a_character(void **state)
{
    (void)state;
    char text[NOTIFY_TEXT_MAX + 8];
    char clean[NOTIFY_TEXT_MAX];
    for (size_t before = NOTIFY_TEXT_MAX - 6; before < NOTIFY_TEXT_MAX + 2; before++) {
        memset(text, 'x', sizeof(text));
        memcpy(text + before, "\xe2\x82\xac", 4); /* three bytes and the end */
        notify_text_clean(text, clean);
        size_t len = strlen(clean);
        assert_true(len == before + 3 || len == before || len == NOTIFY_TEXT_MAX - 1);
        assert_memory_equal(clean, text, len);
    }
    memset(text, 0x80, sizeof(text)); /* nothing but ends of characters */
    text[sizeof(text) - 1] = '\0';
    notify_text_clean(text, clean);
    assert_string_equal(clean, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_names_phase_pools_and_configuration),
        cmocka_unit_test(pools_without_room_are_counted),
        cmocka_unit_test(a_line_fits_whatever_the_lengths_are),
        cmocka_unit_test(other_peoples_text_stays_one_line),
        cmocka_unit_test(a_cut_never_halves_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
