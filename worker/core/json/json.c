/* json.c - the buffer that encoded JSON grows in.
 *
 * Owns the memory of a json_buf until json_buf_fini.  The capacity doubles, so appending is linear;
 * out of memory ends the process, which the master restarts, because a half-written answer helps
 * nobody.  Called by json_encode.c, and by whoever keeps one buffer for many documents.
 * Must not know Lua, nor what JSON looks like (json_encode.c, json_decode.c). */
#include "worker/core/json/json.h"

#include <stdint.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 1024 };

void json_buf_init(struct json_buf *buf)
{
    *buf = (struct json_buf){0};
}

void json_buf_fini(struct json_buf *buf)
{
    if (buf == NULL) {
        return;
    }
    free(buf->data);
    json_buf_init(buf);
}

char *json_buf_grow(struct json_buf *buf, size_t len)
{
    if (len > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) {
        abort(); /* no machine has this memory */
    }
    size_t capacity = buf->capacity < CAPACITY_FIRST ? CAPACITY_FIRST : buf->capacity * 2;
    while (capacity < buf->len + len) {
        capacity *= 2;
    }
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        abort(); /* the worker's rule: memory out is fatal */
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->len;
}

void json_buf_reset(struct json_buf *buf, size_t keep_bytes)
{
    buf->len = 0;
    if (buf->capacity > keep_bytes) {
        json_buf_fini(buf);
    }
}
