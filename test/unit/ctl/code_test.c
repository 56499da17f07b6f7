/* What `fsdctl generations` prints. */
#include "ctl/code.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/output.h"

static void expect(const char *json, int wanted, const char *wanted_text)
{
    char *text = NULL;
    size_t len = 0;
    json_error_t where;
    struct output output = {open_memstream(&text, &len), false, false};
    json_t *result = json_loads(json, 0, &where);
    assert_non_null(result);
    assert_int_equal(code_render_generations(result, &output), wanted);
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, wanted_text);
    json_decref(result);
    free(text);
}

static void each_generation_is_a_line_with_all_its_roles(void **state)
{
    (void)state;
    expect("{\"apps\":[{\"app\":\"shop\",\"probation_left_ms\":41000,\"generations\":["
           "{\"number\":6,\"sha256\":\"aaaaaaaaaaaaaaaa\",\"at\":null,\"candidate\":true,"
           "\"memory_bytes\":8192},"
           "{\"number\":5,\"sha256\":\"bbbbbbbbbbbbbbbb\",\"at\":1795343462000,\"running\":true,"
           "\"confirmed\":false,\"origin\":2,\"memory_bytes\":217088},"
           "{\"number\":4,\"sha256\":\"cc\",\"at\":1795343461000,\"running\":false,"
           "\"confirmed\":true,\"previous\":true,\"memory_bytes\":4096}]},"
           "{\"app\":\"a\\u001b\",\"generations\":[{\"running\":true,\"confirmed\":false}]},"
           "{\"app\":\"none\",\"generations\":[]},7]}",
           0,
           "APP    GEN  HASH          COMMITTED              MEMORY  STATE\n"
           "shop     6  aaaaaaaaaaaa  -                     8.0 KiB  candidate\n"
           "shop     5  bbbbbbbbbbbb  2026-11-22 10:31:02Z  212 KiB  running, in probation for "
           "41s, code of 2\n"
           "shop     4  cc            2026-11-22 10:31:01Z  4.0 KiB  confirmed, previous\n"
           "a\\x1b    -  -             -                           -  running\n");
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    expect("{}", -EPROTO, "");
    expect("{\"apps\":{}}", -EPROTO, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_generation_is_a_line_with_all_its_roles),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
