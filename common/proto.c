/* proto.c - the rows of the messages between master and worker, and the one check that every
 * received packet passes before anybody looks inside.
 * Owns nothing.  Pure: bytes in, verdict out; sockets are wire.c's.  Called by wire_recv in both
 * programs, and by the tests for every row.  Must not know what any message makes a program do. */
#include "common/proto.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"

#define SIZE(body) ((uint32_t)sizeof(struct proto_##body))
#define TEXT       PROTO_TEXT_MAX
#define NAME       PROTO_CLAIM_MAX

static const struct proto_row rows[] = {
    {PROTO_HELLO, "HELLO", PROTO_TO_MASTER, SIZE(hello), SIZE(hello), 0},
    {PROTO_LOG, "LOG", PROTO_TO_WORKER, 0, 0, 1},
    {PROTO_CONFIG, "CONFIG", PROTO_TO_WORKER, 0, 0, 1},
    {PROTO_LOAD, "LOAD", PROTO_TO_WORKER, SIZE(generation), SIZE(generation), 1},
    {PROTO_UNAVAILABLE, "UNAVAILABLE", PROTO_TO_WORKER, SIZE(unavailable), SIZE(unavailable), 0},
    {PROTO_LOADED, "LOADED", PROTO_TO_MASTER, SIZE(generation), SIZE(generation), 0},
    {PROTO_REFUSED, "REFUSED", PROTO_TO_MASTER, SIZE(generation), SIZE(generation) + TEXT, 0},
    {PROTO_LISTENER, "LISTENER", PROTO_TO_WORKER, SIZE(listener), SIZE(listener), 1},
    {PROTO_ACTIVATE, "ACTIVATE", PROTO_TO_WORKER, SIZE(activate), SIZE(activate), 0},
    {PROTO_ACTIVE, "ACTIVE", PROTO_TO_MASTER, SIZE(generation), SIZE(generation), 0},
    {PROTO_RETURN, "RETURN", PROTO_TO_WORKER, SIZE(return ), SIZE(return ), 0},
    {PROTO_DRAIN, "DRAIN", PROTO_TO_WORKER, SIZE(drain), SIZE(drain), 0},
    {PROTO_DRAINING, "DRAINING", PROTO_TO_MASTER, 0, 0, 0},
    {PROTO_PREPARE, "PREPARE", PROTO_TO_WORKER, SIZE(transaction), SIZE(transaction), 1},
    {PROTO_PREPARED, "PREPARED", PROTO_TO_MASTER, SIZE(transaction), SIZE(transaction), 0},
    {PROTO_REJECTED, "REJECTED", PROTO_TO_MASTER, SIZE(transaction), SIZE(transaction) + TEXT, 0},
    {PROTO_COMMIT, "COMMIT", PROTO_TO_WORKER, SIZE(transaction), SIZE(transaction), 0},
    {PROTO_COMMITTED, "COMMITTED", PROTO_TO_MASTER, SIZE(transaction), SIZE(transaction), 0},
    {PROTO_ABORT, "ABORT", PROTO_TO_WORKER, SIZE(transaction), SIZE(transaction), 0},
    {PROTO_LEAVE, "LEAVE", PROTO_TO_MASTER, 0, 0, 0},
    {PROTO_DYING, "DYING", PROTO_TO_MASTER, SIZE(dying), SIZE(dying), 0},
    {PROTO_SHARED, "SHARED", PROTO_TO_WORKER, SIZE(shared), SIZE(shared), 1},
    {PROTO_UNSHARED, "UNSHARED", PROTO_TO_WORKER, SIZE(shared), SIZE(shared), 0},
    {PROTO_JOIN, "JOIN", PROTO_TO_MASTER, 0, 0, 0},
    {PROTO_MEMBER, "MEMBER", PROTO_TO_WORKER, SIZE(member), SIZE(member), 0},
    {PROTO_REACH, "REACH", PROTO_TO_MASTER, SIZE(peer), SIZE(peer), 0},
    {PROTO_PEER, "PEER", PROTO_TO_WORKER, SIZE(peer), SIZE(peer), 1},
    {PROTO_GONE, "GONE", PROTO_TO_WORKER, SIZE(peer), SIZE(peer), 0},
    {PROTO_CLAIM, "CLAIM", PROTO_TO_MASTER, SIZE(claim) + 1, SIZE(claim) + NAME, 0},
    {PROTO_UNCLAIM, "UNCLAIM", PROTO_TO_MASTER, SIZE(claim) + 1, SIZE(claim) + NAME, 0},
    {PROTO_NAMES, "NAMES", PROTO_TO_WORKER, 0, 0, 1},
    {PROTO_NAMED, "NAMED", PROTO_TO_WORKER, SIZE(named) + 1, SIZE(named) + NAME, 0},
    {PROTO_UNNAMED, "UNNAMED", PROTO_TO_WORKER, SIZE(named) + 1, SIZE(named) + NAME, 0},
    {PROTO_TAKEN, "TAKEN", PROTO_TO_WORKER, SIZE(taken) + 1, SIZE(taken) + NAME, 0},
    {PROTO_ASK, "ASK", PROTO_TO_MASTER, SIZE(ask), SIZE(ask) + TEXT, 0},
    {PROTO_ANSWER, "ANSWER", PROTO_TO_WORKER, SIZE(answer), SIZE(answer) + TEXT, 0},
    {PROTO_POOLS, "POOLS", PROTO_TO_WORKER, SIZE(answer), SIZE(answer), 1},
    {PROTO_LAGGARDS, "LAGGARDS", PROTO_TO_MASTER, SIZE(laggards), SIZE(laggards) + TEXT, 0},
    {PROTO_ACCESS, "ACCESS", PROTO_TO_WORKER, 0, 0, 1},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROW_COUNT == (int)PROTO_ACCESS, "one row a message kind");
_Static_assert(SIZE(ask) + TEXT <= PROTO_PAYLOAD_MAX, "the longest message must fit");

const struct proto_row *proto_find(uint32_t kind)
{
    if (kind < PROTO_HELLO || kind > PROTO_ACCESS) {
        return NULL;
    }
    return &rows[kind - 1];
}

int proto_check(const void *packet, size_t len, unsigned nfds, enum proto_direction direction,
                struct fsd_err *err)
{
    struct proto_head head;
    if (len < sizeof(head)) {
        return fsd_err_set(err, EPROTO, "message of %zu bytes has no head", len);
    }
    memcpy(&head, packet, sizeof(head));
    if (head.size != len - sizeof(head)) {
        return fsd_err_set(err, EPROTO, "message says %u bytes of payload but has %zu", head.size,
                           len - sizeof(head));
    }
    const struct proto_row *row = proto_find(head.kind);
    if (row == NULL) {
        return fsd_err_set(err, EPROTO, "unknown message kind %u", head.kind);
    }
    if (row->direction != direction) {
        return fsd_err_set(err, EPROTO, "%s came from the wrong side", row->name);
    }
    if (head.size < row->size_min || head.size > row->size_max) {
        return fsd_err_set(err, EPROTO, "%s has %u bytes, not %u to %u", row->name, head.size,
                           row->size_min, row->size_max);
    }
    if (nfds != row->fds) {
        return fsd_err_set(err, EPROTO, "%s came with %u descriptors, not %u", row->name, nfds,
                           row->fds);
    }
    return 0;
}
