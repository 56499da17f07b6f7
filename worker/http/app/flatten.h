#ifndef FSD_WORKER_HTTP_APP_FLATTEN_H
#define FSD_WORKER_HTTP_APP_FLATTEN_H

#include <lua.h>

struct fsd_err;
struct plan;

/* Fills the plan of the application at index, an absolute one, and freezes it with all that is mounted in it.  The plan's array of
 * values becomes its user value APP_PLAN.  0; -EINVAL with a sentence for paths that can't be put together. */
int flatten(lua_State *L, int index, struct plan *plan, struct fsd_err *err);

#endif
