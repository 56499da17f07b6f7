#ifndef FSD_WORKER_ACTOR_NODE_REMOTE_H
#define FSD_WORKER_ACTOR_NODE_REMOTE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"
#include "worker/actor/node/asked.h"
#include "worker/actor/node/bond_table.h"
#include "worker/actor/node/frame.h"
#include "worker/actor/node/window.h"
#include "worker/actor/pid.h"
#include "worker/actor/sender.h"
#include "worker/core/peer.h"

struct actors;
struct call;
struct remotes;
struct wire_message;

/* Another worker, as far as this one has to do with it. */
struct remote {
    struct remotes *remotes; /* borrowed */
    struct proto_member
        body;          /* what the master says of it; nothing yet: only the incarnation is known */
    struct peer *peer; /* owned; NULL: there is no link now */
    struct peer_out backlog; /* what is said before there is one */
    uint64_t links;          /* how many have ended */
    bool is_reaching;        /* the master was asked for a link */
    bool has_gone;           /* it has ended; what it has said before may still be on its way */
    struct window window;
    struct sender_queue senders; /* who waits until the link takes more */
    struct asked_table asked;
    struct call *calls;         /* borrowed list: who waits for answers from there */
    uint64_t links_said;        /* FRAME_LINK on this connection, see bond_far */
    uint64_t links_heard;       /* the same from there */
    struct bond_table bonds;    /* ends here, of which the other one is there */
    struct frame_actor settled; /* who the next two were taken for */
    struct frame_credit credit; /* not told yet */
    struct remote *next;
};

enum { REMOTES_GONE = 64 };

/* All of them; embedded in struct actors. */
struct remotes {
    struct actors *actors;       /* borrowed */
    struct remote *first;        /* owned list */
    uint64_t gone[REMOTES_GONE]; /* the last ones that have ended */
    unsigned gone_next;
};

/* Joins the workers that have actors.  Where there is no master there are no others. */
void remotes_init(struct remotes *remotes, struct actors *actors);
/* MEMBER, PEER, GONE, or something about names, from the master; takes the descriptor. */
void remotes_on_message(struct remotes *remotes, struct wire_message *message);
/* The other worker that a pid belongs to; NULL: it is known to have ended, or is no other one of this machine.  May be one that nobody
 * has told of yet: then the master is asked as soon as something is said to it. */
struct remote *remotes_reach(struct remotes *remotes, const struct pid *pid);
/* The same, only if there is something to do with it already. */
struct remote *remotes_find(const struct remotes *remotes, uint64_t incarnation);
/* This worker is about to end, and its loop is over: what was said to others leaves, as far as they take it within a moment. */
void remotes_finish(struct remotes *remotes);

/* Whether it serves a slot, so that it has a server. */
bool remote_serves(const struct remote *remote);
struct pid remote_pid(const struct remote *remote, const struct frame_actor *actor);
/* Begins a frame; its payload, if any, is written behind it.  Then remote_end or remote_cancel. */
struct msgpack_writer *remote_begin(struct remote *remote, const struct frame *frame);
void remote_end(struct remote *remote);
void remote_cancel(struct remote *remote);
/* So much waits for the link that whoever can wait should. */
bool remote_is_busy(const struct remote *remote);

#endif
