#ifndef FSD_WORKER_HTTP_STREAM_RESPONSE_STREAM_H
#define FSD_WORKER_HTTP_STREAM_RESPONSE_STREAM_H

#include <lua.h>
#include <stddef.h>

struct exchange;

/* Methods of res: res:write(chunk), res:flush(). */
int response_stream_write(lua_State *L);
int response_stream_flush(lua_State *L);
/* res:finish([chunk]) of an answer that was begun by res:write; its chunk is at index 2. */
int response_stream_finish(lua_State *L, struct exchange *exchange);

/* core.own.is_streaming(res): whether something more may be written, and it is not ended yet. */
int response_stream_is_open(lua_State *L);

/* Raises unless something may be written to the answer now, from the task that runs. */
void response_stream_check(lua_State *L, const struct exchange *exchange);
/* After that check, as the last step of a C function: writes, waiting for room when there is none.  The bytes are copied before it
 * waits.  on_taken runs when all of them were taken, in that function; NULL: there is nothing to be done. */
int response_stream_put(lua_State *L, struct exchange *exchange, const char *bytes, size_t len,
                        void (*on_taken)(lua_State *L));

#endif
