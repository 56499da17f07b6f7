/* copy.c - a message is a copy: the deep copy of a Lua value inside one state, which refuses what must not leave an actor.
 * Owns nothing.  A table is walked once; its copy is made with room for the list part, and when there is none, for as many
 * pairs as were counted, so that it does not grow while it is filled.  Strings are shared, because nobody can change one.
 * Called for every message, argument and exit reason.  Must not run Lua code: raw access only. */
#include "worker/actor/copy.h"

#include <errno.h>
#include <stdbool.h>

#include "common/err.h"
#include "worker/actor/pid.h"
#include "worker/actor/ref.h"
#include "worker/core/value_path.h"

enum {
    SLOTS = 5, /* the copy, a key twice, a value, and its metatable or copy */
};

/* What all levels of one copy share. */
struct copier {
    lua_State *L;
    const struct copy_marks *marks; /* borrowed from the caller */
    struct fsd_err *err;            /* borrowed from the caller */
    size_t bytes;
    int top; /* of the stack, before */
};

static __attribute__((cold, noinline)) int refuse(const struct copier *copier, const char *what,
                                                  const struct value_place *place)
{
    char path[VALUE_PATH_MAX];
    value_path_format(copier->L, place, path);
    return fsd_err_set(copier->err, EINVAL, "cannot send %s%s", what, path);
}

static inline int add_bytes(struct copier *copier, size_t bytes, const struct value_place *place)
{
    copier->bytes += bytes;
    return copier->bytes <= COPY_BYTES_MAX
               ? 0
               : refuse(copier, "more than 1 MiB in one message", place);
}

static int copy_table(struct copier *copier, int slot, const struct value_place *outer,
                      unsigned depth);

static int check_userdata(struct copier *copier, int slot, const struct value_place *place)
{
    lua_State *L = copier->L;
    if (pid_test(L, slot) != NULL || ref_test(L, slot, copier->marks->ref) != NULL) {
        return add_bytes(copier, COPY_ID_BYTES, place);
    }
    return refuse(copier, "a userdata", place);
}

static int check_rare(struct copier *copier, int slot, int type, const struct value_place *place)
{
    lua_State *L = copier->L;
    switch (type) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        return add_bytes(copier, COPY_SCALAR_BYTES, place);
    case LUA_TUSERDATA:
        return check_userdata(copier, slot, place);
    case LUA_TLIGHTUSERDATA:
        return lua_touserdata(L, slot) == NULL ? add_bytes(copier, COPY_SCALAR_BYTES, place)
                                               : refuse(copier, "a userdata", place);
    case LUA_TFUNCTION:
        return refuse(copier, "a function", place);
    default:
        return refuse(copier, "a coroutine", place);
    }
}

/* What needs no copy is counted or refused. */
static inline int check_plain(struct copier *copier, int slot, int type,
                              const struct value_place *place)
{
    if (type == LUA_TNUMBER) {
        return add_bytes(copier, COPY_SCALAR_BYTES, place);
    }
    if (type == LUA_TSTRING) {
        return add_bytes(copier, COPY_HEAD_BYTES + lua_rawlen(copier->L, slot), place);
    }
    return check_rare(copier, slot, type, place);
}

static int check_key(struct copier *copier, int slot, const struct value_place *place)
{
    int type = lua_type(copier->L, slot);
    if (type == LUA_TTABLE) {
        return refuse(copier, "a table as a key", place->outer);
    }
    return check_plain(copier, slot, type, place);
}

static bool may_carry(const struct copier *copier)
{
    const void *metatable = lua_topointer(copier->L, -1);
    return metatable == copier->marks->array || metatable == copier->marks->error;
}

static int count_pairs(lua_State *L, int slot)
{
    int count = 0;
    lua_pushnil(L);
    while (lua_next(L, slot) != 0) {
        lua_pop(L, 1);
        if (++count > COPY_BYTES_MAX) {
            lua_pop(L, 1);
            break;
        }
    }
    return count;
}

/* The pair on the top, whose key is no integer, goes into the copy below it. */
static int set_field(struct copier *copier, const struct value_place *place)
{
    lua_State *L = copier->L;
    int r = check_key(copier, place->key_slot, place);
    if (r == 0) {
        lua_pushvalue(L, place->key_slot);
        lua_insert(L, -2);
        lua_rawset(L, place->key_slot - 1);
    }
    return r;
}

/* The pair on the top: its value becomes what the copy gets, and goes into the copy below it. */
static inline int copy_pair(struct copier *copier, const struct value_place *place, unsigned depth)
{
    lua_State *L = copier->L;
    int key_slot = place->key_slot;
    int type = lua_type(L, -1);
    int r = 0;
    if (type != LUA_TTABLE) {
        r = check_plain(copier, key_slot + 1, type, place);
    } else {
        r = copy_table(copier, key_slot + 1, place, depth);
        if (r == 0) {
            lua_replace(L, key_slot + 1);
        }
    }
    if (r != 0) {
        return r;
    }
    if (lua_isinteger(L, key_slot)) {
        lua_rawseti(L, key_slot - 1, lua_tointeger(L, key_slot));
        return 0;
    }
    return set_field(copier, place);
}

/* The table at slot has one of the metatables that may be sent: the copy on the top gets it. */
static int copy_metatable(struct copier *copier, int slot, const struct value_place *outer)
{
    lua_State *L = copier->L;
    if (!lua_getmetatable(L, slot)) {
        return 0;
    }
    if (!may_carry(copier)) {
        return refuse(copier, "a table with a metatable", outer);
    }
    lua_setmetatable(L, -2);
    return 0;
}

/* Pushes the copy.  After a failure the stack is whatever it is then: copy_push mends it. */
static int copy_table(struct copier *copier, int slot, const struct value_place *outer,
                      unsigned depth)
{
    lua_State *L = copier->L;
    int copy_slot =
        depth == 0 ? copier->top + 1 : slot + 1; /* an inner table is on the top itself */
    if (depth == COPY_DEPTH_MAX) {
        return refuse(copier, "more than 100 levels of tables (a cycle?)", outer);
    }
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(copier, "a table that the Lua stack has no room for", outer);
    }
    lua_Unsigned length = lua_rawlen(L, slot);
    int r = add_bytes(copier, COPY_HEAD_BYTES + (size_t)length, outer);
    if (r != 0) {
        return r;
    }
    lua_createtable(L, (int)length, length == 0 ? count_pairs(L, slot) : 0);
    r = copy_metatable(copier, slot, outer);
    struct value_place place = {.outer = outer, .key_slot = copy_slot + 1};
    lua_pushnil(L);
    while (r == 0 && lua_next(L, slot) != 0) {
        r = copy_pair(copier, &place, depth + 1);
    }
    return r;
}

int copy_push(lua_State *L, int index, const struct copy_marks *marks, size_t *ret_bytes,
              struct fsd_err *err)
{
    struct copier copier = {.L = L, .marks = marks, .err = err, .top = lua_gettop(L)};
    int slot = index > 0 ? index : copier.top + 1 + index;
    int r = 0;
    int type = lua_type(L, slot);
    if (type == LUA_TTABLE) {
        r = copy_table(&copier, slot, NULL, 0);
    } else {
        r = check_plain(&copier, slot, type, NULL);
        lua_pushvalue(L, slot);
    }
    if (r != 0) {
        lua_settop(L, copier.top);
        return r;
    }
    *ret_bytes = copier.bytes;
    return 0;
}
