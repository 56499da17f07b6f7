#include "worker/http/body/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <h2o.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int fallocate_result; /* of libh2o's calls, which end here */
static off_t fallocated_bytes;

int on_fallocate(int fd, off_t offset, off_t len) __asm__("posix_fallocate");

int on_fallocate(int fd, off_t offset, off_t len)
{
    (void)fd;
    fallocated_bytes = offset + len;
    return fallocate_result == 0 && ftruncate(fd, offset + len) != 0 ? errno : fallocate_result;
}

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

/* What spool.c trusts libh2o to do: memory that is a file has its blocks, so that writing to it can't be a SIGBUS. */
static void memory_in_a_file_has_its_blocks_or_there_is_none(void **state)
{
    (void)state;
    static h2o_buffer_mmap_settings_t settings = {.threshold = 4096,
                                                  .fn_template = "/tmp/spool_test-XXXXXX"};
    static h2o_buffer_prototype_t prototype = {/* keeps what is freed */
                                               .allocator = {16},
                                               ._initial_buf = {.capacity = 4096},
                                               .mmap_settings = &settings};
    h2o_buffer_t *buffer;
    h2o_buffer_init(&buffer, &prototype);
    assert_non_null(h2o_buffer_reserve(&buffer, 4096).base);
    buffer->size = buffer->capacity;
    assert_non_null(h2o_buffer_reserve(&buffer, 100 * 1024).base);
    assert_true(buffer->capacity >= 100 * 1024);
    assert_true(fallocated_bytes >= (off_t)buffer->capacity);
    buffer->size = buffer->capacity;
    memset(buffer->bytes, 1, buffer->size);
    off_t before = fallocated_bytes;
    assert_non_null(h2o_buffer_reserve(&buffer, 200 * 1024).base); /* what grows, too */
    assert_true(fallocated_bytes > before && fallocated_bytes >= (off_t)buffer->capacity);
    buffer->size = buffer->capacity;
    fallocate_result = ENOSPC;
    assert_null(h2o_buffer_reserve(&buffer, 4096).base);
    h2o_buffer_dispose(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_the_one_of_the_environment),
        cmocka_unit_test(another_one_is_taken_where_that_is_none),
        cmocka_unit_test(a_name_that_is_too_long_is_passed_over),
        cmocka_unit_test(memory_in_a_file_has_its_blocks_or_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
