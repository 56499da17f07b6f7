#ifndef FSD_WORKER_CORE_FATAL_TRACE_H
#define FSD_WORKER_CORE_FATAL_TRACE_H

#include <lua.h>
#include <stdint.h>

struct blackbox_death_entry;

/* What a dying worker can say about where it is.  All of it runs in a handler of a signal: no allocation, no lock; the
 * state may be broken, so the caller guards each call against a second fault. */

/* Loads what backtrace() needs, which allocates.  Once, at the start. */
void fatal_trace_prepare(void);
/* The C stack from the interrupted place (an instruction's address) outwards: addresses, then their names. */
void fatal_trace_frames(struct blackbox_death_entry *death, uint64_t place);
void fatal_trace_names(struct blackbox_death_entry *death);
/* The Lua stack of the innermost coroutine that L has resumed, outwards to L.  Replaces what stands there. */
void fatal_trace_lua(struct blackbox_death_entry *death, lua_State *L);
/* The innermost coroutine that L has resumed; L itself when there is none. */
lua_State *fatal_trace_innermost(lua_State *L);

#endif
