/* proc_watch.c - what is heard of a worker process: its control channel, its log, its end.
 * Owns the event sources of struct proc but its timer.  Each thing that is heard becomes an event of incarnation.c and goes to
 * proc_step; before the end is told, what the process had still said is read.  A process that another program of ours
 * started, before an upgrade in place, is watched the same way.
 * Called by proc.c, and by the loop.  Must not know what follows from an event. */
#include "daemon/proc/proc_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/err.h"
#include "daemon/owner.h"
#include "daemon/proc/naming.h"
#include "daemon/proc/proc.h"
#include "daemon/proc/proc_log.h"
#include "daemon/proc/proc_parts.h"
#include "daemon/proc/proc_words.h"

static void on_channel_news(struct channel *channel, enum channel_news news,
                            struct wire_message *message, const char *why)
{
    struct proc *proc = OWNER_OF(channel, struct proc, channel);
    switch (news) {
    case CHANNEL_MESSAGE:
        proc_words_on_message(proc, message, proc_step);
        break;
    case CHANNEL_CLOSED:
        proc_step(proc, INCARNATION_ON_CLOSED, NULL);
        break;
    case CHANNEL_ROOM:
        naming_catch_up(&proc->member);
        break;
    case CHANNEL_BROKEN:
        proc_step(proc, INCARNATION_ON_BROKEN, why);
        break;
    }
}

static int on_exit_seen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    struct proc *proc = userdata;
    if (spawn_reap(&proc->child, &proc->cause) < 0) {
        return 0;
    }
    proc->exit_source = sd_event_source_disable_unref(proc->exit_source);
    channel_read_rest(&proc->channel); /* its last words come before its end */
    proc_log_read_rest(proc);
    members_leave(&proc->member);
    asks_leave(&proc->ask);
    struct fsd_err words = {""};
    if (spawn_failure(&proc->child, proc->setting->worker_path, &words) == 0) {
        char text[CAUSE_TEXT_MAX];
        cause_format(&proc->cause, proc->was_told, text);
        (void)fsd_err_set(&words, 0, "%s", text);
    }
    proc_step(proc, INCARNATION_ON_EXITED, words.text);
    return 0;
}

int proc_watch_open(struct proc *proc, int sock)
{
    sd_event *loop = proc->setting->loop;
    int error = channel_open(&proc->channel, loop, sock, on_channel_news);
    if (error == 0) {
        error = sd_event_add_io(loop, &proc->exit_source, proc->child.pidfd, EPOLLIN, on_exit_seen,
                                proc);
    }
    return error < 0 || proc->log_fd < 0 ? error : proc_log_open(proc);
}

void proc_watch_close(struct proc *proc)
{
    proc->exit_source = sd_event_source_disable_unref(proc->exit_source);
    proc_log_close(proc);
    channel_close(&proc->channel);
}

/* A pid may only be used while nobody else can have it: a child that is not reaped keeps its own. */
static int open_child(struct proc *proc)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)proc->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return -errno;
    }
    proc->child.pidfd = pidfd_open(proc->child.pid, 0);
    return proc->child.pidfd < 0 ? -errno : 0;
}

int proc_inherit(struct proc *proc, const struct proc_setting *setting, proc_fn on_news,
                 struct fsd_err *err)
{
    proc->child.pidfd = -1;
    proc->child.error_fd = -1; /* it has become the program long ago */
    proc->log_peer_fd = -1;
    proc->bundle_fd = -1;
    proc->config_fd = -1;
    int error = open_child(proc);
    if (error < 0) {
        return fsd_err_set(err, -error, "process %d is no child of ours: %s", (int)proc->child.pid,
                           strerror(-error));
    }
    proc->setting = setting;
    proc->on_news = on_news;
    proc->page = page_map(proc->page_fd, 0);
    proc->blackbox = blackbox_map(proc->blackbox_fd, false);
    error = proc->page == NULL || proc->blackbox == NULL
                ? -errno
                : proc_watch_open(proc, proc->channel.sock);
    return error < 0 ? fsd_err_set(err, -error, "cannot watch process %d: %s", (int)proc->child.pid,
                                   strerror(-error))
                     : 0;
}
