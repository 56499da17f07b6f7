#ifndef FSD_WORKER_ACTOR_CALL_H
#define FSD_WORKER_ACTOR_CALL_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct actor;
struct actors;
struct call;
struct pid;
struct ref;
struct remote;
struct task;

/* Asks the actor with the message on the top of L, waits for the answer and returns it; raises a CallError.  To be called
 * in tail position of a C function, after task_check. */
int call_wait(lua_State *L, struct actor *actor, uint32_t bytes, double seconds);
/* The same with the message at index 2, and an actor of another worker. */
int call_wait_far(lua_State *L, struct remote *remote, const struct pid *to, double seconds);
/* Raises a CallError: "timeout", "noproc", "noconnection", "overload", "calling_self". */
_Noreturn void call_refuse(lua_State *L, const char *code);
/* Pops the value from the top of L as the answer to a call, given by an actor of that worker; NULL: of this one.  False: nobody
 * waits for it any more, as far as that is known here. */
bool call_answer(lua_State *L, const struct ref *ref, const struct remote *by);
/* The task that waits for the answer; NULL: none does any more. */
const struct task *call_asker(lua_State *L, const struct ref *ref);
/* Whether somebody still waits for the answer. */
bool call_is_open(const struct actors *actors, const struct ref *ref);
/* The message of this call was dropped: it fails with "overload". */
void call_drop(const struct actors *actors, const struct ref *ref);
/* An actor of another worker says so of a call from here: the code of the CallError; the reason on the top of L is popped. */
void call_fail(lua_State *L, const struct ref *ref, const char *code);
/* It waits for an answer from another worker, to which the link is lost. */
void call_lose(struct call *call);
/* The actor has ended with the reason on the top of L: all that wait for its answers fail with "exit". */
void call_fail_all(struct actor *actor, lua_State *L);

#endif
