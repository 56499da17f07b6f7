/* oom.c - how many processes of our cgroup the kernel has killed for lack of memory.
 * Owns one descriptor of a file in /sys/fs/cgroup and the count at which the last question ended.  It is opened once, with
 * the privileges of the start, and read again in place: that allocates nothing and waits for nothing, since the kernel makes the
 * text at each read.  When fsd is moved to another cgroup meanwhile, kills there are not seen.
 * A kill may be counted before its victim is reaped, while others are: what nobody claims waits a little for its owner.
 * Called by the master: opened at start, asked once for each sweep of dead workers.  Must not know whom the kernel killed:
 * the file does not tell. */
#include "daemon/crash/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/fd.h"
#include "daemon/crash/oom_parse.h"
#include "daemon/host/cgroup.h"
#include "daemon/host/cgroup_own.h"

enum { EVENTS_MAX = 1024 }; /* memory.events has some 100 bytes */

static int read_count(const struct oom *oom, uint64_t *ret_count)
{
    char text[EVENTS_MAX];
    ssize_t len = oom->fd < 0 ? 0 : pread(oom->fd, text, sizeof(text) - 1, 0);
    if (len <= 0) {
        return len < 0 ? -errno : -ENODATA;
    }
    text[len] = '\0';
    return oom_parse_count(text, ret_count);
}

int oom_open_file(struct oom *oom, const char *path)
{
    *oom = (struct oom){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (oom->fd < 0) {
        return -errno;
    }
    int result = read_count(oom, &oom->known);
    if (result < 0) {
        fd_close(&oom->fd);
    }
    return result;
}

int oom_open(struct oom *oom)
{
    *oom = (struct oom){.fd = -1};
    struct cgroup_folder folder;
    char path[PATH_MAX];
    int result = cgroup_own_find("memory", &folder);
    if (result < 0) {
        return result;
    }
    const char *name = folder.version == 1 ? "memory.oom_control" : "memory.events";
    int len = snprintf(path, sizeof(path), "%s/%s", folder.path, name);
    return (size_t)len < sizeof(path) ? oom_open_file(oom, path) : -ENAMETOOLONG;
}

void oom_close(struct oom *oom)
{
    fd_close(&oom->fd);
}

int64_t oom_take(struct oom *oom, unsigned victims, uint64_t now_ms)
{
    uint64_t count = 0;
    if (read_count(oom, &count) < 0) {
        return OOM_UNKNOWN;
    }
    if (now_ms - oom->left_at_ms > OOM_KEEP_MS) {
        oom->left = 0; /* they were processes that are none of our workers */
    }
    if (count > oom->known) {
        oom->left += count - oom->known;
        oom->left_at_ms = now_ms;
    }
    oom->known = count; /* less than before: the cgroup was made anew */
    uint64_t kills = oom->left;
    oom->left -= victims < kills ? victims : kills;
    return kills > INT64_MAX ? INT64_MAX : (int64_t)kills;
}
