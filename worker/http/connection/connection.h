#ifndef FSD_WORKER_HTTP_CONNECTION_CONNECTION_H
#define FSD_WORKER_HTTP_CONNECTION_CONNECTION_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/core/loop.h"
#include "worker/http/connection/pace.h"
#include "worker/http/connection/peers.h"

struct connection_table;
struct farewell;

/* One accepted connection, from accept until its socket is closed for good, whatever it speaks. */
struct connection {
    struct connection_table *table; /* borrowed */
    struct connection *previous;    /* borrowed */
    struct connection *next;        /* borrowed */
    h2o_socket_t *socket;           /* borrowed; NULL once libh2o has closed it */
    struct farewell *farewell;      /* owned; NULL when no lingering close was asked for */
    struct pace pace;
    uint64_t peer;     /* whose it is, where that is counted (peers_key); 0: it is not */
    uint32_t requests; /* that came over it */
    uint16_t
        in_turn; /* requests with others behind them, since the others of this worker had their turn */
    bool has_own_times;  /* another protocol than HTTP/1 sees to what takes too long */
    struct loop_job end; /* the last step, outside of every callback */
};

/* Looks at all connections now and then. */
struct connection_clock {
    struct pace_limits limits;
    size_t head_bytes;       /* no head may be larger; 0: any */
    struct timer timer;      /* while there are connections */
    struct connection *next; /* borrowed: where this round goes on; NULL: it is over */
    uint64_t cut;            /* connections that took too long, ever */
};

/* All connections of one worker. */
struct connection_table {
    struct loop *loop;        /* borrowed */
    struct connection *first; /* owned list */
    size_t open;              /* in the list, lingering ones included */
    uint64_t accepted;        /* ever */
    uint64_t refused;         /* of these, closed at once, ever */
    size_t limit;             /* of open ones; 0: any */
    size_t room;              /* how many there are descriptors for, about; 0: not known */
    uint32_t limit_each;      /* of open ones from one address; 0: any */
    struct peers peers;       /* counted while that is limited */
    void (*on_change)(struct connection_table *table); /* open, accepted or clock.cut has changed */
    struct connection_clock clock;
};

/* seed is random. */
void connection_table_init(struct connection_table *table, struct loop *loop, uint64_t seed,
                           void (*on_change)(struct connection_table *table));
/* Closes what lingers; every h2o socket must be closed already. */
void connection_table_fini(struct connection_table *table);
/* Attaches a connection to a socket that was just accepted.  NULL: there are too many from its address, and the socket is still
 * the caller's. */
struct connection *connection_new(struct connection_table *table, h2o_socket_t *socket);
/* No more connections should be accepted for now. */
bool connection_table_is_full(const struct connection_table *table);
/* So many are open that idle ones are in the way. */
bool connection_table_is_crowded(const struct connection_table *table);
/* The connection of a request; NULL for a request without a socket. */
struct connection *connection_of(h2o_req_t *req);
/* The next close of this socket is ours and comes after an answer: keep reading for a while after saying
 * that we are done, so that the answer is not lost in a reset (RFC 9112 §9.6).  Libh2o 2.2.5 just closes. */
void connection_linger(struct connection *connection, h2o_socket_t *socket);

#endif
