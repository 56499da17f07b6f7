#ifndef FSD_WORKER_CORE_JSON_JSON_H
#define FSD_WORKER_CORE_JSON_JSON_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct fsd_err;

/* JSON (RFC 8259, strictly) straight from and to the Lua stack.
 *
 * Numbers: without fraction and exponent a 64-bit integer, beyond 64 bits a float; a float is written
 * with the fewest digits that come back equal and always looks like one (`1.0`, `1e+20`).
 * null: json.null, the light userdata NULL; see keep_null for objects.
 * Arrays carry the array mark (value_push_array_mark), so that `[]` comes back as `[]`.  Encoding a
 * marked table writes its elements 1..#t (raw length), holes as null, other keys are not looked at.
 * An unmarked table with keys exactly 1..n is an array; `{}` and a table with only string keys, or
 * only integer keys without the key 1, are objects; anything else is refused. */

enum {
    JSON_DEPTH_DEFAULT = 128,
    JSON_DEPTH_MAX = 1000, /* what max_depth may say; a level costs C stack */
};

/* Encoded text.  It grows on the heap and keeps its memory, so that one serves many documents; the
 * process aborts when memory is out. */
struct json_buf {
    char *data; /* owned; not NUL-terminated */
    size_t len; /* the caller sets it back to 0 */
    size_t capacity;
};

void json_buf_init(struct json_buf *buf);
void json_buf_fini(struct json_buf *buf);
/* The slow half of json_buf_reserve. */
char *json_buf_grow(struct json_buf *buf, size_t len);
/* Makes room for len more bytes and returns where they go; the caller adds to buf->len. */
static inline char *json_buf_reserve(struct json_buf *buf, size_t len)
{
    return buf->capacity - buf->len >= len ? buf->data + buf->len : json_buf_grow(buf, len);
}
/* Empties it, and gives the memory back when it has grown beyond keep_bytes. */
void json_buf_reset(struct json_buf *buf, size_t keep_bytes);

struct json_options {
    bool keep_null;     /* null in objects, and alone, is json.null instead of absent (nil) */
    unsigned max_depth; /* levels of nesting; 0 is JSON_DEPTH_DEFAULT */
};

/* Appends the value at index.  Never raises, never yields, runs no Lua code and no metamethod.
 * -EINVAL with what and where (`cannot encode a function at "items[3].cb"`): a function, userdata,
 * coroutine, NaN, infinity, invalid UTF-8, a table of mixed or sparse keys, or more than
 * JSON_DEPTH_DEFAULT levels, which is also how a cycle ends; buf is as before then. */
int json_encode(lua_State *L, int index, struct json_buf *buf, struct fsd_err *err);

/* Pushes the one value that text holds; of duplicate keys the last wins.  options may be NULL.
 * -EINVAL with the place (`invalid JSON at line 1 column 7: unexpected "x"`; columns count
 * characters): the stack is as before then.  Raises only when Lua's memory is out. */
int json_decode(lua_State *L, const char *text, size_t len, const struct json_options *options,
                struct fsd_err *err);

#endif
