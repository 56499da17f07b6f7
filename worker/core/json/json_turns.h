#ifndef FSD_WORKER_CORE_JSON_JSON_TURNS_H
#define FSD_WORKER_CORE_JSON_JSON_TURNS_H

#include <lua.h>
#include <stddef.h>

#include "worker/core/json/json.h"

/* JSON for C functions that Lua calls: what is long is read and written in turns, and between two of them the coroutine may be
 * put aside, so that no text holds the loop.  Both are called as `return json_turns_decode(...)`, and end in on_done, whose
 * results are those of the function; it may be called after a yield, with nothing of the caller's C stack, and with
 * the caller's arguments where they were on Lua's. */

enum { JSON_TURNS_PIECE = 32 * 1024 }; /* bytes of a turn: 0.1 to 0.3 ms */

struct json_turns_calls {
    /* Before the reading goes on: raises when the text has gone.  NULL: it is there as long as the call lasts. */
    void (*check)(lua_State *L);
    /* result as of json_decode; the value is on the top.  Returns up to 7 results. */
    int (*on_done)(lua_State *L, int result, const struct fsd_err *err);
};

/* options may be NULL, calls lives for ever.  Uses a few slots of the stack beside the value. */
int json_turns_decode(lua_State *L, const char *text, size_t len,
                      const struct json_options *options, const struct json_turns_calls *calls);

/* result as of json_encode; buf holds the text, and is emptied or freed by whoever owns it: on_done may take its memory, and
 * leave an empty one. */
typedef int (*json_turns_encoded_fn)(lua_State *L, int result, struct json_buf *buf,
                                     const struct fsd_err *err);

/* Writes the value at index: what is short into buf, which is empty and may be shared, what is long into a buffer of its own.  A
 * table that others change meanwhile may raise "invalid key to 'next'". */
int json_turns_encode(lua_State *L, int index, struct json_buf *buf, json_turns_encoded_fn on_done);

#endif
