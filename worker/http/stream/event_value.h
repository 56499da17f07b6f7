#ifndef FSD_WORKER_HTTP_STREAM_EVENT_VALUE_H
#define FSD_WORKER_HTTP_STREAM_EVENT_VALUE_H

#include <lua.h>
#include <stdint.h>

struct exchange;
struct json_buf;

enum { EVENT_VALUE_RETRY_MAX_S = 300 }; /* who writes milliseconds is told so */

/* The seconds at index, as milliseconds; raises, with that name, when they are none or out of range. */
uint32_t event_value_seconds(lua_State *L, int index, const char *name, lua_Number min, int max);
/* The buffer for bytes that are on their way, empty: what it holds lasts until the next call of anything. */
struct json_buf *event_value_buffer(struct exchange *exchange);
/* Writes the event at index 2 into that buffer; leaves its id, or nil, at index 3. */
const struct json_buf *event_value_format(lua_State *L, struct exchange *exchange);

#endif
