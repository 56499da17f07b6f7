#ifndef FSD_WORKER_HTTP_STREAM_EVENT_TEXT_H
#define FSD_WORKER_HTTP_STREAM_EVENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct json_buf;

enum { EVENT_TEXT_NO_RETRY = -1 };

/* One server-sent event; a field whose text is NULL is left out. */
struct event_text {
    const char *event;
    size_t event_len;
    const char *data;
    size_t data_len;
    const char *id;
    size_t id_len;
    int64_t retry_ms; /* EVENT_TEXT_NO_RETRY: none */
};

/* What is wrong with it, in words; NULL when it can be written. */
const char *event_text_check(const struct event_text *text);
/* Appends it as it goes over the wire, through the empty line.  An event that has a name gets data in any case: without, clients
 * don't tell anybody. */
void event_text_write(const struct event_text *text, struct json_buf *buf);
/* Appends a comment: clients skip it. */
void event_text_write_comment(const char *comment, size_t len, struct json_buf *buf);

#endif
