/* proto.c - the rows of the messages between master and worker, and the one check that every
 * received packet passes before anybody looks inside.
 * Owns nothing.  Pure: bytes in, verdict out; sockets are wire.c's.  Called by wire_recv in both
 * programs, and by the tests for every row.  Must not know what any message makes a program do. */
#include "common/proto.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"

#define GENERATION ((uint32_t)sizeof(struct proto_generation))

static const struct proto_row rows[] = {
    {PROTO_HELLO, "HELLO", PROTO_TO_MASTER, sizeof(struct proto_hello), sizeof(struct proto_hello),
     0},
    {PROTO_LOG, "LOG", PROTO_TO_WORKER, 0, 0, 1},
    {PROTO_CONFIG, "CONFIG", PROTO_TO_WORKER, 0, 0, 1},
    {PROTO_LISTENER, "LISTENER", PROTO_TO_WORKER, sizeof(struct proto_listener),
     sizeof(struct proto_listener), 1},
    {PROTO_LOAD, "LOAD", PROTO_TO_WORKER, GENERATION, GENERATION, 1},
    {PROTO_LOADED, "LOADED", PROTO_TO_MASTER, GENERATION, GENERATION, 0},
    {PROTO_REFUSED, "REFUSED", PROTO_TO_MASTER, GENERATION, GENERATION + PROTO_TEXT_MAX, 0},
    {PROTO_ACTIVATE, "ACTIVATE", PROTO_TO_WORKER, GENERATION, GENERATION, 0},
    {PROTO_ACTIVE, "ACTIVE", PROTO_TO_MASTER, GENERATION, GENERATION, 0},
    {PROTO_DRAIN, "DRAIN", PROTO_TO_WORKER, sizeof(struct proto_drain), sizeof(struct proto_drain),
     0},
    {PROTO_DRAINING, "DRAINING", PROTO_TO_MASTER, 0, 0, 0},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROW_COUNT == (int)PROTO_DRAINING, "one row a message kind");
_Static_assert(GENERATION + PROTO_TEXT_MAX <= PROTO_PAYLOAD_MAX, "the longest message must fit");

const struct proto_row *proto_find(uint32_t kind)
{
    if (kind < PROTO_HELLO || kind > PROTO_DRAINING) {
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
