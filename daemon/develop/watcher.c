/* watcher.c - tells when an application's files have changed.
 * Owns the inotify descriptor and the list of the files as they were last seen.  An event is only a hint: when none has come for a
 * moment, the folders are read again, and what is different from the list is the change; so it does not matter how an editor saves,
 * or which events the kernel has dropped.  When much changes at once (another branch is checked out) the moment is longer, and a
 * file that was written just now says that it is not over.
 * Called by develop.c.  Must not know what follows a change. */
#include "daemon/develop/watcher.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"
#include "daemon/develop/scan.h"

enum {
    QUIET_US = 20000,    /* an editor writes, renames and sets permissions */
    LONGEST_US = 500000, /* somebody who never stops writing is not waited for */
    MANY = 10,           /* hints or files: no editor, but a program that goes through the tree */
    QUIET_MANY_US = 150000,
    LONGEST_MANY_US = 5000000,
    RETRY_US = 1000000,
    NAMES_MAX = 1024,
    READS_MAX = 16, /* of one turn */
};

static int wait_until_quiet(struct watcher *watcher, uint64_t delay_us)
{
    int error = sd_event_source_set_time_relative(watcher->timer, delay_us);
    return error < 0 ? error : sd_event_source_set_enabled(watcher->timer, SD_EVENT_ONESHOT);
}

static uint64_t get_quiet_us(const struct watcher *watcher)
{
    return watcher->hints > MANY ? QUIET_MANY_US : QUIET_US;
}

/* Those who wait have waited long enough. */
static bool is_overdue(const struct watcher *watcher)
{
    uint64_t longest_us = watcher->hints > MANY ? LONGEST_MANY_US : LONGEST_US;
    return clock_monotonic_us() - watcher->since_us >= longest_us;
}

/* The folder itself is gone, or the file that a link leads to is another one. */
static bool is_about_watched(uint32_t mask)
{
    uint32_t changes = IN_CLOSE_WRITE | IN_ATTRIB;
    return (mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0 ||
           ((mask & changes) != 0 && (mask & IN_ISDIR) == 0);
}

static void note_event(struct watcher *watcher, const struct inotify_event *event)
{
    bool is_folder = (event->mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF)) != 0;
    bool is_named = event->len > 0;
    bool is_lost = (event->mask & IN_Q_OVERFLOW) != 0;
    bool is_own = !is_named && is_about_watched(event->mask);
    bool is_about_code = is_named && scan_is_wanted(event->name, is_folder);
    if (!is_lost && !is_own && !is_about_code) {
        return;
    }
    uint32_t moves = IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
    watcher->has_moved = watcher->has_moved || (is_folder && (event->mask & moves) != 0);
    if (!watcher->is_waiting) {
        watcher->is_waiting = true;
        watcher->since_us = clock_monotonic_us();
        watcher->hints = 0;
    } else if (is_overdue(watcher)) {
        return; /* the timer that is set will do */
    }
    watcher->hints = is_lost ? MANY + 1 : watcher->hints + 1;
    /* cannot fail: the source is there and the loop runs */
    (void)wait_until_quiet(watcher, get_quiet_us(watcher));
}

static void read_events(struct watcher *watcher)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buf;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t len = read(watcher->inotify_fd, &buf, sizeof(buf));
        if (len <= 0) {
            return;
        }
        for (size_t at = 0; at < (size_t)len;) {
            const struct inotify_event *event = (const void *)(buf.bytes + at);
            note_event(watcher, event);
            at += sizeof(*event) + event->len;
        }
    }
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    read_events(userdata);
    return 0;
}

static void forget_folders(struct watcher *watcher)
{
    watcher->events = sd_event_source_disable_unref(watcher->events);
    fd_close(&watcher->inotify_fd);
}

/* Folders that are gone from the tree would go on to be watched under their old names: all are given up, then. */
static int look(struct watcher *watcher, struct sources *ret, struct fsd_err *err)
{
    if (watcher->has_moved) {
        forget_folders(watcher);
    }
    if (watcher->events == NULL) {
        int error = 0;
        watcher->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watcher->inotify_fd < 0) {
            error = -errno;
        } else {
            error = sd_event_add_io(watcher->loop, &watcher->events, watcher->inotify_fd, EPOLLIN,
                                    on_events, watcher);
        }
        if (error < 0) {
            fd_close(&watcher->inotify_fd);
            return fsd_err_set(err, -error, "cannot watch \"%s\": %s", watcher->root,
                               error == -EMFILE ? "fs.inotify.max_user_instances is reached"
                                                : strerror(-error));
        }
    }
    watcher->has_moved = false;
    return scan_folder(watcher->root, watcher->inotify_fd, ret, err);
}

/* Files that came into a folder before it was watched gave no hint. */
static bool is_still_written(struct watcher *watcher, const struct sources *seen, size_t count)
{
    watcher->hints = count > MANY ? MANY + 1 : watcher->hints;
    int64_t age_ns = (int64_t)clock_wall_us() * 1000 - seen->newest_ns;
    bool is_fresh = age_ns >= 0 && (uint64_t)age_ns < get_quiet_us(watcher) * 1000;
    return count > 0 && is_fresh && !is_overdue(watcher);
}

static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct watcher *watcher = userdata;
    struct sources seen = {.rows = NULL};
    struct fsd_err err = {""};
    if (look(watcher, &seen, &err) < 0) {
        watcher->is_waiting = false;
        bool is_news = !watcher->is_failing;
        watcher->is_failing = true;
        watcher->has_moved = true;
        (void)wait_until_quiet(watcher, RETRY_US); /* as above */
        if (is_news) {
            watcher->on_change(watcher, NULL, err.text);
        }
        return 0;
    }
    char names[NAMES_MAX];
    size_t count = sources_compare(&watcher->known, &seen, names, sizeof(names));
    if (is_still_written(watcher, &seen, count)) {
        sources_fini(&seen);
        (void)wait_until_quiet(watcher, get_quiet_us(watcher)); /* as above */
        return 0;
    }
    sources_fini(&watcher->known);
    watcher->is_waiting = false;
    watcher->known = seen;
    watcher->is_failing = false;
    if (count > 0) {
        watcher->on_change(watcher, names, NULL);
    }
    return 0;
}

/* The folder of the main file, links resolved: the bundle tool finds it like this. */
static char *find_root(const char *main_file)
{
    char *path = realpath(main_file, NULL);
    char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0'; /* "" for one that is in "/": its names begin there */
    }
    return path;
}

int watcher_open(struct watcher *watcher, sd_event *loop, const char *main_file,
                 watcher_fn on_change, struct fsd_err *err)
{
    *watcher = (struct watcher){.loop = loop, .on_change = on_change, .inotify_fd = -1};
    watcher->root = find_root(main_file);
    if (watcher->root == NULL) {
        return fsd_err_set(err, errno, "cannot watch \"%s\": %s", main_file, strerror(errno));
    }
    int error = watcher->root[0] == '\0'
                    ? fsd_err_set(err, EFBIG, "cannot watch \"/\": it is not a folder of code")
                    : 0;
    if (error == 0) {
        error = sd_event_add_time_relative(loop, &watcher->timer, CLOCK_MONOTONIC, 0, 1000,
                                           on_quiet, watcher);
        error = error < 0 ? fsd_err_set(err, -error, "cannot watch the files: %s", strerror(-error))
                          : sd_event_source_set_enabled(watcher->timer, SD_EVENT_OFF);
    }
    if (error >= 0) {
        error = look(watcher, &watcher->known, err);
    }
    if (error < 0) {
        watcher_close(watcher);
        return error;
    }
    return 0;
}

bool watcher_is_waiting(struct watcher *watcher)
{
    if (watcher->events != NULL) {
        read_events(watcher);
    }
    return watcher->is_waiting;
}

void watcher_close(struct watcher *watcher)
{
    if (watcher->root == NULL) {
        return;
    }
    forget_folders(watcher);
    watcher->timer = sd_event_source_disable_unref(watcher->timer);
    sources_fini(&watcher->known);
    free(watcher->root);
    *watcher = (struct watcher){.inotify_fd = -1};
}
