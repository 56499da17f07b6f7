#include "daemon/host/cgroup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V1_MOUNTS                                                                                  \
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"                          \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup "                \
    "rw,cpu,cpuacct\n"                                                                             \
    "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                            \
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define V2_MOUNTS "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static const struct {
    const char *cgroup;
    const char *mountinfo;
    int rc;
    int version;
    const char *path;
    const char *top;
} rows[] = {
    {"0::/system.slice/fsd.service\n", V2_MOUNTS, 0, 2, "/sys/fs/cgroup/system.slice/fsd.service",
     "/sys/fs/cgroup"},
    {"0::/\n", V2_MOUNTS, 0, 2, "/sys/fs/cgroup", "/sys/fs/cgroup"},
    {"4:cpu,cpuacct:/a/b\n0::/u\n", V1_MOUNTS, 0, 1, "/sys/fs/cgroup/cpu,cpuacct/a/b",
     "/sys/fs/cgroup/cpu,cpuacct"},
    /* The controller has no hierarchy of its own: it belongs to the second version. */
    {"4:cpuset:/a\n3:cpuacct:/c\n0::/u\n", V1_MOUNTS, 0, 2, "/sys/fs/cgroup/unified/u",
     "/sys/fs/cgroup/unified"},
    /* A container without a namespace of its own sees the path of the host. */
    {"0::/docker/7f\n", "30 24 0:26 /docker/7f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", 0, 2,
     "/sys/fs/cgroup", "/sys/fs/cgroup"},
    {"0::/docker/7f/x\n", "30 24 0:26 /docker/7f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", 0, 2,
     "/sys/fs/cgroup/x", "/sys/fs/cgroup"},
    {"0::/docker/7ff\n", "30 24 0:26 /docker/7f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", -ENOENT,
     0, "", ""},
    {"0::/d\n", "30 24 0:26 /docker/7f /sys/fs/cgroup ro - cgroup2 cgroup rw\n", -ENOENT, 0, "",
     ""},
    {"0::/a\n", "30 24 0:26 / /a\\040b\\134 ro - cgroup2 cgroup rw", 0, 2, "/a b\\/a", "/a b\\"},
    {"0::/a\n", "30 24 0:26 / /a\\9 ro - cgroup2 cgroup rw", 0, 2, "/a\\9/a", "/a\\9"},
    {"0::/a\n", "30 24 0:26 / /a\\0400\\777 ro - cgroup2 c rw", 0, 2, "/a 0\\777/a", "/a 0\\777"},
    {"4:cpu:/a\n", "30 24 0:26 / /c rw - cgroup cgroup rw,cpuset\n", -ENOENT, 0, "", ""},
    {"4:cpu:/a\n", V2_MOUNTS, -ENOENT, 0, "", ""},
    {"4:memory:/a\n", V1_MOUNTS, -ENOENT, 0, "", ""},
    {"0::\n", V2_MOUNTS, -ENOENT, 0, "", ""},
    {"", V2_MOUNTS, -ENOENT, 0, "", ""},
    /* What is no line "N:controllers:/path" names no group. */
    {"nonsense\n\n:\n::\n", V2_MOUNTS, -ENOENT, 0, "", ""},
    {"::/a\nx::/a\n0::a\n0::", V2_MOUNTS, -ENOENT, 0, "", ""},
    {"4:cpu\n4:cpu:\n4:cpu:a\nx:cpu:/a\n0::/u\n", V1_MOUNTS, 0, 2, "/sys/fs/cgroup/unified/u",
     "/sys/fs/cgroup/unified"},
    {"0::/a\n", "", -ENOENT, 0, "", ""},
    {"0::/a\n", "nonsense\n\n - \n1 2 3 4 5 6 7 8\n1 2 3 / - - cgroup2\n", -ENOENT, 0, "", ""},
};

static void the_folder_is_found_from_both_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cgroup_folder folder = {7, "old", 1};
        int rc = cgroup_find(rows[i].cgroup, rows[i].mountinfo, "cpu", &folder);
        if (rc != rows[i].rc) {
            print_error("row %zu\n", i);
        }
        assert_int_equal(rc, rows[i].rc);
        if (rc < 0) {
            assert_string_equal(folder.path, "old");
            continue;
        }
        assert_int_equal(folder.version, rows[i].version);
        assert_string_equal(folder.path, rows[i].path);
        assert_int_equal(folder.top_len, strlen(rows[i].top));
        assert_memory_equal(folder.path, rows[i].top, folder.top_len);
    }
}

static void a_controller_is_found_by_its_whole_name(void **state)
{
    struct cgroup_folder folder;

    (void)state;
    assert_int_equal(
        cgroup_find("9:name=systemd:/\n4:memory:/fsd\n0::/\n", V1_MOUNTS, "memory", &folder), 0);
    assert_string_equal(folder.path, "/sys/fs/cgroup/memory/fsd");
    assert_int_equal(folder.version, 1);
    assert_int_equal(cgroup_find("4:memoryless:/\n0::/x\n", V1_MOUNTS, "memory", &folder), 0);
    assert_string_equal(folder.path, "/sys/fs/cgroup/unified/x");
    assert_int_equal(folder.version, 2);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char name[PATH_MAX + 1];
    char text[2 * PATH_MAX];
    struct cgroup_folder folder;

    (void)state;
    memset(name, 'x', sizeof(name));
    name[PATH_MAX] = '\0';
    (void)snprintf(text, sizeof(text), "0::/%s\n", name);
    assert_int_equal(cgroup_find(text, V2_MOUNTS, "cpu", &folder), -ENAMETOOLONG);
    (void)snprintf(text, sizeof(text), "30 24 0:26 / /%s rw - cgroup2 cgroup2 rw\n", name);
    assert_int_equal(cgroup_find("0::/a\n", text, "cpu", &folder), -ENAMETOOLONG);
}

static void the_way_up_ends_at_the_mount(void **state)
{
    struct cgroup_folder folder;

    (void)state;
    assert_int_equal(cgroup_find("0::/a/b\n", V2_MOUNTS, "cpu", &folder), 0);
    assert_int_equal(cgroup_go_up(&folder), 1);
    assert_string_equal(folder.path, "/sys/fs/cgroup/a");
    assert_int_equal(cgroup_go_up(&folder), 1);
    assert_string_equal(folder.path, "/sys/fs/cgroup");
    assert_int_equal(cgroup_go_up(&folder), 0);
    assert_string_equal(folder.path, "/sys/fs/cgroup");
}

static void a_limit_is_two_numbers(void **state)
{
    static const struct {
        const char *text;
        int rc;
    } limits[] = {
        {"150000 100000\n", 0},
        {"max 100000\n", -ENOENT},
        {"-1\n 100000\n", -EINVAL},
        {"150000\n", -EINVAL},
        {"", -EINVAL},
        {"0 100000", -EINVAL},
        {"150000 0\n", -EINVAL},
        {"1.5 100000", -EINVAL},
        {"150000 x", -EINVAL},
        {"99999999999999999999 1", -EINVAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t quota_us = 7;
        uint64_t period_us = 7;
        assert_int_equal(cgroup_parse_cpu_max(limits[i].text, &quota_us, &period_us), limits[i].rc);
        assert_int_equal(quota_us, limits[i].rc == 0 ? 150000 : 7);
        assert_int_equal(period_us, limits[i].rc == 0 ? 100000 : 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_found_from_both_texts),
        cmocka_unit_test(a_controller_is_found_by_its_whole_name),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(the_way_up_ends_at_the_mount),
        cmocka_unit_test(a_limit_is_two_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
