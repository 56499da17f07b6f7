#ifndef FSD_WORKER_LIB_OCCASION_H
#define FSD_WORKER_LIB_OCCASION_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct generation;
struct runtime;

/* What app:on can wait for, besides "start" (declared.c). */
enum occasion {
    OCCASION_MOUNT,        /* it was mounted in another application (http/app/mount.c tells) */
    OCCASION_WORKER_START, /* a worker has become active; not when it takes other code over */
    OCCASION_READY,        /* this code answers requests */
    OCCASION_RELOAD,       /* this code has taken the place of other code */
    OCCASION_DRAIN,        /* the worker is to leave: requests are still answered */
    OCCASION_STOP, /* this code has answered its last request, or other code has taken its place */
    OCCASION_WORKER_STOP, /* the worker has answered its last request */
    OCCASIONS
};

/* Whether app:on knows this name; then appends the function at index 3 to a list of the application at index 1. */
bool occasion_add(lua_State *L, const char *name);
/* Starts what a generation's application wants to be run then, each function in a task of its own; with a number if it is not 0. */
void occasion_tell(struct runtime *runtime, const struct generation *generation,
                   enum occasion occasion, uint64_t number);

#endif
