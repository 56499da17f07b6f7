/* mailbox.c - the queue of messages that wait to be received.
 * Owns the ring of letters and the Lua table of the values.  Both have the same capacity, a power of two, and grow
 * together, by Lua's allocator, so that both count for whoever is charged.  They go back when the last message of a large mailbox is
 * taken, unless many have gone through it since it was empty: then as many will come again, and if not, the first that comes alone has
 * it given back.  A selective receive takes a message out of the middle: those before it move up by one, as many as were skipped in
 * the search anyway.
 * Called by post.c (in) and receive.c (out).  Must not know actors. */
#include "worker/actor/mailbox.h"

#include <assert.h>
#include <lauxlib.h>

enum {
    FIRST_CAPACITY = 8,
    KEPT_CAPACITY = 64,      /* when it runs empty */
    BUSY_CAPACITY = 4 << 10, /* the same when it was used */
    BUSY_PART = 4,           /* of the places, through which messages went */
};

void mailbox_init(struct mailbox *mailbox, uint32_t max_count, uint32_t max_bytes)
{
    *mailbox =
        (struct mailbox){.table_ref = LUA_NOREF, .max_count = max_count, .max_bytes = max_bytes};
}

/* By Lua's allocator, so that the ring counts for whoever is charged. */
static struct letter *resize(lua_State *L, struct letter *letters, uint32_t old_capacity,
                             uint32_t capacity)
{
    void *data = NULL;
    lua_Alloc allocate = lua_getallocf(L, &data);
    return allocate(data, letters, old_capacity * sizeof(*letters), capacity * sizeof(*letters));
}

static void release(struct mailbox *mailbox, lua_State *L)
{
    luaL_unref(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    mailbox->table_ref = LUA_NOREF;
    mailbox->letters = resize(L, mailbox->letters, mailbox->capacity, 0);
    mailbox->capacity = 0;
    mailbox->head = 0;
}

void mailbox_fini(struct mailbox *mailbox, lua_State *L)
{
    release(mailbox, L);
    mailbox->count = 0;
    mailbox->bytes = 0;
}

bool mailbox_has_room(const struct mailbox *mailbox, size_t bytes)
{
    return mailbox->count == 0 ||
           (mailbox->count < mailbox->max_count && mailbox->bytes + bytes <= mailbox->max_bytes);
}

static uint32_t place_of(const struct mailbox *mailbox, uint32_t position)
{
    return (mailbox->head + position) & (mailbox->capacity - 1);
}

/* Making the two can raise, and everything is as before then. */
static void grow(struct mailbox *mailbox, lua_State *L)
{
    uint32_t capacity = mailbox->capacity == 0 ? FIRST_CAPACITY : mailbox->capacity * 2;
    lua_createtable(L, (int)capacity, 0);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    struct letter *letters = resize(L, NULL, 0, capacity);
    if (letters == NULL) {
        luaL_unref(L, LUA_REGISTRYINDEX, table);
        luaL_error(L, "not enough memory"); /* to Lua, these words are a memory error */
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, table);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    for (uint32_t i = 0; i < mailbox->count; i++) {
        uint32_t place = place_of(mailbox, i);
        letters[i] = mailbox->letters[place];
        lua_rawgeti(L, -1, (lua_Integer)place + 1);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
    }
    lua_pop(L, 2);
    release(mailbox, L);
    mailbox->letters = letters;
    mailbox->table_ref = table;
    mailbox->capacity = capacity;
}

void mailbox_push(struct mailbox *mailbox, lua_State *L, const struct letter *letter)
{
    if (mailbox->count == mailbox->capacity) {
        grow(mailbox, L);
    }
    uint32_t place = place_of(mailbox, mailbox->count);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)place + 1);
    lua_pop(L, 1);
    mailbox->letters[place] = *letter;
    mailbox->count++;
    mailbox->bytes += letter->bytes;
}

const struct letter *mailbox_letter(const struct mailbox *mailbox, uint32_t position)
{
    assert(position < mailbox->count);
    return &mailbox->letters[place_of(mailbox, position)];
}

void mailbox_peek(const struct mailbox *mailbox, lua_State *L, uint32_t position)
{
    assert(position < mailbox->count);
    lua_rawgeti(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    lua_rawgeti(L, -1, (lua_Integer)place_of(mailbox, position) + 1);
    lua_replace(L, -2);
}

/* Moves the messages before a position up by one; the table of values is on the top. */
static void close_gap(struct mailbox *mailbox, lua_State *L, uint32_t position)
{
    for (uint32_t i = position; i > 0; i--) {
        uint32_t to = place_of(mailbox, i);
        uint32_t from = place_of(mailbox, i - 1);
        mailbox->letters[to] = mailbox->letters[from];
        lua_rawgeti(L, -1, (lua_Integer)from + 1);
        lua_rawseti(L, -2, (lua_Integer)to + 1);
    }
}

/* The last message is about to be taken: it stands where head is, and the first one since the mailbox was empty came to place 0. */
static bool is_too_large(const struct mailbox *mailbox)
{
    return mailbox->capacity > BUSY_CAPACITY ||
           (mailbox->capacity > KEPT_CAPACITY && mailbox->head < mailbox->capacity / BUSY_PART);
}

void mailbox_remove(struct mailbox *mailbox, lua_State *L, uint32_t position)
{
    assert(position < mailbox->count);
    mailbox->bytes -= mailbox->letters[place_of(mailbox, position)].bytes;
    if (mailbox->count == 1 && is_too_large(mailbox)) {
        release(mailbox, L);
        mailbox->count = 0;
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    close_gap(mailbox, L, position);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)mailbox->head + 1);
    lua_pop(L, 1);
    mailbox->count--;
    mailbox->head = mailbox->count == 0 ? 0 : place_of(mailbox, 1);
}
