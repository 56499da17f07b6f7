/* post.c - messages on their way into a mailbox: bounds, policies, those who wait for room.
 * Owns nothing; the queue of waiting senders hangs on the actor.  A message for an actor that waits in receive() goes straight
 * onto that one's stack and never sees the mailbox.  Otherwise it is queued while there is room; when there is none, the
 * policy decides, and with `suspend` the sender waits with the message on its own stack, so that whoever waits keeps the
 * order and whoever is waited for pays nothing.  Called by send, cast, call and exit.c.  Must not know who the senders are. */
#include "worker/actor/post.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/call.h"
#include "worker/actor/node/remote_say.h"

int post_push_origin(lua_State *L, const struct letter *letter)
{
    switch ((enum letter_kind)letter->kind) {
    case LETTER_MESSAGE:
        return 0;
    case LETTER_CALL:
        (void)ref_push(L, &letter->from);
        lua_pushliteral(L, "call");
        return 2;
    case LETTER_CAST:
        lua_pushnil(L);
        lua_pushliteral(L, "cast");
        return 2;
    case LETTER_SYSTEM:
        break;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "system");
    return 2;
}

/* The value is made in L, where running out of memory may raise. */
static void hand_over(struct actor *actor, lua_State *L, const struct letter *letter)
{
    int count = 1 + post_push_origin(L, letter);
    lua_xmove(L, actor->receiver, count);
    actor->handed = (uint8_t)count;
    actor->receiving = ACTOR_NOT_RECEIVING;
    task_wake(actor->task);
}

static void deliver(struct actor *actor, lua_State *L, const struct letter *letter)
{
    if (actor->receiving == ACTOR_RECEIVING_ANY) {
        hand_over(actor, L, letter);
        return;
    }
    struct heap *heap = &actor->actors->runtime->heap;
    uint32_t before = heap_charge_for(heap, actor->task->account);
    mailbox_push(&actor->mailbox, L, letter);
    (void)heap_charge(heap, before);
    if (actor->receiving == ACTOR_RECEIVING_SOME) {
        actor->receiving = ACTOR_NOT_RECEIVING;
        task_wake(actor->task);
    }
}

static bool has_room(const struct actor *actor, size_t bytes)
{
    return actor->senders.first == NULL && mailbox_has_room(&actor->mailbox, bytes);
}

/* Signals stay. */
static void drop_oldest(struct actor *actor, lua_State *L)
{
    for (uint32_t i = 0; i < actor->mailbox.count; i++) {
        const struct letter *letter = mailbox_letter(&actor->mailbox, i);
        if (letter->kind == LETTER_SYSTEM) {
            continue;
        }
        if (letter->kind == LETTER_CALL) {
            call_drop(actor->actors, &letter->from);
        }
        post_settle(actor, letter);
        mailbox_remove(&actor->mailbox, L, i);
        actor->scan -= i < actor->scan ? 1 : 0;
        actor->dropped++;
        return;
    }
}

static enum post_result obey_policy(struct actor *actor, lua_State *L, const struct letter *letter)
{
    uint32_t before = 0;
    switch (actor->overflow) {
    case ACTOR_OVERFLOW_SUSPEND:
    case ACTOR_OVERFLOW_RAISE:
        return POST_FULL;
    case ACTOR_OVERFLOW_DROP_NEW:
        break;
    case ACTOR_OVERFLOW_DROP_OLD:
        do {
            before = actor->mailbox.count;
            drop_oldest(actor, L);
        } while (!has_room(actor, letter->bytes) && actor->mailbox.count < before);
        if (has_room(actor, letter->bytes)) {
            deliver(actor, L, letter);
            return POST_DONE;
        }
        break;
    }
    lua_pop(L, 1);
    actor->dropped++;
    return POST_DROPPED;
}

bool post_has_room(const struct actor *actor, size_t bytes)
{
    return actor->receiving == ACTOR_RECEIVING_ANY || has_room(actor, bytes);
}

enum post_result post_letter(struct actor *actor, lua_State *L, const struct letter *letter)
{
    if (!post_has_room(actor, letter->bytes)) {
        return obey_policy(actor, L, letter);
    }
    deliver(actor, L, letter);
    return POST_DONE;
}

static void take_foreign(const struct actor *actor, const struct letter *letter)
{
    struct remotes *remotes = &actor->actors->remotes;
    struct remote *remote = remotes_find(remotes, letter->from.incarnation);
    struct frame_actor to = {0};
    if (!letter->as_worker) {
        to = (struct frame_actor){.index = actor->index, .serial = actor->serial};
    }
    if (remote != NULL && letter->link == (uint8_t)remote->links) { /* else it counts no more */
        remote_take(remote, &to, letter->bytes);
    }
}

void post_settle(const struct actor *actor, const struct letter *letter)
{
    if (letter->is_in_excess) {
        take_foreign(actor, letter);
    }
}

void post_foreign(struct actor *actor, lua_State *L, struct letter *letter)
{
    bool drops =
        actor->overflow == ACTOR_OVERFLOW_DROP_NEW || actor->overflow == ACTOR_OVERFLOW_DROP_OLD;
    bool fits = actor->receiving == ACTOR_RECEIVING_ANY || has_room(actor, letter->bytes);
    if (!fits && !drops) {
        letter->is_in_excess = true;
        deliver(actor, L, letter);
        return;
    }
    take_foreign(actor, letter);
    if (fits) {
        deliver(actor, L, letter);
    } else if (obey_policy(actor, L, letter) == POST_DROPPED && letter->kind == LETTER_CALL) {
        call_drop(actor->actors, &letter->from);
    }
}

void post_signal(struct actor *actor, lua_State *L)
{
    static const struct letter letter = {.kind = LETTER_SYSTEM};
    deliver(actor, L, &letter);
}

void post_admit(struct actor *actor, lua_State *L)
{
    struct sender *sender = actor->senders.first;
    while (sender != NULL && mailbox_has_room(&actor->mailbox, sender->letter.bytes)) {
        sender_leave(sender);
        lua_xmove(sender->L, L, 1);
        deliver(actor, L, &sender->letter);
        sender->on_over(sender);
        sender = actor->senders.first;
    }
}
