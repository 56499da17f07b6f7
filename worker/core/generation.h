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
    int anchor;           /* registry reference of this struct, which is a userdata */
    int app_ref;          /* registry reference of what the main file returned */
    int require_ref; /* registry reference of its require, for C code that wants a module of it */
};

/* A generation whose code has not run yet.  0; -EPROTO and what mapping says for a bad bundle. */
int generation_new(struct runtime *runtime, int fd, uint64_t number,
                   struct generation **ret_generation, struct fsd_err *err);
/* A C function for Lua, whose argument is a new generation as light userdata: runs the main file and returns its result.  In a task it
 * may be preempted. */
int generation_run_main(lua_State *L);
/* -EINVAL, with the sentence and the traceback of the error on the top. */
int generation_fail(lua_State *L, struct fsd_err *err);
/* Makes one and runs its main file, in one go.  Errors as generation_new; -EINVAL when the code does not load: err says
 * where ("app.lua:3: ...", with the traceback behind it). */
int generation_load(struct runtime *runtime, int fd, uint64_t number,
                    struct generation **ret_generation, struct fsd_err *err);
/* Replaces the require of a generation on the top by the table of the modules that its code has required: name -> value. */
void generation_to_loaded(lua_State *L);
/* Pushes the generation that the require at index belongs to; NULL, and nothing is pushed, when that is not one of a generation. */
const struct generation *generation_of_require(lua_State *L, int index);
/* The generation at index; raises when that is none. */
const struct generation *generation_check(lua_State *L, int index);
/* Gives up the code: Lua collects it, and the struct, when nothing runs on it any more.  NULL is allowed. */
void generation_free(struct runtime *runtime, struct generation *generation);

#endif
