#ifndef FSD_WORKER_CORE_JSON_JSON_DECODER_H
#define FSD_WORKER_CORE_JSON_JSON_DECODER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;
struct json_options;

/* Where the reading of one text stands; shared by the files that make it up (json_decode.c, json_string.c, json_turns.c). */

enum { JSON_KEY_ROWS = 32 };

/* A key of up to 15 plain bytes with its closing quote, as two words; 0, 0 is an empty row. */
struct json_key_row {
    uint64_t low;
    uint64_t high;
};

/* An array or object that is open. */
struct json_open {
    int slot; /* the table on the stack, nil until it is made; above it waits what comes into it */
    int pending;       /* elements or pairs that wait there */
    lua_Integer count; /* elements of an array that are in the table */
    bool is_object;
    bool is_made;
};

struct json_decoder {
    lua_State *L;
    const char *start; /* borrowed from the caller, like the next two */
    const char *at;
    const char *end;
    struct fsd_err *err; /* borrowed */
    int mark_slot;       /* the array mark on the stack; behind it a slot for each key row */
    unsigned max_depth;
    unsigned depth; /* how many are open */
    bool keep_null;
    struct json_open
        *open; /* borrowed from the caller: room for max_depth of them, the innermost last */
    /* met lately: making the same string again costs more */
    struct json_key_row keys[JSON_KEY_ROWS];
};

/* Prepares to read text; the caller sets open and err.  -EINVAL when Lua's stack is full. */
int json_decoder_init(struct json_decoder *decoder, lua_State *L, const char *text, size_t len,
                      const struct json_options *options);
/* How many levels of nesting options allow. */
unsigned json_decoder_depth(const struct json_options *options);
/* Reads on, until about budget bytes further: -EAGAIN then, and the stack is not to be changed before the next call; 0: the
 * value is all that is left on the stack; -EINVAL with a sentence in decoder->err. */
int json_decoder_run(struct json_decoder *decoder, size_t budget);

/* Fills err with the reason and the line and column of at; -EINVAL. */
int json_decoder_refuse_at(const struct json_decoder *decoder, const char *at, const char *reason)
    __attribute__((cold));
/* The same for the byte that comes next, which is not expected. */
int json_decoder_refuse(const struct json_decoder *decoder) __attribute__((cold));

#endif
