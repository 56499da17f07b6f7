#include "daemon/host/cgroup_own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "daemon/host/cgroup.h"

/* Whether this machine has cgroups or not: a folder, or the answer that there is none. */
static void our_own_folder_is_found_or_there_is_none(void **state)
{
    static const char *const controllers[] = {"cpu", "memory", "nonsense"};

    (void)state;
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        struct cgroup_folder folder = {7, "old", 1};
        struct stat info;
        int result = cgroup_own_find(controllers[i], &folder);
        if (result == 0) {
            assert_int_equal(stat(folder.path, &info), 0);
            assert_true(S_ISDIR(info.st_mode));
            assert_true(folder.top_len <= strlen(folder.path));
        } else {
            assert_int_equal(result, -ENOENT);
            assert_string_equal(folder.path, "old");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_folder_is_found_or_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
