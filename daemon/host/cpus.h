#ifndef FSD_DAEMON_HOST_CPUS_H
#define FSD_DAEMON_HOST_CPUS_H

#include <stdint.h>

struct cgroup_folder;

enum {
    CPUS_REASON_MAX = 80,
    CPUS_MAX = 64, /* as the key count of a pool */
};

/* What `count: auto` means here. */
struct cpus {
    unsigned count;               /* workers, 1 to CPUS_MAX */
    char reason[CPUS_REASON_MAX]; /* "2 CPUs, cgroup allows 1.5" */
};

/* Looks at the CPUs that this process may use, and at what its cgroup and those above it allow. */
void cpus_read(struct cpus *ret_cpus);
/* The rule: so many CPUs, and a quota in each period; quota_us 0: no limit. */
void cpus_decide(unsigned cpu_count, uint64_t quota_us, uint64_t period_us, struct cpus *ret_cpus);
/* The tightest limit from the cgroup up to the top of its mount, where folder is afterwards; *ret_quota_us is 0 when there is
 * none. */
void cpus_read_quota(struct cgroup_folder *folder, uint64_t *ret_quota_us, uint64_t *ret_period_us);

#endif
