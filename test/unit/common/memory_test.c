/* What /proc says about living and dead processes. */
#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCK = 16 * 1024 * 1024 };

static void what_is_touched_counts(void **state)
{
    (void)state;
    uint64_t before = memory_read(getpid());
    assert_true(before > 0);
    char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    assert_true(block != MAP_FAILED);
    memset(block, 1, BLOCK);
    assert_in_range(memory_read(getpid()), before + BLOCK / 2, before + 2 * (uint64_t)BLOCK);
    assert_int_equal(munmap(block, BLOCK), 0);
}

static void who_is_gone_has_none(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(memory_read(pid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_touched_counts),
        cmocka_unit_test(who_is_gone_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
