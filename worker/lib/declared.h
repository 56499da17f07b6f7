#ifndef FSD_WORKER_LIB_DECLARED_H
#define FSD_WORKER_LIB_DECLARED_H

#include <lauxlib.h>

struct runtime;

/* Methods of the class fsd.App: on, every, cron. */
extern const luaL_Reg declared_methods[];

/* Starts what the loaded application has declared; once, when this worker becomes active. */
void declared_start(struct runtime *runtime);

#endif
