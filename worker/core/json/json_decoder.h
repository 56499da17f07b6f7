#ifndef FSD_WORKER_CORE_JSON_JSON_DECODER_H
#define FSD_WORKER_CORE_JSON_JSON_DECODER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct fsd_err;

/* Where one json_decode stands; shared by the files that make it up (json_decode.c, json_string.c). */

enum { JSON_KEY_ROWS = 32 };

/* A key of up to 15 plain bytes with its closing quote, as two words; 0, 0 is an empty row. */
struct json_key_row {
    uint64_t low;
    uint64_t high;
};

struct json_decoder {
    lua_State *L;
    const char *start; /* borrowed from the caller, like the next two */
    const char *at;
    const char *end;
    struct fsd_err *err; /* borrowed */
    int mark_slot;       /* the array mark on the stack; behind it a slot for each key row */
    unsigned max_depth;
    bool keep_null;
    /* met lately: making the same string again costs more */
    struct json_key_row keys[JSON_KEY_ROWS];
};

/* Fills err with the reason and the line and column of at; -EINVAL. */
int json_decoder_refuse_at(const struct json_decoder *decoder, const char *at, const char *reason)
    __attribute__((cold));
/* The same for the byte that comes next, which is not expected. */
int json_decoder_refuse(const struct json_decoder *decoder) __attribute__((cold));

#endif
