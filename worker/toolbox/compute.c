/* compute.c - the helper processes of a worker, and who waits for them.
 * Owns at most two helpers (compute_tool.c), each with a socket, a pidfd and one job at a time, and the queue of jobs that wait for one.
 * A helper is started when a job finds none idle, and told to leave, by closing its socket, when it had nothing to do for ten seconds.
 * When one dies, the task whose job it had gets an Error, and the next job a new helper.  A task that is cancelled leaves its job behind:
 * the helper finishes it, and what it says is thrown away.  All of it lives in a userdata of the registry; when the Lua state is
 * closed the helpers are killed.  Called by password.c and mod_fs.c.  Must not know what the jobs are. */
#include "worker/toolbox/compute.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/core/watch.h"
#include "worker/toolbox/spawn.h"

enum {
    HELPERS = 2,
    QUEUE_MAX = 64,
    IDLE_MS = 10 * 1000,
    STATUS_INTERNAL_ERROR = 500,
    STATUS_UNAVAILABLE = 503,
};

struct compute_helper {
    struct compute *compute; /* borrowed */
    struct spawn spawn;      /* pid 0: it does not run */
    int fd;                  /* owned; -1: it was told to leave */
    bool is_busy;
    struct compute_job *job; /* borrowed; NULL while busy: nobody waits for it any more */
    struct watch answers;
    struct watch death;
    struct timer idle;
};

struct compute {
    struct runtime *runtime; /* borrowed */
    struct compute_helper helpers[HELPERS];
    struct compute_job *first; /* borrowed from the stacks of those who wait */
    struct compute_job *last;
    unsigned queued;
};

static const char key[] = "fsd.compute";

static void start_jobs(struct compute *compute);

/* What the helper need not have any more. */
static void wipe(struct compute_job *job)
{
    explicit_bzero(&job->request, sizeof(job->request));
    fd_close(&job->fd);
}

static void finish(struct compute_job *job)
{
    job->helper = NULL;
    wipe(job);
    task_wake(job->task);
}

/* Whoever waits for it is told, and the helper leaves. */
static void dismiss(struct compute_helper *helper)
{
    struct compute_job *job = helper->job;
    timer_clear(&helper->compute->runtime->loop.timers, &helper->idle);
    watch_remove(&helper->compute->runtime->loop, &helper->answers);
    fd_close(&helper->fd);
    helper->job = NULL;
    helper->is_busy = false;
    if (job != NULL) {
        job->is_lost = true;
        finish(job);
    }
}

static void on_idle(struct timer *timer)
{
    dismiss(H2O_STRUCT_FROM_MEMBER(struct compute_helper, idle, timer));
}

static void read_answer(struct compute_helper *helper)
{
    struct compute_result result;
    ssize_t size = recv(helper->fd, &result, sizeof(result), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (size != (ssize_t)sizeof(result) || !helper->is_busy) {
        dismiss(helper);
        return;
    }
    struct compute_job *job = helper->job;
    helper->is_busy = false;
    helper->job = NULL;
    loop_set_timer(&helper->compute->runtime->loop, &helper->idle, IDLE_MS, on_idle);
    if (job != NULL) {
        job->result = result;
        finish(job);
    }
}

static void on_answer(struct watch *watch, uint32_t events)
{
    struct compute_helper *helper = H2O_STRUCT_FROM_MEMBER(struct compute_helper, answers, watch);
    (void)events;
    read_answer(helper);
    start_jobs(helper->compute);
}

/* What it said before its end counts. */
static void on_death(struct watch *watch, uint32_t events)
{
    struct compute_helper *helper = H2O_STRUCT_FROM_MEMBER(struct compute_helper, death, watch);
    int status = 0;
    (void)events;
    if (helper->fd >= 0) {
        read_answer(helper);
    }
    if (helper->fd >= 0) {
        dismiss(helper);
    }
    watch_remove(&helper->compute->runtime->loop, &helper->death);
    if (spawn_reap(&helper->spawn, &status) != 0) {
        spawn_kill(&helper->spawn);
    }
    start_jobs(helper->compute);
}

/* The program that this process runs, though another may have taken its place on the disk. */
static int start_program(struct spawn *spawn, int fd)
{
    char pid[16];
    char program[] = "fsd-worker";
    char flag[] = "--tool";
    char tool[] = "compute";
    char *const argv[] = {program, flag, tool, pid, NULL};
    char *const envp[] = {NULL};
    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    const struct spawn_plan plan = {.program = "/proc/self/exe",
                                    .argv = argv,
                                    .envp = envp,
                                    .fds = {-1, -1, STDERR_FILENO, fd}};
    return spawn_start(spawn, &plan);
}

static int start_helper(struct compute_helper *helper)
{
    struct loop *loop = &helper->compute->runtime->loop;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        return -errno;
    }
    int error = start_program(&helper->spawn, fds[1]);
    (void)close(fds[1]);
    if (error == 0) {
        error = watch_add(loop, &helper->death, helper->spawn.pidfd, EPOLLIN, on_death);
    }
    if (error == 0) {
        error = watch_add(loop, &helper->answers, fds[0], EPOLLIN, on_answer);
    }
    if (error != 0) {
        watch_remove(loop, &helper->death);
        spawn_kill(&helper->spawn);
        (void)close(fds[0]);
        return error;
    }
    helper->fd = fds[0];
    return 0;
}

static void send_request(int socket, struct compute_job *job)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = &job->request, .iov_len = compute_request_size(&job->request)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (job->fd >= 0) {
        control.head = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &job->fd, sizeof(int));
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
    }
    (void)sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void give(struct compute_helper *helper, struct compute_job *job)
{
    timer_clear(&helper->compute->runtime->loop.timers, &helper->idle);
    helper->is_busy = true;
    helper->job = job;
    job->helper = helper;
    /* It has read the one before, so there is room; where it has died meanwhile, its death is told. */
    send_request(helper->fd, job);
    wipe(job);
}

/* One that is idle, or else a new one; NULL: all are busy, or leaving.  A negative errno when none can be started. */
static struct compute_helper *find_helper(struct compute *compute, int *ret_error)
{
    struct compute_helper *absent = NULL;
    *ret_error = 0;
    for (unsigned i = 0; i < HELPERS; i++) {
        struct compute_helper *helper = &compute->helpers[i];
        if (helper->spawn.pid > 0 && helper->fd >= 0 && !helper->is_busy) {
            return helper;
        }
        absent = absent == NULL && helper->spawn.pid == 0 ? helper : absent;
    }
    if (absent != NULL) {
        *ret_error = start_helper(absent);
    }
    return *ret_error == 0 ? absent : NULL;
}

static void enqueue(struct compute *compute, struct compute_job *job)
{
    job->next = NULL;
    if (compute->first == NULL) {
        compute->first = job;
    } else {
        compute->last->next = job;
    }
    compute->last = job;
    compute->queued++;
}

static void dequeue(struct compute *compute, const struct compute_job *job)
{
    struct compute_job *before = NULL;
    struct compute_job **place = &compute->first;
    while (*place != job) {
        before = *place;
        place = &before->next;
    }
    *place = job->next;
    if (compute->last == job) {
        compute->last = before;
    }
    compute->queued--;
}

static void start_jobs(struct compute *compute)
{
    while (compute->first != NULL) {
        int error = 0;
        struct compute_job *job = compute->first;
        struct compute_helper *helper = find_helper(compute, &error);
        if (helper == NULL && error == 0) {
            return;
        }
        dequeue(compute, job);
        if (helper != NULL) {
            give(helper, job);
        } else {
            job->is_lost = true;
            finish(job);
        }
    }
}

static void on_cancel(struct task_wait *wait)
{
    struct compute_job *job = H2O_STRUCT_FROM_MEMBER(struct compute_job, wait, wait);
    if (job->helper != NULL) {
        job->helper->job = NULL;
    } else {
        dequeue(job->compute, job);
    }
    wipe(job);
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct compute_job *job = H2O_STRUCT_FROM_MEMBER(struct compute_job, wait, wait);
    if (job->is_lost) {
        error_raise(L, "ComputeError", "compute.lost", STATUS_INTERNAL_ERROR,
                    "cannot finish this: the helper process has died, or could not be started");
    }
    return job->on_result(L, &job->result);
}

static int compute_gc(lua_State *L)
{
    struct compute *compute = lua_touserdata(L, 1);
    struct loop *loop = &compute->runtime->loop;
    for (unsigned i = 0; i < HELPERS; i++) {
        struct compute_helper *helper = &compute->helpers[i];
        timer_clear(&loop->timers, &helper->idle);
        watch_remove(loop, &helper->answers);
        watch_remove(loop, &helper->death);
        fd_close(&helper->fd);
        spawn_kill(&helper->spawn);
    }
    return 0;
}

/* Pushes it, too. */
static struct compute *compute_of(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) != LUA_TNIL) {
        return lua_touserdata(L, -1);
    }
    lua_pop(L, 1);
    struct compute *compute = lua_newuserdatauv(L, sizeof(*compute), 0);
    *compute = (struct compute){.runtime = runtime_of(L)};
    for (unsigned i = 0; i < HELPERS; i++) {
        compute->helpers[i] = (struct compute_helper){.compute = compute,
                                                      .spawn = {0, -1},
                                                      .fd = -1,
                                                      .answers = {.fd = -1},
                                                      .death = {.fd = -1}};
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, compute_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    return compute;
}

struct compute_job *compute_push(lua_State *L)
{
    struct task *task = task_check(L);
    struct compute *compute = compute_of(L);
    lua_pop(L, 1); /* the registry keeps it */
    struct compute_job *job = lua_newuserdatauv(L, sizeof(*job), 0);
    *job = (struct compute_job){
        .wait = {on_cancel, on_resume}, .task = task, .compute = compute, .fd = -1};
    return job;
}

int compute_run(lua_State *L, struct compute_job *job,
                int (*on_result)(lua_State *L, const struct compute_result *result))
{
    struct compute *compute = job->compute;
    int error = 0;
    job->on_result = on_result;
    struct compute_helper *helper = compute->queued > 0 ? NULL : find_helper(compute, &error);
    if (error != 0) {
        wipe(job);
        error_raise(L, "ComputeError", "compute.start", STATUS_INTERNAL_ERROR,
                    "cannot start a helper process: %s", strerror(-error));
    }
    if (helper == NULL && compute->queued >= QUEUE_MAX) {
        wipe(job);
        error_raise(L, "ComputeError", "compute.overload", STATUS_UNAVAILABLE,
                    "too many tasks wait for a helper process");
    }
    if (helper != NULL) {
        give(helper, job);
    } else {
        enqueue(compute, job);
    }
    return task_wait(L, &job->wait);
}
