#ifndef FSD_WORKER_CORE_JSON_JSON_WRITE_H
#define FSD_WORKER_CORE_JSON_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/json/json.h"

/* The words of JSON appended to a buffer.  Pure. */

static inline void json_write_char(struct json_buf *buf, char byte)
{
    *json_buf_reserve(buf, 1) = byte;
    buf->len++;
}

/* As they are. */
void json_write_bytes(struct json_buf *buf, const char *bytes, size_t len);
void json_write_integer(struct json_buf *buf, int64_t value);
/* value is finite. */
void json_write_float(struct json_buf *buf, double value);
/* With quotes and escapes.  false: not UTF-8, buf is as before. */
bool json_write_string(struct json_buf *buf, const char *text, size_t len);

#endif
