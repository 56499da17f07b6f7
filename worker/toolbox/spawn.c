/* spawn.c - starts programs as children of the worker.
 * Owns nothing; whoever starts one keeps the struct.  The child runs in the worker's memory, on a stack of its own, until the exec, while
 * the worker stands still: that copies nothing, and the errno of the exec comes back.  posix_spawn does the same, but can't tie the child
 * to the worker: it is killed when the worker ends, however that ends.  The child has default signals, an empty mask, its own descriptors
 * and no others.  Nobody else reaps it, so its pid can't come to mean another process before spawn_reap.
 * Called by compute.c and process.c. */
#include "worker/toolbox/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"

enum { STACK_BYTES = 256 * 1024, STACK_ALIGN = 16, EXIT_NOT_RUN = 127 };

/* What the child is given. */
struct launch {
    const struct spawn_plan *plan;
    pid_t worker;
    int error; /* out: of what could not be done */
};

/* What the kernel calls a sigaction; all zero is SIG_DFL. */
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* They were blocked in the worker, so no handler of the worker's has run here.  Past the C library, which keeps two signals to itself:
 * whoever has started us may have left these ignored, and programs with threads need them. */
static void reset_signals(void)
{
    const struct action usual = {0};
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        /* KILL and STOP refuse */
        (void)syscall(SYS_rt_sigaction, number, &usual, NULL, sizeof(usual.mask));
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_fd(int fd, int target)
{
    if (fd < 0) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (fd < 0) {
        return -errno;
    }
    int result = fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target);
    return result < 0 ? -errno : 0;
}

static int take_fds(const struct spawn_plan *plan)
{
    int count = plan->fds[SPAWN_FDS - 1] < 0 ? SPAWN_FDS - 1 : SPAWN_FDS;
    for (int i = 0; i < count; i++) {
        int error = take_fd(plan->fds[i], i);
        if (error != 0) {
            return error;
        }
    }
    return close_range((unsigned)count, ~0U, 0) == 0 ? 0 : -errno;
}

/* Dies with the worker, also when that has died before this line. */
static int tie(const struct launch *launch)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != launch->worker) {
        return -ESRCH;
    }
    return launch->plan->has_own_group && setpgid(0, 0) != 0 ? -errno : 0;
}

/* The child, in the worker's memory: it calls the system and nothing else. */
__attribute__((no_sanitize_address)) static int run_child(void *data)
{
    struct launch *launch = data;
    const struct spawn_plan *plan = launch->plan;
    int error = tie(launch);
    if (error == 0) {
        error = take_fds(plan);
    }
    if (error == 0 && plan->folder != NULL && chdir(plan->folder) != 0) {
        error = -errno;
    }
    if (error == 0) {
        reset_signals();
        (void)execve(plan->program, plan->argv, plan->envp);
        error = -errno;
    }
    launch->error = error;
    _exit(EXIT_NOT_RUN);
}

/* With all signals blocked, so that none finds the child in a handler of the worker's. */
static int clone_blocked(struct launch *launch, char *stack, struct spawn *spawn)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = clone(run_child, stack + (STACK_BYTES - STACK_ALIGN),
                      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, launch, &spawn->pidfd);
    int error = pid < 0 ? -errno : launch->error;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0) {
        spawn->pid = pid;
    }
    return error;
}

int spawn_start(struct spawn *spawn, const struct spawn_plan *plan)
{
    struct launch launch = {.plan = plan, .worker = getpid()};
    struct spawn started = {0, -1};
    for (int i = 0; i < SPAWN_FDS; i++) {
        /* else one would be lost in between */
        assert(plan->fds[i] < 0 || plan->fds[i] == i || plan->fds[i] >= SPAWN_FDS);
    }
    char *stack = aligned_alloc(STACK_ALIGN, STACK_BYTES);
    if (stack == NULL) {
        return -ENOMEM;
    }
    int error = clone_blocked(&launch, stack, &started);
    free(stack);
    if (error != 0) {
        spawn_kill(&started);
        return error;
    }
    *spawn = started;
    return 0;
}

int spawn_reap(struct spawn *spawn, int *ret_status)
{
    pid_t pid = waitpid(spawn->pid, ret_status, WNOHANG);
    if (pid == 0) {
        return -EAGAIN;
    }
    fd_close(&spawn->pidfd);
    spawn->pid = 0;
    return 0;
}

void spawn_kill(struct spawn *spawn)
{
    if (spawn->pid > 0) {
        (void)kill(spawn->pid, SIGKILL);
        while (waitpid(spawn->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        spawn->pid = 0;
    }
    fd_close(&spawn->pidfd);
}
