#ifndef FSD_DAEMON_LOG_LOG_BUF_H
#define FSD_DAEMON_LOG_LOG_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_field;

/* Room for text that is being put together.  A piece that does not fit is left out as a whole. */
struct log_buf {
    char *at; /* borrowed */
    size_t len;
    size_t size;
    bool is_cut; /* a piece was left out */
};

/* How text of others is written. */
enum log_dress {
    LOG_DRESS_PLAIN, /* as it is; further lines are indented, so that none can pass for a record of its own */
    LOG_DRESS_LINES,       /* as it is, with its newlines */
    LOG_DRESS_QUOTED,      /* between quotes, on one line */
    LOG_DRESS_JSON,        /* within a JSON string */
    LOG_DRESS_JSON_NO_NUL, /* the same, with U+FFFD for NUL, which many readers of JSON refuse */
};

void log_buf_put(struct log_buf *buf, const char *bytes, size_t len);
void log_buf_put_text(struct log_buf *buf, const char *text);
void log_buf_put_int(struct log_buf *buf, int64_t value);
/* Text of others: nothing that a terminal would obey comes out; what is not UTF-8 becomes \xNN, or U+FFFD in JSON. */
void log_buf_put_dressed(struct log_buf *buf, const char *text, size_t len, enum log_dress dress);
/* The same within quotes, unless it needs none. */
void log_buf_put_quoted(struct log_buf *buf, const char *text, size_t len);
/* The value of a field; text between quotes where the dress has some. */
void log_buf_put_value(struct log_buf *buf, const struct log_field *field, enum log_dress dress);

#endif
