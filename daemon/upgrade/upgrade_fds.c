/* upgrade_fds.c - the descriptors that live through the exec of an upgrade in place.
 * Owns nothing.  All descriptors are close-on-exec at all times but between the last moment before the exec and the first one after it;
 * then each that was named is looked at (a wrong number would be a foreign file or a closed one), and what was not named is
 * closed, so that nothing can leak from one program to the next.
 * Called by upgrade.c before the exec, and upgrade_resume.c after it.  Must not know what they are used for. */
#include "daemon/upgrade/upgrade_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blackbox.h"
#include "common/err.h"
#include "common/page.h"
#include "daemon/upgrade/upgrade_state.h"

enum { FD_FIRST = STDERR_FILENO + 1 };

static bool is_option(int fd, int option, int wanted)
{
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static bool is_socket(int fd, int type, bool listens)
{
    return is_option(fd, SO_TYPE, type) && is_option(fd, SO_ACCEPTCONN, listens);
}

static bool is_memfd(int fd, int seals, size_t size)
{
    struct stat info;
    int found = fcntl(fd, F_GET_SEALS);
    return found >= 0 && (found & seals) == seals && fstat(fd, &info) == 0 &&
           (size_t)info.st_size >= size;
}

static bool is_what(int fd, enum upgrade_fd what)
{
    switch (what) {
    case UPGRADE_FD_LISTENING:
        return is_socket(fd, SOCK_STREAM, true);
    case UPGRADE_FD_STREAM:
        return is_option(fd, SO_DOMAIN, AF_UNIX) && is_socket(fd, SOCK_STREAM, false);
    case UPGRADE_FD_PACKETS:
        return is_option(fd, SO_DOMAIN, AF_UNIX) && is_socket(fd, SOCK_SEQPACKET, false);
    case UPGRADE_FD_SEALED:
        return is_memfd(fd, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW, 1);
    case UPGRADE_FD_PAGE: /* never shorter than the memory page that is mapped: that would be our end */
        return is_memfd(fd, F_SEAL_SHRINK, PAGE_BYTES_MIN);
    case UPGRADE_FD_SHARED:
        return is_memfd(fd, F_SEAL_SHRINK | F_SEAL_GROW, 1);
    case UPGRADE_FD_BLACKBOX:
        return is_memfd(fd, F_SEAL_SHRINK, BLACKBOX_SIZE);
    }
    return false;
}

static const char *name(enum upgrade_fd what)
{
    static const char *const names[] = {
        "a listening socket",  "a connection to the control socket",
        "a worker's socket",   "a sealed memfd",
        "a status page",       "a black box",
        "a shared dictionary",
    };
    _Static_assert(sizeof(names) / sizeof(names[0]) == UPGRADE_FD_SHARED + 1, "one a kind");
    return names[what];
}

static int check_one(void *owner, int fd, uint64_t what)
{
    struct fsd_err *err = owner;
    if (is_what(fd, (enum upgrade_fd)what)) {
        return 0;
    }
    return fsd_err_set(err, EBADF, "descriptor %d is not %s", fd, name((enum upgrade_fd)what));
}

int upgrade_fds_check(const struct upgrade_state *state, struct fsd_err *err)
{
    return record_visit_fds(&upgrade_state_type, state, check_one, err);
}

static int keep_one(void *owner, int fd, uint64_t what)
{
    const bool *is_kept = owner;
    (void)what;
    (void)fcntl(fd, F_SETFD, *is_kept ? 0 : FD_CLOEXEC); /* fails only for what is not open */
    return 0;
}

void upgrade_fds_keep(const struct upgrade_state *state, bool is_kept)
{
    (void)record_visit_fds(&upgrade_state_type, state, keep_one, &is_kept); /* keep_one is 0 */
}

static int compare(const void *one, const void *other)
{
    int a = *(const int *)one;
    int b = *(const int *)other;
    return (a > b) - (a < b);
}

int upgrade_fds_close_rest(const struct upgrade_state *state, const int *others, size_t count)
{
    int *listed = NULL;
    size_t listed_count = 0;
    int error = upgrade_list_fds(state, &listed, &listed_count);
    if (error < 0) {
        return error;
    }
    int *kept = calloc(listed_count + count + 1, sizeof(int));
    if (kept == NULL) {
        free(listed);
        return -ENOMEM;
    }
    memcpy(kept, listed, listed_count * sizeof(int));
    memcpy(kept + listed_count, others, count * sizeof(int));
    free(listed);
    count += listed_count;
    qsort(kept, count, sizeof(int), compare);
    int first = FD_FIRST;
    for (size_t i = 0; i < count; i++) {
        if (kept[i] > first) {
            (void)close_range((unsigned)first, (unsigned)kept[i] - 1, 0); /* holes are fine */
        }
        first = kept[i] >= first ? kept[i] + 1 : first;
    }
    (void)close_range((unsigned)first, ~0U, 0);
    free(kept);
    return 0;
}
