#ifndef FSD_WORKER_ACTOR_SUPERVISE_OPTIONS_H
#define FSD_WORKER_ACTOR_SUPERVISE_OPTIONS_H

#include <lua.h>

#include "common/supervise.h"

/* The flags in the table at index: strategy, intensity, period, auto_shutdown, simple. */
struct supervise_flags supervise_options_flags(lua_State *L, int index);
/* The child in the table at index: restart, shutdown, supervisor, significant. */
struct supervise_spec supervise_options_spec(lua_State *L, int index);

#endif
