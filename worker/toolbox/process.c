/* process.c - programs that run beside the loop.
 * Owns each process from its start until it is given back or was left: three pipes that do not block, the pidfd, two times.  What it
 * writes is read as it comes, up to a limit; what it reads is written as it takes it.  It ends when the program has ended: what is in its
 * pipes is read then, and nobody waits for those that it has left behind.  Whoever is to end early gets TERM, then KILL, with its group;
 * one that is left gets KILL.  Called by mod_process.c.  Must not know Lua. */
#include "worker/toolbox/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "worker/core/runtime.h"

enum { READ_BYTES = 64 * 1024, READS_A_TURN = 4, WRITE_BYTES = 64 * 1024 };

static void close_watched(struct loop *loop, struct watch *watch, int *fd)
{
    watch_remove(loop, watch);
    fd_close(fd);
}

static void free_process(struct process *process)
{
    free(process->outputs[0].bytes);
    free(process->outputs[1].bytes);
    free(process);
}

static void enlist(struct process_set *set, struct process *process)
{
    process->set = set;
    process->next = set->first;
    if (set->first != NULL) {
        set->first->previous = process;
    }
    set->first = process;
    set->count++;
}

static void unlist(struct process *process)
{
    struct process_set *set = process->set;
    if (process->previous != NULL) {
        process->previous->next = process->next;
    } else {
        set->first = process->next;
    }
    if (process->next != NULL) {
        process->next->previous = process->previous;
    }
    set->count--;
}

/* While it is not reaped, its pid can't be anybody else's, and so neither its group's. */
static void signal_group(const struct process *process, int number)
{
    if (process->spawn.pid > 0) {
        (void)kill(-process->spawn.pid, number);
    }
}

static void on_impatient(struct timer *timer)
{
    signal_group(H2O_STRUCT_FROM_MEMBER(struct process, limit, timer), SIGKILL);
}

static void end_early(struct process *process, enum process_end end)
{
    if (process->end == PROCESS_RUNS) {
        process->end = end;
        signal_group(process, SIGTERM);
        loop_set_timer(&process->runtime->loop, &process->limit, process->patience_ms,
                       on_impatient);
    }
}

static void on_limit(struct timer *timer)
{
    end_early(H2O_STRUCT_FROM_MEMBER(struct process, limit, timer), PROCESS_LATE);
}

/* Room for the next read; dies on no memory, as all of the worker. */
static void make_room(struct process_output *output)
{
    if (output->capacity - output->len >= READ_BYTES) {
        return;
    }
    output->capacity = output->capacity * 2 + READ_BYTES;
    output->bytes = realloc(output->bytes, output->capacity);
    if (output->bytes == NULL) {
        abort();
    }
}

/* What is behind the limit is read as well, so that the program can end, and thrown away. */
static bool read_once(struct process_output *output)
{
    struct process *process = output->process;
    make_room(output);
    ssize_t len = read(output->fd, output->bytes + output->len, READ_BYTES);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (len <= 0) {
        close_watched(&process->runtime->loop, &output->watch, &output->fd);
        return false;
    }
    output->len += (size_t)len;
    if (output->len > process->output_max) {
        output->len = process->output_max;
        end_early(process, PROCESS_FLOODED);
    }
    return true;
}

static void on_output(struct watch *watch, uint32_t events)
{
    struct process_output *output = H2O_STRUCT_FROM_MEMBER(struct process_output, watch, watch);
    (void)events;
    for (int i = 0; i < READS_A_TURN && read_once(output); i++) {
    }
}

static void on_input_ready(struct watch *watch, uint32_t events)
{
    struct process *process = H2O_STRUCT_FROM_MEMBER(struct process, input_watch, watch);
    size_t part = process->input_len < WRITE_BYTES ? process->input_len : WRITE_BYTES;
    (void)events;
    ssize_t len = 0;
    if (process->input_len > 0) {
        len = write(process->input_fd, process->input, part);
    }
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len > 0) {
        process->input += len;
        process->input_len -= (size_t)len;
    }
    if (len < 0 || process->input_len == 0) { /* a program need not read what it is given */
        close_watched(&process->runtime->loop, &process->input_watch, &process->input_fd);
    }
}

static void close_all(struct process *process)
{
    struct loop *loop = &process->runtime->loop;
    timer_clear(&loop->timers, &process->limit);
    close_watched(loop, &process->input_watch, &process->input_fd);
    close_watched(loop, &process->outputs[0].watch, &process->outputs[0].fd);
    close_watched(loop, &process->outputs[1].watch, &process->outputs[1].fd);
    watch_remove(loop, &process->death);
}

/* What has been written before the end is in the pipes. */
static void read_rest(struct process_output *output)
{
    while (output->fd >= 0 && output->len < output->process->output_max && read_once(output)) {
    }
}

static void on_death(struct watch *watch, uint32_t events)
{
    struct process *process = H2O_STRUCT_FROM_MEMBER(struct process, death, watch);
    (void)events;
    if (process->end != PROCESS_RUNS) {
        signal_group(process, SIGKILL); /* what the leader has left behind */
    }
    if (spawn_reap(&process->spawn, &process->status) != 0) {
        return;
    }
    if (process->end != PROCESS_LEFT) {
        read_rest(&process->outputs[0]);
        read_rest(&process->outputs[1]);
    }
    close_all(process);
    unlist(process);
    if (process->end == PROCESS_LEFT) {
        free_process(process);
        return;
    }
    process->end = process->end == PROCESS_RUNS ? PROCESS_ENDED : process->end;
    process->on_end(process);
}

/* A pipe whose end `ours` does not block. */
static int open_pipe(int fds[2], int ours)
{
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    return fcntl(fds[ours], F_SETFL, O_NONBLOCK) == 0 ? 0 : -errno;
}

/* The three pipes: [0] is read, [1] written.  The ends of ours are the program's stdin [1], and [0] of the others. */
struct pipes {
    int fds[3][2];
};

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 3; i++) {
        fd_close(&pipes->fds[i][0]);
        fd_close(&pipes->fds[i][1]);
    }
}

static int open_pipes(struct pipes *pipes, const struct process_plan *plan)
{
    int error = plan->input != NULL ? open_pipe(pipes->fds[0], 1) : 0;
    if (error == 0) {
        error = open_pipe(pipes->fds[1], 0);
    }
    if (error == 0 && plan->errors == PROCESS_STDERR_OWN) {
        error = open_pipe(pipes->fds[2], 0);
    }
    return error;
}

static int start_program(struct process *process, const struct process_plan *plan,
                         const struct pipes *pipes)
{
    struct spawn_plan spawn = plan->spawn;
    spawn.has_own_group = true;
    spawn.fds[0] = pipes->fds[0][0];
    spawn.fds[1] = pipes->fds[1][1];
    spawn.fds[2] = plan->errors == PROCESS_STDERR_OWN   ? pipes->fds[2][1]
                   : plan->errors == PROCESS_STDERR_LOG ? STDERR_FILENO
                                                        : pipes->fds[1][1];
    spawn.fds[3] = -1;
    return spawn_start(&process->spawn, &spawn);
}

static int watch_all(struct process *process, struct pipes *pipes)
{
    struct loop *loop = &process->runtime->loop;
    int error = watch_add(loop, &process->death, process->spawn.pidfd, EPOLLIN, on_death);
    for (int i = 0; error == 0 && i < 2; i++) {
        struct process_output *output = &process->outputs[i];
        if (pipes->fds[i + 1][0] >= 0) {
            error = watch_add(loop, &output->watch, pipes->fds[i + 1][0], EPOLLIN, on_output);
            output->fd = pipes->fds[i + 1][0];
            pipes->fds[i + 1][0] = -1;
        }
    }
    if (error == 0 && pipes->fds[0][1] >= 0) {
        error = watch_add(loop, &process->input_watch, pipes->fds[0][1], EPOLLOUT, on_input_ready);
        process->input_fd = pipes->fds[0][1];
        pipes->fds[0][1] = -1;
    }
    return error;
}

static struct process *make(struct runtime *runtime, const struct process_plan *plan)
{
    struct process *process = malloc(sizeof(*process));
    if (process == NULL) {
        abort();
    }
    *process = (struct process){
        .runtime = runtime,
        .spawn = {0, -1},
        .death = {.fd = -1},
        .input_fd = -1,
        .input_watch = {.fd = -1},
        .input = plan->input,
        .input_len = plan->input_len,
        .output_max = plan->output_max,
        .patience_ms = plan->patience_ms,
    };
    for (int i = 0; i < 2; i++) {
        process->outputs[i] =
            (struct process_output){.process = process, .fd = -1, .watch = {.fd = -1}};
    }
    return process;
}

int process_start(struct runtime *runtime, struct process_set *set, const struct process_plan *plan,
                  struct process **ret_process)
{
    struct pipes pipes = {{{-1, -1}, {-1, -1}, {-1, -1}}};
    struct process *process = make(runtime, plan);
    int error = open_pipes(&pipes, plan);
    if (error == 0) {
        error = start_program(process, plan, &pipes);
    }
    if (error == 0) {
        error = watch_all(process, &pipes);
    }
    close_pipes(&pipes);
    if (error != 0) {
        signal_group(process, SIGKILL);
        close_all(process);
        spawn_kill(&process->spawn);
        free_process(process);
        return error;
    }
    enlist(set, process);
    if (plan->limit_ms > 0) {
        loop_set_timer(&runtime->loop, &process->limit, plan->limit_ms, on_limit);
    }
    *ret_process = process;
    return 0;
}

void process_leave(struct process *process)
{
    if (process->spawn.pid == 0) {
        free_process(process);
        return;
    }
    process->end = PROCESS_LEFT;
    signal_group(process, SIGKILL);
    struct loop *loop = &process->runtime->loop;
    timer_clear(&loop->timers, &process->limit);
    close_watched(loop, &process->input_watch, &process->input_fd);
}

void process_set_fini(struct process_set *set)
{
    struct process *next = NULL;
    for (struct process *process = set->first; process != NULL; process = next) {
        next = process->next;
        signal_group(process, SIGKILL);
        close_all(process);
        spawn_kill(&process->spawn);
        free_process(process);
    }
    *set = (struct process_set){0};
}
