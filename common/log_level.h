#ifndef FSD_COMMON_LOG_LEVEL_H
#define FSD_COMMON_LOG_LEVEL_H

/* Severity of a log record, with syslog's numbers (RFC 5424 §6.2.1), so that journald agrees.
 * error = a person must act; warning = went on without; notice = lifecycle; info; debug. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

/* "error", "warning", ...; the level must be one of the enum. */
const char *log_level_format(enum log_level level);
/* 0, or -EINVAL when the word is none of the names above ("warn" is accepted for warning). */
int log_level_parse(const char *word, enum log_level *ret_level);

#endif
