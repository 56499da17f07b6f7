#ifndef FSD_WORKER_CORE_CHAIN_H
#define FSD_WORKER_CORE_CHAIN_H

#include <lua.h>

struct slice;

struct chain_threads;

/* The coroutines of the application's own that a task is inside of, outermost first: each was resumed by the one before it, the
 * first by the task's own.  Kept while the task is suspended somewhere in the last one. */
struct chain {
    struct chain_threads *threads; /* owned; NULL while there was none yet, as in most tasks */
};

/* Frees the list. */
void chain_fini(struct chain *chain);
/* A coroutine is about to be resumed, for the first time or where the task was suspended.  Dies on no memory. */
void chain_enter(struct chain *chain, lua_State *L);
/* It ended, failed, or yielded to the one that resumed it. */
void chain_leave(struct chain *chain);
/* The task was suspended inside of the last one: nobody else may resume them until the task goes on. */
void chain_hold(struct chain *chain);
/* Closes all of them, the innermost first, which runs their <close> variables; these can't wait. */
void chain_close(struct chain *chain, struct slice *slice);

#endif
