/* spawn.c - starts programs as children of the worker.
 * Owns nothing; whoever starts one keeps the struct.  posix_spawn does not copy the worker's memory, and gives the errno of the exec
 * back; the child has default signals and an empty mask, its own descriptors and no others, and no child of ours is reaped by anybody
 * else, so its pid can't come to mean another process before spawn_reap.  Called by compute.c and process.c. */
#include "worker/toolbox/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"

static int add_fds(posix_spawn_file_actions_t *actions, const struct spawn_plan *plan)
{
    int error = 0;
    int count = plan->fds[SPAWN_FDS - 1] < 0 ? SPAWN_FDS - 1 : SPAWN_FDS;
    for (int i = 0; error == 0 && i < count; i++) {
        /* else one would be lost in between */
        assert(plan->fds[i] < 0 || plan->fds[i] == i || plan->fds[i] >= SPAWN_FDS);
        error = plan->fds[i] < 0
                    ? posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0)
                    : posix_spawn_file_actions_adddup2(actions, plan->fds[i], i);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_addclosefrom_np(actions, count);
    }
    if (error == 0 && plan->folder != NULL) {
        error = posix_spawn_file_actions_addchdir_np(actions, plan->folder);
    }
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes, const struct spawn_plan *plan)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (plan->has_own_group) {
        flags |= POSIX_SPAWN_SETPGROUP; /* 0: of its own */
    }
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &all);
    }
    return error != 0 ? error : posix_spawnattr_setflags(attributes, flags);
}

int spawn_start(struct spawn *spawn, const struct spawn_plan *plan)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = add_fds(&actions, plan);
        if (error == 0) {
            error = set_attributes(&attributes, plan);
        }
        if (error == 0) {
            error =
                posix_spawnp(&pid, plan->program, &actions, &attributes, plan->argv, plan->envp);
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return -error;
    }
    *spawn = (struct spawn){.pid = pid, .pidfd = pidfd_open(pid, 0)};
    if (spawn->pidfd < 0) {
        error = errno;
        spawn_kill(spawn);
    }
    return -error;
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
