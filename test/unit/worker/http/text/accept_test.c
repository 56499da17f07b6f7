#include "worker/http/text/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A header in a block of its own, so that a read behind its end is found. */
static char *copy_header(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    return copy;
}

static size_t split_offers(const char *offers, struct parameter_text *ret_offers)
{
    size_t count = 0;
    while (*offers != '\0') {
        size_t len = strcspn(offers, "|");
        ret_offers[count++] = (struct parameter_text){.bytes = offers, .len = len};
        offers += len + (offers[len] == '|');
    }
    return count;
}

/* What of "offer|offer|..." is chosen; "-" for none. */
static void check_choice(enum accept_kind kind, const char *header, const char *offers,
                         const char *expected)
{
    struct parameter_text list[8];
    struct accept accept;
    char chosen[64] = "-";
    char *copy = header != NULL ? copy_header(header) : NULL;
    size_t count = split_offers(offers, list);
    accept_parse(&accept, kind, copy != NULL ? copy + 1 : NULL,
                 header != NULL ? strlen(header) : 0);
    int index = accept_choose(&accept, list, count);
    if (index >= 0) {
        assert_true((size_t)index < count);
        (void)snprintf(chosen, sizeof(chosen), "%.*s", (int)list[index].len, list[index].bytes);
    }
    if (strcmp(chosen, expected) != 0) {
        print_error("\"%s\" of \"%s\"\n", header != NULL ? header : "(none)", offers);
    }
    assert_string_equal(chosen, expected);
    free(copy);
}

/* All that is acceptable, the best first, as "a|b|c". */
static void check_list(enum accept_kind kind, const char *header, const char *expected)
{
    struct accept accept;
    char list[256] = "";
    char *copy = header != NULL ? copy_header(header) : NULL;
    accept_parse(&accept, kind, copy != NULL ? copy + 1 : NULL,
                 header != NULL ? strlen(header) : 0);
    unsigned count = accept_sort(&accept);
    for (unsigned i = 0; i < count; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, "%s%.*s", i > 0 ? "|" : "",
                       (int)accept.entries[i].value.len, accept.entries[i].value.bytes);
    }
    assert_string_equal(list, expected);
    free(copy);
}

struct choice {
    const char *header;
    const char *offers;
    const char *chosen;
};

static void check_choices(enum accept_kind kind, const struct choice *choices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_choice(kind, choices[i].header, choices[i].offers, choices[i].chosen);
    }
}

static void a_type_is_chosen_as_negotiator_does(void **state)
{
    (void)state;
    static const struct choice choices[] = {
        {NULL, "text/html|application/json", "text/html"},
        {"", "text/html", "-"},
        {"text/html", "text/html", "text/html"},
        {"text/html", "application/json", "-"},
        {"text/html", "application/json|text/html", "text/html"},
        {"TEXT/Html", "text/html", "text/html"},
        {"text/html", "TEXT/HTML", "TEXT/HTML"},
        {"text/*", "application/json|text/plain", "text/plain"},
        {"*/*", "application/json|text/plain", "application/json"},
        {"*/html", "text/html", "text/html"},
        {"text/html, application/json", "application/json|text/html", "text/html"},
        {"text/html;q=0.5, application/json", "text/html|application/json", "application/json"},
        {"text/*;q=.5, application/json", "text/html|application/json", "application/json"},
        {"text/html;q=0", "text/html", "-"},
        {"text/html;q=0, */*", "text/html|image/png", "image/png"},
        {"*/*;q=0.1, text/html;q=0.2", "image/png|text/html", "text/html"},
        {"text/*;q=0.9, text/html;q=0.1", "text/html|text/plain", "text/plain"},
        {"*/*, text/html;q=0.4", "text/html|text/plain", "text/plain"},
        {"text/plain, */*", "image/png|text/plain", "text/plain"},
        {"text/html;level=1, text/html;q=0.3", "text/html|text/html;level=1", "text/html;level=1"},
        {"text/html;level=1", "text/html", "-"},
        {"text/html;level=1", "text/html;LEVEL=1", "text/html;LEVEL=1"},
        {"text/html;level=1;a=b", "text/html;level=1", "-"},
        {"text/html;level=1", "text/html;a=b;level=1", "text/html;a=b;level=1"},
        {"text/html;level=*", "text/html", "text/html"},
        {"text/html;level=\"*\"", "text/html", "text/html"},
        {"text/html;level=", "text/html", "text/html"},
        {"text/html;level=1;level=2", "text/html;level=1", "text/html;level=1"},
        {"text/html;level=2;level=1", "text/html;level=1", "-"},
        {"text/html;a=\"b,c;d\", text/plain", "text/plain|text/html;a=\"B,c;d\"",
         "text/html;a=\"B,c;d\""},
        {"text/html;a=\"b\\\"c\"", "text/html;a=b\"c", "text/html;a=b\"c"},
        {"text/html;a=bc", "text/html;a=\"\\b\\c\"", "text/html;a=\"\\b\\c\""},
        {"text/html;a=bc", "text/html;a=\"bcd\"", "-"},
        {"text/html;a=\"unclosed, text/plain", "text/plain", "-"},
        {"text/html;a=\"x\"junk;q=0.1, text/plain;q=0.5", "text/html;a=x|text/plain", "text/plain"},
        {"text/html;level, text/plain;q=0.5", "text/plain|text/html", "text/html"},
        {"text/html;q=0.1;q=1, text/plain;q=0.5", "text/html|text/plain", "text/plain"},
        {"text/html;Q=0.1, text/plain;q=0.5", "text/html|text/plain", "text/plain"},
        {"text/html;;; q = 0.1 , text/plain;q=0.5", "text/html|text/plain", "text/plain"},
        {"text/html;q=\"0.1\", text/plain;q=0.5", "text/html|text/plain", "text/plain"},
        {"text/html;q=, text/plain;q=0.5", "text/plain|text/html", "text/html"},
        {"text/html;q=abc", "text/html", "-"},
        {"text/html;q=-1", "text/html", "-"},
        {"text/html;q=99999999999999999999, text/plain", "text/plain|text/html", "text/html"},
        {"text/html;q=0.0000000001", "text/html", "-"},
        {"text/html;q=0.5x, text/plain;q=0.4", "text/plain|text/html", "text/html"},
        {"html, , ,text/plain", "text/html|text/plain", "text/plain"},
        {"text/html", "html|text", "-"},
        {"text/*", "text/*", "text/*"},
        {"\ttext/html\t,\t text/plain ;q=0.4", "text/plain|text/html", "text/html"},
        {"a/b/c", "a/b/c", "a/b/c"},
        {"text/html, text/html;q=0.2", "text/html", "text/html"},
        {"text/html, application/xhtml+xml, application/xml;q=0.9, image/webp, */*;q=0.8",
         "application/json|application/xml|text/html", "text/html"},
        {"text/", "text", "-"},
        {"text/", "text/", "text/"},
        {"text/html", "", "-"},
    };
    check_choices(ACCEPT_TYPE, choices, sizeof(choices) / sizeof(choices[0]));
}

static void a_charset_is_chosen_as_negotiator_does(void **state)
{
    (void)state;
    static const struct choice choices[] = {
        {NULL, "utf-8", "utf-8"},
        {"", "utf-8", "-"},
        {"UTF-8", "utf-8", "utf-8"},
        {"*", "utf-8", "utf-8"},
        {"iso-8859-1", "utf-8", "-"},
        {"utf-8, iso-8859-1;q=0.2, utf-7;q=0.5", "utf-7|iso-8859-1", "utf-7"},
        {"*, utf-8;q=0", "utf-8|utf-7", "utf-7"},
        {"*;q=0.1, utf-8", "utf-7|utf-8", "utf-8"},
        {"utf-8, utf-7", "utf-7|utf-8", "utf-8"},
    };
    check_choices(ACCEPT_CHARSET, choices, sizeof(choices) / sizeof(choices[0]));
}

static void an_encoding_is_chosen_as_negotiator_does(void **state)
{
    (void)state;
    static const struct choice choices[] = {
        {NULL, "gzip", "-"},
        {NULL, "gzip|identity", "identity"},
        {"", "gzip|identity", "identity"},
        {"gzip", "gzip|identity", "gzip"},
        {"gzip", "identity|gzip", "gzip"},
        {"gzip", "identity", "identity"},
        {"gzip, identity;q=0", "identity", "-"},
        {"*;q=0", "identity", "-"},
        {"*;q=0, identity", "gzip|identity", "identity"},
        {"*", "gzip|identity", "gzip"},
        {"GZip", "gzip", "gzip"},
        {"gzip;q=0.5, br;q=0.8", "gzip|br|identity", "br"},
        {"gzip;q=0.5, deflate;q=0", "deflate|identity", "identity"},
        {"gzip;q=0.2, br", "identity|gzip", "gzip"},
        {"deflate, gzip;q=abc", "gzip|identity|deflate", "deflate"},
    };
    check_choices(ACCEPT_ENCODING, choices, sizeof(choices) / sizeof(choices[0]));
}

static void a_language_is_chosen_as_negotiator_does(void **state)
{
    (void)state;
    static const struct choice choices[] = {
        {NULL, "en|de", "en"},
        {"", "en", "-"},
        {"en", "en", "en"},
        {"EN-us", "en-US", "en-US"},
        {"en", "en-US", "en-US"},
        {"en-US", "en", "en"},
        {"en-US", "en-GB", "-"},
        {"en-US, en", "en|en-US", "en-US"},
        {"en;q=0.8, es, pt", "en|pt|es", "es"},
        {"*", "de", "de"},
        {"*;q=0.5, de", "en|de", "de"},
        {"de;q=0, *", "de|de-CH|fr", "fr"},
        {"nl;q=0.5,fr,de,en-US;q=0.1", "en|nl", "nl"},
        {"de-CH-1996", "de-CH", "-"},
        {"de-CH-1996", "de", "de"},
    };
    check_choices(ACCEPT_LANGUAGE, choices, sizeof(choices) / sizeof(choices[0]));
}

static void lists_are_in_the_order_of_quality(void **state)
{
    (void)state;
    check_list(ACCEPT_TYPE, NULL, "*/*");
    check_list(ACCEPT_TYPE, "", "");
    check_list(ACCEPT_TYPE, "text/plain;q=0.5, Text/html, x, image/png;q=0, a/b;q=0.9;c=d",
               "Text/html|a/b|text/plain");
    check_list(ACCEPT_CHARSET, NULL, "*");
    check_list(ACCEPT_CHARSET, "utf-8, iso-8859-1;q=0.2, utf-7;q=0.5", "utf-8|utf-7|iso-8859-1");
    check_list(ACCEPT_ENCODING, NULL, "identity");
    check_list(ACCEPT_ENCODING, "gzip, deflate", "gzip|deflate|identity");
    check_list(ACCEPT_ENCODING, "gzip;q=0.3, deflate", "deflate|gzip|identity");
    check_list(ACCEPT_ENCODING, "gzip;q=0.3, *;q=0.5", "*|gzip");
    check_list(ACCEPT_ENCODING, "gzip;q=0", "identity");
    check_list(ACCEPT_LANGUAGE, NULL, "*");
    check_list(ACCEPT_LANGUAGE, "en;q=0.8, es, pt", "es|pt|en");
}

static void what_is_behind_the_64th_entry_is_not_read(void **state)
{
    (void)state;
    char header[8 * ACCEPT_ENTRIES_MAX + 64] = "";
    for (int i = 0; i < ACCEPT_ENTRIES_MAX; i++) {
        (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), "a/a%d,", i);
    }
    (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), "b/b");
    check_choice(ACCEPT_TYPE, header, "b/b|a/a63", "a/a63");
    check_choice(ACCEPT_ENCODING, header, "b/b|identity", "identity");
}

static void an_entry_with_too_many_parameters_is_passed_over(void **state)
{
    (void)state;
    char header[256] = "a/b";
    for (int i = 0; i < ACCEPT_PARAMETERS_MAX; i++) {
        (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), ";p%d=*", i);
    }
    check_choice(ACCEPT_TYPE, header, "a/b", "a/b");
    (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), ";q=1");
    check_choice(ACCEPT_TYPE, header, "a/b", "-");
    (void)snprintf(header + strlen(header), sizeof(header) - strlen(header), ", c/d");
    check_choice(ACCEPT_TYPE, header, "a/b|c/d", "c/d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_chosen_as_negotiator_does),
        cmocka_unit_test(a_charset_is_chosen_as_negotiator_does),
        cmocka_unit_test(an_encoding_is_chosen_as_negotiator_does),
        cmocka_unit_test(a_language_is_chosen_as_negotiator_does),
        cmocka_unit_test(lists_are_in_the_order_of_quality),
        cmocka_unit_test(what_is_behind_the_64th_entry_is_not_read),
        cmocka_unit_test(an_entry_with_too_many_parameters_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
