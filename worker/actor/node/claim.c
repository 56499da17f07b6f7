/* claim.c - names that one actor in all workers can have, as the actors want them.
 * Owns struct claim, which hangs on its actor.  The master decides who has a name: it is asked, and says so to all (NAMED), or
 * no (TAKEN).  Whoever cannot go on without waits for that in a task_wait; a claim that may wait longer is told to its actor by a signal
 * instead.  A name is given back when its actor ends; one that was waited for only when all that is linked to the actor has been told
 * of the end, because it stands for work that nobody else may do meanwhile.
 * Called by register, spawn and lua/fsd, by exit.c, and by life.c for what the master says.  Must not know what a name is for. */
#include "worker/actor/node/claim.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "common/wire.h"
#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/names.h"
#include "worker/actor/node/node_names.h"
#include "worker/actor/post.h"
#include "worker/core/error.h"
#include "worker/core/link.h"

enum {
    WAITING_BYTES_MAX = 1 << 20
}; /* at the master's door: as much as all names that there may be */

_Static_assert((int)NAMES_LEN_MAX == (int)PROTO_CLAIM_MAX, "every name can be claimed");

static void tell_master(const struct actor *actor, const struct claim *claim, enum proto_kind kind)
{
    unsigned char message[sizeof(struct proto_claim) + PROTO_CLAIM_MAX];
    struct proto_claim body = {
        .serial = actor->serial, .index = actor->index, .waits = claim->may_wait};
    size_t len = strlen(claim->name);
    memcpy(message, &body, sizeof(body));
    memcpy(message + sizeof(body), claim->name, len);
    link_post(actor->actors->runtime->link, kind, message, sizeof(body) + len);
}

void claim_check(lua_State *L, const struct actor *actor, bool may_wait)
{
    const struct link *link = runtime_of(L)->link;
    if (link == NULL) {
        luaL_error(L, "cannot register for all workers: there is no master here");
    }
    if (actor != NULL && actor->claim != NULL) {
        luaL_error(L, "cannot register for all workers: the actor has \"%s\" there already",
                   actor->claim->name);
    }
    if (!may_wait) {
        (void)task_check(L);
    }
    if (link_waiting(link) > WAITING_BYTES_MAX) {
        error_raise(L, "ActorError", "overload", 503,
                    "cannot register for all workers: the master does not answer");
    }
}

static struct claim *make(struct actor *actor, const char *name, bool may_wait)
{
    size_t size = strlen(name) + 1;
    struct claim *claim = calloc(1, sizeof(*claim) + size);
    if (claim == NULL) {
        abort();
    }
    assert(actor->claim == NULL && size <= NAMES_LEN_MAX + 1);
    claim->may_wait = may_wait;
    memcpy(claim->name, name, size);
    actor->claim = claim;
    tell_master(actor, claim, PROTO_CLAIM);
    return claim;
}

void claim_begin(struct actor *actor, const char *name)
{
    (void)make(actor, name, true);
}

/* The answer, unless there was one. */
static void settle(struct claim *claim, enum claim_outcome outcome)
{
    struct claim_wait *wait = claim->wait;
    if (wait != NULL && wait->outcome == CLAIM_OPEN) {
        wait->outcome = outcome;
        task_wake(wait->task);
    }
}

static void free_claim(struct actor *actor)
{
    if (actor->claim->wait != NULL) {
        actor->claim->wait->claim = NULL;
    }
    free(actor->claim);
    actor->claim = NULL;
}

static void forget_name(const struct actor *actor)
{
    lua_State *L = actor->actors->runtime->L;
    struct pid pid = actor_pid(actor);
    if (actor->claim->is_held) {
        actor->claim->is_held = false;
        lua_pushstring(L, actor->claim->name);
        node_names_remove(L, &pid);
    }
}

void claim_drop(struct actor *actor)
{
    if (actor->claim == NULL) {
        return;
    }
    forget_name(actor);
    tell_master(actor, actor->claim, PROTO_UNCLAIM);
    settle(actor->claim, CLAIM_ENDED);
    free_claim(actor);
}

void claim_hide(struct actor *actor)
{
    if (actor->claim != NULL && actor->claim->may_wait) {
        forget_name(actor);
    } else {
        claim_drop(actor);
    }
}

static struct claim_wait *end_wait(struct task_wait *task_wait)
{
    struct claim_wait *wait = H2O_STRUCT_FROM_MEMBER(struct claim_wait, wait, task_wait);
    if (wait->claim != NULL) {
        wait->claim->wait = NULL;
    }
    return wait;
}

static void on_cancel(struct task_wait *task_wait)
{
    struct claim_wait *wait = end_wait(task_wait);
    wait->on_lost(wait);
}

static int on_resume(struct task_wait *task_wait, lua_State *L)
{
    const struct claim_wait *wait = end_wait(task_wait);
    return wait->on_answer(L, wait);
}

int claim_await(lua_State *L, const struct claim_wait *seed)
{
    struct claim_wait *wait = lua_newuserdatauv(L, sizeof(*wait), 0);
    *wait = *seed;
    wait->task = task_check(L);
    wait->wait = (struct task_wait){on_cancel, on_resume};
    wait->outcome = CLAIM_OPEN;
    wait->claim = make(seed->actor, seed->name, false);
    wait->claim->wait = wait;
    return task_wait_or_pass(L, &wait->wait, on_cancel);
}

void claim_check_outcome(lua_State *L, const struct claim_wait *wait, const char *doing)
{
    switch (wait->outcome) {
    case CLAIM_OPEN:
    case CLAIM_HELD:
        break;
    case CLAIM_EXISTS:
        error_raise(L, "ActorError", "exists", 409, "cannot %s \"%s\": another actor has the name",
                    doing, wait->name);
    case CLAIM_OVERLOAD:
        error_raise(L, "ActorError", "overload", 503,
                    "cannot %s \"%s\": there are too many names for all workers", doing,
                    wait->name);
    case CLAIM_ENDED:
        error_raise(L, "ActorError", "noproc", 503, "cannot %s \"%s\": the actor has ended", doing,
                    wait->name);
    }
}

/* A signal to an actor that has not waited in a function. */
static void post_news(struct actor *actor, const char *word, const char *why)
{
    lua_State *L = actor->actors->runtime->L;
    lua_createtable(L, 3, 0);
    lua_pushstring(L, word);
    lua_rawseti(L, -2, 1);
    lua_pushstring(L, actor->claim->name);
    lua_rawseti(L, -2, 2);
    lua_pushstring(L, why);
    lua_rawseti(L, -2, 3);
    post_signal(actor, L);
}

/* The living actor that has claimed the name; NULL when it has given that up meanwhile. */
static struct actor *find_claimer(const struct actors *actors, const struct pid *pid,
                                  const char *name)
{
    struct actor *actor = actors_find(actors, pid);
    bool has = actor != NULL && actor->claim != NULL && strcmp(actor->claim->name, name) == 0;
    return has ? actor : NULL;
}

/* Whether an actor of this worker has the name, now that the master says so. */
static bool take(lua_State *L, const struct pid *pid, const char *name)
{
    struct actor *actor = find_claimer(actors_of(L), pid, name);
    if (actor == NULL) {
        return false;
    }
    if (!actor->claim->is_held) {
        actor->claim->is_held = true;
        settle(actor->claim, CLAIM_HELD);
        if (actor->claim->may_wait) {
            post_news(actor, "$named", NULL);
        }
    }
    return true;
}

/* The name behind the fixed part of a message. */
static void read_name(const struct wire_message *message, size_t size,
                      char name[PROTO_CLAIM_MAX + 1])
{
    size_t len = message->head.size - size;
    memcpy(name, message->payload + size, len);
    name[len] = '\0';
}

static void on_named(lua_State *L, const struct wire_message *message)
{
    struct proto_named body;
    char name[PROTO_CLAIM_MAX + 1];
    memcpy(&body, message->payload, sizeof(body));
    read_name(message, sizeof(body), name);
    struct pid pid = {.incarnation = body.incarnation, .serial = body.serial, .index = body.index};
    bool is_own = pid.incarnation == runtime_of(L)->incarnation;
    if (message->head.kind == PROTO_UNNAMED) {
        lua_pushstring(L, name);
        node_names_remove(L, &pid);
    } else if (!is_own || take(L, &pid, name)) {
        lua_pushstring(L, name);
        node_names_set(L, &pid);
    }
}

static void on_taken(struct runtime *runtime, const struct wire_message *message)
{
    struct proto_taken body;
    char name[PROTO_CLAIM_MAX + 1];
    memcpy(&body, message->payload, sizeof(body));
    read_name(message, sizeof(body), name);
    struct pid pid = {
        .incarnation = runtime->incarnation, .serial = body.serial, .index = body.index};
    struct actor *actor = find_claimer(runtime->actors, &pid, name);
    if (actor == NULL) {
        return;
    }
    bool exists = body.why == PROTO_TAKEN_EXISTS;
    settle(actor->claim, exists ? CLAIM_EXISTS : CLAIM_OVERLOAD);
    if (actor->claim->may_wait) {
        post_news(actor, "$taken", exists ? "exists" : "overload");
    }
    free_claim(actor);
}

static void on_names(struct runtime *runtime, int fd)
{
    const void *data = NULL;
    size_t len = 0;
    int error = fd_map_sealed(fd, &data, &len);
    if (error == 0) {
        error = node_names_read(runtime->L, data, len, take);
        fd_unmap(data, len);
    }
    if (error != 0) {
        logger_write(&runtime->logger, LOG_LEVEL_ERROR,
                     "cannot read the names that the master tells: %s", strerror(-error));
    }
}

/* What it held, others may get in the next message. */
static void on_gone(lua_State *L, const struct wire_message *message)
{
    struct proto_peer body;
    memcpy(&body, message->payload, sizeof(body));
    if (body.link == 0) {
        node_names_drop_worker(L, body.incarnation);
    }
}

void claim_on_message(struct runtime *runtime, const struct wire_message *message)
{
    uint32_t kind = message->head.kind;
    if (kind == PROTO_NAMES) {
        on_names(runtime, message->fd);
    } else if (kind == PROTO_TAKEN) {
        on_taken(runtime, message);
    } else if (kind == PROTO_GONE) {
        on_gone(runtime->L, message);
    } else {
        on_named(runtime->L, message);
    }
}
