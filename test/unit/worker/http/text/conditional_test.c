#include "worker/http/text/conditional.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BEFORE   "Sun, 06 Nov 1994 08:49:36 GMT"
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER    "Sun, 06 Nov 1994 08:49:38 GMT"

enum { MODIFIED_S = 784111777 };

static struct conditional_text text_of(const char *text)
{
    return (struct conditional_text){text, text != NULL ? strlen(text) : 0};
}

/* What there is in all tests: modified then, and with this tag (NULL: none). */
static struct conditional_state state_of(const char *etag)
{
    return (struct conditional_state){
        .etag = text_of(etag), .has_modified = true, .modified_s = MODIFIED_S};
}

static const struct conditional_state unknown;

static void the_conditions_are_judged_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *match;
        const char *unmodified_since;
        const char *none_match;
        const char *modified_since;
        enum conditional_verdict reading;
        enum conditional_verdict writing;
    } cases[] = {
        {NULL, NULL, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {"\"a\"", NULL, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {"*", NULL, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {"\"b\"", NULL, NULL, NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        {"W/\"a\"", NULL, NULL, NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        {"", NULL, NULL, NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        /* If-Match hides If-Unmodified-Since */
        {"\"a\"", BEFORE, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {"\"b\"", AFTER, NULL, NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        {NULL, BEFORE, NULL, NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        {NULL, MODIFIED, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, AFTER, NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, "yesterday", NULL, NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, NULL, "\"a\"", NULL, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, NULL, "W/\"a\"", NULL, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, NULL, "*", NULL, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, NULL, "\"b\", \"a\"", NULL, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, NULL, "\"b\"", NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, NULL, "", NULL, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        /* If-None-Match hides If-Modified-Since */
        {NULL, NULL, "\"b\"", AFTER, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, NULL, "\"a\"", BEFORE, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, NULL, NULL, BEFORE, CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        {NULL, NULL, NULL, MODIFIED, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_GO_ON},
        {NULL, NULL, NULL, AFTER, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_GO_ON},
        {NULL, NULL, NULL, "yesterday", CONDITIONAL_GO_ON, CONDITIONAL_GO_ON},
        /* the first pair goes before the second */
        {"\"b\"", NULL, "\"a\"", NULL, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
        {"\"a\"", NULL, "\"a\"", NULL, CONDITIONAL_NOT_MODIFIED, CONDITIONAL_FAILED},
        {NULL, BEFORE, NULL, AFTER, CONDITIONAL_FAILED, CONDITIONAL_FAILED},
    };
    struct conditional_state now = state_of("\"a\"");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conditional conditional = {
            .if_match = text_of(cases[i].match),
            .if_unmodified_since = text_of(cases[i].unmodified_since),
            .if_none_match = text_of(cases[i].none_match),
            .if_modified_since = text_of(cases[i].modified_since),
        };
        assert_int_equal(conditional_judge(&conditional, &now, true), cases[i].reading);
        assert_int_equal(conditional_judge(&conditional, &now, false), cases[i].writing);
    }
}

static void what_is_not_known_of_an_answer_is_no_condition(void **state)
{
    (void)state;
    struct conditional dates = {
        .if_unmodified_since = text_of(BEFORE),
        .if_modified_since = text_of(AFTER),
    };
    assert_int_equal(conditional_judge(&dates, &unknown, true), CONDITIONAL_GO_ON);
    struct conditional tags = {.if_none_match = text_of("\"a\"")};
    assert_int_equal(conditional_judge(&tags, &unknown, true), CONDITIONAL_GO_ON);
    assert_int_equal(conditional_judge(&tags, &unknown, false), CONDITIONAL_GO_ON);
    struct conditional match = {.if_match = text_of("\"a\"")};
    assert_int_equal(conditional_judge(&match, &unknown, true), CONDITIONAL_FAILED);
    struct conditional any = {.if_match = text_of("*"), .if_none_match = text_of("*")};
    assert_int_equal(conditional_judge(&any, &unknown, true), CONDITIONAL_NOT_MODIFIED);
}

static void no_cache_asks_for_the_whole_answer(void **state)
{
    (void)state;
    static const struct {
        const char *cache_control;
        bool is_fresh;
    } cases[] = {
        {NULL, true},
        {"", true},
        {"max-age=0", true},
        {"no-cache", false},
        {" no-cache ", false},
        {"max-age=0, no-cache", false},
        {"no-cache,max-age=0", false},
        {"max-age=0\t,\tno-cache\t", false},
        {"no-cached", true},
        {"x-no-cache", true},
        {"no-cache=x", true},
        {"no-store,,", true},
    };
    struct conditional_state now = state_of("\"a\"");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conditional conditional = {
            .if_none_match = text_of("\"a\""),
            .cache_control = text_of(cases[i].cache_control),
        };
        assert_int_equal(conditional_is_fresh(&conditional, &now), cases[i].is_fresh);
    }
    struct conditional nothing = {.if_match = text_of("\"a\"")};
    assert_false(conditional_is_fresh(&nothing, &now));
}

static void a_range_counts_when_if_range_names_what_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *if_range;
        const char *etag;
        bool is_allowed;
    } cases[] = {
        {NULL, "\"a\"", true},
        {"\"a\"", "\"a\"", true},
        {"\"b\"", "\"a\"", false},
        {"W/\"a\"", "\"a\"", false},
        {"\"a\"", "W/\"a\"", false},
        {"\"a\"", NULL, false},
        {"*", "\"a\"", false},
        {"", "\"a\"", false},
        {MODIFIED, "\"a\"", true},
        {BEFORE, "\"a\"", false},
        {AFTER, "\"a\"", false},
        {"yesterday", "\"a\"", false},
        {"\"b\", \"a\"", "\"a\"", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conditional conditional = {.if_range = text_of(cases[i].if_range)};
        struct conditional_state now = state_of(cases[i].etag);
        assert_int_equal(conditional_allows_range(&conditional, &now), cases[i].is_allowed);
    }
    struct conditional dated = {.if_range = text_of(MODIFIED)};
    assert_false(conditional_allows_range(&dated, &unknown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conditions_are_judged_in_order),
        cmocka_unit_test(what_is_not_known_of_an_answer_is_no_condition),
        cmocka_unit_test(no_cache_asks_for_the_whole_answer),
        cmocka_unit_test(a_range_counts_when_if_range_names_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
