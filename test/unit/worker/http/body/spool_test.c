#include "worker/http/body/spool.h"

#include <h2o.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Whatever the machine has free: on or off, and nothing else. */
static void check_threshold(void)
{
    size_t threshold = h2o_socket_buffer_mmap_settings.threshold;
    assert_true(threshold == SPOOL_THRESHOLD || threshold == SIZE_MAX);
}

static void the_folder_is_the_one_of_the_environment(void **state)
{
    (void)state;
    char folder[] = "/tmp/spool_test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    spool_open();
    assert_memory_equal(h2o_socket_buffer_mmap_settings.fn_template, folder, strlen(folder));
    check_threshold();
    assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
    spool_check();
    assert_true(h2o_socket_buffer_mmap_settings.threshold == SIZE_MAX); /* it has gone */
}

static void another_one_is_taken_where_that_is_none(void **state)
{
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
    spool_open();
    assert_string_equal(h2o_socket_buffer_mmap_settings.fn_template, "/tmp/fsd-body-XXXXXX");
    check_threshold();
    assert_int_equal(unsetenv("TMPDIR"), 0);
    spool_open();
    assert_string_equal(h2o_socket_buffer_mmap_settings.fn_template, "/tmp/fsd-body-XXXXXX");
    spool_check();
    check_threshold();
}

static void a_name_that_is_too_long_is_passed_over(void **state)
{
    (void)state;
    char *folder = calloc(1, FILENAME_MAX);
    assert_non_null(folder);
    memset(folder, 'x', FILENAME_MAX - 8);
    folder[0] = '/';
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    spool_open();
    assert_string_equal(h2o_socket_buffer_mmap_settings.fn_template, "/tmp/fsd-body-XXXXXX");
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_the_one_of_the_environment),
        cmocka_unit_test(another_one_is_taken_where_that_is_none),
        cmocka_unit_test(a_name_that_is_too_long_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
