#ifndef FSD_WORKER_ACTOR_EXIT_H
#define FSD_WORKER_ACTOR_EXIT_H

#include <lua.h>

#include "worker/actor/pid.h"
#include "worker/actor/signal.h"

struct actor;
struct task;

/* Pops the reason from the top of L and lets the actor have the exit signal: it may end at the end of this turn. */
void exit_signal(struct actor *actor, lua_State *L, enum signal_kind kind, const struct pid *from);
/* Pops the reason and raises it: what exit(reason) does. */
_Noreturn void exit_raise(lua_State *L);
/* The actor's coroutine is finished (task_owner.on_done): tells all who want to know, and frees the actor. */
void exit_finish(struct task *task, int status);
/* The actor has too much memory (task_owner.on_excess): it ends with a LimitError, and runs no further. */
void exit_excess(struct task *task, const char *message);
/* Pushes a copy of the reason on the top of L. */
void exit_copy_reason(lua_State *L);
/* Posts {"$down", ref, what, reason} with the reason on the top of L, which is popped; the ref stands at ref_index; what is
 * the name, or the pid when that is NULL. */
void exit_post_down(struct actor *watcher, lua_State *L, int ref_index, const char *name,
                    const struct pid *pid);

#endif
