/* remote.c - the other workers, and the link to each of them.
 * Owns struct remote, its link, and what waits for one.  A link is asked for when something is first said; until it is there,
 * frames wait in a backlog.  Both sides may ask at once and then get two: the one that comes first is used, because the master hands
 * them out to both in the same order.  When a link ends, all that leads over it ends with "noconnection"; the next thing
 * that is said asks for another one.  A worker that has ended is heard to the end: what it said before is in its socket still.
 * Called by life.c for the master's messages and by whatever says something to another worker.
 * Must not know what is said. */
#include "worker/actor/node/remote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd.h"
#include "common/wire.h"
#include "worker/actor/actors.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/node/remote_lost.h"
#include "worker/actor/node/remote_read.h"
#include "worker/actor/node/remote_say.h"
#include "worker/actor/node/server.h"
#include "worker/core/link.h"

static void close_link(struct remote *remote)
{
    if (remote->peer != NULL) {
        remote->links++;
        peer_close(remote->peer);
        remote->peer = NULL;
    }
    peer_out_fini(&remote->backlog);
    peer_out_init(&remote->backlog);
    remote->is_reaching = false;
    remote->credit = (struct frame_credit){0};
    remote->links_said = 0;
    remote->links_heard = 0;
}

static struct remote **find_place(struct remotes *remotes, const struct remote *remote)
{
    struct remote **place = &remotes->first;
    while (*place != remote) {
        place = &(*place)->next;
    }
    return place;
}

/* It has ended, and all that it said was read. */
static void forget(struct remote *remote)
{
    struct remotes *remotes = remote->remotes;
    remotes->gone[remotes->gone_next++ % REMOTES_GONE] = remote->body.incarnation;
    *find_place(remotes, remote) = remote->next;
    if (remote_serves(remote)) {
        server_tell(remote, false);
    }
    peer_out_fini(&remote->backlog);
    free(remote);
}

static void lose_link(struct remote *remote)
{
    close_link(remote);
    remote_lost(remote);
}

/* Nothing leads there any more.  The struct may be gone then. */
static void lose(struct remote *remote)
{
    lose_link(remote);
    if (remote->has_gone) {
        forget(remote);
    }
}

static void on_frame(struct peer *peer, const unsigned char *data, size_t len)
{
    struct remote *remote = peer->data;
    if (remote_read(remote, data, len) != 0) {
        logger_write(&remote->remotes->actors->runtime->logger, LOG_LEVEL_ERROR,
                     "worker %" PRIu64 " has said what cannot be understood: its link is closed",
                     remote->body.incarnation);
        lose(remote);
    }
}

static void on_room(struct peer *peer)
{
    remote_say_waiting(peer->data);
}

static void on_gone(struct peer *peer, const char *why)
{
    struct remote *remote = peer->data;
    if (!remote->has_gone) {
        logger_write(&remote->remotes->actors->runtime->logger, LOG_LEVEL_INFO,
                     "the link to worker %" PRIu64 " has ended: %s", remote->body.incarnation, why);
    }
    lose(remote);
}

static const struct peer_events events = {on_frame, on_room, on_gone};

static void reach(struct remote *remote)
{
    struct proto_peer body = {remote->body.incarnation, remote->links};
    remote->is_reaching = true;
    link_post(remote->remotes->actors->runtime->link, PROTO_REACH, &body, sizeof(body));
}

static struct remote *add(struct remotes *remotes, uint64_t incarnation)
{
    struct remote *remote = calloc(1, sizeof(*remote));
    if (remote == NULL) {
        abort();
    }
    remote->remotes = remotes;
    remote->body = (struct proto_member){.incarnation = incarnation, .slot = UINT64_MAX};
    peer_out_init(&remote->backlog);
    remote->next = remotes->first;
    remotes->first = remote;
    return remote;
}

struct remote *remotes_find(const struct remotes *remotes, uint64_t incarnation)
{
    struct remote *remote = remotes->first;
    while (remote != NULL && remote->body.incarnation != incarnation) {
        remote = remote->next;
    }
    return remote;
}

static struct remote *find_or_add(struct remotes *remotes, uint64_t incarnation)
{
    struct remote *remote = remotes_find(remotes, incarnation);
    return remote != NULL ? remote : add(remotes, incarnation);
}

struct remote *remotes_reach(struct remotes *remotes, const struct pid *pid)
{
    const struct runtime *runtime = remotes->actors->runtime;
    if (pid->node != 0 || pid->incarnation == runtime->incarnation || runtime->link == NULL) {
        return NULL;
    }
    struct remote *remote = remotes_find(remotes, pid->incarnation);
    if (remote != NULL) {
        return remote->has_gone ? NULL : remote;
    }
    for (size_t i = 0; i < REMOTES_GONE; i++) {
        if (remotes->gone[i] == pid->incarnation) {
            return NULL;
        }
    }
    return add(remotes, pid->incarnation);
}

bool remote_serves(const struct remote *remote)
{
    return remote->body.slot != UINT64_MAX;
}

struct pid remote_pid(const struct remote *remote, const struct frame_actor *actor)
{
    return (struct pid){
        .incarnation = remote->body.incarnation, .index = actor->index, .serial = actor->serial};
}

static void on_member(struct remotes *remotes, const struct wire_message *message)
{
    struct proto_member body;
    memcpy(&body, message->payload, sizeof(body));
    struct remote *remote = find_or_add(remotes, body.incarnation);
    bool served = remote_serves(remote);
    remote->body = body;
    if (!served && remote_serves(remote)) {
        server_tell(remote, true);
    }
}

/* Frames that waited leave by it. */
static void take_link(struct remote *remote, struct wire_message *message, uint64_t links)
{
    struct loop *loop = &remote->remotes->actors->runtime->loop;
    remote->peer = peer_open(loop, message->fd, &events, remote);
    if (remote->peer == NULL) { /* the other one sees that it was hung up */
        lose(remote);
        return;
    }
    message->fd = -1;
    remote->links = links;
    remote->is_reaching = false;
    peer_adopt(remote->peer, &remote->backlog);
}

static void on_peer(struct remotes *remotes, struct wire_message *message)
{
    struct proto_peer body;
    memcpy(&body, message->payload, sizeof(body));
    struct remote *remote = find_or_add(remotes, body.incarnation);
    if (remote->peer != NULL && body.link > remote->links) {
        lose_link(remote); /* the other one has seen its end already */
    }
    if (remote->peer == NULL && body.link >= remote->links) {
        take_link(remote, message, body.link);
    } else if (remote->peer == NULL && remote->is_reaching) {
        reach(remote); /* that one was asked for before the last one ended */
    }
}

static void on_gone_worker(struct remotes *remotes, const struct wire_message *message)
{
    struct proto_peer body;
    memcpy(&body, message->payload, sizeof(body));
    struct remote *remote = remotes_find(remotes, body.incarnation);
    if (remote == NULL) {
        return;
    }
    remote->has_gone = body.link == 0;
    if (remote->peer == NULL) {
        lose(remote);
    }
}

void remotes_on_message(struct remotes *remotes, struct wire_message *message)
{
    if (message->head.kind == PROTO_MEMBER) {
        on_member(remotes, message);
    } else if (message->head.kind == PROTO_PEER) {
        on_peer(remotes, message);
    } else if (message->head.kind == PROTO_GONE) {
        claim_on_message(remotes->actors->runtime, message);
        on_gone_worker(remotes, message);
    } else {
        claim_on_message(remotes->actors->runtime, message);
    }
}

void remotes_init(struct remotes *remotes, struct actors *actors)
{
    struct link *link = actors->runtime->link;
    *remotes = (struct remotes){.actors = actors};
    if (link != NULL) {
        link_send(link, PROTO_JOIN, NULL, 0);
    }
}

static void finish(struct remote *remote)
{
    if (remote->peer != NULL) {
        peer_finish(remote->peer);
    }
    window_clear(&remote->window);
    asked_clear(&remote->asked);
    bond_table_fini(&remote->bonds);
    peer_out_fini(&remote->backlog);
    free(remote);
}

void remotes_finish(struct remotes *remotes)
{
    while (remotes->first != NULL) {
        struct remote *remote = remotes->first;
        remotes->first = remote->next;
        finish(remote);
    }
}

struct msgpack_writer *remote_begin(struct remote *remote, const struct frame *frame)
{
    struct msgpack_writer *writer =
        remote->peer != NULL ? peer_begin(remote->peer) : peer_out_begin(&remote->backlog);
    frame_write(writer, frame);
    return writer;
}

/* What cannot be sent is lost with the link, which tells that itself. */
void remote_end(struct remote *remote)
{
    if (remote->peer != NULL) {
        (void)peer_end(remote->peer);
        return;
    }
    (void)peer_out_end(&remote->backlog);
    if (!remote->is_reaching) {
        reach(remote);
    }
}

void remote_cancel(struct remote *remote)
{
    if (remote->peer != NULL) {
        peer_cancel(remote->peer);
    } else {
        peer_out_cancel(&remote->backlog);
    }
}

bool remote_is_busy(const struct remote *remote)
{
    return remote->peer != NULL ? peer_is_busy(remote->peer) : remote->backlog.is_busy;
}
