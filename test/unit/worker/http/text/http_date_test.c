#include "worker/http/text/http_date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Reads from a block that is no longer than the text, so that a read behind the end is found. */
static int parse(const char *text, int64_t *ret_seconds)
{
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0));
    assert_non_null(exact);
    memcpy(exact, text, len);
    int r = http_date_parse(exact, len, ret_seconds);
    free(exact);
    return r;
}

static void all_three_forms_mean_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t seconds = 0;
        assert_int_equal(parse(texts[i], &seconds), 0);
        assert_int_equal(seconds, 784111777);
    }
}

static void other_dates_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"Fri, 31 Dec 9999 23:59:59 GMT", HTTP_DATE_LAST},
        {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},  /* it was a Sunday */
        {"Wednesday, 31-Dec-69 23:59:59 GMT", 3155759999},
        {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
        {"Friday, 31-Dec-99 23:59:59 GMT", 946684799},
        {"Monday, 01-Jan-00 00:00:00 GMT", 946684800},
        {"Sat Nov 26 08:49:37 1994", 785839777},
        {"Tue Jul  4 00:00:00 2023", 1688428800},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t seconds = 0;
        assert_int_equal(parse(cases[i].text, &seconds), 0);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "0",
        "784111777",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 30 Feb 2024 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 08:49.37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  16 08:49:37 1994",
        "Sunday, 06-Nov-9 08:49:37 GMT",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t seconds = 7;
        assert_int_equal(parse(texts[i], &seconds), -EINVAL);
        assert_int_equal(seconds, 7);
    }
}

static void a_nul_within_is_no_date(void **state)
{
    (void)state;
    int64_t seconds;
    assert_int_equal(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT\0", 30, &seconds), -EINVAL);
}

static void what_is_written_is_what_the_c_library_writes(void **state)
{
    (void)state;
    int64_t seconds = 0;
    for (int i = 0; i < 200000; i++) {
        char text[HTTP_DATE_LEN + 1];
        char wanted[64];
        struct tm tm;
        time_t time = (time_t)seconds;
        int64_t again;
        http_date_format(seconds, text);
        assert_non_null(gmtime_r(&time, &tm));
        assert_int_equal(strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &tm),
                         HTTP_DATE_LEN);
        assert_string_equal(text, wanted);
        assert_int_equal(http_date_parse(text, HTTP_DATE_LEN, &again), 0);
        assert_int_equal(again, seconds);
        seconds += 1266877; /* a bit more than two weeks: each year in the end */
    }
    assert_true(seconds < HTTP_DATE_LAST);
}

static void times_without_a_text_become_the_nearest(void **state)
{
    (void)state;
    char text[HTTP_DATE_LEN + 1];
    http_date_format(-1, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    http_date_format(INT64_MIN, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    http_date_format(HTTP_DATE_LAST, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    http_date_format(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_forms_mean_the_same),
        cmocka_unit_test(other_dates_are_read),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(a_nul_within_is_no_date),
        cmocka_unit_test(what_is_written_is_what_the_c_library_writes),
        cmocka_unit_test(times_without_a_text_become_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
