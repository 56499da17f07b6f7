/* upgrade_resume.c - takes the place of another fsd, or says beforehand whether it could.
 * Owns the program's life until the master runs.  The trial has only the state: it reads it and the configuration in it.  In earnest the
 * process has been that other program until now: its descriptors are looked at, everything else is closed, and a master is made of
 * them.  As long as that has not succeeded nothing is freed, killed or removed, and the process becomes the program before
 * again; if that could not go on either, it ends, and the service manager starts a new one.
 * Called by main.c.  Must not know what is done with the parts (upgrade_give.c). */
#include "daemon/upgrade/upgrade_resume.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/parse.h"
#include "daemon/conf/conf.h"
#include "daemon/log/text.h"
#include "daemon/master.h"
#include "daemon/upgrade/upgrade_conf.h"
#include "daemon/upgrade/upgrade_fds.h"
#include "daemon/upgrade/upgrade_passage.h"
#include "daemon/upgrade/upgrade_probe.h"
#include "daemon/verb/verb.h"
#include "daemon/verb/worker_path.h"

enum { NOTE_MAX = 2048 };

bool upgrade_resume_is_asked(int argc, char *const *argv)
{
    static const char *const options[] = {UPGRADE_PASSAGE_PROBE, UPGRADE_PASSAGE_STATE,
                                          UPGRADE_PASSAGE_BACK};
    for (size_t i = 0; argc >= 3 && i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(argv[1], options[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int read_state(int fd, struct upgrade_state *ret_state, struct fsd_err *err)
{
    const void *data = NULL;
    size_t len = 0;
    int error = fd_map_sealed(fd, &data, &len);
    if (error < 0) {
        return fsd_err_set(err, -error, "cannot read the state: %s", strerror(-error));
    }
    error = upgrade_state_decode(ret_state, data, len, err);
    fd_unmap(data, len);
    return error;
}

/* What the command line of the first program said. */
struct line {
    char worker_path[PATH_MAX];
    struct parse_address address;
    struct master_options options; /* points to the two, and into the state */
};

/* The worker's program may have moved with this version. */
static int find_worker(const char *path, char worker_path[PATH_MAX], struct fsd_err *err)
{
    return worker_path_find(path, worker_path, err) == 0 ? 0
                                                         : worker_path_find(NULL, worker_path, err);
}

static int read_line(const struct upgrade_options *from, struct line *ret, struct fsd_err *err)
{
    assert(from->address != NULL && from->control != NULL); /* the reader leaves no text out */
    bool is_run = from->address[0] != '\0';
    if (is_run && parse_address(from->address, &ret->address) < 0) {
        return fsd_err_set(err, EPROTO, "\"%s\" is no address", from->address);
    }
    ret->options = (struct master_options){
        .worker_path = ret->worker_path,
        .load = is_run ? verb_run_load : verb_serve_load,
        .source = from->source,
        .address = is_run ? &ret->address : NULL,
        .workers = (unsigned)from->workers,
        .control = from->control[0] != '\0' ? from->control : NULL,
        .shared = from->shared != NULL && from->shared[0] != '\0' ? from->shared : NULL,
        .development = from->is_development,
        .watches = from->watches};
    return find_worker(from->worker_path, ret->worker_path, err);
}

/* What can be seen without being that process.  *ret_state is to be freed in any case. */
static int read_all(int fd, pid_t pid, struct upgrade_state *ret_state, struct line *ret_line,
                    struct conf **ret_conf, struct fsd_err *err)
{
    int error = read_state(fd, ret_state, err);
    if (error == 0 && ret_state->pid != (uint64_t)pid) {
        error = fsd_err_set(err, EPROTO, "the state is of another process");
    }
    if (error == 0) {
        error = read_line(&ret_state->options, ret_line, err);
    }
    return error == 0 ? upgrade_conf_make(ret_state, &ret_line->options, ret_conf, err) : error;
}

static int probe(const char *number)
{
    struct upgrade_state state = {.control = -1};
    struct line line;
    struct conf *conf = NULL;
    struct fsd_err err = {""};
    uint64_t fd = 0;
    if (parse_digits(number, 10, INT_MAX, &fd) < 0) {
        (void)fprintf(stderr, "this is for fsd itself: use fsdctl upgrade\n");
        return FSD_EXIT_USAGE;
    }
    int error = read_all((int)fd, getppid(), &state, &line, &conf, &err);
    upgrade_state_fini(&state);
    conf_free(conf);
    if (error < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return FSD_EXIT_FAILED;
    }
    (void)printf(UPGRADE_PROBE_WORD " " FSD_VERSION "\n");
    return fflush(stdout) == 0 ? FSD_EXIT_OK : FSD_EXIT_FAILED;
}

/* All that a master needs is there and ours: nothing else lives through this. */
static int seize(const struct upgrade_state *state, const struct upgrade_passage *passage,
                 struct fsd_err *err)
{
    const int others[] = {passage->state, passage->back, passage->note};
    int error = upgrade_fds_check(state, err);
    if (error < 0) {
        return error;
    }
    error = upgrade_fds_close_rest(state, others, sizeof(others) / sizeof(others[0]));
    if (error < 0) {
        return fsd_err_set(err, -error, "%s", strerror(-error));
    }
    upgrade_fds_keep(state, false);
    (void)fcntl(passage->state, F_SETFD,
                FD_CLOEXEC); /* they are open: the state came through one */
    (void)fcntl(passage->note, F_SETFD, FD_CLOEXEC);
    (void)fcntl(passage->back, F_SETFD, FD_CLOEXEC); /* or there is none */
    return 0;
}

/* What the program wrote that has gone back. */
static void read_note(int fd, char note[NOTE_MAX])
{
    char raw[NOTE_MAX];
    ssize_t len = pread(fd, raw, sizeof(raw), 0);
    (void)text_clean(note, NOTE_MAX, raw, len > 0 ? (size_t)len : 0);
    if (note[0] == '\0') {
        (void)snprintf(note, NOTE_MAX, "the new program has gone back without saying why");
    }
}

static void close_passage(struct upgrade_passage *passage)
{
    fd_close(&passage->state);
    fd_close(&passage->back);
    fd_close(&passage->note);
}

/* The exit code, or a negative errno with a sentence: then nothing has happened yet. */
static int go_on(struct upgrade_passage *passage, bool is_back, struct upgrade_state *state,
                 struct fsd_err *err)
{
    struct line line;
    struct conf *conf = NULL;
    struct master *master = NULL;
    char note[NOTE_MAX];
    int error = read_all(passage->state, getpid(), state, &line, &conf, err);
    if (error == 0) {
        error = seize(state, passage, err);
    }
    if (error < 0) {
        conf_free(conf);
        return error;
    }
    error = master_inherit(conf, &line.options, state, &master, err);
    if (error < 0) {
        return error;
    }
    if (is_back) {
        read_note(passage->note, note);
    }
    close_passage(passage);
    return master_go_on(master, state->version, is_back ? note : NULL);
}

/* Returns only when that is not possible, with a negative errno. */
static int go_back(const struct upgrade_passage *passage, const struct upgrade_state *state,
                   const char *why)
{
    char note[NOTE_MAX];
    int len = snprintf(note, sizeof(note),
                       "the new program (fsd " FSD_VERSION ") has gone back: %s", why);
    ssize_t ignored = pwrite(passage->note, note, (size_t)(len < NOTE_MAX ? len : NOTE_MAX - 1), 0);
    (void)ignored;                 /* then the reason stands on stderr alone */
    upgrade_fds_keep(state, true); /* what is not read yet was never closed to it */
    (void)fcntl(passage->state, F_SETFD, 0);
    (void)fcntl(passage->note, F_SETFD, 0);
    return upgrade_passage_return(passage);
}

static int resume(const char *numbers, bool is_back)
{
    struct upgrade_passage passage;
    struct upgrade_state state = {.control = -1};
    struct fsd_err err = {""};
    if (upgrade_passage_parse(numbers, !is_back, &passage) < 0) {
        (void)fprintf(stderr, "fsd: this is for fsd itself: use fsdctl upgrade\n");
        return FSD_EXIT_USAGE;
    }
    (void)prctl(PR_SET_NAME, "fsd"); /* after an exec by descriptor it is a number */
    int exit_code = go_on(&passage, is_back, &state, &err);
    if (exit_code >= 0) {
        upgrade_state_fini(&state);
        return exit_code;
    }
    (void)fprintf(stderr, "fsd: cannot go on in place of the program before: %s\n", err.text);
    if (passage.back >= 0) {
        int error = go_back(&passage, &state, err.text);
        (void)fprintf(stderr, "fsd: cannot go back: %s\n", strerror(-error));
    }
    upgrade_state_fini(&state);
    return FSD_EXIT_INTERNAL; /* the workers end with us, and the service manager begins anew */
}

int upgrade_resume_main(int argc, char *const *argv)
{
    assert(upgrade_resume_is_asked(argc, argv));
    if (strcmp(argv[1], UPGRADE_PASSAGE_PROBE) == 0) {
        return probe(argv[2]);
    }
    return resume(argv[2], strcmp(argv[1], UPGRADE_PASSAGE_BACK) == 0);
}
