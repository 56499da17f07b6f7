/* send.c - from a function in Lua to the mailbox: who is meant, the copy, and the wait for room.
 * Owns struct suspended, a userdata on the sender's stack while it waits; the message stands above it.  Whoever takes a
 * message out of the mailbox lets the first in the queue in (post.c); at the deadline the sender gets an Error instead.
 * Called by mod_actor.c.  Must not know what a message means. */
#include "worker/actor/send.h"

#include <lauxlib.h>
#include <math.h>

#include "common/err.h"
#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/names.h"
#include "worker/actor/post.h"
#include "worker/actor/sender.h"
#include "worker/core/error.h"

struct suspended {
    struct task *task; /* borrowed */
    struct loop *loop; /* borrowed */
    bool is_late;
    struct task_wait wait;
    struct timer timer;
    struct sender sender;
};

static struct address find_pid(const struct actors *actors, const struct pid *pid)
{
    bool is_own = pid->incarnation == actors->runtime->incarnation && pid->node == 0;
    return (struct address){.actor = actors_find(actors, pid),
                            .pid = pid,
                            .absence = is_own ? "noproc" : "noconnection"};
}

struct address send_find(lua_State *L, int index)
{
    const struct actors *actors = actors_of(L);
    const struct pid *pid = pid_test(L, index);
    if (pid != NULL) {
        return find_pid(actors, pid);
    }
    luaL_argexpected(L, lua_type(L, index) == LUA_TSTRING, index, "pid or name");
    return (struct address){
        .actor = names_find(L, index), .name = lua_tostring(L, index), .absence = "noproc"};
}

void send_check_name(lua_State *L, const struct address *address)
{
    if (address->actor == NULL && address->name != NULL) {
        error_raise(L, "ActorError", "noproc", 503, "cannot reach \"%s\": no actor has the name",
                    address->name);
    }
}

size_t send_copy(lua_State *L, int index)
{
    struct fsd_err err;
    size_t bytes = 0;
    if (copy_push(L, index, &actors_of(L)->marks, &bytes, &err) != 0) {
        luaL_error(L, "%s", err.text);
    }
    return bytes;
}

static void on_cancel(struct task_wait *wait)
{
    struct suspended *suspended = H2O_STRUCT_FROM_MEMBER(struct suspended, wait, wait);
    sender_leave(&suspended->sender);
    timer_clear(&suspended->loop->timers, &suspended->timer);
}

/* The message was taken, or the actor has ended, which is as good: nobody asks whether a message is received. */
static void on_over(struct sender *sender)
{
    struct suspended *suspended = H2O_STRUCT_FROM_MEMBER(struct suspended, sender, sender);
    timer_clear(&suspended->loop->timers, &suspended->timer);
    task_wake(suspended->task);
}

static void on_late(struct timer *timer)
{
    struct suspended *suspended = H2O_STRUCT_FROM_MEMBER(struct suspended, timer, timer);
    suspended->is_late = true;
    sender_leave(&suspended->sender);
    task_wake(suspended->task);
}

static _Noreturn void raise_overload(lua_State *L, const char *message)
{
    error_raise(L, "ActorError", "overload", 503, "cannot send: %s", message);
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    const struct suspended *suspended = H2O_STRUCT_FROM_MEMBER(struct suspended, wait, wait);
    if (suspended->is_late) {
        raise_overload(L, "the actor's mailbox was full until the deadline");
    }
    return 0;
}

/* The message is on the top. */
static int suspend(lua_State *L, struct actor *actor, const struct letter *letter, double seconds)
{
    struct task *task = task_check(L);
    struct suspended *suspended = lua_newuserdatauv(L, sizeof(*suspended), 0);
    lua_insert(L, -2);
    *suspended = (struct suspended){.task = task,
                                    .loop = &task->runtime->loop,
                                    .wait = {on_cancel, on_resume},
                                    .sender = {.L = L, .letter = *letter, .on_over = on_over}};
    sender_wait(&actor->senders, &suspended->sender);
    loop_set_timer(suspended->loop, &suspended->timer, (uint64_t)ceil(seconds * 1000), on_late);
    return task_wait(L, &suspended->wait);
}

int send_wait(lua_State *L, struct actor *actor, const struct letter *letter, double seconds)
{
    if (post_letter(actor, L, letter) != POST_FULL) {
        return 0;
    }
    if (actor == actor_running(L)) {
        raise_overload(L, "the actor's own mailbox is full");
    }
    if (actor->overflow == ACTOR_OVERFLOW_RAISE || seconds <= 0) {
        raise_overload(L, "the actor's mailbox is full");
    }
    return suspend(L, actor, letter, seconds);
}
