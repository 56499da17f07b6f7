#ifndef FSD_WORKER_ACTOR_REF_H
#define FSD_WORKER_ACTOR_REF_H

#include <lua.h>
#include <stdint.h>

/* Names one monitor, or one call that waits for its answer. */
struct ref {
    uint64_t incarnation; /* of the worker that made it */
    uint64_t number;      /* never used twice there */
    uint32_t node;        /* 0: this machine */
};

struct bond;

/* What Lua holds. */
struct ref_value {
    struct ref ref;
    /* borrowed: the monitor that it names, as long as that is there; NULL for all else */
    struct bond *bond;
};

/* Makes the metatable "fsd.Ref"; once a lua_State.  Two refs are == when they name the same. */
void ref_init(lua_State *L);
/* What ref_test compares with. */
const void *ref_mark(lua_State *L);
/* Pushes a new userdata.  As a table's key only the same object finds itself again, so whoever needs that keeps it. */
struct ref_value *ref_push(lua_State *L, const struct ref *ref);
/* The ref at index; NULL when that is something else.  mark is ref_mark's. */
struct ref_value *ref_test(lua_State *L, int index, const void *mark);

#endif
