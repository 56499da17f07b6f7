#ifndef FSD_WORKER_CORE_CLOSING_H
#define FSD_WORKER_CORE_CLOSING_H

#include <lua.h>

/* lua_resetthread, which runs the <close> variables of a thread; they can be ended also when the thread has died of an error of the
 * hook.  L is what the slice has as the thread that runs. */
int closing_reset(lua_State *L);

#endif
