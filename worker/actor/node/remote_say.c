/* remote_say.c - what is said to other workers: messages, each as soon as there is room for it, and signals, which need none.
 * Owns nothing.  A message is encoded straight from the stack into the link's buffer.  It waits while the link has too much,
 * or while too much is on its way to the one actor; then a copy stands on its sender's stack, which is encoded when its turn
 * comes.  Called by send.c, call.c, signals.c and exit.c.  Must not know how links come and go. */
#include "worker/actor/node/remote_say.h"

#include "common/msgpack.h"
#include "worker/actor/actors.h"
#include "worker/actor/mailbox.h"
#include "worker/actor/node/codec.h"
#include "worker/actor/node/remote.h"

enum {
    CREDIT_COUNT = 64,
    CREDIT_BYTES = 256 << 10
}; /* so much is told at once; far below a window */
_Static_assert(CREDIT_COUNT < WINDOW_COUNT / 2, "what is not told yet must never fill a window");
_Static_assert(CREDIT_BYTES < WINDOW_BYTES / 2, "the same in bytes");

struct frame_actor remote_place(const struct pid *pid)
{
    return (struct frame_actor){.index = pid->index, .serial = pid->serial};
}

bool remote_takes(const struct remote *remote, const struct pid *to)
{
    struct frame_actor place = remote_place(to);
    return remote->senders.first == NULL && !remote_is_busy(remote) &&
           window_has_room(window_find(&remote->window, &place));
}

static enum frame_kind letter_frame(const struct letter *letter)
{
    switch ((enum letter_kind)letter->kind) {
    case LETTER_MESSAGE:
    case LETTER_SYSTEM: /* none of these is ever sent as a letter */
        break;
    case LETTER_CAST:
        return FRAME_CAST;
    case LETTER_CALL:
        return FRAME_CALL;
    }
    return FRAME_SEND;
}

int remote_say_letter(lua_State *L, int index, struct remote *remote, const struct pid *to,
                      const struct letter *letter, struct fsd_err *err)
{
    struct frame frame = {
        .kind = letter_frame(letter), .to = remote_place(to), .ref = letter->from.number};
    size_t bytes = 0;
    struct msgpack_writer *writer = remote_begin(remote, &frame);
    int error = codec_write(L, index, &remote->remotes->actors->marks, writer, &bytes, err);
    if (error != 0) {
        remote_cancel(remote);
        return error;
    }
    window_add(&remote->window, &frame.to, bytes);
    remote_end(remote);
    return 0;
}

void remote_wait(struct remote *remote, struct sender *sender)
{
    struct frame_actor place = remote_place(&sender->to);
    struct flight *flight = window_find(&remote->window, &place);
    sender_wait(window_has_room(flight) ? &remote->senders : &flight->senders, sender);
}

/* The copy on the sender's stack can be sent, or it would not have been made. */
static void send_waiting(struct remote *remote, struct sender *sender)
{
    (void)remote_say_letter(sender->L, -1, remote, &sender->to, &sender->letter, NULL);
    lua_pop(sender->L, 1);
    sender->on_over(sender);
}

void remote_say_waiting(struct remote *remote)
{
    while (remote->senders.first != NULL && !remote_is_busy(remote)) {
        struct sender *sender = remote->senders.first;
        struct frame_actor place = remote_place(&sender->to);
        struct flight *flight = window_find(&remote->window, &place);
        sender_leave(sender);
        if (window_has_room(flight)) {
            send_waiting(remote, sender);
        } else {
            sender_wait(&flight->senders, sender);
        }
    }
}

/* They have waited for the actor, and may now have to wait for the link. */
static void admit(struct remote *remote, struct flight *flight)
{
    while (flight->senders.first != NULL && flight->count < WINDOW_COUNT &&
           flight->bytes < WINDOW_BYTES) {
        struct sender *sender = flight->senders.first;
        sender_leave(sender);
        if (remote->senders.first != NULL || remote_is_busy(remote)) {
            sender_wait(&remote->senders, sender);
        } else {
            send_waiting(remote, sender);
        }
    }
}

void remote_on_credit(struct remote *remote, const struct frame_actor *to,
                      const struct frame_credit *credit)
{
    struct flight *flight = window_find(&remote->window, to);
    if (flight != NULL) {
        window_credit(flight, credit);
        admit(remote, flight);
        window_drop_idle(&remote->window, flight);
    }
}

static void tell_credit(struct remote *remote)
{
    if (remote->credit.count > 0) {
        struct frame frame = {.kind = FRAME_CREDIT,
                              .from = remote->settled,
                              .ref = frame_pack_credit(&remote->credit)};
        remote->credit = (struct frame_credit){0};
        remote_say(remote, &frame);
    }
}

void remote_take(struct remote *remote, const struct frame_actor *to, size_t bytes)
{
    if (remote->settled.index != to->index || remote->settled.serial != to->serial) {
        tell_credit(remote);
        remote->settled = *to;
    }
    remote->credit.count++;
    remote->credit.bytes += bytes;
    if (remote->credit.count >= CREDIT_COUNT || remote->credit.bytes >= CREDIT_BYTES) {
        tell_credit(remote);
    }
}

void remote_say(struct remote *remote, const struct frame *frame)
{
    (void)remote_begin(remote, frame);
    remote_end(remote);
}

/* The value on the top, which is popped. */
static void write_value(lua_State *L, const struct remote *remote, struct msgpack_writer *writer)
{
    size_t bytes = 0;
    if (codec_write(L, -1, &remote->remotes->actors->marks, writer, &bytes, NULL) != 0) {
        const char *text =
            lua_pushfstring(L, "(a %s that cannot be sent)", lua_typename(L, lua_type(L, -1)));
        msgpack_write_str(writer, text, lua_rawlen(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void remote_say_value(lua_State *L, struct remote *remote, const struct frame *frame)
{
    write_value(L, remote, remote_begin(remote, frame));
    remote_end(remote);
}

void remote_say_failure(lua_State *L, struct remote *remote, uint64_t number, const char *code)
{
    struct frame frame = {.kind = FRAME_FAIL, .ref = number};
    struct msgpack_writer *writer = remote_begin(remote, &frame);
    lua_pushstring(L, code);
    write_value(L, remote, writer);
    write_value(L, remote, writer);
    remote_end(remote);
}
