#include "daemon/host/cpus.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host/cgroup.h"

static void the_smaller_of_cpus_and_quota_counts(void **state)
{
    static const struct {
        unsigned cpus;
        uint64_t quota_us;
        uint64_t period_us;
        unsigned count;
        const char *reason;
    } rows[] = {
        {2, 150000, 100000, 2, "2 CPUs, cgroup allows 1.5"},
        {8, 150000, 100000, 2, "8 CPUs, cgroup allows 1.5"},
        {8, 200000, 100000, 2, "8 CPUs, cgroup allows 2"},
        {8, 200001, 100000, 3, "8 CPUs, cgroup allows 2"},
        {8, 5000, 100000, 1, "8 CPUs, cgroup allows 0.05"},
        {1, 900000, 100000, 1, "1 CPU, cgroup allows 9"},
        {4, 0, 1, 4, "4 CPUs"},
        {1, 0, 1, 1, "1 CPU"},
        {0, 0, 1, 1, "1 CPU"},
        {64, 0, 1, 64, "64 CPUs"},
        {128, 0, 1, 64, "128 CPUs, at most 64"},
        {128, UINT64_MAX, 1, 64, "128 CPUs, cgroup allows 1.84e+19, at most 64"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cpus cpus;
        cpus_decide(rows[i].cpus, rows[i].quota_us, rows[i].period_us, &cpus);
        assert_int_equal(cpus.count, rows[i].count);
        assert_string_equal(cpus.reason, rows[i].reason);
    }
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A hierarchy "a/b" of the version in a new folder, where the limits are read. */
static void check_quota(int version, const char *const files[][2], size_t count, uint64_t quota_us)
{
    char folder[] = "/tmp/fsd-cpus-XXXXXX";
    struct cgroup_folder group = {.version = version};
    uint64_t period_us = 0;
    uint64_t read_us = 7;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("a", 0700), 0);
    assert_int_equal(mkdir("a/b", 0700), 0);
    for (size_t i = 0; i < count; i++) {
        write_text(files[i][0], files[i][1]);
    }
    group.top_len = strlen(folder);
    (void)snprintf(group.path, sizeof(group.path), "%s/a/b", folder);
    cpus_read_quota(&group, &read_us, &period_us);
    assert_int_equal(read_us, quota_us);
    assert_true(period_us > 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(unlink(files[i][0]), 0);
    }
    assert_int_equal(rmdir("a/b"), 0);
    assert_int_equal(rmdir("a"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void the_tightest_limit_on_the_way_up_counts(void **state)
{
    static const char *const own[][2] = {{"a/b/cpu.max", "150000 100000\n"},
                                         {"a/cpu.max", "800000 200000\n"}};
    static const char *const parent[][2] = {{"a/b/cpu.max", "max 100000\n"},
                                            {"a/cpu.max", "250000 100000\n"}};
    static const char *const broken[][2] = {{"a/b/cpu.max", "\n"}, {"a/cpu.max", ""}};

    (void)state;
    check_quota(2, own, 2, 150000);
    check_quota(2, parent, 2, 250000);
    check_quota(2, broken, 2, 0);
    check_quota(2, own, 0, 0);
}

static void the_first_version_has_two_files(void **state)
{
    static const char *const limited[][2] = {{"a/b/cpu.cfs_quota_us", "150000\n"},
                                             {"a/b/cpu.cfs_period_us", "100000\n"}};
    static const char *const unlimited[][2] = {{"a/b/cpu.cfs_quota_us", "-1\n"},
                                               {"a/b/cpu.cfs_period_us", "100000\n"}};

    (void)state;
    check_quota(1, limited, 2, 150000);
    check_quota(1, unlimited, 2, 0);
    check_quota(1, limited, 1, 0);
}

static void this_machine_has_no_more_than_may_be_used(void **state)
{
    struct cpus cpus;
    cpu_set_t set;
    char expected[32];

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    (void)snprintf(expected, sizeof(expected), "%d CPU", CPU_COUNT(&set));
    cpus_read(&cpus);
    assert_true(cpus.count >= 1 && cpus.count <= (unsigned)CPU_COUNT(&set));
    assert_memory_equal(cpus.reason, expected, strlen(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smaller_of_cpus_and_quota_counts),
        cmocka_unit_test(the_tightest_limit_on_the_way_up_counts),
        cmocka_unit_test(the_first_version_has_two_files),
        cmocka_unit_test(this_machine_has_no_more_than_may_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
