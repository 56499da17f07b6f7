/* develop.c - for who develops with `fsd run`: a file that is saved is reloaded, and one line says what came of it.
 * Owns the watcher and the names of what has changed since the last reload.  A change asks for the same reload as an operator does; while
 * nothing may be changed it asks again.  The end of every reload is told on stdout, that of a failed one with the lines of
 * the source that it is about.  Where stdout and the log are one terminal, the log leaves out what is told like this.
 * Called by master.c (start), setup.c (stop), reload.c (ends) and the watcher.  Must not know how code is reloaded. */
#include "daemon/develop/develop.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "daemon/conf/file.h"
#include "daemon/develop/excerpt.h"
#include "daemon/master.h"
#include "daemon/owner.h"
#include "daemon/state.h"

enum { SLOW_US = 2000000 }; /* code that loads so long may have no end */
enum { RETRY_US = 100000, SOURCE_BYTES_MAX = 1024 * 1024, TEXT_MAX = 4096, WHY_SHOWN_MAX = 2048 };

static const char tool_prefix[] = "fsd: error: "; /* of what the bundle tool itself has to say */

/* A terminal that is stopped, or a pipe that nobody reads, must not stop the daemon: then the text is left out.  A pipe that
 * says it can be written to has room for TEXT_MAX bytes. */
static void say(const char *text)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
        (void)fputs(text, stdout);
        (void)fflush(stdout); /* a closed stdout is the starter's choice */
    }
}

static void ask_after(struct develop *develop, uint64_t delay_us)
{
    /* cannot fail: the source is there and the loop runs */
    (void)sd_event_source_set_time_relative(develop->retry, delay_us);
    (void)sd_event_source_set_enabled(develop->retry, SD_EVENT_ONESHOT);
}

static void add_names(struct develop *develop, const char *names)
{
    size_t len = strlen(develop->wanted);
    if (strstr(develop->wanted, names) == NULL) {
        (void)snprintf(develop->wanted + len, sizeof(develop->wanted) - len, "%s%s",
                       len > 0 ? ", " : "", names);
    }
}

static bool is_ours(const struct master *master)
{
    return master->develop.asked[0] != '\0' && reload_is_running(master);
}

static bool is_slow(const struct master *master)
{
    return is_ours(master) && clock_monotonic_us() - master->develop.since_us >= SLOW_US;
}

static void start(struct master *master)
{
    struct develop *develop = &master->develop;
    memcpy(develop->asked, develop->wanted, sizeof(develop->asked));
    develop->wanted[0] = '\0';
    develop->since_us = clock_monotonic_us();
    ask_after(develop, SLOW_US);
    reload_start(master, NULL, false);
}

/* Nobody wants to wait for the end of code that he has mended: what is asked for next brings all. */
static void give_up(struct master *master)
{
    struct develop *develop = &master->develop;
    char asked[DEVELOP_NAMES_MAX];
    memcpy(asked, develop->asked, sizeof(asked));
    develop->gives_up = true;
    if (reload_give_up(master, "a file was saved meanwhile")) {
        add_names(develop, asked);
    }
    develop->gives_up = false;
}

/* A reload that runs may have read the files before: it is waited for, not joined. */
static void ask(struct master *master)
{
    struct develop *develop = &master->develop;
    char text[TEXT_MAX];
    if (master->phase == MASTER_STOPPING) {
        return;
    }
    if (develop->wanted[0] == '\0') {
        if (is_slow(master)) {
            (void)snprintf(text, sizeof(text), "still loading: %s\n", develop->asked);
            say(text);
        } else if (is_ours(master)) {
            ask_after(develop, RETRY_US); /* the loop's clock is behind, so its timers are early */
        }
        return;
    }
    if (is_slow(master)) {
        give_up(master);
    }
    if (!master->was_ready || master_find_obstacle(master) != NULL) {
        ask_after(develop, RETRY_US);
        return;
    }
    start(master);
}

/* Whoever writes just now is waited for: else what he has begun is one reload, and the rest another. */
static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct master *master = userdata;
    if (watcher_is_waiting(&master->develop.watcher)) {
        ask_after(&master->develop, RETRY_US);
    } else {
        ask(master);
    }
    return 0;
}

static void on_change(struct watcher *watcher, const char *names, const char *why)
{
    struct develop *develop = OWNER_OF(watcher, struct develop, watcher);
    struct master *master = OWNER_OF(develop, struct master, develop);
    char text[TEXT_MAX];
    if (names == NULL) {
        (void)snprintf(text, sizeof(text), "%s\n", why);
        say(text);
        return;
    }
    add_names(develop, names);
    ask(master);
}

/* "" when the message is about none of the application's files. */
static void read_excerpt(const struct watcher *watcher, const char *why, char text[EXCERPT_MAX])
{
    struct excerpt_place place;
    struct fsd_err err;
    char path[PATH_MAX];
    char *source = NULL;
    size_t len = 0;
    text[0] = '\0';
    if (!excerpt_find_place(why, &place)) {
        return;
    }
    size_t root_len = strlen(watcher->root);
    bool is_absolute =
        strncmp(place.name, watcher->root, root_len) == 0 && place.name[root_len] == '/';
    const char *name = is_absolute ? place.name + root_len + 1 : place.name;
    if (sources_find(&watcher->known, name) == NULL) {
        return; /* whatever a worker may say: no other file is shown */
    }
    int path_len = snprintf(path, sizeof(path), "%s/%s", watcher->root, name);
    if ((size_t)path_len < sizeof(path) &&
        file_read(path, SOURCE_BYTES_MAX, false, &source, &len, &err) == 0) {
        excerpt_format(source, len, place.line, text);
    }
    free(source);
}

/* Without the worker that said it: all have the same code. */
static size_t cut_worker(const char *line, size_t len)
{
    static const char word[] = " (worker ";
    const char *last = NULL;
    for (const char *at = strstr(line, word); at != NULL && at < line + len;
         at = strstr(at + 1, word)) {
        last = at;
    }
    return last != NULL && line[len - 1] == ')' ? (size_t)(last - line) : len;
}

/* One line, with the file's name as the developer knows it; the log has the rest. */
static void say_failure(const struct watcher *watcher, const char *what, const char *why)
{
    char excerpt[EXCERPT_MAX];
    char text[TEXT_MAX];
    read_excerpt(watcher, why, excerpt);
    if (strncmp(why, tool_prefix, sizeof(tool_prefix) - 1) == 0) {
        why += sizeof(tool_prefix) - 1;
    }
    size_t root_len = strlen(watcher->root);
    if (strncmp(why, watcher->root, root_len) == 0 && why[root_len] == '/') {
        why += root_len + 1;
    }
    size_t len = cut_worker(why, strcspn(why, "\n"));
    if (why[len] != '\0' && len > 0 && why[len - 1] == ':') {
        len--; /* "module 'x' not found:" */
    }
    (void)snprintf(text, sizeof(text), "%s: %.*s\n%s", what,
                   (int)(len < WHY_SHOWN_MAX ? len : WHY_SHOWN_MAX), why, excerpt);
    say(text);
}

static void say_done(const struct master *master)
{
    const struct develop *develop = &master->develop;
    const struct app *app = master->inventory.apps[0];
    bool is_taken_back = app->setback.from != 0 && app->setback.to == 0;
    char text[TEXT_MAX];
    if (develop->asked[0] != '\0') {
        (void)snprintf(text, sizeof(text), "reloaded in %" PRIu64 " ms: %s\n",
                       (clock_monotonic_us() - develop->since_us) / 1000, develop->asked);
    } else if (app->store.running.origin == 0) {
        (void)snprintf(text, sizeof(text), "reloaded\n");
    } else { /* what is on the disk waits until it is saved again */
        (void)snprintf(text, sizeof(text), "rolled back%s%s\n", is_taken_back ? ": " : "",
                       is_taken_back ? app->setback.why : "");
    }
    say(text);
}

void develop_on_reloaded(struct master *master, const char *why)
{
    struct develop *develop = &master->develop;
    if (develop->retry == NULL || master->phase == MASTER_STOPPING) {
        return;
    }
    if (develop->gives_up) {
        develop->asked[0] = '\0'; /* the next one is told of */
        return;
    }
    if (why != NULL) {
        say_failure(&develop->watcher, "not reloaded", why);
    } else {
        say_done(master);
    }
    develop->asked[0] = '\0';
    ask_after(develop, 0); /* what was saved meanwhile; not from inside the end of this one */
}

void develop_on_not_loaded(struct master *master, const char *why)
{
    if (master->develop.retry != NULL) {
        say_failure(&master->develop.watcher, "not loaded", why);
    }
}

void develop_start(struct master *master)
{
    struct develop *develop = &master->develop;
    struct fsd_err err = {""};
    char text[TEXT_MAX];
    int error = sd_event_add_time_relative(master->loop, &develop->retry, CLOCK_MONOTONIC, 0, 1000,
                                           on_retry, master);
    if (error >= 0) {
        error = sd_event_source_set_enabled(develop->retry, SD_EVENT_OFF);
    }
    if (error < 0) {
        (void)fsd_err_set(&err, -error, "cannot watch the files: %s", strerror(-error));
    } else {
        error = watcher_open(&develop->watcher, master->loop, master->inventory.apps[0]->path,
                             on_change, &err);
    }
    /* both on one screen, where the same should not be said twice */
    master->log.omits_reloads =
        error >= 0 && master->log.standard.kind == LOG_FD_TERMINAL && isatty(STDOUT_FILENO) == 1;
    if (error < 0) {
        develop_stop(master);
        (void)snprintf(text, sizeof(text), "%s (--no-watch: don't try)\n", err.text);
        say(text);
    }
}

uint64_t develop_get_seen(const struct develop *develop)
{
    bool is_loaded = develop->retry != NULL && develop->wanted[0] == '\0';
    return is_loaded ? sources_digest(&develop->watcher.known) : 0;
}

void develop_go_on(struct master *master)
{
    struct develop *develop = &master->develop;
    develop_start(master);
    if (develop->retry != NULL && sources_digest(&develop->watcher.known) != develop->seen) {
        (void)snprintf(develop->wanted, sizeof(develop->wanted),
                       "what was saved during the upgrade");
        ask_after(develop, 0);
    }
}

void develop_stop(struct master *master)
{
    watcher_close(&master->develop.watcher);
    master->develop.retry = sd_event_source_disable_unref(master->develop.retry);
    master->log.omits_reloads = false;
}
