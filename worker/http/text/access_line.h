#ifndef FSD_WORKER_HTTP_TEXT_ACCESS_LINE_H
#define FSD_WORKER_HTTP_TEXT_ACCESS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access_format;
struct json_buf;

/* One line of the access log. */

/* Bytes of a stranger, or of nobody: bytes NULL. */
struct access_text {
    const char *bytes;
    size_t len;
};

/* What is known of a request that is over; it all belongs to the caller. */
struct access_facts {
    struct access_text remote_addr;
    struct access_text remote_user;
    struct access_text method;
    struct access_text uri;
    struct access_text host;
    struct access_text request_id;
    struct access_text pool;
    int64_t worker; /* the slot; negative: it has none */
    int64_t pid;
    int version; /* 0x101 is HTTP/1.1 */
    int status;
    uint64_t body_bytes;
    uint64_t ended_us; /* wall clock */
    uint64_t took_us;
    /* the value of the first header of that (lower-case) name, of the request or, with is_sent, of the answer */
    struct access_text (*find_header)(const void *ctx, bool is_sent, const char *name, size_t len);
    const void *ctx;
};

/* Appends the line with its newline.  Nothing that a client sends can begin another line, or end a quoted text: in templates quotes,
 * backslashes, control characters and bytes beyond ASCII are \xHH, as nginx writes them; what is absent is "-". */
void access_line_write(const struct access_format *format, const struct access_facts *facts,
                       struct json_buf *buf);

#endif
