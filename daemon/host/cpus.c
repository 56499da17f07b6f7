/*
 * cpus.c - how many workers a pool with `count: auto` has.
 *
 * Owns the rule: one for each CPU that this process may use, but not more than the CPU time that
 * its control group gets (rounded up), since more workers would only wait for each other.  A limit
 * of a parent group counts as well: the tightest one is taken.
 *
 * Called once at start and for each configuration, by setup.c.  Must not know pools.
 */
#include "daemon/host/cpus.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "daemon/host/cgroup.h"
#include "daemon/host/cgroup_own.h"

enum { LIMIT_MAX = 64 };

static bool read_limit(const struct cgroup_folder *folder, const char *name, char text[LIMIT_MAX])
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder->path, name);

    return len > 0 && (size_t)len < sizeof(path) && fd_read_text(path, text, LIMIT_MAX) > 0;
}

/* Both versions as cpu.max has it; version 1 says "no limit" by a quota of -1, which is no number
 * for the parser. */
static bool read_cpu_max(const struct cgroup_folder *folder, uint64_t *ret_quota_us,
                         uint64_t *ret_period_us)
{
    char quota[LIMIT_MAX];
    char period[LIMIT_MAX] = "";
    char text[2 * LIMIT_MAX];

    if (!read_limit(folder, folder->version == 2 ? "cpu.max" : "cpu.cfs_quota_us", quota) ||
        (folder->version == 1 && !read_limit(folder, "cpu.cfs_period_us", period))) {
        return false; /* the group at the top has no such file */
    }
    (void)snprintf(text, sizeof(text), "%s %s", quota, period);
    return cgroup_parse_cpu_max(text, ret_quota_us, ret_period_us) == 0;
}

void cpus_read_quota(struct cgroup_folder *folder, uint64_t *ret_quota_us, uint64_t *ret_period_us)
{
    uint64_t quota_us = 0;
    uint64_t period_us = 0;

    *ret_quota_us = 0;
    *ret_period_us = 1;
    do {
        if (read_cpu_max(folder, &quota_us, &period_us) &&
            (*ret_quota_us == 0 || (double)quota_us / (double)period_us <
                                       (double)*ret_quota_us / (double)*ret_period_us)) {
            *ret_quota_us = quota_us;
            *ret_period_us = period_us;
        }
    } while (cgroup_go_up(folder));
}

void cpus_decide(unsigned cpu_count, uint64_t quota_us, uint64_t period_us, struct cpus *ret_cpus)
{
    struct cpus cpus = {cpu_count == 0 ? 1 : cpu_count, ""};
    const char *plural = cpus.count == 1 ? "" : "s";

    if (quota_us == 0) {
        (void)snprintf(cpus.reason, sizeof(cpus.reason), "%u CPU%s", cpus.count, plural);
    } else {
        uint64_t allowed = quota_us / period_us + (quota_us % period_us == 0 ? 0 : 1);
        (void)snprintf(cpus.reason, sizeof(cpus.reason), "%u CPU%s, cgroup allows %.3g", cpus.count,
                       plural, (double)quota_us / (double)period_us);
        cpus.count = allowed < cpus.count ? (unsigned)allowed : cpus.count;
    }
    if (cpus.count > CPUS_MAX) {
        size_t len = strlen(cpus.reason);
        (void)snprintf(cpus.reason + len, sizeof(cpus.reason) - len, ", at most %d", CPUS_MAX);
        cpus.count = CPUS_MAX;
    }
    *ret_cpus = cpus;
}

static unsigned count_usable(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than a cpu_set_t has room for */
    return online < 1 ? 1 : (unsigned)online;
}

void cpus_read(struct cpus *ret_cpus)
{
    uint64_t quota_us = 0;
    uint64_t period_us = 1;
    struct cgroup_folder folder;

    if (cgroup_own_find("cpu", &folder) == 0) {
        cpus_read_quota(&folder, &quota_us, &period_us);
    }
    cpus_decide(count_usable(), quota_us, period_us, ret_cpus);
}
