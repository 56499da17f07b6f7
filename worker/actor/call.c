/* call.c - questions that wait for their answers, each with a deadline.
 * Owns struct call, a userdata on the asker's stack: it hangs in the asker's wait, in the list of the actor that is asked, in
 * the table of all calls, through which reply finds it, and while the mailbox is full in the queue of those who wait for room.
 * Once it is settled nothing leads to it but that stack.  Its ref is an alias: after the deadline it leads nowhere, so that a
 * late answer is dropped and a late question is not even received.
 * Called by call and reply, by post.c when a message is dropped, by exit.c when the one who was asked ends.
 * Must not know what is asked. */
#include "worker/actor/call.h"

#include <assert.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/exit.h"
#include "worker/actor/node/remote.h"
#include "worker/actor/node/remote_say.h"
#include "worker/actor/post.h"
#include "worker/actor/send.h"
#include "worker/core/error.h"

enum {
    FIRST_CALLS = 16,
    INDEX_BITS =
        20, /* of a ref's number, above the lowest bit, which is 0 for a call; the rest is a serial */
    CALLS_MAX = 1 << INDEX_BITS,
};

/* How it ended; the words are what the CallError says. */
enum call_outcome {
    CALL_OPEN,
    CALL_ANSWERED,
    CALL_TIMEOUT,
    CALL_OVERLOAD, /* the message was not even delivered */
    CALL_EXIT,
    CALL_NOPROC,
    CALL_NOCONNECTION,
};

struct call {
    struct actors *actors; /* borrowed */
    struct task *task;     /* borrowed */
    struct remote *remote; /* borrowed: whose actor is asked; NULL: one of this worker */
    lua_State *L; /* borrowed: where it was called; the answer, or the reason, is put on its top */
    uint64_t number;
    enum call_outcome outcome;
    struct task_wait wait;
    struct timer timer;
    struct sender sender;
    struct call *next; /* borrowed: of the target's list */
    struct call **link;
};

static const struct refusal {
    const char *code;
    int status;
    const char *message;
} refusals[] = {
    {"timeout", 504, "the actor has not answered in time"},
    {"overload", 503, "the actor's mailbox is full"},
    {"noproc", 503, "there is no such actor"},
    {"noconnection", 503, "the actor's worker is gone"},
    {"calling_self", 500, "an actor cannot call itself"},
    {"shutdown", 503, "the worker is leaving"},
};

void call_refuse(lua_State *L, const char *code)
{
    const struct refusal *refusal = refusals;
    while (strcmp(refusal->code, code) != 0) {
        refusal++;
        assert(refusal < refusals + sizeof(refusals) / sizeof(refusals[0]));
    }
    error_raise(L, "CallError", refusal->code, refusal->status, "cannot call: %s",
                refusal->message);
}

static struct call *find(const struct actors *actors, const struct ref *ref)
{
    uint64_t index = ref->number >> 1 & (CALLS_MAX - 1);
    if (ref->incarnation != actors->runtime->incarnation || ref->node != 0 ||
        index >= actors->call_count) {
        return NULL;
    }
    struct call *call = actors->calls[index].call;
    return call != NULL && call->number == ref->number ? call : NULL;
}

static void grow(struct actors *actors)
{
    uint32_t count = actors->call_count == 0 ? FIRST_CALLS : actors->call_count * 2;
    struct actors_call *calls = realloc(actors->calls, count * sizeof(*calls));
    if (calls == NULL || count > CALLS_MAX) {
        abort(); /* each of them has a coroutine: memory is out long before */
    }
    for (uint32_t i = actors->call_count; i < count; i++) {
        calls[i] = (struct actors_call){.next_free = i + 1};
    }
    actors->free_call = actors->call_count;
    actors->calls = calls;
    actors->call_count = count;
}

static void enter(struct actors *actors, struct call *call)
{
    if (actors->free_call == actors->call_count) {
        grow(actors);
    }
    uint32_t index = actors->free_call;
    actors->free_call = actors->calls[index].next_free;
    actors->calls[index].call = call;
    call->number = (actors->next_call++ << INDEX_BITS | index) << 1;
}

/* Nothing leads to it any more. */
static void detach(struct call *call)
{
    struct actors *actors = call->actors;
    uint32_t index = call->number >> 1 & (CALLS_MAX - 1);
    sender_leave(&call->sender);
    timer_clear(&actors->runtime->loop.timers, &call->timer);
    *call->link = call->next;
    if (call->next != NULL) {
        call->next->link = call->link;
    }
    actors->calls[index] = (struct actors_call){.next_free = actors->free_call};
    actors->free_call = index;
}

/* Nobody waits for it any more: the other worker need not keep it. */
static void tell_forgotten(const struct call *call)
{
    if (call->remote != NULL && call->sender.queue == NULL) {
        struct frame frame = {
            .kind = FRAME_FORGET, .to = remote_place(&call->sender.to), .ref = call->number};
        remote_say(call->remote, &frame);
    }
}

/* It is over: whoever waits goes on. */
static void settle(struct call *call, enum call_outcome outcome)
{
    detach(call);
    call->outcome = outcome;
    task_wake(call->task);
}

static void on_cancel(struct task_wait *wait)
{
    struct call *call = H2O_STRUCT_FROM_MEMBER(struct call, wait, wait);
    tell_forgotten(call);
    detach(call);
}

static void on_late(struct timer *timer)
{
    struct call *call = H2O_STRUCT_FROM_MEMBER(struct call, timer, timer);
    tell_forgotten(call);
    settle(call, call->sender.queue != NULL ? CALL_OVERLOAD : CALL_TIMEOUT);
}

/* The mailbox has taken the message.  When the actor ends instead, call_fail_all has settled the call before. */
static void on_admitted(struct sender *sender)
{
    (void)sender;
}

/* The reason is on the top. */
static void raise_exit(lua_State *L)
{
    const char *text = luaL_tolstring(L, -1, NULL);
    lua_pushfstring(L, "cannot call: the actor has ended: %s", text);
    error_push(L, "CallError", "exit", 503, lua_tostring(L, -1));
    lua_pushvalue(L, -4);
    lua_setfield(L, -2, "reason");
    lua_error(L);
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    const struct call *call = H2O_STRUCT_FROM_MEMBER(struct call, wait, wait);
    switch (call->outcome) {
    case CALL_OPEN:
    case CALL_ANSWERED:
        break;
    case CALL_TIMEOUT:
        call_refuse(L, "timeout");
    case CALL_OVERLOAD:
        call_refuse(L, "overload");
    case CALL_NOPROC:
        call_refuse(L, "noproc");
    case CALL_NOCONNECTION:
        call_refuse(L, "noconnection");
    case CALL_EXIT:
        raise_exit(L);
    }
    return 1;
}

/* The list is that of all who wait for the same one. */
static struct call *make(lua_State *L, struct actors *actors, struct call **list)
{
    struct call *call = lua_newuserdatauv(L, sizeof(*call), 0);
    lua_insert(L, -2); /* below the message */
    *call = (struct call){.actors = actors,
                          .task = runtime_of(L)->tasks.running,
                          .L = L,
                          .wait = {on_cancel, on_resume},
                          .next = *list,
                          .link = list};
    if (call->next != NULL) {
        call->next->link = &call->next;
    }
    *list = call;
    enter(actors, call);
    return call;
}

static int wait_for(lua_State *L, struct call *call, double seconds)
{
    loop_set_timer(&call->actors->runtime->loop, &call->timer, (uint64_t)ceil(seconds * 1000),
                   on_late);
    return task_wait(L, &call->wait);
}

int call_wait(lua_State *L, struct actor *actor, uint32_t bytes, double seconds)
{
    struct call *call = make(L, actor->actors, &actor->calls);
    struct letter letter = {
        .kind = LETTER_CALL,
        .bytes = bytes,
        .from = {.incarnation = call->actors->runtime->incarnation, .number = call->number}};
    enum post_result result = post_letter(actor, L, &letter);
    if (result == POST_DROPPED ||
        (result == POST_FULL && actor->overflow == ACTOR_OVERFLOW_RAISE)) {
        detach(call);
        call_refuse(L, "overload");
    }
    if (result == POST_FULL) {
        call->sender = (struct sender){.L = L, .letter = letter, .on_over = on_admitted};
        sender_wait(&actor->senders, &call->sender);
    }
    return wait_for(L, call, seconds);
}

int call_wait_far(lua_State *L, struct remote *remote, const struct pid *to, double seconds)
{
    bool leaves_now = remote_takes(remote, to);
    if (leaves_now) {
        lua_pushvalue(L, 2);
    } else {
        (void)send_copy(L, 2);
    }
    struct call *call = make(L, actors_of(L), &remote->calls);
    call->remote = remote;
    call->sender =
        (struct sender){.L = L,
                        .to = *to,
                        .letter = {.kind = LETTER_CALL, .from = {.number = call->number}},
                        .on_over = on_admitted};
    if (!leaves_now) {
        remote_wait(remote, &call->sender);
        return wait_for(L, call, seconds);
    }
    struct fsd_err err;
    if (remote_say_letter(L, 2, remote, to, &call->sender.letter, &err) != 0) {
        detach(call);
        return luaL_error(L, "%s", err.text);
    }
    return wait_for(L, call, seconds);
}

static bool is_foreign(const struct actors *actors, const struct ref *ref)
{
    return ref->incarnation != actors->runtime->incarnation || ref->node != 0;
}

/* The question from another worker; NULL: nobody waits for its answer, or this worker does not know. */
static struct asked *find_asked(const struct actors *actors, const struct ref *ref)
{
    const struct remote *remote = remotes_find(&actors->remotes, ref->incarnation);
    return remote == NULL ? NULL : asked_find(&remote->asked, ref->number);
}

/* The question may have come to another worker, and its ref from there: so whoever asked is told in any case. */
static bool answer_far(lua_State *L, const struct ref *ref)
{
    struct actors *actors = actors_of(L);
    struct pid pid = {.incarnation = ref->incarnation, .node = ref->node};
    struct remote *remote = remotes_reach(&actors->remotes, &pid);
    if (remote == NULL) {
        lua_pop(L, 1);
        return false;
    }
    struct asked *asked = asked_find(&remote->asked, ref->number);
    if (asked != NULL) {
        asked_remove(&remote->asked, asked);
    }
    struct frame frame = {.kind = FRAME_ANSWER, .ref = ref->number};
    remote_say_value(L, remote, &frame);
    return true;
}

const struct task *call_asker(lua_State *L, const struct ref *ref)
{
    const struct call *call = find(actors_of(L), ref);
    return call == NULL ? NULL : call->task;
}

bool call_answer(lua_State *L, const struct ref *ref, const struct remote *by)
{
    if (is_foreign(actors_of(L), ref)) {
        return answer_far(L, ref);
    }
    struct call *call = find(actors_of(L), ref);
    if (call == NULL) {
        lua_pop(L, 1);
        return false;
    }
    if (call->remote != by) {
        tell_forgotten(call); /* whoever was asked has passed the question on */
    }
    lua_xmove(L, call->L, 1);
    settle(call, CALL_ANSWERED);
    return true;
}

bool call_is_open(const struct actors *actors, const struct ref *ref)
{
    return is_foreign(actors, ref) ? find_asked(actors, ref) != NULL : find(actors, ref) != NULL;
}

void call_drop(const struct actors *actors, const struct ref *ref)
{
    struct call *call = find(actors, ref);
    struct asked *asked = is_foreign(actors, ref) ? find_asked(actors, ref) : NULL;
    if (call != NULL) {
        settle(call, CALL_OVERLOAD);
    } else if (asked != NULL) {
        lua_pushnil(actors->runtime->L);
        remote_say_failure(actors->runtime->L, asked->remote, ref->number, "overload");
        asked_remove(&asked->remote->asked, asked);
    }
}

void call_fail(lua_State *L, const struct ref *ref, const char *code)
{
    struct call *call = find(actors_of(L), ref);
    if (call == NULL) {
        lua_pop(L, 1);
        return;
    }
    lua_xmove(L, call->L, 1);
    if (strcmp(code, "exit") == 0) {
        settle(call, CALL_EXIT);
    } else {
        settle(call, strcmp(code, "overload") == 0 ? CALL_OVERLOAD : CALL_NOPROC);
    }
}

void call_lose(struct call *call)
{
    settle(call, CALL_NOCONNECTION);
}

void call_fail_all(struct actor *actor, lua_State *L)
{
    while (actor->calls != NULL) {
        struct call *call = actor->calls;
        exit_copy_reason(L);
        lua_xmove(L, call->L, 1);
        settle(call, CALL_EXIT);
    }
    while (actor->asked != NULL) {
        struct asked *asked = actor->asked;
        exit_copy_reason(L);
        remote_say_failure(L, asked->remote, asked->number, "exit");
        asked_remove(&asked->remote->asked, asked);
    }
}
