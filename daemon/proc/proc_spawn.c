/* proc_spawn.c - assembles a new worker process: sockets, status page, black box, environment, argv.
 * Owns nothing after it returns: all descriptors are in the struct proc, or the child's.  The child gets the fixed descriptors of
 * proto.h and a built environment; its argv[0] and argv[1] show in ps what it is.
 * Called by proc_start.  Must not know what happens to the worker afterwards. */
#include "daemon/proc/proc_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/proc/proc.h"
#include "daemon/shared/shared_set.h"

enum { ENV_TEXT_MAX = 48, ENV_OWN = 2 };

/* What only the child needs; closed here once it has them. */
struct child_fds {
    int null;
    int control;
};

static int make_fds(struct proc *proc, const struct proc_order *order, struct child_fds *child,
                    int *sock)
{
    int control[2];
    int log[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control) != 0) {
        return -errno;
    }
    *sock = control[0];
    child->control = control[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, log) != 0) {
        return -errno;
    }
    proc->log_fd = log[0];
    proc->log_peer_fd = log[1];
    if (order->bundle_fd >= 0) {
        proc->bundle_fd = fcntl(order->bundle_fd, F_DUPFD_CLOEXEC, 0);
    }
    child->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if ((order->bundle_fd >= 0 && proc->bundle_fd < 0) || child->null < 0) {
        return -errno;
    }
    proc->page_fd = page_create();
    if (proc->page_fd < 0) {
        return proc->page_fd;
    }
    proc->blackbox_fd = blackbox_create();
    if (proc->blackbox_fd < 0) {
        return proc->blackbox_fd;
    }
    proc->page = page_map(proc->page_fd, 0);
    proc->blackbox = blackbox_map(proc->blackbox_fd, false);
    return proc->page == NULL || proc->blackbox == NULL ? -errno : 0;
}

static int start_child(struct proc *proc, const struct child_fds *child, struct fsd_err *err)
{
    char incarnation[ENV_TEXT_MAX];
    char master[ENV_TEXT_MAX];
    char program[] = "fsd-worker";
    char name[PROTO_NAME_MAX + 16];
    (void)snprintf(incarnation, sizeof(incarnation), PROTO_ENV_INCARNATION "=%" PRIu64,
                   proc->number);
    (void)snprintf(master, sizeof(master), PROTO_ENV_MASTER_PID "=%d", getpid());
    if (proc->subject.slot == LOG_SLOT_NONE) {
        (void)snprintf(name, sizeof(name), "%.*s/-", PROTO_NAME_MAX, proc->subject.pool);
    } else {
        (void)snprintf(name, sizeof(name), "%.*s/%u", PROTO_NAME_MAX, proc->subject.pool,
                       proc->subject.slot);
    }
    char *env[ENV_OWN + SPAWN_ENV_BASE_MAX + 1] = {incarnation, master};
    (void)spawn_env_base(env + ENV_OWN, proc->setting->privilege);
    char *argv[] = {program, name, NULL};
    const int fds[] = {child->null,    STDERR_FILENO, STDERR_FILENO,
                       child->control, proc->page_fd, proc->blackbox_fd};
    _Static_assert(sizeof(fds) / sizeof(fds[0]) == PROTO_FD_END, "the contract's descriptors");
    struct spawn_order order = {proc->setting->worker_path, argv, env, fds, PROTO_FD_END,
                                proc->setting->privilege};
    return spawn_start(&order, &proc->child, err);
}

int proc_spawn(struct proc *proc, const struct proc_setting *setting,
               const struct proc_order *order, int *ret_sock, struct fsd_err *err)
{
    struct child_fds child = {-1, -1};
    int sock = -1;
    *proc = (struct proc){.setting = setting,
                          .state = INCARNATION_SPAWNED,
                          .number = order->number,
                          .generation = order->generation,
                          .subject = {setting->pool, order->slot, 0},
                          .child = {.pidfd = -1, .error_fd = -1},
                          .channel = {.sock = -1},
                          .page_fd = -1,
                          .blackbox_fd = -1,
                          .log_fd = -1,
                          .log_peer_fd = -1,
                          .bundle_fd = -1,
                          .config_fd = order->config_fd,
                          .set = shared_set_keep(order->set),
                          .retry_after_s = order->retry_after_s};
    int error = make_fds(proc, order, &child, &sock);
    if (error < 0) {
        (void)fsd_err_set(err, -error, "cannot prepare a worker: %s", strerror(-error));
    } else {
        error = start_child(proc, &child, err);
    }
    fd_close(&child.null);
    fd_close(&child.control);
    if (error < 0) {
        fd_close(&sock);
        return error;
    }
    proc->subject.pid = proc->child.pid;
    *ret_sock = sock;
    return 0;
}
