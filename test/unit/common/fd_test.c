/* Closing once, and sealed memory. */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void a_descriptor_is_closed_once_and_errno_kept(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int number = fd;
    errno = ENOENT;
    fd_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    fd_close(&fd);
    assert_int_equal(fd, -1);
}

static void sealed_bytes_are_read_back_and_cannot_change(void **state)
{
    (void)state;
    static const char bytes[] = "some bytes";
    const void *data = NULL;
    size_t len = 0;
    int fd = fd_sealed_from("test", bytes, sizeof(bytes));
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fd_map_sealed(fd, &data, &len), 0);
    assert_int_equal(len, sizeof(bytes));
    assert_memory_equal(data, bytes, sizeof(bytes));
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_ptr_equal(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    fd_unmap(data, len);
    fd_close(&fd);
}

static void memory_that_can_still_change_is_not_mapped(void **state)
{
    (void)state;
    static const int seals[] = {0, F_SEAL_SHRINK, F_SEAL_WRITE, F_SEAL_GROW};
    for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
        const void *data = NULL;
        size_t len = 0;
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
        assert_int_equal(fd_map_sealed(fd, &data, &len), -EPERM);
        assert_null(data);
        fd_close(&fd);
    }
}

static void what_is_no_memory_is_not_mapped(void **state)
{
    (void)state;
    const void *data = NULL;
    size_t len = 0;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fd_map_sealed(null, &data, &len), -EPERM);
    assert_int_equal(fd_map_sealed(-1, &data, &len), -EPERM);
    fd_close(&null);
    int empty = fd_sealed_from("test", "", 0);
    assert_true(empty >= 0);
    assert_int_equal(fd_map_sealed(empty, &data, &len), -ENODATA);
    fd_close(&empty);
    fd_unmap(NULL, 0);
}

static void a_text_of_the_kernel_is_read_as_far_as_there_is_room(void **state)
{
    (void)state;
    char text[] = "before";
    char *large = malloc(1 << 20);
    assert_non_null(large);
    assert_int_equal(fd_read_text("/proc/self/stat", text, sizeof(text)), sizeof(text) - 1);
    assert_int_equal(strlen(text), sizeof(text) - 1);
    assert_int_equal(fd_read_text("/nonexistent", text, sizeof(text)), -ENOENT);
    assert_string_equal(text, "");
    assert_int_equal(fd_read_text("/proc/self", text, sizeof(text)), -EISDIR);
    assert_int_equal(fd_read_text("/dev/null", text, sizeof(text)), 0);
    assert_int_equal(fd_read_text("/proc/self/stat", text, 1), 0);
    /* The kernel gives a page of it at a time. */
    ssize_t len = fd_read_text("/proc/self/smaps", large, 1 << 20);
    assert_true(len > 8192);
    assert_int_equal(large[len], '\0');
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_the_kernel_is_read_as_far_as_there_is_room),
        cmocka_unit_test(a_descriptor_is_closed_once_and_errno_kept),
        cmocka_unit_test(sealed_bytes_are_read_back_and_cannot_change),
        cmocka_unit_test(memory_that_can_still_change_is_not_mapped),
        cmocka_unit_test(what_is_no_memory_is_not_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
