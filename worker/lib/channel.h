#ifndef FSD_WORKER_LIB_CHANNEL_H
#define FSD_WORKER_LIB_CHANNEL_H

#include <lua.h>

/* task.channel([capacity]): values from task to task. */
int channel_new(lua_State *L);
/* Puts the value on the top, and pops it: whatever the capacity is, and whoever calls.  Nothing happens when the channel at
 * index is closed. */
void channel_put_always(lua_State *L, int index);
/* The class; once a state. */
void channel_register(lua_State *L);

#endif
