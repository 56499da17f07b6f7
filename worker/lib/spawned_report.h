#ifndef FSD_WORKER_LIB_SPAWNED_REPORT_H
#define FSD_WORKER_LIB_SPAWNED_REPORT_H

#include <lua.h>

struct spawned;
struct spawned_set;

/* A task has failed and nobody waits for it: its error is logged unless somebody takes it soon.  The handle stands on the top. */
void spawned_report(lua_State *L, struct spawned *spawn);
/* Logs at once what nobody has taken yet. */
void spawned_report_all(struct spawned_set *set);

#endif
