/* bundler.c - one run of the bundle tool as a supervised child.
 * Owns the child, its pipes and the memfd that it fills.  Output is read as it comes, bounded; a run that takes longer
 * than BUNDLER_LIMIT_MS is killed.  When the child has ended, its line on stdout is parsed and the memfd sealed, or its stderr
 * becomes the reason.  Called by loader.c.  The tool reads the application's files, so what it says is hostile.
 * Must not know apps, generations or what follows. */
#include "daemon/code/bundler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/proto.h"
#include "daemon/log/text.h"
#include "daemon/proc/cause.h"

enum { READ_TURNS = 16, READ_PART = 4096, MIB = 1024 * 1024 };

/* Reads what is there, keeps at most size bytes.  False at the end of the file. */
static bool read_bounded(int fd, char *data, size_t *len, size_t size)
{
    char part[READ_PART];
    for (int i = 0; i < READ_TURNS; i++) {
        ssize_t got = read(fd, part, sizeof(part));
        if (got <= 0) {
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        }
        size_t keep = size - *len < (size_t)got ? size - *len : (size_t)got;
        memcpy(data + *len, part, keep);
        *len += keep;
    }
    return true;
}

static int on_out(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)events;
    struct bundler *bundler = userdata;
    return read_bounded(fd, bundler->out, &bundler->out_len, sizeof(bundler->out))
               ? 0
               : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_error(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)events;
    struct bundler *bundler = userdata;
    return read_bounded(fd, bundler->error, &bundler->error_len, sizeof(bundler->error))
               ? 0
               : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct bundler *bundler = userdata;
    bundler->is_late = true;
    bundler_kill(bundler);
    return 0;
}

static void release(struct bundler *bundler)
{
    bundler->exit_source = sd_event_source_disable_unref(bundler->exit_source);
    bundler->out_source = sd_event_source_disable_unref(bundler->out_source);
    bundler->error_source = sd_event_source_disable_unref(bundler->error_source);
    bundler->timer = sd_event_source_disable_unref(bundler->timer);
    spawn_forget(&bundler->child);
    fd_close(&bundler->out_fd);
    fd_close(&bundler->error_fd);
    bundler->is_running = false;
}

static void set_reason(struct bundler *bundler, const char *reason)
{
    (void)snprintf(bundler->error, sizeof(bundler->error), "%s", reason);
}

/* "SHA256-HEX FILES BYTES" and a newline. */
static int parse_out(struct bundler *bundler, struct bundle *bundle)
{
    enum { HEX_LEN = BUNDLE_SHA256_MAX - 1 };
    char *out = bundler->out;
    size_t len = bundler->out_len;
    if (len == sizeof(bundler->out) || len < HEX_LEN + 2 || out[len - 1] != '\n') {
        return -EPROTO;
    }
    out[len - 1] = '\0';
    char *files = out + HEX_LEN + 1;
    char *bytes = strchr(files, ' ');
    if (strspn(out, "0123456789abcdef") != HEX_LEN || out[HEX_LEN] != ' ' || bytes == NULL) {
        return -EPROTO;
    }
    *bytes++ = '\0';
    int64_t file_count;
    int64_t byte_count;
    if (parse_int(files, 0, INT64_MAX, &file_count) < 0 ||
        parse_int(bytes, 0, INT64_MAX, &byte_count) < 0) {
        return -EPROTO;
    }
    memcpy(bundle->sha256, out, HEX_LEN);
    bundle->sha256[HEX_LEN] = '\0';
    bundle->files = (uint64_t)file_count;
    bundle->bytes = (uint64_t)byte_count;
    return 0;
}

static int take_bundle(struct bundler *bundler, struct bundle *bundle)
{
    struct stat info;
    if (parse_out(bundler, bundle) < 0 || fstat(bundler->memfd, &info) != 0 || info.st_size == 0) {
        set_reason(bundler, "the bundle tool answered in a way that this fsd does not understand");
        return FSD_EXIT_INTERNAL;
    }
    if (info.st_size > (off_t)BUNDLER_BYTES_MAX) {
        (void)snprintf(bundler->error, sizeof(bundler->error),
                       "the bundle is too large: it has %lld MiB, the limit is %d MiB",
                       ((long long)info.st_size + MIB - 1) / MIB, BUNDLER_BYTES_MAX / MIB);
        return FSD_EXIT_INTERNAL;
    }
    if (fcntl(bundler->memfd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        set_reason(bundler, "cannot seal the bundle: the tool still writes to it");
        return FSD_EXIT_INTERNAL;
    }
    bundle->fd = bundler->memfd;
    bundler->memfd = -1;
    return FSD_EXIT_OK;
}

/* The tool failed: which exit code that means, and a reason in any case. */
static int explain(struct bundler *bundler, const struct cause *cause)
{
    struct fsd_err err = {""};
    char words[CAUSE_TEXT_MAX];
    if (bundler->is_late) {
        set_reason(bundler, "the bundle tool took longer than 60 s and was killed");
        return FSD_EXIT_INTERNAL;
    }
    if (spawn_failure(&bundler->child, bundler->path, &err) < 0) {
        set_reason(bundler, err.text);
        return FSD_EXIT_INTERNAL;
    }
    char raw[BUNDLER_ERROR_MAX];
    memcpy(raw, bundler->error, bundler->error_len);
    if (text_clean(bundler->error, sizeof(bundler->error), raw, bundler->error_len) == 0) {
        cause_format(cause, true, words);
        (void)snprintf(bundler->error, sizeof(bundler->error), "the bundle tool %s", words);
    }
    bool is_about_code =
        !cause->is_signal && (cause->value == FSD_EXIT_LOAD || cause->value == FSD_EXIT_NO_INPUT);
    return is_about_code ? cause->value : FSD_EXIT_INTERNAL;
}

static int on_exit_seen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    struct bundler *bundler = userdata;
    struct cause cause;
    if (spawn_reap(&bundler->child, &cause) < 0) {
        return 0;
    }
    struct bundle bundle = {.fd = -1};
    (void)read_bounded(bundler->out_fd, bundler->out, &bundler->out_len, sizeof(bundler->out));
    (void)read_bounded(bundler->error_fd, bundler->error, &bundler->error_len,
                       sizeof(bundler->error));
    bool is_good = !cause.is_signal && cause.value == FSD_EXIT_OK;
    int code = is_good ? take_bundle(bundler, &bundle) : explain(bundler, &cause);
    release(bundler);
    fd_close(&bundler->memfd);
    bundler->on_done(bundler, code, &bundle);
    return 0;
}

static int watch(struct bundler *bundler, sd_event *loop)
{
    int error = sd_event_add_io(loop, &bundler->exit_source, bundler->child.pidfd, EPOLLIN,
                                on_exit_seen, bundler);
    if (error >= 0) {
        error =
            sd_event_add_io(loop, &bundler->out_source, bundler->out_fd, EPOLLIN, on_out, bundler);
    }
    if (error >= 0) {
        error = sd_event_add_io(loop, &bundler->error_source, bundler->error_fd, EPOLLIN, on_error,
                                bundler);
    }
    if (error >= 0) {
        error = sd_event_add_time_relative(loop, &bundler->timer, CLOCK_MONOTONIC,
                                           (uint64_t)BUNDLER_LIMIT_MS * 1000, 0, on_late, bundler);
    }
    return error < 0 ? error : 0;
}

static int run(struct bundler *bundler, const char *app, struct fsd_err *err)
{
    union {
        const char *in;
        char *out;
    } file = {.in = app}; /* execve does not write through argv */
    char program[] = "fsd-worker";
    char tool[] = "--tool";
    char verb[] = "bundle";
    char flag[] = "--app";
    char *argv[] = {program, tool, verb, flag, file.out, NULL};
    char *env[SPAWN_ENV_BASE_MAX + 1] = {NULL};
    (void)spawn_env_base(env, bundler->privilege);
    int out[2] = {-1, -1};
    int error[2] = {-1, -1};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int result;
    if (null < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
        result = fsd_err_set(err, errno, "cannot start the bundle tool: %s", strerror(errno));
    } else {
        const int fds[] = {null, out[1], error[1], bundler->memfd};
        struct spawn_order order = {bundler->path,     argv, env, fds, PROTO_FD_BUNDLE + 1,
                                    bundler->privilege};
        result = spawn_start(&order, &bundler->child, err);
    }
    bundler->out_fd = out[0];
    bundler->error_fd = error[0];
    fd_close(&null);
    fd_close(&out[1]);
    fd_close(&error[1]);
    return result;
}

int bundler_start(struct bundler *bundler, sd_event *loop, const struct bundler_tool *tool,
                  const char *app, bundler_fn on_done, struct fsd_err *err)
{
    *bundler = (struct bundler){
        .path = tool->path, .privilege = tool->privilege, .on_done = on_done, .memfd = -1};
    bundler->child = (struct spawn_child){.pidfd = -1, .error_fd = -1};
    bundler->memfd = memfd_create("fsd-bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int error = bundler->memfd < 0
                    ? fsd_err_set(err, errno, "cannot make a memfd: %s", strerror(errno))
                    : run(bundler, app, err);
    if (error == 0) {
        /* only our ends: the tool's descriptions stay blocking */
        (void)fcntl(bundler->out_fd, F_SETFL, O_NONBLOCK);
        (void)fcntl(bundler->error_fd, F_SETFL, O_NONBLOCK);
        error = watch(bundler, loop);
        if (error < 0) {
            spawn_signal(&bundler->child, SIGKILL); /* the sweep for foreign children reaps it */
            (void)fsd_err_set(err, -error, "cannot watch the bundle tool: %s", strerror(-error));
        }
    }
    if (error < 0) {
        release(bundler);
        fd_close(&bundler->memfd);
        return error;
    }
    bundler->is_running = true;
    return 0;
}

void bundler_kill(struct bundler *bundler)
{
    if (bundler->is_running) {
        spawn_signal(&bundler->child, SIGKILL);
    }
}
