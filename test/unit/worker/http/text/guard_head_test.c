/* Every way in which a request head can be refused, and the heads that must pass. */
#include "worker/http/text/guard_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "host: a\r\n"
#define POST "POST / HTTP/1.1\r\nhost: a\r\n"

/* Checks an exact-sized copy, so that the sanitizer sees a read beyond the end. */
static enum guard_head_verdict check_copy(const char *bytes, size_t len, int minor_version,
                                          struct guard_head_facts *ret_facts)
{
    char *copy = malloc(len == 0 ? 1 : len);
    memcpy(copy, bytes, len);
    static const struct guard_head_limits any = {0};
    enum guard_head_verdict verdict = guard_head_check(copy, len, minor_version, &any, ret_facts);
    free(copy);
    return verdict;
}

struct verdict_row {
    const char *head;
    enum guard_head_verdict expected;
};

static void check_rows(const struct verdict_row *rows, size_t count, int minor_version)
{
    for (size_t i = 0; i < count; i++) {
        struct guard_head_facts facts = {.head_len = 77};
        enum guard_head_verdict verdict =
            check_copy(rows[i].head, strlen(rows[i].head), minor_version, &facts);
        if (verdict != rows[i].expected) {
            fail_msg("%s: got \"%s\", expected \"%s\"", rows[i].head, guard_head_reason(verdict),
                     guard_head_reason(rows[i].expected));
        }
        assert_int_equal(facts.head_len, verdict == GUARD_HEAD_OK ? strlen(rows[i].head) : 77);
    }
}

#define CHECK_ROWS(rows, minor) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), minor)

static void ordinary_heads_pass(void **state)
{
    static const struct verdict_row rows[] = {
        {LINE HOST "\r\n", GUARD_HEAD_OK},
        {"\r\n" LINE HOST "\r\n", GUARD_HEAD_OK},
        {LINE "Host: a\r\n\r\n", GUARD_HEAD_OK},
        {LINE "HOST:a\r\n\r\n", GUARD_HEAD_OK},
        {LINE "host: \t a:8080 \t\r\n\r\n", GUARD_HEAD_OK},
        {LINE "host:\r\n\r\n", GUARD_HEAD_OK},
        {LINE "host: [::1]:80\r\n\r\n", GUARD_HEAD_OK},
        {LINE "host: a,b\r\n\r\n", GUARD_HEAD_OK},
        {LINE "accept: */*\r\nhost: a\r\ncookie: a=b; c=\"d\"\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "x:\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "x: a\tb\t\tc\t\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "x: \xc3\xa9\xff\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "x: content-length: 3\r\n\r\n", GUARD_HEAD_OK},
        {LINE HOST "x-content-length: 3\r\ncontent-lengths: 3\r\ncontent-len: 5\r\n\r\n",
         GUARD_HEAD_OK},
        {POST "content-length: 0\r\n\r\n", GUARD_HEAD_OK},
        {POST "content-length: 000\r\n\r\n", GUARD_HEAD_OK},
        {POST "Content-Length:\t999999999999999999 \r\n\r\n", GUARD_HEAD_OK},
        {POST "transfer-encoding: chunked\r\n\r\n", GUARD_HEAD_OK},
        {POST "Transfer-Encoding:Chunked \r\n\r\n", GUARD_HEAD_OK},
        {POST "te: trailers\r\ntrailer: x\r\n\r\n", GUARD_HEAD_OK},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET http://a/b HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET HTTPS://a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET /\xc3\xa9?a=%00&b=[]{}|\\^ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"M-SEARCH / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"TRACER / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
    };
    (void)state;
    CHECK_ROWS(rows, 1);
}

static void request_lines_are_strict(void **state)
{
    static const struct verdict_row rows[] = {
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {" GET / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"G\x80T / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"\r\n\r\n" LINE HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"\n" LINE HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"GET /\r\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"GET /\n" HOST "\r\n", GUARD_HEAD_REQUEST_LINE},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET /  HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET /a b HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / http/1.1\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / HTTP/1.11\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / HTTP/1.0\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / HTTP/2.1\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / HTTP/1.x\r\n" HOST "\r\n", GUARD_HEAD_VERSION},
        {"GET / HTTP/1.1\n" HOST "\r\n", GUARD_HEAD_BARE_LF},
        {"GET / HTTP/1.1\r" HOST "\r\n", GUARD_HEAD_BARE_CR},
        {"TRACE / HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_METHOD},
        {"CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_METHOD},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_CONTROL},
        {"GET /a\tb HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_CONTROL},
        {"GET /abcdefgh\x7f HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_CONTROL},
        {"GET a/b HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET ** HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET *x HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET a:80 HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET http:// HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET http:/a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET ://a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET 1://a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET ?a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
    };
    (void)state;
    CHECK_ROWS(rows, 1);
}

static void lengths_and_codings_that_allow_smuggling_are_refused(void **state)
{
    static const struct verdict_row rows[] = {
        {POST "content-length: 3\r\ncontent-length: 3\r\n\r\n", GUARD_HEAD_TWO_LENGTHS},
        {POST "Content-Length: 3\r\nx: y\r\nCONTENT-LENGTH:4\r\n\r\n", GUARD_HEAD_TWO_LENGTHS},
        {POST "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
         GUARD_HEAD_LENGTH_AND_CODING},
        {POST "Transfer-Encoding: chunked\r\nx: y\r\nContent-Length: 3\r\n\r\n",
         GUARD_HEAD_LENGTH_AND_CODING},
        {POST "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
         GUARD_HEAD_TWO_CODINGS},
        {POST "transfer-encoding: chunked\r\nTRANSFER-ENCODING: identity\r\n\r\n",
         GUARD_HEAD_TWO_CODINGS},
        {POST "transfer-encoding: chunked, identity\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding: xchunked\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding: chunkee\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding: identity\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding: \"chunked\"\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding:\r\n\r\n", GUARD_HEAD_BAD_CODING},
        {POST "transfer-encoding : chunked\r\n\r\n", GUARD_HEAD_SPACE_BEFORE_COLON},
        {POST "transfer-encoding\t: chunked\r\n\r\n", GUARD_HEAD_SPACE_BEFORE_COLON},
        {POST "transfer-encoding: \x0b"
              "chunked\r\n\r\n",
         GUARD_HEAD_VALUE_CONTROL},
        {POST "content-length: +3\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: -1\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: 0x3\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: 3, 3\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: 3 3\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: 3.0\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: \r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length:\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {POST "content-length: 1000000000000000000\r\n\r\n", GUARD_HEAD_LENGTH_TOO_BIG},
        {POST "content-length: 18446744073709551619\r\n\r\n", GUARD_HEAD_LENGTH_TOO_BIG},
    };
    (void)state;
    CHECK_ROWS(rows, 1);
}

static void header_lines_are_strict(void **state)
{
    static const struct verdict_row rows[] = {
        {LINE HOST "x: a\r\n b\r\n\r\n", GUARD_HEAD_FOLDED},
        {LINE HOST "x: a\r\n\tb\r\n\r\n", GUARD_HEAD_FOLDED},
        {LINE " " HOST "\r\n", GUARD_HEAD_FOLDED},
        {LINE HOST "content-length:\r\n 3\r\n\r\n", GUARD_HEAD_BAD_LENGTH},
        {LINE "host: a\n\r\n", GUARD_HEAD_BARE_LF},
        {LINE HOST "x: y\n\n", GUARD_HEAD_BARE_LF},
        {LINE HOST "\n", GUARD_HEAD_BARE_LF},
        {LINE HOST "x\n", GUARD_HEAD_BARE_LF},
        {LINE HOST "x: a\rb\r\n\r\n", GUARD_HEAD_BARE_CR},
        {LINE HOST "x: a\r\r\n\r\n", GUARD_HEAD_BARE_CR},
        {LINE HOST "x: y\r\n\r\r\n", GUARD_HEAD_BARE_CR},
        {LINE HOST "x: a\x01\r\n\r\n", GUARD_HEAD_VALUE_CONTROL},
        {LINE HOST "x: abcdefghijkl\x1f\r\n\r\n", GUARD_HEAD_VALUE_CONTROL},
        {LINE HOST "x: a\tb\x7f\r\n\r\n", GUARD_HEAD_VALUE_CONTROL},
        {LINE HOST "x y: z\r\n\r\n", GUARD_HEAD_SPACE_BEFORE_COLON},
        {LINE HOST "x : z\r\n\r\n", GUARD_HEAD_SPACE_BEFORE_COLON},
        {LINE HOST ": z\r\n\r\n", GUARD_HEAD_NAME},
        {LINE HOST "xyz\r\n\r\n", GUARD_HEAD_NAME},
        {LINE HOST "x(y): z\r\n\r\n", GUARD_HEAD_NAME},
        {LINE HOST "x\xc3\xa9: z\r\n\r\n", GUARD_HEAD_NAME},
        {LINE HOST "content\x01length: 3\r\n\r\n", GUARD_HEAD_NAME},
        {LINE HOST "content\rlength: 3\r\n\r\n", GUARD_HEAD_NAME},
        {LINE "host: a\r\nhost: a\r\n\r\n", GUARD_HEAD_TWO_HOSTS},
        {LINE "host: a\r\nx: y\r\nHoSt:b\r\n\r\n", GUARD_HEAD_TWO_HOSTS},
        {LINE "\r\n", GUARD_HEAD_NO_HOST},
        {LINE "x-host: a\r\nhosts: b\r\n\r\n", GUARD_HEAD_NO_HOST},
        {LINE "host: a b\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a\tb\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a/b\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a\\b\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: b@a\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a?b\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a#b\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a,b,c\r\n\r\n", GUARD_HEAD_BAD_HOST},
        {LINE "host: a\x02\r\n\r\n", GUARD_HEAD_VALUE_CONTROL},
    };
    (void)state;
    CHECK_ROWS(rows, 1);
}

static void http_1_0_needs_no_host_and_has_no_codings(void **state)
{
    static const struct verdict_row rows[] = {
        {"GET / HTTP/1.0\r\n\r\n", GUARD_HEAD_OK},
        {"POST / HTTP/1.0\r\ncontent-length: 3\r\n\r\n", GUARD_HEAD_OK},
        {"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", GUARD_HEAD_CODING_ON_1_0},
        {"POST / HTTP/1.0\r\nTRANSFER-ENCODING: chunked\r\nhost: a\r\n\r\n",
         GUARD_HEAD_CODING_ON_1_0},
        {"GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", GUARD_HEAD_TWO_HOSTS},
        {"GET / HTTP/1.1\r\n\r\n", GUARD_HEAD_VERSION},
    };
    (void)state;
    CHECK_ROWS(rows, 0);
    static const struct verdict_row later[] = {
        {"GET / HTTP/1.9\r\nhost: a\r\n\r\n", GUARD_HEAD_OK},
        {"GET / HTTP/1.9\r\n\r\n", GUARD_HEAD_NO_HOST},
    };
    CHECK_ROWS(later, 9);
}

static void facts_say_what_the_caller_must_do(void **state)
{
    static const struct {
        const char *headers;
        bool has_content_length;
        bool has_transfer_encoding;
        bool expect_continue;
    } rows[] = {
        {"x: y\r\n", false, false, false},
        {"content-length: 3\r\n", true, false, false},
        {"Transfer-Encoding: CHUNKED\r\n", false, true, false},
        {"Expect: 100-Continue\r\ncontent-length: 3\r\n", true, false, true},
        {"expect: 100-continued\r\naccept: 100-continue\r\n", false, false, false},
        {"expect: 200-continue\r\n", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char head[256];
        struct guard_head_facts facts;
        (void)snprintf(head, sizeof(head), POST "%s\r\nGET /next", rows[i].headers);
        assert_int_equal(check_copy(head, strlen(head), 1, &facts), GUARD_HEAD_OK);
        assert_int_equal(facts.head_len, strlen(POST) + strlen(rows[i].headers) + 2);
        assert_int_equal(facts.has_content_length, rows[i].has_content_length);
        assert_int_equal(facts.has_transfer_encoding, rows[i].has_transfer_encoding);
        assert_int_equal(facts.expect_continue, rows[i].expect_continue);
    }
}

static void every_byte_is_judged_at_every_place_of_a_word(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (int place = 0; place < 20; place++) {
            struct guard_head_facts facts;
            char name[] = LINE HOST "aaaaaaaaaaaaaaaaaaaa: 1\r\n\r\n";
            char value[] = LINE HOST "x: aaaaaaaaaaaaaaaaaaaa\r\n\r\n";
            char target[] = "GET /aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n" HOST "\r\n";
            name[sizeof(LINE HOST) - 1 + (size_t)place] = (char)byte;
            value[sizeof(LINE HOST) + 2 + (size_t)place] = (char)byte;
            target[5 + place] = (char)byte;
            bool is_letter_or_digit = (byte >= '0' && byte <= '9') ||
                                      (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
            bool is_token =
                is_letter_or_digit || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
            /* a colon ends the name earlier, which is fine unless nothing stands before it */
            bool is_name_ok = is_token || (byte == ':' && place > 0);
            bool is_value_ok = (byte >= 0x20 && byte != 0x7f) || byte == '\t';
            bool is_target_ok = byte > 0x20 && byte != 0x7f;
            assert_int_equal(check_copy(name, sizeof(name) - 1, 1, &facts) == GUARD_HEAD_OK,
                             is_name_ok);
            assert_int_equal(check_copy(value, sizeof(value) - 1, 1, &facts) == GUARD_HEAD_OK,
                             is_value_ok);
            assert_int_equal(check_copy(target, sizeof(target) - 1, 1, &facts) == GUARD_HEAD_OK,
                             is_target_ok);
        }
    }
}

static void every_shortened_head_is_incomplete(void **state)
{
    (void)state;
    static const char head[] = "POST /abc/def HTTP/1.1\r\nhost: example.org\r\nx:\ty\t z\r\n"
                               "content-length: 3\r\n\r\n";
    struct guard_head_facts facts;
    for (size_t len = 0; len < sizeof(head) - 1; len++) {
        assert_int_equal(check_copy(head, len, 1, &facts), GUARD_HEAD_INCOMPLETE);
    }
    assert_int_equal(check_copy(head, sizeof(head) - 1, 1, &facts), GUARD_HEAD_OK);
}

/* "GET /aaa", so many fields of so many bytes each, and what is said of it under limits of 10, 40 and 4. */
static enum guard_head_verdict check_size(size_t target, unsigned fields, size_t each)
{
    static const struct guard_head_limits limits = {
        .target_bytes = 10, .fields_bytes = 40, .fields = 4};
    char head[256];
    int len =
        snprintf(head, sizeof(head), "GET /%.*s HTTP/1.1\r\n", (int)target - 1, "aaaaaaaaaaaaa");
    for (unsigned i = 0; i < fields; i++) {
        len += snprintf(head + len, sizeof(head) - (size_t)len, "%s%.*s\r\n",
                        i == 0 ? "host:" : "name:", (int)each - 7,
                        "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
    }
    len += snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
    struct guard_head_facts facts;
    return guard_head_check(head, (size_t)len, 1, &limits, &facts);
}

static void a_url_and_the_host_header_name_the_same_host(void **state)
{
    (void)state;
    static const struct verdict_row rows[] = {
        {"GET http://a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET HTTPS://A?b HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET http://a#b HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OK},
        {"GET http://b/ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OTHER_HOST},
        {"GET http://ab/ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OTHER_HOST},
        {"GET http:///a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OTHER_HOST},
        {"GET http://b?http://a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_OTHER_HOST},
        {"GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET httpx://a/ HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET http:/a HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
        {"GET http HTTP/1.1\r\n" HOST "\r\n", GUARD_HEAD_TARGET_FORM},
    };
    CHECK_ROWS(rows, 1);
    static const struct verdict_row old[] = {{"GET http://b/ HTTP/1.0\r\n\r\n", GUARD_HEAD_OK}};
    CHECK_ROWS(old, 0);
}

static void limits_are_kept_to_the_byte(void **state)
{
    (void)state;
    assert_int_equal(check_size(10, 4, 10), GUARD_HEAD_OK);
    assert_int_equal(check_size(11, 4, 10), GUARD_HEAD_TARGET_LONG);
    assert_int_equal(check_size(9, 5, 8), GUARD_HEAD_FIELDS_MANY);
    assert_int_equal(check_size(9, 1, 40), GUARD_HEAD_OK);
    assert_int_equal(check_size(9, 1, 41), GUARD_HEAD_FIELDS_LARGE);
    assert_int_equal(check_size(9, 4, 11), GUARD_HEAD_FIELDS_LARGE);
}

static void every_verdict_has_a_status(void **state)
{
    (void)state;
    for (int i = GUARD_HEAD_OK + 1; i < GUARD_HEAD_VERDICTS; i++) {
        int status = guard_head_status((enum guard_head_verdict)i);
        assert_true(status == 400 || status == 405 || status == 414 || status == 431);
    }
    assert_int_equal(guard_head_status(GUARD_HEAD_METHOD), 405);
    assert_int_equal(guard_head_status(GUARD_HEAD_TARGET_LONG), 414);
    assert_int_equal(guard_head_status(GUARD_HEAD_FIELDS_MANY), 431);
    assert_int_equal(guard_head_status(GUARD_HEAD_FIELDS_LARGE), 431);
    assert_int_equal(guard_head_status(GUARD_HEAD_TWO_HOSTS), 400);
}

static void every_verdict_has_its_own_reason(void **state)
{
    (void)state;
    for (int i = 0; i < GUARD_HEAD_VERDICTS; i++) {
        const char *reason = guard_head_reason((enum guard_head_verdict)i);
        assert_true(strlen(reason) > 0);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(reason, guard_head_reason((enum guard_head_verdict)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_heads_pass),
        cmocka_unit_test(request_lines_are_strict),
        cmocka_unit_test(lengths_and_codings_that_allow_smuggling_are_refused),
        cmocka_unit_test(header_lines_are_strict),
        cmocka_unit_test(http_1_0_needs_no_host_and_has_no_codings),
        cmocka_unit_test(facts_say_what_the_caller_must_do),
        cmocka_unit_test(every_byte_is_judged_at_every_place_of_a_word),
        cmocka_unit_test(every_shortened_head_is_incomplete),
        cmocka_unit_test(a_url_and_the_host_header_name_the_same_host),
        cmocka_unit_test(limits_are_kept_to_the_byte),
        cmocka_unit_test(every_verdict_has_a_status),
        cmocka_unit_test(every_verdict_has_its_own_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
