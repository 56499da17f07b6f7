#ifndef FSD_WORKER_ACTOR_MAILBOX_H
#define FSD_WORKER_ACTOR_MAILBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/actor/ref.h"

/* How a message came; the values stand in Lua words in receive.c. */
enum letter_kind {
    LETTER_MESSAGE, /* send */
    LETTER_CAST,    /* cast */
    LETTER_CALL,    /* call: from says where the answer goes */
    LETTER_SYSTEM,  /* an exit or monitor signal */
};

/* What is known of a message beside its value. */
struct letter {
    struct ref from; /* of a LETTER_CALL; of any from another worker: the incarnation */
    uint32_t bytes;
    uint8_t kind;      /* enum letter_kind */
    bool is_in_excess; /* from another worker, which is told when it gets room */
    bool as_worker;    /* from another worker, which has named the worker itself */
    uint8_t link;      /* from another worker: which of its links it came by, the lowest bits */
};

/* A queue of messages: what is known of each in a ring here, the values in a Lua table that is anchored in the registry.
 * Takes no memory but this struct while it is empty.  It knows its bounds; keeping them is the sender's business, because
 * signals go past them. */
struct mailbox {
    struct letter *letters; /* owned ring, NULL while capacity is 0 */
    int table_ref;          /* of the Lua table with the values at 1..capacity */
    uint32_t capacity;
    uint32_t head;
    uint32_t count;
    uint32_t max_count;
    uint32_t max_bytes;
    uint64_t bytes;
};

void mailbox_init(struct mailbox *mailbox, uint32_t max_count, uint32_t max_bytes);
/* Drops all messages. */
void mailbox_fini(struct mailbox *mailbox, lua_State *L);
/* Whether one more message of that many bytes stays within the bounds; an empty mailbox has room for any. */
bool mailbox_has_room(const struct mailbox *mailbox, size_t bytes);
/* Pops the value from the stack and appends it. */
void mailbox_push(struct mailbox *mailbox, lua_State *L, const struct letter *letter);
/* The letter at a position, borrowed until the mailbox changes. */
const struct letter *mailbox_letter(const struct mailbox *mailbox, uint32_t position);
/* Pushes the value at a position, 0 is the oldest. */
void mailbox_peek(const struct mailbox *mailbox, lua_State *L, uint32_t position);
/* Takes the message at a position out; its value is not pushed. */
void mailbox_remove(struct mailbox *mailbox, lua_State *L, uint32_t position);

#endif
