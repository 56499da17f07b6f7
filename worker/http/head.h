#ifndef FSD_WORKER_HTTP_HEAD_H
#define FSD_WORKER_HTTP_HEAD_H

#include <lua.h>

struct exchange;

/* core.own.before_head(res, fn): fn() runs right before status and headers stand; the last one that was given is the first that
 * runs.  Does nothing when they stand. */
int head_before(lua_State *L);
/* Runs these functions, once: to be called before every answer, while headers may still be set.  They can't wait.  Raises what they
 * raise, and when one of them has answered. */
void head_run(lua_State *L, struct exchange *exchange);
/* Runs them where nobody would catch an error: it takes the place of what they set, on the top of the stack, and 0 is returned; 1
 * without an error, and nothing is pushed. */
int head_try(lua_State *L, struct exchange *exchange);
void head_drop(lua_State *L, struct exchange *exchange);

#endif
