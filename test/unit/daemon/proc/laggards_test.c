/* What a worker says that still runs on replaced code, line by line. */
#include "daemon/proc/laggards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TOLD_MS = 5000, TEXT_MAX = 4096 };

static void take(struct laggards *laggards, uint64_t count, const char *text, size_t len)
{
    const struct proto_laggards body = {.generation = 5, .count = count};
    laggards_take(laggards, &body, text, len, TOLD_MS);
}

static int print_part(char *text, size_t size, const struct laggard_part *part)
{
    return snprintf(text, size, "[%.*s]", (int)part->len, part->len > 0 ? part->at : "");
}

/* All of them as one text: "[KIND][WHAT][PLACE]AGE;..." */
static void print(const struct laggards *laggards, uint64_t now_ms, char text[TEXT_MAX])
{
    const char *at = NULL;
    struct laggard one;
    int len = 0;
    text[0] = '\0';
    while (laggards_next(laggards, now_ms, &at, &one)) {
        len += print_part(text + len, (size_t)(TEXT_MAX - len), &one.kind);
        len += print_part(text + len, (size_t)(TEXT_MAX - len), &one.what);
        len += print_part(text + len, (size_t)(TEXT_MAX - len), &one.place);
        len += snprintf(text + len, (size_t)(TEXT_MAX - len), "%lld;",
                        one.has_age ? (long long)one.age_ms : -1);
    }
}

static void expect(const char *lines, uint64_t now_ms, const char *wanted)
{
    struct laggards laggards = {.count = 0};
    char text[TEXT_MAX];
    take(&laggards, 1, lines, strlen(lines));
    print(&laggards, now_ms, text);
    assert_string_equal(text, wanted);
    laggards_fini(&laggards);
}

static void each_line_says_what_it_is_where_it_is_and_for_how_long(void **state)
{
    (void)state;
    expect("request GET /slow since 12 at app.lua:40", TOLD_MS,
           "[request][GET /slow][app.lua:40]12000;");
    expect("task app.lua:20 since 0 at lib/a b.lua:7\nactor waits since 3 at ?", TOLD_MS,
           "[task][app.lua:20][lib/a b.lua:7]0;[actor][waits][?]3000;");
    expect("", TOLD_MS, "");
}

static void an_age_goes_on_while_nothing_is_told(void **state)
{
    (void)state;
    expect("task t since 2 at a:1", TOLD_MS + 700, "[task][t][a:1]2700;");
    expect("task t since 2 at a:1", TOLD_MS - 700, "[task][t][a:1]2000;");
}

static void words_of_a_client_do_not_shift_the_others(void **state)
{
    (void)state;
    expect("request GET /since 3 at b.lua:9 since 4 at a.lua:1", TOLD_MS,
           "[request][GET /since 3 at b.lua:9][a.lua:1]4000;");
    expect("request x since 1 at y since 4 at a.lua:1", TOLD_MS,
           "[request][x since 1 at y][a.lua:1]4000;");
    expect("request  since 4 at a.lua:1", TOLD_MS, "[request][][a.lua:1]4000;");
    expect("request since 4 at a.lua:1", TOLD_MS, "[request][][a.lua:1]4000;");
}

static void a_line_of_another_shape_is_kept_as_it_is(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "word",
        "two words",
        "task t since 2",
        "task t since two at a:1",
        "task t since  at a:1",
        "task t since 12345678901234567890 at a:1",
        "task t since 9999999999 at a:1",
        "task t since -1 at a:1",
        "task t since 2 a:1",
        " ",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char wanted[128];
        /* trailing blanks are nobody's */
        (void)snprintf(wanted, sizeof(wanted), "[][%s][]-1;", lines[i]);
        expect(lines[i], TOLD_MS, strcmp(lines[i], " ") == 0 ? "" : wanted);
    }
    expect("\n\nword\n\n\nagain\n\n", TOLD_MS, "[][word][]-1;[][again][]-1;");
}

static void text_of_a_worker_is_made_harmless(void **state)
{
    (void)state;
    expect("task a\x1b[2J since 1 at b:1", TOLD_MS, "[task][a?[2J][b:1]1000;");
    struct laggards laggards = {.count = 0};
    char text[TEXT_MAX];
    take(&laggards, 1, "task \0x\xff since 1 at b:1", 23);
    print(&laggards, TOLD_MS, text);
    assert_null(strchr(text, '\xff'));
    assert_non_null(strstr(text, "[b:1]1000;"));
    laggards_fini(&laggards);
}

static void a_report_takes_the_place_of_the_one_before(void **state)
{
    (void)state;
    struct laggards laggards = {.count = 0};
    char text[TEXT_MAX];
    take(&laggards, 70, "task a since 1 at b:1", 21);
    take(&laggards, 3, "task b since 1 at b:1", 21);
    print(&laggards, TOLD_MS, text);
    assert_string_equal(text, "[task][b][b:1]1000;");
    assert_int_equal(laggards.count, 3);
    assert_int_equal(laggards.generation, 5);
    assert_int_equal(laggards.told_ms, TOLD_MS);
    take(&laggards, 0, "task b since 1 at b:1", 21);
    print(&laggards, TOLD_MS, text);
    assert_string_equal(text, "");
    assert_int_equal(laggards.count, 0);
    assert_int_equal(laggards.generation, 0);
    assert_null(laggards.text);
    laggards_fini(&laggards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_says_what_it_is_where_it_is_and_for_how_long),
        cmocka_unit_test(an_age_goes_on_while_nothing_is_told),
        cmocka_unit_test(words_of_a_client_do_not_shift_the_others),
        cmocka_unit_test(a_line_of_another_shape_is_kept_as_it_is),
        cmocka_unit_test(text_of_a_worker_is_made_harmless),
        cmocka_unit_test(a_report_takes_the_place_of_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
