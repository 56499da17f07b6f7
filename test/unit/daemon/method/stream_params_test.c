/* The parameters of `logs` and `events`: each one, each mistake, and what they match. */
#include "daemon/method/stream_params.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static int parse(const char *text, enum log_hub_kind kind, struct stream_params *ret_params,
                 struct fsd_err *err)
{
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    int error = stream_params_parse(ret_params, kind, params, err);
    json_decref(params);
    return error;
}

static struct stream_params make(const char *text, enum log_hub_kind kind)
{
    struct stream_params params;
    assert_int_equal(parse(text, kind, &params, NULL), 0);
    return params;
}

static bool matches(const char *text, enum log_level level, uint64_t wall_us, const char *pool)
{
    struct stream_params params = make(text, LOG_HUB_RECORDS);
    struct log_ring_entry entry = {
        .level = level, .wall_us = wall_us, .pool_len = strlen(pool), .text_len = 1};
    return stream_params_match(&params, &entry, pool);
}

static void without_parameters_everything_is_wanted_once(void **state)
{
    (void)state;
    struct stream_params params = make("{}", LOG_HUB_RECORDS);
    assert_false(params.is_following);
    assert_int_equal(params.lines, UINT64_MAX);
    assert_true(matches("{}", LOG_LEVEL_DEBUG, 0, ""));
    assert_true(matches("{}", LOG_LEVEL_ERROR, 7, "web"));
}

static void each_parameter_narrows_what_is_wanted(void **state)
{
    (void)state;
    assert_true(make("{\"follow\":true}", LOG_HUB_EVENTS).is_following);
    assert_false(make("{\"follow\":false}", LOG_HUB_EVENTS).is_following);
    assert_int_equal(make("{\"lines\":0}", LOG_HUB_RECORDS).lines, 0);
    assert_true(matches("{\"pool\":\"web\"}", LOG_LEVEL_INFO, 1, "web"));
    assert_false(matches("{\"pool\":\"web\"}", LOG_LEVEL_INFO, 1, "wed"));
    assert_false(matches("{\"pool\":\"web\"}", LOG_LEVEL_INFO, 1, "web2"));
    assert_false(matches("{\"pool\":\"web\"}", LOG_LEVEL_INFO, 1, ""));
    assert_true(matches("{\"level\":\"warning\"}", LOG_LEVEL_ERROR, 1, ""));
    assert_true(matches("{\"level\":\"warn\"}", LOG_LEVEL_WARNING, 1, ""));
    assert_false(matches("{\"level\":\"warning\"}", LOG_LEVEL_NOTICE, 1, ""));
    assert_true(matches("{\"since_ms\":5}", LOG_LEVEL_INFO, 5000, ""));
    assert_false(matches("{\"since_ms\":5}", LOG_LEVEL_INFO, 4999, ""));
}

static void events_after_an_id_are_wanted(void **state)
{
    (void)state;
    struct stream_params params = make("{\"since_id\":7}", LOG_HUB_EVENTS);
    struct log_ring_entry entry = {.id = 7, .level = LOG_LEVEL_DEBUG};
    assert_false(stream_params_match(&params, &entry, ""));
    entry.id = 8;
    assert_true(stream_params_match(&params, &entry, ""));
}

static void a_mistake_is_told_and_nothing_is_set(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        enum log_hub_kind kind;
        const char *message;
    } rows[] = {
        {"{\"follow\":1}", LOG_HUB_RECORDS, "\"follow\" must be true or false"},
        {"{\"pool\":\"\"}", LOG_HUB_RECORDS, "\"pool\" must be the name of a pool"},
        {"{\"pool\":7}", LOG_HUB_RECORDS, "\"pool\" must be the name of a pool"},
        {"{\"pool\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
         LOG_HUB_RECORDS, "\"pool\" must be the name of a pool"},
        {"{\"level\":\"loud\"}", LOG_HUB_RECORDS,
         "\"level\" must be error, warning, notice, info or debug"},
        {"{\"level\":3}", LOG_HUB_RECORDS,
         "\"level\" must be error, warning, notice, info or debug"},
        {"{\"since_ms\":-1}", LOG_HUB_RECORDS, "\"since_ms\" must be milliseconds since 1970"},
        {"{\"since_ms\":9007199254740992}", LOG_HUB_RECORDS,
         "\"since_ms\" must be milliseconds since 1970"},
        {"{\"lines\":1.5}", LOG_HUB_RECORDS, "\"lines\" must be a number of records"},
        {"{\"since_id\":\"7\"}", LOG_HUB_EVENTS, "\"since_id\" must be the id of an event"},
        {"{\"since_id\":7}", LOG_HUB_RECORDS,
         "unknown parameter \"since_id\"; there is only \"follow\", \"pool\", \"level\", "
         "\"since_ms\" and \"lines\""},
        {"{\"pool\":\"web\"}", LOG_HUB_EVENTS,
         "unknown parameter \"pool\"; there is only \"follow\" and \"since_id\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream_params params = {.lines = 77};
        struct fsd_err err;
        assert_int_equal(parse(rows[i].params, rows[i].kind, &params, &err), -EINVAL);
        assert_string_equal(err.text, rows[i].message);
        assert_int_equal(params.lines, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_parameters_everything_is_wanted_once),
        cmocka_unit_test(each_parameter_narrows_what_is_wanted),
        cmocka_unit_test(events_after_an_id_are_wanted),
        cmocka_unit_test(a_mistake_is_told_and_nothing_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
