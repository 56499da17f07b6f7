#ifndef FSD_WORKER_CORE_GENERATION_H
#define FSD_WORKER_CORE_GENERATION_H

#include <lua.h>
#include <stdint.h>

#include "worker/core/bundle.h"

struct fsd_err;
struct runtime;

/* One version of the application's code in this worker: its bundle, its globals, its loaded modules, and what its main
 * file returned.  Loading runs the top level of the code, which only declares; nothing of it is active yet. */
struct generation {
    uint64_t number;
    struct bundle bundle; /* owned */
    int anchor;      /* registry reference of the cell through which require finds this struct */
    int app_ref;     /* registry reference of what the main file returned */
    int require_ref; /* registry reference of its require, for C code that wants a module of it */
};

/* Loads the bundle in fd.  0 and a new generation; -EPROTO for a bad bundle; -EINVAL when the code does not load: err says
 * where ("app.lua:3: ...", with the traceback behind it). */
int generation_load(struct runtime *runtime, int fd, uint64_t number,
                    struct generation **ret_generation, struct fsd_err *err);
/* Pushes the table of the modules that the code has required: name -> value. */
void generation_push_loaded(lua_State *L, const struct generation *generation);
/* Drops the code; Lua collects what nothing else holds.  NULL is allowed. */
void generation_free(struct runtime *runtime, struct generation *generation);

#endif
