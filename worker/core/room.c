/* room.c - long strings whose memory has been got before they are made.
 * Owns, in userdata on Lua's stack, a block that becomes the string's; so it is freed when an error is raised or the task ends.
 * Lua can only make a string at once, and takes a block for it that the kernel has to fill with pages; here the block is
 * taken before and filled piece by piece, and the heap hands it out when Lua asks for one that fits.  It is the heap's from the
 * beginning, which charges it and refuses it as it would the string.
 * Called by C functions that return long strings.  Must not know what is in them. */
#include "worker/core/room.h"

#include <lauxlib.h>

#include "worker/core/collector.h"
#include "worker/core/heap.h"
#include "worker/core/stdlib/breath.h"

enum {
    SLOTS = 8,
    LONG_BYTES = 1 << 20,
    PIECE_BYTES = 512 << 10, /* below half a millisecond */
};

struct room {
    char *block; /* owned; NULL: there is none, or it has become a string's */
    size_t bytes;
    size_t filled;
    lua_KFunction then;
    lua_KContext context;
};

static const char metatable[] = "fsd.room";

/* NULL in a test that has Lua's own. */
static struct heap *heap_of(lua_State *L)
{
    void *heap;
    return lua_getallocf(L, &heap) == heap_allocate ? heap : NULL;
}

static int room_gc(lua_State *L)
{
    struct room *room = lua_touserdata(L, 1);
    struct heap *heap = heap_of(L);
    heap_forget_lent(heap, &room->block);
    (void)heap_allocate(heap, room->block, room->bytes, 0);
    room->block = NULL;
    return 0;
}

static struct room *push_room(lua_State *L)
{
    struct room *room = lua_newuserdatauv(L, sizeof(*room), 0);
    *room = (struct room){0};
    if (luaL_newmetatable(L, metatable)) {
        lua_pushcfunction(L, room_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return room;
}

/* The context is where the room stands, on the top. */
static int fill_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct room *room = lua_touserdata(L, (int)context);
    while (room->block != NULL && room->filled < room->bytes) {
        size_t left = room->bytes - room->filled;
        size_t part = left < PIECE_BYTES ? left : PIECE_BYTES;
        heap_fill_pages(room->block + room->filled, part);
        room->filled += part;
        breath_take(L, context, fill_on);
    }
    return room->then(L, LUA_OK, room->context);
}

int room_prepare(lua_State *L, size_t len, lua_KContext context, lua_KFunction then)
{
    luaL_checkstack(L, SLOTS, "no room");
    struct heap *heap = heap_of(L);
    if (len < LONG_BYTES || heap == NULL) {
        lua_pushnil(L);
        return then(L, LUA_OK, context);
    }
    struct room *room = push_room(L);
    room->then = then;
    room->context = context;
    room->bytes = len + HEAP_LENT_SPARE;
    /* NULL: the string is refused, too, or finds its memory later */
    room->block = heap_allocate(heap, NULL, 0, room->bytes);
    return fill_on(L, LUA_OK, lua_gettop(L));
}

void room_lend(lua_State *L, int index)
{
    struct room *room = lua_touserdata(L, index);
    if (room != NULL && room->block != NULL) {
        heap_lend(heap_of(L), &room->block, room->bytes);
    }
}

/* The context is how many strings stand below the room. */
static int join(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    int count = (int)context;
    lua_insert(L, -1 - count);
    room_lend(L, -1 - count);
    return collector_settle(L, collector_concat(L, count), 1);
}

int room_join(lua_State *L, int count)
{
    size_t len = 0;
    for (int i = 1; i <= count; i++) {
        len += lua_rawlen(L, -i); /* of a number 0: then the room is not used */
    }
    return room_prepare(L, len, count, join);
}
