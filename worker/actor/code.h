#ifndef FSD_WORKER_ACTOR_CODE_H
#define FSD_WORKER_ACTOR_CODE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/blackbox.h"

struct actors;

/* A module of one generation that actors run.  Its body is found by the first of them and kept for the others. */
struct code {
    char *name;                     /* owned */
    char place[BLACKBOX_PLACE_MAX]; /* as much of the name as the black box shows */
    uint64_t generation;            /* whose body it is */
    uint32_t users;                 /* actors */
    int body_ref;                   /* the function; LUA_NOREF: not yet known */
    int self_ref; /* the module's table, when the function is its `run`; LUA_NOREF: none */
    struct code *next;
};

/* The code of that name in that generation, with one user more. */
struct code *code_acquire(struct actors *actors, const char *name, uint64_t generation);
void code_release(struct actors *actors, struct code *code);
/* Other code is the current one: what was found in the code before is not held any more.  NULL is allowed. */
void code_forget(struct actors *actors);
/* The Lua state may be closed. */
void code_free_all(struct actors *actors);
/* Pushes on `to` what runs the module with the argument on the top of L, which is popped. */
void code_push(struct code *code, lua_State *L, lua_State *to);

#endif
