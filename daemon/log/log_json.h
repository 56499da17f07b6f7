#ifndef FSD_DAEMON_LOG_LOG_JSON_H
#define FSD_DAEMON_LOG_LOG_JSON_H

struct log_buf;
struct log_record;

enum log_json_form {
    LOG_JSON_LINE, /* a line of the log: the time is text */
    LOG_JSON_RECORD, /* a record of the control method `logs`: the time is a number, and no text has a NUL */
    LOG_JSON_EVENT, /* an event of the control method `events`; the record must be one */
};

/* Appends one record as a JSON object without a newline.  When the buffer is_cut afterwards, what is in it is no JSON.  A
 * field that would hide what the master says about the record gets a leading "_". */
void log_json_put(struct log_buf *buf, const struct log_record *record, enum log_json_form form);

#endif
