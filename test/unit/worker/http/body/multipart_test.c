#include "worker/http/body/multipart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 4096 };

/* All parts as {head}data; and behind them "end", or why it was refused.  Each call may look at budget bytes. */
static void list(const char *bytes, size_t len, size_t budget, char out[ROOM])
{
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    struct multipart multipart;
    struct multipart_part part;
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    assert_int_equal(multipart_init(&multipart, "XX", 2), 0);
    size_t used = 0;
    for (;;) {
        struct body_text body = {exact, len};
        int r = multipart_next(&multipart, body, budget, &part);
        if (r == -EAGAIN) {
            continue;
        }
        if (r != 1) {
            (void)snprintf(out + used, ROOM - used, "%s", r == 0 ? "end" : multipart.reason);
            break;
        }
        assert_true(part.data.bytes >= exact && part.data.bytes + part.data.len <= exact + len);
        used += (size_t)snprintf(out + used, ROOM - used, "{%.*s}%.*s;", (int)part.head.len,
                                 part.head.bytes, (int)part.data.len, part.data.bytes);
    }
    free(exact);
}

static void parts_are_found_whatever_the_budget(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *want;
    } rows[] = {
        {"--XX\r\nA: 1\r\n\r\nhello\r\n--XX--\r\n", "{A: 1\r\n}hello;end"},
        {"--XX\r\nA: 1\r\n\r\nhello\r\n--XX--", "{A: 1\r\n}hello;end"},
        {"--XX\r\n\r\nhello\r\n--XX--", "{}hello;end"},
        {"--XX\r\n\r\n\r\n--XX--", "{};end"},
        {"--XX\r\nA: 1\r\n\r\n\r\n--XX--", "{A: 1\r\n};end"},
        {"--XX\r\nA: 1\r\n\r\n--XX--", "{A: 1\r\n};end"}, /* the line end is the empty line's */
        {"--XX--", "end"},
        {"--XX--\r\nepilogue\r\n--XX\r\n\r\nx", "end"},
        {"preamble\r\n--XX\r\n\r\nx\r\n--XX--", "{}x;end"},
        {"\r\n--XX\r\n\r\nx\r\n--XX--", "{}x;end"},
        {"--XX \t\r\n\r\nx\r\n--XX-- ", "{}x;end"},
        {"--XX\r\n\r\na\r\n--XX\r\nB: 2\r\nC: 3\r\n\r\nb\r\n--XX--", "{}a;{B: 2\r\nC: 3\r\n}b;end"},
        {"--XX\r\n\r\na\r\n--XXY\r\n--XX b\r\n--X\r\n--XX--", "{}a\r\n--XXY\r\n--XX b\r\n--X;end"},
        {"--XXY\r\n--XX\r\n\r\na\r\n--XX--", "{}a;end"},
        {"--XX\r\n\r\na\n--XX\n\r\r\n--XX--", "{}a\n--XX\n\r;end"},
        {"", "the boundary does not occur in it"},
        {"--X", "the boundary does not occur in it"},
        {"--XX", "the boundary does not occur in it"},
        {"x--XX\r\n\r\na\r\n--XX-", "the boundary does not occur in it"},
        {"--XX\r\n", "it ends within the headers of a part"},
        {"--XX\r\nA: 1\r\n", "it ends within the headers of a part"},
        {"--XX\r\n\r\n", "it ends within a part"},
        {"--XX\r\n\r\nhello\r\n--XX", "it ends within a part"},
        {"--XX\r\n\r\nhello\r\n--XX-", "it ends within a part"},
        {"--XX\r\n\r\na\r\n--XX\r\n\r\nb", "{}a;it ends within a part"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t budget = 1; budget < 64; budget += 7) {
            char out[ROOM];
            list(rows[i].body, strlen(rows[i].body), budget, out);
            assert_string_equal(out, rows[i].want);
        }
    }
}

static void a_head_has_an_end(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        size_t head_len = MULTIPART_HEAD_MAX + (size_t)over;
        char *body = calloc(1, head_len + 64);
        assert_non_null(body);
        int len = sprintf(body, "--XX\r\n");
        memset(body + len, 'a', head_len);
        len += (int)head_len;
        len += sprintf(body + len, "\r\n\r\ndata\r\n--XX--");
        struct multipart multipart;
        struct multipart_part part;
        assert_int_equal(multipart_init(&multipart, "XX", 2), 0);
        int r =
            multipart_next(&multipart, (struct body_text){body, (size_t)len}, SIZE_MAX / 2, &part);
        assert_int_equal(r, over ? -EBADMSG : 1);
        free(body);
    }
}

static void boundaries_are_those_of_rfc_2046(void **state)
{
    (void)state;
    struct multipart multipart;
    char longest[MULTIPART_BOUNDARY_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(multipart_init(&multipart, longest, MULTIPART_BOUNDARY_MAX), 0);
    assert_int_equal(multipart_init(&multipart, longest, sizeof(longest)), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "", 0), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "a ", 2), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "a b", 3), 0);
    assert_int_equal(multipart_init(&multipart, "a\r\n", 3), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "a\0b", 3), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "\xc3\xa4", 2), -EINVAL);
    assert_int_equal(multipart_init(&multipart, "Az09'()+_,-./:=?", 16), 0);
}

static void headers_are_split(void **state)
{
    (void)state;
    static const char text[] = "A: 1\r\nb-c:\t x y \r\nD:\r\nE:last";
    struct body_text head = {text, sizeof(text) - 1};
    static const char *const wants[][2] = {{"A", "1"}, {"b-c", "x y"}, {"D", ""}, {"E", "last"}};
    struct body_text name;
    struct body_text value;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(multipart_next_header(&head, &name, &value), 1);
        assert_int_equal(name.len, strlen(wants[i][0]));
        assert_memory_equal(name.bytes, wants[i][0], name.len);
        assert_int_equal(value.len, strlen(wants[i][1]));
        assert_memory_equal(value.bytes, wants[i][1], value.len);
    }
    assert_int_equal(multipart_next_header(&head, &name, &value), 0);
}

static void what_is_no_header_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"A",       "A : 1",   " A: 1",    ": 1",     "A\x01: 1",
                                       "A: \x01", "A: 1\n2", "\r\nA: 1", "A: a\x7f"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct body_text head = {rows[i], strlen(rows[i])};
        struct body_text name;
        struct body_text value;
        assert_int_equal(multipart_next_header(&head, &name, &value), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found_whatever_the_budget), cmocka_unit_test(a_head_has_an_end),
        cmocka_unit_test(boundaries_are_those_of_rfc_2046),    cmocka_unit_test(headers_are_split),
        cmocka_unit_test(what_is_no_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
