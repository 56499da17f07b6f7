/* remote_read.c - what other workers say, done.
 * Owns nothing.  A row says what a kind of frame does.  Whoever is named may have ended meanwhile: then the other side is told,
 * when it would want to know, as it would be told in its own worker.  A message is taken whatever the bounds of a mailbox
 * that makes its senders wait are: the sender's side keeps them, by what is credited here.
 * Called by remote.c for each frame, outside of any task, so that memory is the worker's and is not refused.
 * Must not believe what it reads. */
#include "worker/actor/node/remote_read.h"

#include <errno.h>
#include <string.h>

#include "common/msgpack.h"
#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/call.h"
#include "worker/actor/exit.h"
#include "worker/actor/node/codec.h"
#include "worker/actor/node/remote.h"
#include "worker/actor/node/remote_say.h"
#include "worker/actor/post.h"

/* What a frame is read with. */
struct reading {
    struct remote *remote; /* borrowed */
    struct actors *actors; /* borrowed */
    lua_State *L;
    struct frame frame;
    struct actor *to; /* borrowed; NULL: it has ended, or the kind has none */
    struct pid from;  /* of the sender's */
};

/* Pushes the payload, which is one value. */
static int push_payload(const struct reading *reading, size_t *ret_bytes)
{
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, reading->frame.payload, reading->frame.len);
    int error = codec_push(reading->L, &reader, ret_bytes);
    if (error == 0 && reader.at != reader.end) {
        lua_pop(reading->L, 1);
        error = -EPROTO;
    }
    return error;
}

/* The same, charged to whom it is for; NULL: to the worker.  No error can be raised here. */
static int push_payload_for(const struct reading *reading, const struct task *task,
                            size_t *ret_bytes)
{
    struct heap *heap = &reading->actors->runtime->heap;
    uint32_t before = heap_charge(heap, task == NULL ? 0 : task->account);
    heap->pins++;
    int error = push_payload(reading, ret_bytes);
    heap->pins--;
    (void)heap_charge(heap, before);
    return error;
}

static void refuse_call(const struct reading *reading, const char *code)
{
    lua_pushnil(reading->L);
    remote_say_failure(reading->L, reading->remote, reading->frame.ref, code);
}

static int read_letter(struct reading *reading, enum letter_kind kind)
{
    struct remote *remote = reading->remote;
    size_t bytes = 0;
    int error = push_payload_for(reading, reading->to == NULL ? NULL : reading->to->task, &bytes);
    if (error != 0) {
        return error;
    }
    struct letter letter = {
        .kind = kind,
        .bytes = (uint32_t)bytes,
        .as_worker = reading->frame.to.index == 0,
        .link = (uint8_t)remote->links,
        .from = {.incarnation = remote->body.incarnation, .number = reading->frame.ref}};
    if (reading->to == NULL) {
        lua_pop(reading->L, 1);
        remote_take(remote, &reading->frame.to, bytes);
        if (kind == LETTER_CALL) {
            refuse_call(reading, "noproc");
        }
        return 0;
    }
    if (kind == LETTER_CALL) {
        asked_add(&remote->asked, remote, reading->to, reading->frame.ref);
    }
    post_foreign(reading->to, reading->L, &letter);
    return 0;
}

static int read_send(struct reading *reading)
{
    return read_letter(reading, LETTER_MESSAGE);
}

static int read_cast(struct reading *reading)
{
    return read_letter(reading, LETTER_CAST);
}

static int read_call(struct reading *reading)
{
    return read_letter(reading, LETTER_CALL);
}

static struct ref own_ref(const struct reading *reading)
{
    return (struct ref){.incarnation = reading->actors->runtime->incarnation,
                        .number = reading->frame.ref};
}

static int read_answer(struct reading *reading)
{
    struct ref ref = own_ref(reading);
    size_t bytes = 0;
    int error = push_payload_for(reading, call_asker(reading->L, &ref), &bytes);
    if (error == 0) {
        (void)call_answer(reading->L, &ref, reading->remote);
    }
    return error;
}

/* Two values: the code, and the reason or nil. */
static int read_fail(struct reading *reading)
{
    struct ref ref = own_ref(reading);
    lua_State *L = reading->L;
    struct msgpack_reader reader;
    size_t bytes = 0;
    msgpack_reader_init(&reader, reading->frame.payload, reading->frame.len);
    int error = codec_push(L, &reader, &bytes);
    if (error != 0) {
        return error;
    }
    error = codec_push(L, &reader, &bytes);
    if (error != 0 || lua_type(L, -2) != LUA_TSTRING || reader.at != reader.end) {
        lua_pop(L, error == 0 ? 2 : 1);
        return -EPROTO;
    }
    call_fail(L, &ref, lua_tostring(L, -2));
    lua_pop(L, 1);
    return 0;
}

static int read_forget(struct reading *reading)
{
    struct asked_table *table = &reading->remote->asked;
    struct asked *asked = asked_find(table, reading->frame.ref);
    if (asked != NULL) {
        asked_remove(table, asked);
    }
    return 0;
}

static int read_credit(struct reading *reading)
{
    struct frame_credit credit = frame_unpack_credit(reading->frame.ref);
    remote_on_credit(reading->remote, &reading->frame.from, &credit);
    return 0;
}

static int read_exit(struct reading *reading)
{
    size_t bytes = 0;
    int error = push_payload(reading, &bytes);
    if (error == 0 && reading->to != NULL) {
        exit_signal(reading->to, reading->L, SIGNAL_EXIT, &reading->from);
    } else if (error == 0) {
        lua_pop(reading->L, 1);
    }
    return error;
}

/* To whoever has said this: the one it meant has ended. */
static void answer_absent(const struct reading *reading, enum frame_kind kind)
{
    struct frame frame = {.kind = kind,
                          .to = reading->frame.from,
                          .from = reading->frame.to,
                          .ref = reading->frame.ref};
    lua_pushliteral(reading->L, "noproc");
    remote_say_value(reading->L, reading->remote, &frame);
}

static int read_link(struct reading *reading)
{
    reading->remote->links_heard++;
    if (reading->to == NULL) {
        answer_absent(reading, FRAME_LINK_EXIT);
    } else {
        (void)bond_link_far(reading->to, &reading->remote->bonds, &reading->from, 0);
    }
    return 0;
}

/* Who said it before having heard of a newer link will make its end of that when it hears of it. */
static int read_unlink(struct reading *reading)
{
    struct bond *bond = reading->to == NULL ? NULL
                                            : bond_table_find_link(&reading->remote->bonds,
                                                                   reading->to, &reading->from);
    if (bond != NULL && bond->far->number <= reading->frame.ref) {
        bond_remove(reading->L, bond);
    }
    return 0;
}

/* Only who is still linked hears of it. */
static int read_link_exit(struct reading *reading)
{
    size_t bytes = 0;
    int error = push_payload(reading, &bytes);
    if (error != 0) {
        return error;
    }
    struct bond *bond = reading->to == NULL ? NULL
                                            : bond_table_find_link(&reading->remote->bonds,
                                                                   reading->to, &reading->from);
    if (bond == NULL) {
        lua_pop(reading->L, 1);
        return 0;
    }
    bond_remove(reading->L, bond);
    exit_signal(reading->to, reading->L, SIGNAL_LINK, &reading->from);
    return 0;
}

static int read_monitor(struct reading *reading)
{
    if (reading->to == NULL) {
        answer_absent(reading, FRAME_DOWN);
    } else {
        bond_watch_far(reading->to, &reading->remote->bonds, &reading->from, reading->frame.ref);
    }
    return 0;
}

static int read_demonitor(struct reading *reading)
{
    struct bond *bond = reading->to == NULL
                            ? NULL
                            : bond_table_find_monitor(&reading->remote->bonds, reading->to,
                                                      BOND_WATCHED, reading->frame.ref);
    if (bond != NULL) {
        bond_remove(reading->L, bond);
    }
    return 0;
}

static int read_down(struct reading *reading)
{
    lua_State *L = reading->L;
    size_t bytes = 0;
    int error = push_payload(reading, &bytes);
    if (error != 0) {
        return error;
    }
    struct bond *bond = reading->to == NULL
                            ? NULL
                            : bond_table_find_monitor(&reading->remote->bonds, reading->to,
                                                      BOND_WATCHES, reading->frame.ref);
    if (bond == NULL) {
        lua_pop(L, 1);
        return 0;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, bond->ref_anchor);
    lua_insert(L, -2);
    exit_post_down(reading->to, L, -2, bond->name, &bond->far->other);
    lua_pop(L, 1);
    bond_remove(L, bond);
    return 0;
}

static int (*const rows[])(struct reading *reading) = {
    [FRAME_SEND] = read_send,           [FRAME_CAST] = read_cast,
    [FRAME_CALL] = read_call,           [FRAME_ANSWER] = read_answer,
    [FRAME_FAIL] = read_fail,           [FRAME_EXIT] = read_exit,
    [FRAME_LINK] = read_link,           [FRAME_UNLINK] = read_unlink,
    [FRAME_LINK_EXIT] = read_link_exit, [FRAME_MONITOR] = read_monitor,
    [FRAME_DEMONITOR] = read_demonitor, [FRAME_DOWN] = read_down,
    [FRAME_FORGET] = read_forget,       [FRAME_CREDIT] = read_credit,
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == FRAME_CREDIT + 1, "a row per kind");

int remote_read(struct remote *remote, const unsigned char *data, size_t len)
{
    struct actors *actors = remote->remotes->actors;
    struct reading reading = {.remote = remote, .actors = actors, .L = actors->runtime->L};
    int error = frame_read(data, len, &reading.frame);
    if (error != 0) {
        return error;
    }
    struct pid to = {.incarnation = actors->runtime->incarnation,
                     .index = reading.frame.to.index,
                     .serial = reading.frame.to.serial};
    reading.to = actors_find(actors, &to);
    reading.from = remote_pid(remote, &reading.frame.from);
    return rows[reading.frame.kind](&reading);
}
