#ifndef FSD_WORKER_LIB_DECLARED_H
#define FSD_WORKER_LIB_DECLARED_H

#include <lauxlib.h>

struct generation;
struct runtime;

/* Methods of the class fsd.App: on, on_check, every, cron. */
extern const luaL_Reg declared_methods[];

/* core.start_declared([before]) -> { declared, started }: the timers of scope "node" of the loaded application; before is what was returned
 * for the code before, which these take the place of.  For lua/fsd/timer/scheduler.lua. */
int declared_start_node(lua_State *L);
/* Starts what the loaded application has declared; once, when this worker becomes active; but not what has the scope "node". */
void declared_start(struct runtime *runtime);
/* The same when the application has taken the place of another one: timers that both have go on by the clock of the old one's,
 * what only the old one has is called off, and what app:on("start") had begun there is cancelled. */
void declared_replace(struct runtime *runtime, const struct generation *old);

#endif
