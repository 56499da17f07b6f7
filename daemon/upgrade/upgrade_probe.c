/* upgrade_probe.c - tries whether another program could go on with our state, without giving it anything.
 * Owns one child and the pipe that it prints to.  It gets the state and nothing else, and what it says is taken as hostile: only an exit
 * of 0 with the one line that is expected counts.  One that takes longer than 10 s is killed.
 * Called by upgrade.c.  Must not know what follows. */
#include "daemon/upgrade/upgrade_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/log/text.h"
#include "daemon/proc/cause.h"
#include "daemon/upgrade/upgrade_passage.h"

enum { LIMIT_MS = 10000, TIMER_ACCURACY_US = 10000, OUT_MAX = 4096, FDS = 4, STATE_NUMBER = 3 };

static void release(struct upgrade_probe *probe)
{
    probe->ended = sd_event_source_disable_unref(probe->ended);
    probe->timer = sd_event_source_disable_unref(probe->timer);
    spawn_forget(&probe->child);
    fd_close(&probe->out_fd);
    probe->is_running = false;
}

/* The version in the line of a program that could go on. */
static bool parse_answer(const char *text, char version[UPGRADE_VERSION_MAX])
{
    static const char word[] = UPGRADE_PROBE_WORD " ";
    size_t len = strlen(text);
    size_t begin = sizeof(word) - 1;
    if (strncmp(text, word, begin) != 0 || len <= begin + 1 || text[len - 1] != '\n' ||
        len - begin > UPGRADE_VERSION_MAX || strchr(text, '\n') != text + len - 1) {
        return false;
    }
    (void)snprintf(version, UPGRADE_VERSION_MAX, "%.*s", (int)(len - begin - 1), text + begin);
    return true;
}

/* Its own words, or how it ended. */
static void explain(const struct upgrade_probe *probe, const struct cause *cause, const char *out,
                    char *why, size_t size)
{
    struct fsd_err err = {""};
    char words[CAUSE_TEXT_MAX];
    cause_format(cause, true, words);
    if (probe->is_late) {
        (void)snprintf(why, size, "\"%s\" did not finish its trial within %d s", probe->path,
                       LIMIT_MS / 1000);
    } else if (spawn_failure(&probe->child, probe->path, &err) < 0) {
        (void)snprintf(why, size, "%s", err.text);
    } else if (cause->is_signal || *out == '\0') {
        (void)snprintf(why, size, "\"%s\" %s in its trial", probe->path, words);
    } else if (cause->value == 0) {
        (void)snprintf(why, size, "\"%s\" is no fsd that can go on", probe->path);
    } else {
        char clean[OUT_MAX];
        (void)text_clean(clean, sizeof(clean), out, strlen(out));
        (void)snprintf(why, size, "\"%s\" %s in its trial: %s", probe->path, words, clean);
    }
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    struct upgrade_probe *probe = userdata;
    struct cause cause;
    char out[OUT_MAX];
    char why[2 * OUT_MAX];
    char version[UPGRADE_VERSION_MAX];
    if (spawn_reap(&probe->child, &cause) < 0) {
        return 0;
    }
    ssize_t len = read(probe->out_fd, out, sizeof(out) - 1);
    out[len > 0 ? len : 0] = '\0';
    bool is_good =
        !probe->is_late && !cause.is_signal && cause.value == 0 && parse_answer(out, version);
    if (!is_good) {
        explain(probe, &cause, out, why, sizeof(why));
    }
    release(probe);
    probe->on_done(probe, is_good ? version : NULL, is_good ? NULL : why);
    return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct upgrade_probe *probe = userdata;
    probe->is_late = true;
    spawn_signal(&probe->child, SIGKILL);
    return 0;
}

static int start_child(struct upgrade_probe *probe, int state_fd, struct fsd_err *err)
{
    union {
        const char *in;
        char *out;
    } program = {.in = probe->path};
    char option[] = UPGRADE_PASSAGE_PROBE;
    char number[] = "3";
    _Static_assert(STATE_NUMBER == 3, "its text");
    char *argv[] = {program.out, option, number, NULL};
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) {
        return fsd_err_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    }
    probe->out_fd = out[0];
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK); /* something of its own may hold the other end */
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[FDS] = {null, out[1], out[1], state_fd};
    struct spawn_order order = {probe->path, argv, environ, fds, FDS, NULL};
    int error = null < 0 ? fsd_err_set(err, errno, "cannot open \"/dev/null\": %s", strerror(errno))
                         : spawn_start(&order, &probe->child, err);
    fd_close(&null);
    fd_close(&out[1]);
    return error;
}

int upgrade_probe_start(struct upgrade_probe *probe, sd_event *loop, const char *path, int state_fd,
                        upgrade_probe_fn on_done, struct fsd_err *err)
{
    *probe = (struct upgrade_probe){.child = {.pidfd = -1, .error_fd = -1},
                                    .out_fd = -1,
                                    .path = path,
                                    .on_done = on_done,
                                    .is_running = true};
    int error = start_child(probe, state_fd, err);
    if (error < 0) {
        release(probe);
        return error;
    }
    error = sd_event_add_io(loop, &probe->ended, probe->child.pidfd, EPOLLIN, on_ended, probe);
    if (error >= 0) {
        error = sd_event_add_time_relative(loop, &probe->timer, CLOCK_MONOTONIC,
                                           (uint64_t)LIMIT_MS * 1000, TIMER_ACCURACY_US, on_late,
                                           probe);
    }
    if (error < 0) {
        upgrade_probe_stop(probe);
        return fsd_err_set(err, -error, "cannot watch the trial: %s", strerror(-error));
    }
    return 0;
}

/* The sweep for foreign children reaps it. */
void upgrade_probe_stop(struct upgrade_probe *probe)
{
    if (probe->is_running) {
        spawn_signal(&probe->child, SIGKILL);
        release(probe);
    }
}
