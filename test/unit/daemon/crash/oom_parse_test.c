/* Finding the count of kills in the kernel's texts. */
#include "daemon/crash/oom_parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define V2_MOUNTS                                                                                  \
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"                                               \
    "31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNTS                                                                                  \
    "31 22 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"                                   \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"                  \
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                            \
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static void the_file_is_found_on_every_kind_of_host(void **state)
{
    (void)state;
    static const struct {
        const char *cgroup;
        const char *mountinfo;
        int result;
        const char *path;
    } cases[] = {
        /* version 2, on the host: a service of systemd */
        {"0::/system.slice/fsd.service\n", V2_MOUNTS, 0,
         "/sys/fs/cgroup/system.slice/fsd.service/memory.events"},
        /* version 2, the root of a container's own namespace */
        {"0::/\n", V2_MOUNTS, 0, "/sys/fs/cgroup/memory.events"},
        /* version 2, without a namespace: the mount shows a part of the hierarchy */
        {"0::/docker/4f/fsd\n", "31 22 0:28 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", 0,
         "/sys/fs/cgroup/fsd/memory.events"},
        {"0::/docker/4f\n", "31 22 0:28 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", 0,
         "/sys/fs/cgroup/memory.events"},
        /* another part than ours: no guess */
        {"0::/docker/4f1\n", "31 22 0:28 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
         -ENOENT, NULL},
        {"0::/a\n", "31 22 0:28 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", -ENOENT, NULL},
        /* version 1, and both: the controller is where it is named */
        {"9:name=systemd:/\n5:cpu,cpuacct:/\n4:memory:/fsd\n0::/\n", V1_MOUNTS, 0,
         "/sys/fs/cgroup/memory/fsd/memory.oom_control"},
        {"4:cpu,memory:/\n", "32 31 0:29 / /cg rw - cgroup cgroup rw,cpu,memory\n", 0,
         "/cg/memory.oom_control"},
        {"4:memoryless:/\n0::/x\n", V1_MOUNTS, 0, "/sys/fs/cgroup/unified/x/memory.events"},
        {"4:memory:/fsd\n", V2_MOUNTS, -ENOENT, NULL}, /* not mounted */
        /* a blank in the mount point */
        {"0::/x\n", "31 22 0:28 / /my\\040cgroup rw - cgroup2 cgroup2 rw\n", 0,
         "/my cgroup/x/memory.events"},
        {"0::/x\n", "31 22 0:28 / /end\\04 rw - cgroup2 cgroup2 rw\n", 0,
         "/end\\04/x/memory.events"},
        /* no cgroups at all, or texts that are none */
        {"", V2_MOUNTS, -ENOENT, NULL},
        {"0::/x", "", -ENOENT, NULL},
        {"0::/x", "31\n\n31 22 - \n - cgroup2", -ENOENT, NULL},
        {"rubbish", V1_MOUNTS, 0, "/sys/fs/cgroup/unified/memory.events"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[128] = "";
        int result = oom_parse_path(cases[i].cgroup, cases[i].mountinfo, path, sizeof(path));
        assert_int_equal(result, cases[i].result);
        if (cases[i].path != NULL) {
            assert_string_equal(path, cases[i].path);
        }
    }
}

static void a_path_that_has_no_room_is_refused(void **state)
{
    (void)state;
    char path[128];
    const char expected[] = "/sys/fs/cgroup/x/memory.events";
    assert_int_equal(oom_parse_path("0::/x\n", V2_MOUNTS, path, sizeof(expected)), 0);
    assert_string_equal(path, expected);
    assert_int_equal(oom_parse_path("0::/x\n", V2_MOUNTS, path, sizeof(expected) - 1),
                     -ENAMETOOLONG);
    assert_int_equal(oom_parse_path("0::/x\n", V2_MOUNTS, path, 4), -ENAMETOOLONG);
}

static void the_count_is_read_from_both_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t count;
    } cases[] = {
        {"low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 0\n", 0, 2},
        {"oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 0, 5},
        {"oom_kill 18446744073709551615", 0, UINT64_MAX},
        {"oom_kill_disable 0\nunder_oom 0\n", -EINVAL, 0}, /* Linux before 4.13 */
        {"oom_kill\n", -EINVAL, 0},
        {"oom_kill x\n", -EINVAL, 0},
        {"oom_kill 111111111111111111111111111111\n", -EINVAL, 0},
        {"", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t count = 0;
        assert_int_equal(oom_parse_count(cases[i].text, &count), cases[i].result);
        assert_int_equal(count, cases[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_found_on_every_kind_of_host),
        cmocka_unit_test(a_path_that_has_no_room_is_refused),
        cmocka_unit_test(the_count_is_read_from_both_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
