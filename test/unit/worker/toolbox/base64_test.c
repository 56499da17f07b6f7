#include "worker/toolbox/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads text in pieces of so many characters; -1 where it is refused, else the number of bytes. */
static int read_text(const char *text, struct base64_reader reader, size_t piece, uint8_t *bytes)
{
    size_t len = strlen(text);
    size_t done = 0;
    size_t ret_len = 0;
    while (done < len) {
        size_t part = len - done < piece ? len - done : piece;
        char *exact = malloc(part); /* so that a read behind the end is found */
        assert_non_null(exact);
        memcpy(exact, text + done, part);
        size_t taken = base64_read(&reader, exact, part, bytes, &ret_len);
        free(exact);
        if (taken < part) {
            return -1;
        }
        done += part;
    }
    return base64_read_end(&reader, bytes, &ret_len) ? (int)ret_len : -1;
}

static const struct base64_reader standard = {.alphabet = BASE64_STANDARD};
static const struct base64_reader url = {.alphabet = BASE64_URL};
static const struct base64_reader padded_url = {.alphabet = BASE64_URL, .is_padded = true};
static const struct base64_reader any = {.alphabet = BASE64_ANY};

static void check(const char *text, struct base64_reader reader, const char *expected)
{
    uint8_t bytes[64];
    for (size_t piece = 1; piece <= 9; piece++) {
        int len = read_text(text, reader, piece, bytes);
        if (expected == NULL) {
            assert_int_equal(len, -1);
        } else {
            assert_int_equal(len, strlen(expected));
            assert_memory_equal(bytes, expected, strlen(expected));
        }
    }
}

static void the_vectors_of_the_rfc_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        const char *padded;
        const char *bare;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[BASE64_TEXT_ROOM(8)];
        const uint8_t *data = (const uint8_t *)rows[i].data;
        size_t len = strlen(rows[i].data);
        assert_int_equal(base64_encode(data, len, BASE64_STANDARD, true, text),
                         strlen(rows[i].padded));
        assert_string_equal(text, rows[i].padded);
        assert_int_equal(base64_encode(data, len, BASE64_URL, false, text), strlen(rows[i].bare));
        assert_string_equal(text, rows[i].bare);
        check(rows[i].padded, standard, rows[i].data);
        check(rows[i].bare, url, rows[i].data);
        check(rows[i].padded, any, rows[i].data);
        check(rows[i].bare, any, rows[i].data);
    }
}

static void what_is_not_the_one_text_of_its_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const never[] = {
        "Z",    "Zg=",   "Zg===", "Zg==Zg==", "=",       "==",    "====",     "Z===", "Zh==",
        "Zm9=", "Zm9v=", "Zm9vZ", "Zg==x",    "Zm\x80v", "Zm9v!", "Zm9vYm*=", "Zg=g",
    };
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        check(never[i], standard, NULL);
        check(never[i], url, NULL);
        check(never[i], padded_url, NULL);
        check(never[i], any, NULL);
    }
    check("Zg", standard, NULL);
    check("Zg", padded_url, NULL);
    check("Zg==", url, NULL);
    check("Zg==", padded_url, "f");
    check("Zm9v\n", standard, NULL);
    check("Zm9v\n", url, NULL);
    check("-_-_", standard, NULL);
    check("+/+/", url, NULL);
}

static void any_takes_both_alphabets_and_spaces(void **state)
{
    (void)state;
    check(" Z\tm9\r\nv\n", any, "foo");
    check("Zg = =\n", any, "f");
    check("-_+/", any, "\xfb\xff\xbf");
    check("Zm9v\v", any, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
        cmocka_unit_test(what_is_not_the_one_text_of_its_bytes_is_refused),
        cmocka_unit_test(any_takes_both_alphabets_and_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
