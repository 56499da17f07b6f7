#ifndef FSD_DAEMON_LOG_LOG_H
#define FSD_DAEMON_LOG_LOG_H

#include <stdint.h>

#include "daemon/conf/conf.h"
#include "daemon/log/log_line.h"
#include "daemon/log/log_record.h"

/* The daemon's log: one descriptor, lines.  A log that can't be written never stops the daemon. */
struct log {
    int fd;
    bool owns_fd;
    bool is_socket;
    bool is_mid_line; /* the last line was cut short by a full descriptor */
    enum log_form form;
    enum log_level level; /* records above it are not written */
    uint64_t dropped;     /* lines since the last one that was written */
    uint64_t event_id;    /* of the last event */
    char line[LOG_LINE_MAX];
};

/* Logs to fd (stderr), which stays the caller's.  Colour when it is a terminal and NO_COLOR is not set. */
void log_init(struct log *log, int fd, enum conf_log_format format, enum log_level level);
void log_fini(struct log *log);
/* Writes one record, or drops and counts it when the descriptor does not take it now. */
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
