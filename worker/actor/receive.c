/* receive.c - receive([match][, seconds]): the next message, or the first one that matches.
 * Owns nothing; how far a search has come stands in the actor.  Without a match it takes the oldest message or lets the
 * sender put the next one onto its stack.  With one it looks at each message once: those that do not match stay in the
 * mailbox in their order, for a later receive; others run in between when there are many.  A call that nobody waits for any more is
 * dropped unseen.
 * Called by mod_actor.c.  Must not know how messages are sent. */
#include "worker/actor/receive.h"

#include <lauxlib.h>
#include <math.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/call.h"
#include "worker/actor/post.h"
#include "worker/core/stdlib/breath.h"

enum {
    SECONDS_MAX = 366 * 24 * 60 * 60, /* keeps the conversion to milliseconds exact */
    MATCH = 1,                        /* stack slots of the arguments */
    SECONDS = 2,
};

static struct actor *check_actor(lua_State *L)
{
    struct actor *actor = actor_running(L);
    if (actor == NULL) {
        luaL_error(L, "cannot receive here: only an actor has a mailbox, not a request or a task");
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    if (actor->is_matching) {
        luaL_error(L, "cannot receive inside of a function that receive calls to match");
    }
    return actor;
}

static bool is_stale(const struct actor *actor, const struct letter *letter)
{
    return letter->kind == LETTER_CALL && !call_is_open(actor->actors, &letter->from);
}

/* Takes the message at a position out and pushes what receive returns for it: returns how many values. */
static int take(struct actor *actor, lua_State *L, uint32_t position)
{
    struct letter letter = *mailbox_letter(&actor->mailbox, position);
    mailbox_peek(&actor->mailbox, L, position);
    mailbox_remove(&actor->mailbox, L, position);
    post_settle(actor, &letter);
    int count = 1 + post_push_origin(L, &letter);
    if (actor->senders.first != NULL) {
        post_admit(actor, L);
    }
    return count;
}

/* False: the message at the position was stale, and is gone. */
static bool is_fresh(struct actor *actor, lua_State *L, uint32_t position)
{
    const struct letter *letter = mailbox_letter(&actor->mailbox, position);
    if (!is_stale(actor, letter)) {
        return true;
    }
    post_settle(actor, letter);
    mailbox_remove(&actor->mailbox, L, position);
    post_admit(actor, L);
    return false;
}

static void end_wait(struct actor *actor)
{
    struct task_timing *timing = actor->task->timing;
    actor->receiving = ACTOR_NOT_RECEIVING;
    if (timing != NULL) {
        timer_clear(&actor->actors->runtime->loop.timers, &timing->wait);
    }
}

static void on_cancel(struct task_wait *wait)
{
    end_wait(H2O_STRUCT_FROM_MEMBER(struct actor, wait, wait));
}

static void on_late(struct timer *timer)
{
    struct actor *actor = H2O_STRUCT_FROM_MEMBER(struct task_timing, wait, timer)->task->data;
    actor->is_late = true;
    if (actor->receiving != ACTOR_NOT_RECEIVING) {
        actor->receiving = ACTOR_NOT_RECEIVING;
        task_wake(actor->task);
    }
}

static void start_timer(struct actor *actor, double seconds)
{
    end_wait(actor); /* of a search that was cancelled between two looks */
    actor->is_late = seconds <= 0;
    if (seconds > 0 && seconds < HUGE_VAL) {
        loop_set_timer(&actor->actors->runtime->loop, &task_need_timing(actor->task)->wait,
                       (uint64_t)ceil(fmin(seconds, SECONDS_MAX) * 1000), on_late);
    }
}

static int wait_for(struct actor *actor, lua_State *L, enum actor_receiving receiving,
                    int (*on_resume)(struct task_wait *wait, lua_State *L))
{
    actor->receiving = receiving;
    actor->receiver = L;
    actor->handed = 0;
    actor->wait = (struct task_wait){on_cancel, on_resume};
    return task_wait(L, &actor->wait);
}

static int resume_any(struct task_wait *wait, lua_State *L)
{
    struct actor *actor = H2O_STRUCT_FROM_MEMBER(struct actor, wait, wait);
    end_wait(actor);
    int count = actor->handed;
    actor->handed = 0;
    if (count == 0) { /* it was too late */
        lua_pushnil(L);
        return 1;
    }
    return count;
}

static int receive_any(struct actor *actor, lua_State *L, double seconds)
{
    while (actor->mailbox.count > 0) {
        if (is_fresh(actor, L, 0)) {
            return take(actor, L, 0);
        }
    }
    if (seconds <= 0) {
        lua_pushnil(L);
        return 1;
    }
    (void)task_check(L);
    start_timer(actor, seconds);
    return wait_for(actor, L, ACTOR_RECEIVING_ANY, resume_any);
}

/* Pushes what a table of functions is asked with for the message on the top: its first element, its `type`, or itself. */
static void push_word(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        lua_pushvalue(L, -1);
    } else if (lua_rawgeti(L, -1, 1) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushliteral(L, "type");
        lua_rawget(L, -2);
    }
}

/* The message is on the top; so is the function that shall have it, when there is one. */
static bool find_function(lua_State *L)
{
    push_word(L);
    if (!lua_isnil(L, -1) && lua_rawget(L, MATCH) == LUA_TFUNCTION) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

/* Asks the predicate about the message on the top. */
static bool ask(struct actor *actor, lua_State *L, const struct letter *letter)
{
    struct letter kept = *letter;
    lua_pushvalue(L, MATCH);
    lua_pushvalue(L, -2);
    int count = 1 + post_push_origin(L, &kept);
    actor->is_matching = true;
    int status = lua_pcall(L, count, 1, 0);
    actor->is_matching = false;
    if (status != LUA_OK) {
        end_wait(actor);
        lua_error(L);
    }
    bool matches = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return matches;
}

static int return_all(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    return lua_gettop(L) - (int)context;
}

/* The function is on the top, below it nothing that matters. */
static int run_function(struct actor *actor, lua_State *L, uint32_t position)
{
    int base = lua_gettop(L) - 1;
    int count = take(actor, L, position);
    lua_callk(L, count, LUA_MULTRET, base, return_all);
    return return_all(L, LUA_OK, base);
}

static int run_after(lua_State *L)
{
    int base = lua_gettop(L);
    if (lua_type(L, MATCH) != LUA_TTABLE || lua_getfield(L, MATCH, "after") != LUA_TTABLE ||
        lua_rawgeti(L, -1, 2) == LUA_TNIL) {
        lua_pushnil(L);
        return 1;
    }
    lua_callk(L, 0, LUA_MULTRET, base + 1, return_all);
    return return_all(L, LUA_OK, base + 1);
}

/* Looks at the messages that it has not seen; waits when none matches. */
static int search(struct actor *actor, lua_State *L);

static int resume_search(struct task_wait *wait, lua_State *L)
{
    return search(H2O_STRUCT_FROM_MEMBER(struct actor, wait, wait), L);
}

static int search_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return search(actor_running(L), L);
}

/* Between two looks, when the slice is used up: a function that matches can't be interrupted. */
static void let_others_run(lua_State *L)
{
    struct slice *slice = &runtime_of(L)->slice;
    if (slice_is_over(slice)) {
        slice_cut(slice);
        breath_take(L, 0, search_on);
    }
}

/* Pushes the message at the place of the search.  True: it matches, and with a table its function is on the top alone. */
static bool is_match(struct actor *actor, lua_State *L)
{
    mailbox_peek(&actor->mailbox, L, actor->scan);
    bool has_table = lua_type(L, MATCH) == LUA_TTABLE;
    bool matches =
        has_table ? find_function(L) : ask(actor, L, mailbox_letter(&actor->mailbox, actor->scan));
    if (matches && has_table) {
        lua_replace(L, -2);
    } else {
        lua_pop(L, 1);
    }
    return matches;
}

static int search(struct actor *actor, lua_State *L)
{
    while (actor->scan < actor->mailbox.count) {
        if (!is_fresh(actor, L, actor->scan)) {
            continue;
        }
        if (is_match(actor, L)) {
            end_wait(actor);
            return lua_type(L, MATCH) == LUA_TTABLE ? run_function(actor, L, actor->scan)
                                                    : take(actor, L, actor->scan);
        }
        actor->scan++;
        let_others_run(L);
    }
    if (actor->is_late) {
        end_wait(actor);
        return run_after(L);
    }
    return wait_for(actor, L, ACTOR_RECEIVING_SOME, resume_search);
}

static double check_seconds(lua_State *L, int index)
{
    double seconds = luaL_optnumber(L, index, HUGE_VAL);
    luaL_argcheck(L, seconds >= 0 && !isnan(seconds), index, "must not be negative");
    return seconds;
}

/* The time in match.after, or the given one. */
static double check_after(lua_State *L, double seconds)
{
    if (lua_type(L, MATCH) != LUA_TTABLE || lua_getfield(L, MATCH, "after") == LUA_TNIL) {
        return seconds;
    }
    luaL_argcheck(L, lua_type(L, -1) == LUA_TTABLE, MATCH, "after must be {seconds, function}");
    bool has_number = lua_rawgeti(L, -1, 1) == LUA_TNUMBER && lua_tonumber(L, -1) >= 0;
    int type = lua_rawgeti(L, -2, 2);
    luaL_argcheck(L, has_number && (type == LUA_TNIL || type == LUA_TFUNCTION), MATCH,
                  "after must be {seconds, function}");
    return lua_tonumber(L, -2);
}

int receive_lua(lua_State *L)
{
    struct actor *actor = check_actor(L);
    int type = lua_type(L, MATCH);
    if (type == LUA_TNONE) {
        return receive_any(actor, L, HUGE_VAL);
    }
    if (type != LUA_TTABLE && type != LUA_TFUNCTION) {
        return receive_any(actor, L, check_seconds(L, type == LUA_TNIL ? SECONDS : MATCH));
    }
    lua_settop(L, SECONDS);
    double seconds = check_after(L, check_seconds(L, SECONDS));
    lua_settop(L, SECONDS);
    if (seconds > 0) {
        (void)task_check(L);
    }
    actor->scan = 0;
    start_timer(actor, seconds);
    return search(actor, L);
}
