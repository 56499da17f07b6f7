/* upgrade.c - replaces the running program by a new one in place: same pid, same children, same sockets.
 * Owns the one upgrade that may be under way.  In this order: the new program is tried on a copy of the state, in a process of its own;
 * then, as soon as nothing is under way in the daemon, the state is written again, its descriptors are let through, and the
 * process becomes the new program (upgrade_resume.c).  Whatever fails before changes nothing; after it, the new
 * program can come back here through a descriptor of this one's file.
 * Called by methods.c and signals.c.  Must not know what the state is made of (upgrade_take.c). */
#include "daemon/upgrade/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"
#include "daemon/conf/file.h"
#include "daemon/owner.h"
#include "daemon/state.h"
#include "daemon/upgrade/upgrade_fds.h"
#include "daemon/upgrade/upgrade_passage.h"
#include "daemon/upgrade/upgrade_take.h"

enum {
    /* behind the signals: one that the loop has read and not yet told would be lost with the program */
    LOOK_PRIORITY = SD_EVENT_PRIORITY_NORMAL + 5,
};
enum { PATIENCE_MS = 10000, LOOK_MS = 20, LOOK_ACCURACY_US = 1000, WHY_MAX = 4096 };

static const char self[] = "/proc/self/exe";

/* As it was called, when that leads to us: a link that points to another version later is what is to be followed.  NULL: not so. */
static char *find_as_called(void)
{
    struct stat called;
    struct stat running;
    const char *name = program_invocation_name;
    bool is_path = strchr(name, '/') != NULL;
    if (!is_path || stat(name, &called) != 0 || stat(self, &running) != 0 ||
        called.st_dev != running.st_dev || called.st_ino != running.st_ino) {
        return NULL;
    }
    return file_absolute(name);
}

int upgrade_init(struct upgrade *upgrade)
{
    char path[FILE_PATH_MAX];
    upgrade->path = find_as_called();
    if (upgrade->path != NULL) {
        return 0;
    }
    ssize_t len = readlink(self, path, sizeof(path) - 1);
    if (len < 0) {
        return -errno;
    }
    path[len] = '\0';
    upgrade->path = strdup(path);
    return upgrade->path == NULL ? -ENOMEM : 0;
}

void upgrade_fini(struct upgrade *upgrade)
{
    upgrade_probe_stop(&upgrade->probe);
    upgrade->timer = sd_event_source_disable_unref(upgrade->timer);
    free(upgrade->path);
    upgrade->path = NULL;
}

bool upgrade_is_running(const struct master *master)
{
    return master->upgrade.is_running;
}

bool upgrade_owns(const struct master *master, pid_t pid)
{
    const struct upgrade_probe *probe = &master->upgrade.probe;
    return probe->is_running && probe->child.pid == pid;
}

static void fail(struct master *master, enum control_error code, const char *why)
{
    struct upgrade *upgrade = &master->upgrade;
    struct control_call *call = upgrade->call;
    char message[WHY_MAX + 64];
    upgrade->timer = sd_event_source_disable_unref(upgrade->timer);
    upgrade->is_running = false;
    upgrade->call = NULL;
    (void)snprintf(message, sizeof(message), "upgrade is refused, nothing is changed: %s", why);
    log_event(&master->log, LOG_LEVEL_ERROR, NULL, "daemon.upgrade_failed", message, NULL);
    manager_update(master);
    if (call != NULL) {
        control_fail(call, code, why);
    }
}

/* A memfd of the state for the next program; negative errno. */
static int write_state(const struct upgrade_state *state)
{
    unsigned char *data = NULL;
    size_t len = 0;
    int fd = upgrade_state_encode(state, &data, &len);
    if (fd == 0) {
        fd = fd_sealed_from("fsd-upgrade", data, len);
    }
    free(data);
    return fd;
}

static int open_passage(const struct upgrade_state *state, struct upgrade_passage *ret_passage)
{
    *ret_passage = (struct upgrade_passage){-1, -1, -1};
    ret_passage->state = write_state(state);
    if (ret_passage->state < 0) {
        return ret_passage->state;
    }
    ret_passage->back = open(self, O_PATH | O_CLOEXEC);
    if (ret_passage->back < 0) {
        return -errno;
    }
    ret_passage->note = memfd_create("fsd-upgrade-note", MFD_CLOEXEC);
    return ret_passage->note < 0 ? -errno : 0;
}

static void keep_passage(const struct upgrade_passage *passage)
{
    (void)fcntl(passage->state, F_SETFD, 0); /* they are open */
    (void)fcntl(passage->back, F_SETFD, 0);
    (void)fcntl(passage->note, F_SETFD, 0);
}

static void close_passage(struct upgrade_passage *passage)
{
    fd_close(&passage->state);
    fd_close(&passage->back);
    fd_close(&passage->note);
}

/* Returns only on failure, with a negative errno. */
static int cross(const struct master *master, const struct upgrade_state *state)
{
    struct upgrade_passage passage;
    int error = open_passage(state, &passage);
    if (error == 0) {
        upgrade_fds_keep(state, true);
        keep_passage(&passage);
        error = upgrade_passage_go(master->upgrade.path, &passage);
        upgrade_fds_keep(state, false);
    }
    close_passage(&passage);
    return error;
}

static void become(struct master *master)
{
    struct upgrade *upgrade = &master->upgrade;
    struct upgrade_state state;
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.upgrading",
              "another program takes over", LOG_FIELDS(log_text("path", upgrade->path)));
    int error = upgrade_take(master, upgrade->call, &state);
    if (error == 0) {
        error = cross(master, &state);
    }
    upgrade_state_fini(&state);
    char why[WHY_MAX];
    (void)snprintf(why, sizeof(why), "cannot become \"%s\": %s", upgrade->path, strerror(-error));
    fail(master, CONTROL_FAILED, why);
}

static void on_probed(struct upgrade_probe *probe, const char *version, const char *why);

/* The trial gets the state as it is now; workers and their descriptors may be others in the end, the configuration is not. */
static void start_probe(struct master *master)
{
    struct upgrade *upgrade = &master->upgrade;
    struct fsd_err err = {""};
    struct upgrade_state state;
    int error = upgrade_take(master, NULL, &state);
    int fd = error < 0 ? error : write_state(&state);
    upgrade_state_fini(&state);
    if (fd < 0) {
        error = fsd_err_set(&err, -fd, "cannot write the state: %s", strerror(-fd));
    } else {
        error =
            upgrade_probe_start(&upgrade->probe, master->loop, upgrade->path, fd, on_probed, &err);
    }
    fd_close(&fd);
    if (error < 0) {
        fail(master, CONTROL_FAILED, err.text);
    }
}

/* A worker may be starting just now, or leaving: that is over in a moment, or it takes long and the operator comes back. */
static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)usec;
    struct master *master = userdata;
    struct upgrade *upgrade = &master->upgrade;
    char what[WHY_MAX];
    bool is_possible = upgrade_take_is_possible(master, what, sizeof(what));
    if (is_possible && upgrade->is_tried) {
        become(master);
    } else if (is_possible) {
        start_probe(master);
    } else if (clock_monotonic_ms() >= upgrade->until_ms) {
        char why[WHY_MAX + 64];
        (void)snprintf(why, sizeof(why), "the daemon does not come to rest: %s; try again later",
                       what);
        fail(master, CONTROL_BUSY, why);
    } else {
        (void)sd_event_source_set_time_relative(source, (uint64_t)LOOK_MS * 1000);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT); /* of a live source */
    }
    return 0;
}

/* 0, or a negative errno. */
static int wait_for_rest(struct master *master)
{
    struct upgrade *upgrade = &master->upgrade;
    upgrade->until_ms = clock_monotonic_ms() + PATIENCE_MS;
    upgrade->timer = sd_event_source_disable_unref(upgrade->timer);
    int error = sd_event_add_time_relative(master->loop, &upgrade->timer, CLOCK_MONOTONIC, 0,
                                           LOOK_ACCURACY_US, on_look, master);
    if (error >= 0) {
        error = sd_event_source_set_priority(upgrade->timer, LOOK_PRIORITY);
    }
    return error < 0 ? error : 0;
}

static void on_probed(struct upgrade_probe *probe, const char *version, const char *why)
{
    struct upgrade *upgrade = OWNER_OF(probe, struct upgrade, probe);
    struct master *master = OWNER_OF(upgrade, struct master, upgrade);
    int error = 0;
    upgrade->is_tried = version != NULL;
    if (upgrade->is_tried) {
        error = wait_for_rest(master);
    }
    if (!upgrade->is_tried || error < 0) {
        fail(master, CONTROL_FAILED, error < 0 ? strerror(-error) : why);
    }
}

void upgrade_start(struct master *master, struct control_call *call)
{
    struct upgrade *upgrade = &master->upgrade;
    const char *obstacle = master_find_obstacle(master);
    if (obstacle != NULL) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL, "upgrade is refused",
                  LOG_FIELDS(log_text("because", obstacle)));
        if (call != NULL) {
            control_fail(call, CONTROL_BUSY, obstacle);
        }
        return;
    }
    upgrade->is_running = true;
    upgrade->is_tried = false;
    upgrade->call = call;
    manager_update(master);
    int error = wait_for_rest(master);
    if (error < 0) {
        fail(master, CONTROL_FAILED, strerror(-error));
    }
}

void upgrade_stop(struct master *master)
{
    if (upgrade_is_running(master)) {
        upgrade_probe_stop(&master->upgrade.probe);
        fail(master, CONTROL_FAILED, "the daemon is stopping");
    }
}

void upgrade_finish(struct master *master, const char *from, const char *note)
{
    struct upgrade *upgrade = &master->upgrade;
    struct control_call *call = upgrade->call;
    manager_update(master); /* the program before has said that it reloads */
    if (note != NULL) {
        fail(master, CONTROL_FAILED, note);
        return;
    }
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.upgraded",
              "this program has taken over",
              LOG_FIELDS(log_text("from", from), log_text("to", FSD_VERSION)));
    manager_update(master);
    upgrade->call = NULL;
    json_t *result = json_pack("{s:s, s:s, s:s, s:i}", "schema", "fsd.upgrade/1", "from", from,
                               "to", FSD_VERSION, "pid", (int)getpid());
    if (call != NULL && result != NULL) {
        control_answer(call, result);
    } else {
        json_decref(result);
        if (call != NULL) {
            control_fail(call, CONTROL_FAILED, "upgraded, but out of memory for the answer");
        }
    }
}
