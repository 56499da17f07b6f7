#include "worker/http/body/disposition.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "name|filename" with - for what is absent, "not form-data", or "malformed". */
static void describe(const char *text, char *out, size_t room)
{
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0));
    char *buf = malloc(3 * len + (len == 0));
    struct disposition found;
    assert_non_null(exact);
    assert_non_null(buf);
    memcpy(exact, text, len);
    if (disposition_parse(exact, len, buf, &found) < 0) {
        (void)snprintf(out, room, "malformed");
    } else if (!found.is_form_data) {
        (void)snprintf(out, room, "not form-data");
    } else {
        (void)snprintf(out, room, "%.*s|%.*s", found.name.bytes != NULL ? (int)found.name.len : 1,
                       found.name.bytes != NULL ? found.name.bytes : "-",
                       found.filename.bytes != NULL ? (int)found.filename.len : 1,
                       found.filename.bytes != NULL ? found.filename.bytes : "-");
    }
    free(buf);
    free(exact);
}

static void dispositions_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"form-data; name=a", "a|-"},
        {"Form-Data ; NAME=\"a b\"", "a b|-"},
        {"form-data; name=\"\"", "|-"},
        {"form-data", "-|-"},
        {"form-data; name=a; filename=\"x.txt\"", "a|x.txt"},
        {"form-data; filename=\"\"; name=a", "a|"},
        {"form-data; name=a; filename=\"../../etc/passwd\"", "a|passwd"},
        {"form-data; name=a; filename=\"C:\\dir\\x.txt\"", "a|x.txt"},
        {"form-data; name=a; filename=\"..\"", "a|"},
        {"form-data; name=a; filename=\"x/.\"", "a|"},
        {"form-data; name=a; filename=\"x/\"", "a|"},
        {"form-data; name=a; filename=\"\xc3\xa4.txt\"", "a|\xc3\xa4.txt"},
        {"form-data; name=a; filename=x; filename*=UTF-8''%c3%a4%20b", "a|\xc3\xa4 b"},
        {"form-data; name=a; filename*=utf-8'en'b; filename=x", "a|b"},
        {"form-data; name=a; filename*=iso-8859-1''%e4b", "a|\xc3\xa4"
                                                          "b"},
        {"form-data; name=a; filename*=utf-8''x%2Fy", "a|y"},
        {"form-data; name=a; other=1", "a|-"},
        {"attachment; name=a", "not form-data"},
        {"", "not form-data"},
        {"form-data; name=a; name=b", "malformed"},
        {"form-data; name=a; filename=a; filename=b", "malformed"},
        {"form-data; filename*=utf-8''a; filename*=utf-8''b", "malformed"},
        {"form-data; name", "malformed"},
        {"form-data; name=\"a", "malformed"},
        {"form-data; filename*=utf-8''%00", "malformed"},
        {"form-data; filename*=utf-8''%0d", "malformed"},
        {"form-data; filename*=utf-8''%0", "malformed"},
        {"form-data; filename*=utf-8'a", "malformed"},
        {"form-data; filename*=utf-8", "malformed"},
        {"form-data; filename*=koi8-r''a", "malformed"},
        {"form-data; name=\"a\nb\"", "malformed"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        describe(rows[i].text, out, sizeof(out));
        assert_string_equal(out, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dispositions_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
