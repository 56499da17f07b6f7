/* log.c - writes the log to the descriptor that the daemon was started with.
 * Owns the line buffer, and a descriptor of its own when the log is a terminal (stopped by ^S it must not stop us).  The
 * inherited description is never made non-blocking, since others share it; instead poll says whether PIPE_BUF bytes
 * fit.  What does not fit or fails (ENOSPC, EPIPE) is dropped and counted; one notice says how many once it heals.
 * Called from everywhere in the daemon that stops passing an error on.  Must not know what is logged. */
#include "daemon/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"

static int reopen_terminal(int fd)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void log_init(struct log *log, int fd, enum conf_log_format format, enum log_level level)
{
    struct stat info;
    *log = (struct log){.fd = fd, .level = level};
    log->event_id =
        clock_wall_us() / 1000; /* above those of runs before: they made fewer than one each ms */
    log->is_socket = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
    bool is_terminal = isatty(fd) == 1;
    int own = is_terminal ? reopen_terminal(fd) : -1;
    if (own >= 0) {
        log->fd = own;
        log->owns_fd = true;
    }
    if (format == CONF_LOG_JSON) {
        log->form = LOG_FORM_JSON;
    } else {
        log->form = is_terminal && getenv("NO_COLOR") == NULL ? LOG_FORM_COLOUR : LOG_FORM_TEXT;
    }
}

void log_fini(struct log *log)
{
    if (log->owns_fd) {
        fd_close(&log->fd);
    }
}

/* At most PIPE_BUF bytes, as many as the descriptor takes without blocking; 0 or negative: none. */
static ssize_t write_some(const struct log *log, const char *at, size_t len)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
        return 0;
    }
    size_t part = len < PIPE_BUF ? len : PIPE_BUF;
    ssize_t wrote;
    do {
        wrote = log->is_socket ? send(log->fd, at, part, MSG_DONTWAIT | MSG_NOSIGNAL)
                               : write(log->fd, at, part);
    } while (wrote < 0 && errno == EINTR);
    return wrote;
}

static bool write_line(struct log *log, const char *line, size_t len)
{
    if (log->is_mid_line) {
        if (write_some(log, "\n", 1) != 1) {
            return false;
        }
        log->is_mid_line = false;
    }
    size_t done = 0;
    while (done < len) {
        ssize_t wrote = write_some(log, line + done, len - done);
        if (wrote <= 0) {
            log->is_mid_line = done > 0;
            return false;
        }
        done += (size_t)wrote;
    }
    return true;
}

static bool write_record(struct log *log, const struct log_record *record)
{
    return write_line(log, log->line,
                      log_line_format(record, log->form, log->line, sizeof(log->line)));
}

static bool tell_dropped(struct log *log)
{
    static const char message[] = "log lines were dropped";
    struct log_record record = {.level = LOG_LEVEL_WARNING,
                                .wall_us = clock_wall_us(),
                                .subject = {.pid = getpid()},
                                .message = message,
                                .message_len = sizeof(message) - 1,
                                .field_count = 1};
    record.fields[0] = log_int("lines", (int64_t)log->dropped);
    return write_record(log, &record);
}

bool log_put(struct log *log, const struct log_record *record)
{
    if (record->level > log->level) {
        return true;
    }
    if (log->dropped > 0 && tell_dropped(log)) {
        log->dropped = 0;
    }
    if (log->dropped > 0 || !write_record(log, record)) {
        log->dropped++;
        return false;
    }
    return true;
}

void log_count_lost(struct log *log, const struct log_subject *subject, uint64_t records)
{
    struct log_record record = {.level = LOG_LEVEL_WARNING,
                                .wall_us = clock_wall_us(),
                                .subject = *subject,
                                .message = "worker dropped log records",
                                .field_count = 1};
    record.message_len = strlen(record.message);
    record.fields[0] = log_int("records", (int64_t)records);
    if (!log_put(log, &record)) {
        log->dropped += records; /* told with the rest, when it heals */
    }
}

static void say(struct log *log, enum log_level level, const struct log_subject *subject,
                const char *event, const char *message, const struct log_field *fields)
{
    struct log_record record = {.level = level,
                                .wall_us = clock_wall_us(),
                                .message = message,
                                .message_len = strlen(message),
                                .event = event};
    if (event != NULL) {
        record.event_id = ++log->event_id;
    }
    if (subject == NULL) {
        record.subject.pid = getpid();
    } else {
        record.subject = *subject;
    }
    while (fields != NULL && fields->key != NULL && record.field_count < LOG_FIELDS_MAX) {
        record.fields[record.field_count++] = *fields++;
    }
    (void)log_put(log, &record); /* a line that is lost is counted */
}

void log_write(struct log *log, enum log_level level, const struct log_subject *subject,
               const char *message, const struct log_field *fields)
{
    say(log, level, subject, NULL, message, fields);
}

void log_event(struct log *log, enum log_level level, const struct log_subject *subject,
               const char *event, const char *message, const struct log_field *fields)
{
    say(log, level, subject, event, message, fields);
}
