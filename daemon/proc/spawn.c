/* spawn.c - the only place that forks.
 * Owns nothing: the caller gets pid, pidfd and the pipe on which the child reports a failed exec.  Between fork and exec only
 * async-signal-safe calls are made: signals reset, privileges given up (privilege.c), then the parent-death signal, which that
 * clears (and getppid compared, for a master that died in between), descriptors put on their fixed numbers, close_range for the
 * rest.  The report pipe is close-on-exec: end of file is success.  Called by proc.c (workers) and bundler.c (the tool); the
 * master never waits for either here.  Must not know what is started or why. */
#include "daemon/proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/host/privilege.h"
#include "daemon/proc/cause.h"

enum { CHILD_FAILED = 127 };

/* What the child says when it does not become the program. */
struct spawn_report {
    int error;
    bool is_privilege; /* it could not give up what it was to give up */
};

static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    (void)sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) {
        (void)sigaction(number, &action, NULL); /* SIGKILL and SIGSTOP refuse, rightly */
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Puts fds[i] on number i.  Everything is first moved out of the way, so that no source is overwritten. */
static int place_fds(const int *fds, unsigned count, int *report)
{
    int moved[PROTO_FD_END];
    *report = fcntl(*report, F_DUPFD_CLOEXEC, PROTO_FD_END);
    for (unsigned i = 0; i < count; i++) {
        moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, PROTO_FD_END);
        if (moved[i] < 0) {
            return -1;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (dup2(moved[i], (int)i) < 0) {
            return -1;
        }
    }
    return close_range(count, ~0U, CLOSE_RANGE_CLOEXEC);
}

static _Noreturn void become(const struct spawn_order *order, pid_t master, int report)
{
    reset_signals();
    (void)setpgid(0, 0); /* ^C on the terminal is for the master alone */
    struct spawn_report words = {.error = -privilege_drop(order->privilege)};
    words.is_privilege = words.error != 0;
    if (!words.is_privilege) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == master &&
            place_fds(order->fds, order->fd_count, &report) == 0) {
            (void)execve(order->path, order->argv, order->envp);
        }
        words.error = errno;
    }
    ssize_t ignored = write(report, &words, sizeof(words)); /* no reader: nobody wants to know */
    (void)ignored;
    _exit(CHILD_FAILED);
}

static int watch_child(pid_t pid, int report, struct spawn_child *ret_child, struct fsd_err *err)
{
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        int error = errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0); /* dies at once */
        return fsd_err_set(err, error, "cannot watch the new process: %s", strerror(error));
    }
    ret_child->pid = pid;
    ret_child->pidfd = pidfd;
    ret_child->error_fd = report;
    return 0;
}

int spawn_start(const struct spawn_order *order, struct spawn_child *ret_child, struct fsd_err *err)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
        return fsd_err_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t master = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(order, master, report[1]);
    }
    int error = pid < 0 ? fsd_err_set(err, errno, "cannot fork: %s", strerror(errno))
                        : watch_child(pid, report[0], ret_child, err);
    if (error == 0) {
        ret_child->privilege = order->privilege;
    }
    fd_close(&report[1]);
    if (error < 0) {
        fd_close(&report[0]);
    }
    return error;
}

int spawn_failure(const struct spawn_child *child, const char *path, struct fsd_err *err)
{
    struct spawn_report words = {0};
    if (read(child->error_fd, &words, sizeof(words)) != sizeof(words) || words.error <= 0) {
        return 0;
    }
    const char *reason = strerror(words.error);
    if (!words.is_privilege) {
        return fsd_err_set(err, words.error, "cannot execute \"%s\": %s", path, reason);
    }
    if (child->privilege == NULL || child->privilege->user == NULL) {
        return fsd_err_set(err, words.error, "cannot give up privileges: %s", reason);
    }
    return fsd_err_set(err, words.error, "cannot become user \"%s\": %s", child->privilege->user,
                       reason);
}

int spawn_reap(const struct spawn_child *child, struct cause *ret_cause)
{
    siginfo_t info = {0};
    int result;
    do {
        result = waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result != 0) { /* somebody reaped it: it has ended, and that is all we can say */
        *ret_cause = (struct cause){.is_signal = false, .value = CHILD_FAILED};
        return 0;
    }
    if (info.si_pid == 0) {
        return -EAGAIN;
    }
    *ret_cause = (struct cause){.is_signal = info.si_code != CLD_EXITED, .value = info.si_status};
    return 0;
}

void spawn_signal(const struct spawn_child *child, int signal)
{
    (void)pidfd_send_signal(child->pidfd, signal, NULL, 0); /* ESRCH: it was faster */
}

void spawn_forget(struct spawn_child *child)
{
    fd_close(&child->pidfd);
    fd_close(&child->error_fd);
}

unsigned spawn_env_base(char *env[SPAWN_ENV_BASE_MAX], const struct privilege *privilege)
{
    static const char *const names[] = {"PATH", "LANG", "TZ"};
    static const union {
        const char *in;
        char *out;
    } shield = {.in = PROTO_ENV_SHIELD "=1"}; /* execve does not write through envp */
    unsigned count = 0;
    if (privilege != NULL && privilege->is_shielded) {
        env[count++] = shield.out;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *value = getenv(names[i]);
        if (value != NULL) {
            env[count++] = value - strlen(names[i]) - 1; /* "NAME=value" as it stands in environ */
        }
    }
    return count;
}

void spawn_reap_foreign(bool (*is_ours)(const void *owner, pid_t pid), const void *owner)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0 ||
            is_ours(owner, info.si_pid)) {
            return; /* one of ours is reaped through its pidfd; the caller comes back after that */
        }
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG); /* just seen there */
    }
}
