/* exit.c - the ends of actors: exit signals, reasons, and who is told.
 * Owns nothing but the order: the reason is found, a crash is logged, the name and the place are given up, then links,
 * monitors, callers and waiting senders hear of it, each with a copy of the reason.  An exit signal marks the actor, which has
 * ended for everybody from then on; its coroutine is closed at the end of the turn, and only then are the others told.
 * Called by mod_actor.c, and by task.c when a coroutine is finished.  Must not know why an application ends an actor. */
#include "worker/actor/exit.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/call.h"
#include "worker/actor/code.h"
#include "worker/actor/names.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/node/remote.h"
#include "worker/actor/node/remote_say.h"
#include "worker/actor/post.h"
#include "worker/actor/roster.h"
#include "worker/core/error.h"

#define EXIT_ERROR "ExitError"

static const char *string_at(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
}

/* What is no message any more, because it was changed after it was raised, is told as its type. */
void exit_copy_reason(lua_State *L)
{
    size_t bytes = 0;
    if (lua_type(L, -1) == LUA_TSTRING) {
        lua_pushvalue(L, -1);
    } else if (copy_push(L, -1, &actors_of(L)->marks, &bytes, NULL) != 0) {
        lua_pushfstring(L, "(a %s that cannot be sent)", luaL_typename(L, -1));
    }
}

/* Pops the reason. */
static void begin_exit(struct actor *actor, lua_State *L)
{
    actor->reason_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    actor->is_exiting = true;
    names_leave(L, actor);
    roster_remove(actor, L);
    if (actor->has_begun) {
        task_kill(actor->task);
    }
}

static void post_exit(struct actor *actor, lua_State *L, const struct pid *from)
{
    lua_createtable(L, 3, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 3);
    pid_push(L, from);
    lua_rawseti(L, -2, 2);
    lua_pushliteral(L, "$exit");
    lua_rawseti(L, -2, 1);
    post_signal(actor, L);
}

void exit_signal(struct actor *actor, lua_State *L, enum signal_kind kind, const struct pid *from)
{
    switch (signal_decide(kind, signal_classify(string_at(L, -1)), actor->traps)) {
    case SIGNAL_IGNORE:
        lua_pop(L, 1);
        return;
    case SIGNAL_DELIVER:
        post_exit(actor, L, from);
        return;
    case SIGNAL_KILL:
        lua_pop(L, 1);
        lua_pushliteral(L, "killed");
        break;
    case SIGNAL_END:
        break;
    }
    begin_exit(actor, L);
}

void exit_raise(lua_State *L)
{
    error_push(L, EXIT_ERROR, "exit", 500, "the actor ends");
    lua_insert(L, -2);
    lua_setfield(L, -2, "reason");
    lua_error(L);
    __builtin_unreachable(); /* lua_error does not return, but its prototype can't say so */
}

void exit_post_down(struct actor *watcher, lua_State *L, int ref_index, const char *name,
                    const struct pid *pid)
{
    ref_index = lua_absindex(L, ref_index);
    lua_createtable(L, 4, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 4);
    if (name != NULL) {
        lua_pushstring(L, name);
    } else {
        pid_push(L, pid);
    }
    lua_rawseti(L, -2, 3);
    lua_pushvalue(L, ref_index);
    lua_rawseti(L, -2, 2);
    lua_pushliteral(L, "$down");
    lua_rawseti(L, -2, 1);
    post_signal(watcher, L);
}

/* The reason is on the top, and stays there. */
static void tell(struct actor *actor, lua_State *L, const struct bond *twin)
{
    struct pid pid = actor_pid(actor);
    switch (twin->kind) {
    case BOND_LINK:
        if (!twin->owner->is_exiting) {
            exit_copy_reason(L);
            exit_signal(twin->owner, L, SIGNAL_LINK, &pid);
        }
        return;
    case BOND_WATCHES:
        if (!twin->owner->is_exiting) {
            lua_rawgeti(L, LUA_REGISTRYINDEX, twin->ref_anchor);
            lua_pushvalue(L, -2);
            exit_copy_reason(L);
            lua_replace(L, -2);
            exit_post_down(twin->owner, L, -2, twin->name, &pid);
            lua_pop(L, 1);
        }
        return;
    case BOND_WATCHED: /* it monitors nobody any more */
        return;
    }
}

/* The same for one in another worker. */
static void tell_far(const struct actor *actor, lua_State *L, const struct bond *bond)
{
    static const enum frame_kind kinds[] = {[BOND_LINK] = FRAME_LINK_EXIT,
                                            [BOND_WATCHES] = FRAME_DEMONITOR,
                                            [BOND_WATCHED] = FRAME_DOWN};
    const struct bond_far *far = bond->far;
    struct remote *remote = remotes_find(&actor->actors->remotes, far->other.incarnation);
    struct pid from = actor_pid(actor);
    struct frame frame = {.kind = kinds[bond->kind],
                          .to = remote_place(&far->other),
                          .from = remote_place(&from),
                          .ref = far->number};
    if (bond->kind == BOND_WATCHES) {
        remote_say(remote, &frame);
    } else {
        exit_copy_reason(L);
        remote_say_value(L, remote, &frame);
    }
}

static void tell_all(struct actor *actor, lua_State *L)
{
    while (actor->bonds != NULL) {
        struct bond *bond = actor->bonds;
        if (bond->far != NULL) {
            tell_far(actor, L, bond);
        } else {
            tell(actor, L, bond->twin);
        }
        bond_remove(L, bond);
    }
}

static void log_text(struct logger_record *record, const char *key, const char *text)
{
    if (text != NULL) {
        logger_field_text(record, key, text, strlen(text));
    }
}

/* The Error is on the top. */
static void log_crash(const struct actor *actor, lua_State *L)
{
    int top = lua_gettop(L);
    char pid_text[PID_TEXT_MAX];
    struct pid pid = actor_pid(actor);
    pid_format(&pid, pid_text);
    const char *message = error_push_text(L, top, "message");
    lua_pushfstring(L, "actor crashed: %s", message != NULL ? message : "unknown error");
    size_t len = 0;
    const char *text = lua_tolstring(L, -1, &len);
    struct logger_record record;
    logger_begin(&record, &actor->actors->runtime->logger, LOG_LEVEL_ERROR, text, len);
    log_text(&record, "actor", pid_text);
    log_text(&record, "module", actor->code->name);
    log_text(&record, "name", names_get(actor));
    log_text(&record, "code", error_push_text(L, top, "code"));
    log_text(&record, "traceback", error_push_text(L, top, "traceback"));
    logger_send(&record);
    lua_settop(L, top);
}

static bool is_exit(lua_State *L)
{
    if (!error_is(L, -1)) {
        return false;
    }
    lua_pushliteral(L, "name");
    lua_rawget(L, -2);
    const char *name = string_at(L, -1);
    bool is = name != NULL && strcmp(name, EXIT_ERROR) == 0;
    lua_pop(L, 1);
    return is;
}

/* An Error of its own for those who are told: without what only the log shall have. */
static void push_told(lua_State *L)
{
    int error = lua_gettop(L);
    const char *name = error_push_text(L, error, "name");
    const char *code = error_push_text(L, error, "code");
    const char *message = error_push_text(L, error, "message");
    error_push(L, name != NULL ? name : "Error", code != NULL ? code : "error",
               error_status(L, error), message != NULL ? message : "unknown error");
}

/* Nothing here can fail: it is our own Error, and the worker's memory is never refused. */
void exit_excess(struct task *task, const char *message)
{
    struct actor *actor = task->data;
    lua_State *L = task->runtime->L;
    if (actor->is_exiting) {
        return;
    }
    error_push(L, "LimitError", "memory", 503, message);
    luaL_traceback(L, task->L, NULL, 0);
    lua_setfield(L, -2, "traceback");
    log_crash(actor, L);
    lua_pop(L, 1);
    error_push(L, "LimitError", "memory", 503, message); /* only the log shall have the traceback */
    begin_exit(actor, L);
}

/* Protected, because an error value may have a __tostring of its own: 1 is the actor, 2 the error.  Returns the reason. */
static int make_reason(lua_State *L)
{
    const struct actor *actor = lua_touserdata(L, 1);
    if (is_exit(L)) {
        lua_getfield(L, 2, "reason");
        return 1;
    }
    error_wrap(L);
    if (lua_getfield(L, 2, "traceback") == LUA_TNIL) {
        luaL_traceback(L, actor->task->L, NULL, 0);
        lua_setfield(L, 2, "traceback");
    }
    lua_settop(L, 2);
    log_crash(actor, L);
    push_told(L);
    return 1;
}

/* Pushes why the actor has ended. */
static void push_reason(struct actor *actor, lua_State *L, int status)
{
    if (actor->is_exiting) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, actor->reason_ref);
        luaL_unref(L, LUA_REGISTRYINDEX, actor->reason_ref);
    } else if (status == LUA_OK) {
        lua_pushliteral(L, "normal");
    } else if (status == TASK_CLOSED) {
        lua_pushliteral(L, "killed"); /* by whoever may end any task */
    } else {
        lua_pushcfunction(L, make_reason);
        lua_pushlightuserdata(L, actor);
        lua_pushvalue(actor->task->L, -1);
        lua_xmove(actor->task->L, L, 1);
        if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
            lua_pop(L, 1);
            lua_pushliteral(L, "error");
        }
    }
}

/* What was not received has its room now. */
static void settle_all(const struct actor *actor)
{
    for (uint32_t i = 0; i < actor->mailbox.count; i++) {
        post_settle(actor, mailbox_letter(&actor->mailbox, i));
    }
}

static void free_actor(struct actor *actor, lua_State *L)
{
    struct actors *actors = actor->actors;
    claim_drop(actor);
    settle_all(actor);
    mailbox_fini(&actor->mailbox, L);
    code_release(actors, actor->code);
    actors_remove(actors, actor);
    free(actor);
}

void exit_finish(struct task *task, int status)
{
    struct actor *actor = task->data;
    lua_State *L = task->runtime->L;
    push_reason(actor, L, status);
    actor->is_exiting = true;
    names_leave(L, actor);
    roster_remove(actor, L);
    tell_all(actor, L);
    call_fail_all(actor, L);
    sender_turn_away(&actor->senders);
    lua_pop(L, 1);
    struct actors *actors = actor->actors;
    void (*on_end)(struct actors * actors) = actor->on_end;
    free_actor(actor, L);
    if (on_end != NULL) {
        on_end(actors);
    }
}
