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
#include "worker/actor/node/remote.h"
#include "worker/actor/node/remote_say.h"
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

static struct address find_pid(struct actors *actors, const struct pid *pid)
{
    struct address address = {.pid = pid, .to = *pid, .absence = "noconnection"};
    if (pid->incarnation == actors->runtime->incarnation && pid->node == 0) {
        address.actor = actors_find(actors, pid);
        address.absence = "noproc";
    } else {
        address.remote = remotes_reach(&actors->remotes, pid);
    }
    return address;
}

struct address send_find(lua_State *L, int index)
{
    struct actors *actors = actors_of(L);
    const struct pid *pid = pid_test(L, index);
    if (pid != NULL) {
        return find_pid(actors, pid);
    }
    luaL_argexpected(L, lua_type(L, index) == LUA_TSTRING, index, "pid or name");
    struct address address = {.absence = "noproc"};
    struct pid named;
    if (names_find_pid(L, index, &named)) {
        address = find_pid(actors, &named);
        address.pid = NULL;
    }
    address.name = lua_tostring(L, index);
    return address;
}

void send_check_name(lua_State *L, const struct address *address)
{
    if (address->actor == NULL && address->remote == NULL && address->name != NULL) {
        error_raise(L, "ActorError", "noproc", 503, "cannot reach \"%s\": no actor has the name",
                    address->name);
    }
}

size_t send_copy_for(lua_State *L, int index, const struct task *task)
{
    struct fsd_err err;
    size_t bytes = 0;
    struct heap *heap = &runtime_of(L)->heap;
    uint32_t before = heap_charge_for(heap, task != NULL ? task->account : heap->account);
    int r = copy_push(L, index, &actors_of(L)->marks, &bytes, &err);
    (void)heap_charge(heap, before);
    if (r != 0) {
        luaL_error(L, "%s", err.text);
    }
    return bytes;
}

size_t send_copy(lua_State *L, int index)
{
    return send_copy_for(L, index, NULL);
}

static bool is_welcome(const struct actor *actor, bool waits)
{
    switch (actor->overflow) {
    case ACTOR_OVERFLOW_DROP_OLD:
        return true;
    case ACTOR_OVERFLOW_SUSPEND:
        return waits || post_has_room(actor, 0);
    case ACTOR_OVERFLOW_DROP_NEW:
    case ACTOR_OVERFLOW_RAISE:
        break;
    }
    return post_has_room(actor, 0);
}

size_t send_copy_to(lua_State *L, int index, const struct actor *actor, bool waits)
{
    bool is_charged = actor != NULL && is_welcome(actor, waits);
    return send_copy_for(L, index, is_charged ? actor->task : NULL);
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

/* Makes the wait below the message on the top; the caller queues its sender, then begins it. */
static struct suspended *make(lua_State *L, const struct letter *letter)
{
    struct task *task = task_check(L);
    struct suspended *suspended = lua_newuserdatauv(L, sizeof(*suspended), 0);
    lua_insert(L, -2);
    *suspended = (struct suspended){.task = task,
                                    .loop = &task->runtime->loop,
                                    .wait = {on_cancel, on_resume},
                                    .sender = {.L = L, .letter = *letter, .on_over = on_over}};
    return suspended;
}

static int begin(lua_State *L, struct suspended *suspended, double seconds)
{
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
    struct suspended *suspended = make(L, letter);
    sender_wait(&actor->senders, &suspended->sender);
    return begin(L, suspended, seconds);
}

void send_far(lua_State *L, int index, const struct address *address, enum letter_kind kind)
{
    struct letter letter = {.kind = (uint8_t)kind};
    struct fsd_err err;
    if (remote_say_letter(L, index, address->remote, &address->to, &letter, &err) != 0) {
        luaL_error(L, "%s", err.text);
    }
}

int send_wait_far(lua_State *L, const struct address *address, enum letter_kind kind,
                  double seconds)
{
    struct letter letter = {.kind = (uint8_t)kind};
    if (remote_takes(address->remote, &address->to)) {
        send_far(L, 2, address, kind);
        return 0;
    }
    if (seconds <= 0) {
        raise_overload(L, "the actor's mailbox, or the way to its worker, is full");
    }
    (void)send_copy(L, 2);
    struct suspended *suspended = make(L, &letter);
    suspended->sender.to = address->to;
    remote_wait(address->remote, &suspended->sender);
    return begin(L, suspended, seconds);
}
