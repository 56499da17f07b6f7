#ifndef FSD_WORKER_HTTP_CONNECTION_ACCEPTOR_H
#define FSD_WORKER_HTTP_CONNECTION_ACCEPTOR_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/core/timer.h"

struct acceptor;
struct connection_table;
struct runtime;

enum {
    ACCEPTOR_OWN_MAX = 16,                    /* listeners of one pool */
    ACCEPTOR_MAX = ACCEPTOR_OWN_MAX * (1 + 8) /* its own, and those of eight slots that lend */
};

struct listener {
    struct acceptor *acceptor; /* borrowed; NULL: this place is free */
    uint64_t slot;             /* whose socket it is */
    int fd;                    /* owned until we accept, then the socket's */
    h2o_socket_t *socket;      /* owned; NULL while not accepting */
    bool is_shared;            /* other workers accept from it too, all the time */
};

enum acceptor_state {
    ACCEPTOR_KEEPING,   /* listeners are kept for later */
    ACCEPTOR_ACCEPTING, /* one that is added is accepted from at once */
    ACCEPTOR_EMPTYING,  /* the last connections are taken */
    ACCEPTOR_STOPPED,   /* for ever */
};

/* The listening sockets of one worker; embedded in the server. */
struct acceptor {
    struct runtime *runtime;              /* borrowed */
    struct connection_table *connections; /* borrowed */
    h2o_accept_ctx_t context;
    enum acceptor_state state;
    struct listener listeners[ACCEPTOR_MAX];
    struct timer timer; /* while accepting: the end of a pause; while emptying: the next look */
    unsigned looks;     /* emptying: how often nothing was left */
    uint64_t fd_limit;  /* descriptors that the process may have; some stay free */
    bool is_near_limit; /* the last one that was accepted is one of these */
    uint64_t said_ms;   /* monotonic: when it was last logged that nothing is accepted; 0: never */
    uint64_t accepted_limit; /* emptying ends here, or then */
    uint64_t end_ms;
    void (*on_stopped)(struct acceptor *acceptor);
};

void acceptor_init(struct acceptor *acceptor, struct runtime *runtime,
                   struct connection_table *connections);
/* Takes a listening socket of a slot.  0; or it is the caller's still: -ENOSPC when there are too many, -ESHUTDOWN when
 * nothing more is accepted. */
int acceptor_add(struct acceptor *acceptor, int fd, uint64_t slot);
/* Closes our copies of a slot's sockets; connections that were accepted stay. */
void acceptor_remove(struct acceptor *acceptor, uint64_t slot);
void acceptor_start(struct acceptor *acceptor);
/* Closes our copies of all sockets, for good. */
void acceptor_stop(struct acceptor *acceptor);
/* Accepts what waits in the queues, for 1 s or 10,000 connections at most, then stops and says so (never within this call). */
void acceptor_empty(struct acceptor *acceptor, void (*on_stopped)(struct acceptor *acceptor));

#endif
