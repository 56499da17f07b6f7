/* pid.c - the value that names an actor: a userdata "fsd.Pid" without any state, the same object for the same actor.
 * Owns the metatable and two tables of weak values in the registry: of this worker's actors by index, which is what nearly
 * every look-up needs, and of all others by their bytes.  An index is used again after its actor has ended; the pid of the
 * later one then takes its place in the first table, and that of the earlier one moves to the second.
 * Called by whatever shows an actor to Lua.  Must not know whether the actor lives. */
#include "worker/actor/pid.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "worker/core/runtime.h"

#define PID_METATABLE "fsd.Pid"

/* Their addresses are the keys in the registry. */
static const char own_key = 0;
static const char other_key = 0;
static const char metatable_key = 0;

/* What Lua holds.  Every send asks whether something is a pid: its size and a mark say so in two calls, where the metatable
 * would take five.  The mark is the address of a static; memory of a pid that was freed may still show it, but a pid of old
 * names nobody, and nothing here points anywhere. */
struct pid_value {
    const char *mark;
    struct pid pid;
};

static const char mark = 0;

static const struct pid *to_pid(lua_State *L, int index)
{
    const struct pid_value *value = lua_touserdata(L, index);
    return &value->pid;
}

static int pid_tostring(lua_State *L)
{
    const struct pid_value *value = luaL_checkudata(L, 1, PID_METATABLE);
    char text[PID_TEXT_MAX];
    pid_format(&value->pid, text);
    lua_pushstring(L, text);
    return 1;
}

static void make_weak_table(lua_State *L, const char *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void pid_init(lua_State *L)
{
    luaL_newmetatable(L, PID_METATABLE);
    lua_pushcfunction(L, pid_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, PID_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
    make_weak_table(L, &own_key);
    make_weak_table(L, &other_key);
}

static void push_new(lua_State *L, const struct pid *pid)
{
    struct pid_value *made = lua_newuserdatauv(L, sizeof(*made), 0);
    *made = (struct pid_value){&mark, *pid};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setmetatable(L, -2);
}

static void push_key(lua_State *L, const struct pid *pid)
{
    char key[sizeof(pid->incarnation) + sizeof(pid->serial) + sizeof(pid->node)];
    memcpy(key, &pid->incarnation, sizeof(pid->incarnation));
    memcpy(key + sizeof(pid->incarnation), &pid->serial, sizeof(pid->serial));
    memcpy(key + sizeof(pid->incarnation) + sizeof(pid->serial), &pid->node, sizeof(pid->node));
    lua_pushlstring(L, key, sizeof(key));
}

/* Looks among the others, and adds it there. */
static void push_other(lua_State *L, const struct pid *pid)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &other_key);
    push_key(L, pid);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        push_new(L, pid);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* The userdata on the top of the stack gives its place to a later actor's. */
static void move_to_others(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &other_key);
    push_key(L, to_pid(L, -2));
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* Not in its place: it may be among the others, because a later actor's pid stood here and is forgotten already. */
static void push_known(lua_State *L, const struct pid *pid)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &other_key);
    push_key(L, pid);
    lua_rawget(L, -2);
    lua_replace(L, -2);
}

/* The pid on the top is entered into the table of this worker's pids below it, and takes its place on the stack. */
static void enter(lua_State *L, const struct pid *pid)
{
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, pid->index);
    lua_replace(L, -2);
}

void pid_push_present(lua_State *L, const struct pid *pid)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &own_key);
    if (lua_rawgeti(L, -1, pid->index) == LUA_TUSERDATA) {
        if (to_pid(L, -1)->serial == pid->serial) {
            lua_replace(L, -2);
            return;
        }
        move_to_others(L);
    }
    lua_pop(L, 1);
    push_new(L, pid);
    enter(L, pid);
}

void pid_push(lua_State *L, const struct pid *pid)
{
    if (pid->incarnation != runtime_of(L)->incarnation || pid->node != 0) {
        push_other(L, pid);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &own_key);
    if (lua_rawgeti(L, -1, pid->index) == LUA_TUSERDATA) {
        uint64_t serial = to_pid(L, -1)->serial;
        if (serial == pid->serial) {
            lua_replace(L, -2);
            return;
        }
        if (serial > pid->serial) {
            lua_pop(L, 2);
            push_other(L, pid);
            return;
        }
        move_to_others(L);
    }
    lua_pop(L, 1);
    push_known(L, pid);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        push_new(L, pid);
    }
    enter(L, pid);
}

const struct pid *pid_test(lua_State *L, int index)
{
    const struct pid_value *value = lua_touserdata(L, index);
    if (value == NULL || lua_rawlen(L, index) != sizeof(*value) || value->mark != &mark) {
        return NULL;
    }
    return &value->pid;
}

bool pid_equal(const struct pid *a, const struct pid *b)
{
    return a->incarnation == b->incarnation && a->serial == b->serial && a->node == b->node;
}

void pid_format(const struct pid *pid, char text[PID_TEXT_MAX])
{
    (void)snprintf(text, PID_TEXT_MAX, "<%" PRIu32 ".%" PRIu64 ".%" PRIu32 ".%" PRIu64 ">",
                   pid->node, pid->incarnation, pid->index, pid->serial);
}
