/* log.c - the daemon's log: which records are written, where to, and what becomes of those that can't be.
 * Owns the buffer in which a record is rendered, and the three places: stderr, the file of log.path, and the journal when that is
 * what stderr leads to.  A place that takes nothing now (full pipe, full disk, EIO, hung journal) loses records; they are
 * counted, and one notice says how many once it heals.  The hub gets every record all the same.
 * Called from everywhere in the daemon that stops passing an error on.  Must not know what is logged. */
#include "daemon/log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "daemon/log/log_hub.h"
#include "daemon/log/log_journal.h"

enum { RETRY_MS = 30 * 1000, FLUSH_US = 20 * 1000 };

_Static_assert((int)LOG_JOURNAL_MAX >= (int)LOG_LINE_MAX, "log->line has room for both");

static bool leads_to_journal(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 &&
           log_journal_is_stream(getenv("JOURNAL_STREAM"), info.st_dev, info.st_ino);
}

void log_init(struct log *log, int fd, enum conf_log_format format, enum log_level level)
{
    *log = (struct log){.file.fd = -1, .journal.fd = -1, .level = level};
    log->event_id =
        clock_wall_us() / 1000; /* above those of runs before: they made fewer than one each ms */
    log_fd_init(&log->standard, fd);
    log_set(log, format, level);
}

void log_set(struct log *log, enum conf_log_format format, enum log_level level)
{
    log->level = level;
    if (format == CONF_LOG_JSON) {
        log->form = LOG_FORM_JSON; /* also for the journal: it was asked for */
        log_socket_fini(&log->journal);
        return;
    }
    bool is_coloured = log->standard.kind == LOG_FD_TERMINAL && getenv("NO_COLOR") == NULL;
    log->form = is_coloured ? LOG_FORM_COLOUR : LOG_FORM_TEXT;
    if (log->journal.fd < 0 && leads_to_journal(log->standard.fd)) {
        (void)log_open_journal(log, LOG_SOCKET_JOURNAL); /* if not, it gets plain lines */
    }
}

int log_open_journal(struct log *log, const char *path)
{
    log_socket_fini(&log->journal);
    return log_socket_open(&log->journal, path); /* fd stays -1 when that fails */
}

static void start_flush(const struct log *log)
{
    if (log->flush != NULL && log_socket_is_waiting(&log->journal)) {
        (void)sd_event_source_set_time_relative(log->flush, FLUSH_US);
        (void)sd_event_source_set_enabled(log->flush, SD_EVENT_ONESHOT); /* of a live source */
    }
}

static int on_flush(sd_event_source *source, uint64_t now_us, void *userdata)
{
    (void)source;
    (void)now_us;
    struct log *log = userdata;
    log_socket_flush(&log->journal);
    start_flush(log);
    return 0;
}

int log_attach(struct log *log, sd_event *loop)
{
    int error = sd_event_add_time_relative(loop, &log->flush, CLOCK_MONOTONIC, 0, 0, on_flush, log);
    return error < 0 ? error : sd_event_source_set_enabled(log->flush, SD_EVENT_OFF);
}

void log_fini(struct log *log)
{
    log->flush = sd_event_source_disable_unref(log->flush);
    log_fd_fini(&log->standard);
    log_fd_fini(&log->file);
    log_socket_fini(&log->journal);
    free(log->path);
    log->path = NULL;
}

static int open_file(struct log *log, struct fsd_err *err)
{
    struct log_fd file;
    log->retry_ms = clock_monotonic_ms() + RETRY_MS;
    int error = log_fd_open(&file, log->path, err);
    if (error < 0) {
        return error;
    }
    log_fd_fini(&log->file);
    log->file = file;
    return 0;
}

int log_open_file(struct log *log, const char *path, struct fsd_err *err)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        return fsd_err_set(err, ENOMEM, "cannot open log file \"%s\": out of memory", path);
    }
    free(log->path);
    log->path = copy;
    return open_file(log, err);
}

int log_reopen(struct log *log, struct fsd_err *err)
{
    if (log->path == NULL) {
        return 0;
    }
    int error = open_file(log, err);
    if (error < 0) {
        return error;
    }
    log_event(log, LOG_LEVEL_NOTICE, NULL, "log.reopened", "log file is opened again",
              LOG_FIELDS(log_text("path", log->path)));
    return 1;
}

/* The file could not be opened at start: the records go to stderr until it can. */
static void retry_file(struct log *log)
{
    if (log->path != NULL && log->file.fd < 0 && clock_monotonic_ms() >= log->retry_ms) {
        (void)log_reopen(log, NULL); /* why not has been said at start */
    }
}

static bool write_record(struct log *log, const struct log_record *record)
{
    if (log->file.fd < 0 && log->journal.fd >= 0) {
        int error = log_socket_send(&log->journal, log->line,
                                    log_journal_encode(record, log->line, sizeof(log->line)));
        start_flush(log);
        if (error == 0 || error == -EAGAIN) {
            return error == 0;
        } /* else the socket is hidden from us, and plain lines may get there */
    }
    bool is_file = log->file.fd >= 0;
    enum log_form form = is_file && log->form == LOG_FORM_COLOUR ? LOG_FORM_TEXT : log->form;
    return log_fd_write(is_file ? &log->file : &log->standard, log->line,
                        log_line_format(record, form, log->line, sizeof(log->line)));
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
    if (!write_record(log, &record)) {
        return false;
    }
    if (log->hub != NULL) {
        log_hub_put(log->hub, &record, true);
    }
    return true;
}

/* What is shown to a developer in a line of its own anyway; a failure is left in when there is more to say than a line. */
static bool is_omitted(const struct log *log, const struct log_record *record)
{
    if (!log->omits_reloads || record->event == NULL || log->file.fd >= 0) {
        return false;
    }
    bool is_reload = strncmp(record->event, "reload.", sizeof("reload.") - 1) == 0;
    bool is_longer = record->level <= LOG_LEVEL_ERROR &&
                     memchr(record->message, '\n', record->message_len) != NULL;
    return (is_reload && !is_longer) || strcmp(record->event, "code.bundled") == 0;
}

bool log_put(struct log *log, const struct log_record *record)
{
    bool is_wanted = record->level <= log->level;
    if (log->hub != NULL) {
        log_hub_put(log->hub, record, is_wanted);
    }
    if (!is_wanted || is_omitted(log, record)) {
        return true;
    }
    retry_file(log);
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
