#ifndef FSD_WORKER_ACTOR_SEND_H
#define FSD_WORKER_ACTOR_SEND_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/actor/mailbox.h"
#include "worker/actor/pid.h"

struct actor;
struct remote;
struct task;

/* Whom a function in Lua was told to reach. */
struct address {
    struct actor *actor; /* borrowed; NULL: nobody of this worker */
    struct remote *
        remote; /* borrowed: the worker that it is in; NULL with a NULL actor: nobody, and absence says why */
    struct pid to;         /* of one in another worker */
    const struct pid *pid; /* borrowed from the stack; NULL: it was a name */
    const char *name;      /* borrowed from the stack; NULL: it was a pid */
    const char *absence;   /* "noproc", "noconnection" */
};

/* Reads a pid or a name at index; raises an argument error for anything else. */
struct address send_find(lua_State *L, int index);
/* Raises an ActorError when a name was given that no actor has: that is a mistake, where a pid that nobody has takes everything. */
void send_check_name(lua_State *L, const struct address *address);
/* Pushes the copy of the value at index that is sent, and returns its size; raises a plain error that says what cannot be. */
size_t send_copy(lua_State *L, int index);
/* The same for a message to an actor, to which the copy is charged unless it will be dropped or refused at once; waits: it isn't
 * when the mailbox suspends its senders.  NULL: nobody. */
size_t send_copy_to(lua_State *L, int index, const struct actor *actor, bool waits);
/* The same, and the copy is charged to a task; NULL: to the one that runs. */
size_t send_copy_for(lua_State *L, int index, const struct task *task);
/* Sends the value on the top of L; waits so many seconds when the mailbox is full and suspends its senders.  Raises an
 * ActorError with the code "overload".  In tail position of a C function. */
int send_wait(lua_State *L, struct actor *actor, const struct letter *letter, double seconds);
/* The same with the value at index 2, and an actor of another worker. */
int send_wait_far(lua_State *L, const struct address *address, enum letter_kind kind,
                  double seconds);
/* Sends the value at index to an actor of another worker, whatever waits; raises a plain error that says what cannot be. */
void send_far(lua_State *L, int index, const struct address *address, enum letter_kind kind);

#endif
