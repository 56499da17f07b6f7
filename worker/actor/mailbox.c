/* mailbox.c - the queue of messages that wait to be received.
 * Owns the ring of letters and the Lua table of the values.  Both have the same capacity, a power of two, and grow
 * together; they go back when the last message of a large mailbox is taken.  A selective receive takes a message out of the
 * middle: those before it move up by one, as many as were skipped in the search anyway.
 * Called by post.c (in) and receive.c (out).  Must not know actors. */
#include "worker/actor/mailbox.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>

enum {
    FIRST_CAPACITY = 8,
    KEPT_CAPACITY = 64, /* when it runs empty */
};

void mailbox_init(struct mailbox *mailbox, uint32_t max_count, uint32_t max_bytes)
{
    *mailbox =
        (struct mailbox){.table_ref = LUA_NOREF, .max_count = max_count, .max_bytes = max_bytes};
}

static void release(struct mailbox *mailbox, lua_State *L)
{
    luaL_unref(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    mailbox->table_ref = LUA_NOREF;
    free(mailbox->letters);
    mailbox->letters = NULL;
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

/* The Lua table comes first: making it can raise, and everything is as before then. */
static void grow(struct mailbox *mailbox, lua_State *L)
{
    uint32_t capacity = mailbox->capacity == 0 ? FIRST_CAPACITY : mailbox->capacity * 2;
    lua_createtable(L, (int)capacity, 0);
    int table = luaL_ref(L, LUA_REGISTRYINDEX);
    struct letter *letters = calloc(capacity, sizeof(*letters));
    if (letters == NULL) {
        abort();
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

void mailbox_remove(struct mailbox *mailbox, lua_State *L, uint32_t position)
{
    assert(position < mailbox->count);
    mailbox->bytes -= mailbox->letters[place_of(mailbox, position)].bytes;
    if (mailbox->count == 1 && mailbox->capacity > KEPT_CAPACITY) {
        release(mailbox, L);
        mailbox->count = 0;
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, mailbox->table_ref);
    close_gap(mailbox, L, position);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)mailbox->head + 1);
    lua_pop(L, 1);
    mailbox->head = place_of(mailbox, 1);
    mailbox->count--;
}
