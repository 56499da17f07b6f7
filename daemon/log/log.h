#ifndef FSD_DAEMON_LOG_LOG_H
#define FSD_DAEMON_LOG_LOG_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/conf/conf.h"
#include "daemon/log/log_fd.h"
#include "daemon/log/log_journal.h"
#include "daemon/log/log_line.h"
#include "daemon/log/log_record.h"
#include "daemon/log/log_socket.h"

struct fsd_err;
struct log_hub;

/* The daemon's log.  A log that can't be written never stops the daemon. */
struct log {
    struct log_fd standard;    /* stderr */
    struct log_fd file;        /* of log.path; takes the place of stderr when it is open */
    struct log_socket journal; /* takes the place of stderr when that leads there */
    char *path;                /* owned; NULL: no file is wanted */
    uint64_t retry_ms;         /* when a file that could not be opened is tried again */
    sd_event_source *flush;    /* owned; runs while records wait for the journal; NULL: no loop */
    struct log_hub *hub;       /* borrowed; gets a copy of everything, NULL: nobody does */
    enum log_form form;
    enum log_level level; /* records above it are not written */
    bool omits_reloads;   /* on a terminal on which develop.c tells of them; the hub gets them */
    uint64_t dropped;     /* records since the last one that was written */
    uint64_t event_id;    /* of the last event */
    char line[LOG_JOURNAL_MAX];
};

/* Logs to fd (stderr), which stays the caller's.  Colour when it is a terminal and NO_COLOR is not set; fields of the journal
 * when it leads there ($JOURNAL_STREAM) and the format is text. */
void log_init(struct log *log, int fd, enum conf_log_format format, enum log_level level);
/* What a new configuration says. */
void log_set(struct log *log, enum conf_log_format format, enum log_level level);
void log_fini(struct log *log);
/* Lets the loop send to the journal what that did not take at once; else it goes with the next record.  0 or negative errno. */
int log_attach(struct log *log, sd_event *loop);
/* Sends records to the journal that listens at path, instead of stderr.  0 or negative errno. */
int log_open_journal(struct log *log, const char *path);
/* Appends to a file instead.  When it can't be opened, the log stays where it is, and opening is tried again every 30 s. */
int log_open_file(struct log *log, const char *path, struct fsd_err *err);
/* Opens the file anew, after it was moved away.  1; 0: there is no file; negative errno: the old one stays in use. */
int log_reopen(struct log *log, struct fsd_err *err);
/* Writes one record, or drops and counts it when that is not possible now.  The hub gets it either way. */
bool log_put(struct log *log, const struct log_record *record); /* false: it was dropped */
/* Says that so many records of a worker never came here; counted as dropped lines when that can't be said now. */
void log_count_lost(struct log *log, const struct log_subject *subject, uint64_t records);
/* The same for the master's own words, with the time of now.  subject NULL: the master.  fields: LOG_FIELDS(...) or NULL. */
void log_write(struct log *log, enum log_level level, const struct log_subject *subject,
               const char *message, const struct log_field *fields);
/* The same for something that happened to the service ("worker.ready"): the record carries the name, a constant of small letters
 * and dots, and an id that rises from event to event, also from one run of the daemon to the next. */
void log_event(struct log *log, enum log_level level, const struct log_subject *subject,
               const char *event, const char *message, const struct log_field *fields);

#endif
