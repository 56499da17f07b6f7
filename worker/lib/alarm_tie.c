/* alarm_tie.c - timers that go when something else does: messages for an actor that has ended.
 * Owns a tie for each value that timers that are set are tied to, a userdata that heads their list.  A table in the registry has value ->
 * tie while the list is not empty, and the registry has the value under the tie's address, for the way back.
 * Called by alarm.c and mod_timer.c.  Must not know what the values are. */
#include "worker/lib/alarm_tie.h"

#include <assert.h>
#include <stddef.h>

#include "worker/lib/alarm.h"

static const char key[] = "fsd.timer.ties"; /* in the registry */

struct alarm_tie {
    struct alarm *first; /* borrowed list */
};

static void push_ties(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    }
}

/* The tie of the value on the top, or NULL; pushes the tie, or nil. */
static struct alarm_tie *find(lua_State *L)
{
    push_ties(L);
    lua_pushvalue(L, -2);
    (void)lua_rawget(L, -2);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

/* A tie of the value on the top, which is popped. */
static struct alarm_tie *make(lua_State *L)
{
    struct alarm_tie *tie = lua_newuserdatauv(L, sizeof(*tie), 0);
    tie->first = NULL;
    push_ties(L);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, tie);
    return tie;
}

void alarm_tie_add(lua_State *L, struct alarm *alarm, int index)
{
    assert(alarm->is_set && alarm->tie == NULL);
    lua_pushvalue(L, index);
    struct alarm_tie *tie = find(L);
    lua_pop(L, 1);
    if (tie == NULL) {
        tie = make(L);
    } else {
        lua_pop(L, 1);
    }
    alarm->tie = tie;
    alarm->tie_previous = NULL;
    alarm->tie_next = tie->first;
    if (tie->first != NULL) {
        tie->first->tie_previous = alarm;
    }
    tie->first = alarm;
}

/* Nothing is tied any more. */
static void drop(lua_State *L, const struct alarm_tie *tie)
{
    push_ties(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, tie);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, tie);
}

void alarm_tie_remove(lua_State *L, struct alarm *alarm)
{
    struct alarm_tie *tie = alarm->tie;
    if (tie == NULL) {
        return;
    }
    alarm->tie = NULL;
    if (alarm->tie_previous != NULL) {
        alarm->tie_previous->tie_next = alarm->tie_next;
    } else {
        tie->first = alarm->tie_next;
    }
    if (alarm->tie_next != NULL) {
        alarm->tie_next->tie_previous = alarm->tie_previous;
    }
    if (tie->first == NULL) {
        drop(L, tie);
    }
}

void alarm_tie_cancel(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    struct alarm_tie *tie = find(L); /* held by the stack until the last one is called off */
    while (tie != NULL && tie->first != NULL) {
        (void)alarm_cancel(tie->first);
    }
    lua_pop(L, 2);
}
