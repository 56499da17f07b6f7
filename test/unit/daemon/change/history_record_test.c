/* What is written is read as the same, and nothing else is read. */
#include "daemon/change/history_record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static const struct history_entry sample = {.number = 12,
                                            .at_ms = 1790000000123,
                                            .hash = "0123456789abcdef",
                                            .how = HISTORY_APPLY,
                                            .files = 2};

static struct conf_text sample_texts[2];

static int set_up(void **state)
{
    (void)state;
    static char paths[2][32] = {"/etc/fsd/fsd.yaml", "/etc/fsd/conf.d/\xc3\xa9.yaml"};
    static char texts[2][32] = {"pools:\n\t\"x\\ \xe2\x82\xac\"\r\n", ""};
    for (size_t i = 0; i < 2; i++) {
        sample_texts[i] = (struct conf_text){paths[i], texts[i], strlen(texts[i])};
    }
    return 0;
}

static void a_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int how = 0; how < HISTORY_HOWS; how++) {
        struct history_entry entry = sample;
        struct history_entry again = {.number = 0};
        struct conf_text *texts = NULL;
        struct fsd_err err = {""};
        char *json = NULL;
        entry.how = (enum history_how)how;
        assert_int_equal(history_record_encode(&entry, sample_texts, &json, &err), 0);
        assert_int_equal(history_record_decode(json, strlen(json), &again, &texts, &err), 0);
        assert_int_equal(again.number, entry.number);
        assert_int_equal(again.at_ms, entry.at_ms);
        assert_int_equal(again.how, entry.how);
        assert_string_equal(again.hash, entry.hash);
        assert_int_equal(again.files, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_string_equal(texts[i].path, sample_texts[i].path);
            assert_int_equal(texts[i].len, sample_texts[i].len);
            assert_memory_equal(texts[i].text, sample_texts[i].text, texts[i].len + 1);
        }
        history_record_free_texts(texts, 2);
        free(json);
    }
    history_record_free_texts(NULL, 7);
}

static void every_way_to_come_has_a_word(void **state)
{
    (void)state;
    static const char *const words[HISTORY_HOWS] = {"start", "apply", "reload", "rollback",
                                                    "scale"};
    for (int how = 0; how < HISTORY_HOWS; how++) {
        assert_string_equal(history_record_format_how((enum history_how)how), words[how]);
    }
}

#define HEAD  "{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdef\",\"how\":\"start\",\"texts\":"
#define TEXTS "[{\"path\":\"/a\",\"text\":\"b\"}]}"

static int decode(const char *json, struct fsd_err *err)
{
    struct history_entry entry = {.number = 0};
    struct conf_text *texts = NULL;
    int result = history_record_decode(json, strlen(json), &entry, &texts, err);
    if (result == 0) {
        history_record_free_texts(texts, entry.files);
    } else {
        assert_null(texts);
        assert_int_equal(entry.number, 0);
    }
    return result;
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *reason;
    } rows[] = {
        {"", "it is not JSON: "},
        {"[]", "it has no number"},
        {HEAD TEXTS "x", "it is not JSON: "},
        {"{\"number\":7,\"number\":7}", "it is not JSON: duplicate object key"},
        {"{\"number\":0}", "it has no number"},
        {"{\"number\":-1}", "it has no number"},
        {"{\"number\":\"7\"}", "it has no number"},
        {"{\"number\":1000000000000000}", "it has no number"},
        {"{\"number\":7}", "it has no time"},
        {"{\"number\":7,\"at\":5}", "it has no hash"},
        {"{\"number\":7,\"at\":5,\"hash\":7}", "it has no hash"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123\"}", "it has no hash"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdefx\"}", "it has no hash"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdeG\"}", "it has no hash"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdef\"}",
         "it has no hash, or does not say"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdef\",\"how\":\"magic\"}",
         "it has no hash, or does not say"},
        {"{\"number\":7,\"at\":5,\"hash\":\"0123456789abcdef\",\"how\":\"start\"}",
         "it has no texts"},
        {HEAD "{}}", "it has no texts"},
        {HEAD "[]}", "it has no texts"},
        {HEAD "[7]}", "it has no texts"},
        {HEAD "[{\"path\":\"/a\"}]}", "it has no texts"},
        {HEAD "[{\"text\":\"b\"}]}", "it has no texts"},
        {HEAD "[{\"path\":\"\",\"text\":\"b\"}]}", "it has no texts"},
        {HEAD "[{\"path\":\"/a\",\"text\":\"b\"},{\"path\":\"/a\",\"text\":null}]}",
         "it has no texts"},
        {HEAD "[{\"path\":\"/a\",\"text\":\"b\\u0000c\"}]}", "it is not JSON: "},
    };
    struct fsd_err err;
    assert_int_equal(decode(HEAD TEXTS, &err), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err.text[0] = '\0';
        assert_int_equal(decode(rows[i].json, &err), -EINVAL);
        if (strncmp(err.text, rows[i].reason, strlen(rows[i].reason)) != 0) {
            fail_msg("\"%s\": \"%s\" instead of \"%s\"", rows[i].json, err.text, rows[i].reason);
        }
    }
}

static void a_record_may_only_be_checked(void **state)
{
    (void)state;
    struct history_entry entry = {.number = 0};
    assert_int_equal(history_record_decode(HEAD TEXTS, strlen(HEAD TEXTS), &entry, NULL, NULL), 0);
    assert_int_equal(entry.number, 7);
    assert_int_equal(entry.files, 1);
}

static void too_many_files_and_too_long_paths_are_refused(void **state)
{
    (void)state;
    static char json[HISTORY_FILES_MAX * 64 + 2 * HISTORY_PATH_MAX];
    struct fsd_err err;
    size_t len = 0;
    for (int extra = 0; extra < 2; extra++) {
        len = (size_t)snprintf(json, sizeof(json), "%s[", HEAD);
        for (int i = 0; i < HISTORY_FILES_MAX + extra; i++) {
            len += (size_t)snprintf(json + len, sizeof(json) - len,
                                    "%s{\"path\":\"/a\",\"text\":\"\"}", i == 0 ? "" : ",");
        }
        (void)snprintf(json + len, sizeof(json) - len, "]}");
        assert_int_equal(decode(json, &err), extra == 0 ? 0 : -EINVAL);
    }
    for (int extra = 0; extra < 2; extra++) {
        (void)snprintf(json, sizeof(json), "%s[{\"text\":\"\",\"path\":\"%0*d\"}]}", HEAD,
                       HISTORY_PATH_MAX - 1 + extra, 0);
        assert_int_equal(decode(json, &err), extra == 0 ? 0 : -EINVAL);
    }
}

static void texts_that_are_too_long_together_are_neither_written_nor_read(void **state)
{
    (void)state;
    enum { HALF = HISTORY_TEXT_MAX / 2 };
    char *text = malloc(HALF + 2);
    assert_non_null(text);
    memset(text, 'x', HALF + 1);
    text[HALF + 1] = '\0';
    char path[] = "/a";
    struct conf_text texts[2] = {{path, text + 1, HALF}, {path, text + 1, HALF}};
    struct fsd_err err = {""};
    char *json = NULL;
    assert_int_equal(history_record_encode(&sample, texts, &json, &err), 0);
    assert_int_equal(decode(json, &err), 0);
    /* one letter more in a file that somebody else wrote */
    char *longer = NULL;
    const char *at = strstr(json, "\"xxx");
    assert_true(asprintf(&longer, "%.*s\"x%s", (int)(at - json), json, at + 1) > 0);
    assert_int_equal(decode(longer, &err), -EINVAL);
    free(longer);
    free(json);
    json = NULL;
    texts[1] = (struct conf_text){path, text, HALF + 1};
    assert_int_equal(history_record_encode(&sample, texts, &json, &err), -EMSGSIZE);
    assert_string_equal(err.text, "its files have 16777217 bytes, at most 16777216 are kept");
    assert_null(json);
    free(text);
}

static void what_is_not_utf8_is_not_written(void **state)
{
    (void)state;
    char bad[] = "/a\xff";
    char good[] = "/a";
    struct fsd_err err = {""};
    char *json = NULL;
    struct history_entry entry = sample;
    entry.files = 1;
    struct conf_text bad_path = {bad, good, 2};
    assert_int_equal(history_record_encode(&entry, &bad_path, &json, &err), -EINVAL);
    struct conf_text bad_text = {good, bad, 3};
    assert_int_equal(history_record_encode(&entry, &bad_text, &json, &err), -EINVAL);
    assert_string_equal(err.text, "one of its paths or texts is not UTF-8");
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(every_way_to_come_has_a_word),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(a_record_may_only_be_checked),
        cmocka_unit_test(too_many_files_and_too_long_paths_are_refused),
        cmocka_unit_test(texts_that_are_too_long_together_are_neither_written_nor_read),
        cmocka_unit_test(what_is_not_utf8_is_not_written),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
