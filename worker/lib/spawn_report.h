#ifndef FSD_WORKER_LIB_SPAWN_REPORT_H
#define FSD_WORKER_LIB_SPAWN_REPORT_H

#include <lua.h>

struct spawn;
struct spawn_set;

/* A task has failed and nobody waits for it: its error is logged unless somebody takes it soon.  The handle stands on the top. */
void spawn_report(lua_State *L, struct spawn *spawn);
/* Logs at once what nobody has taken yet. */
void spawn_report_all(struct spawn_set *set);

#endif
