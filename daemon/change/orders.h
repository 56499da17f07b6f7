#ifndef FSD_DAEMON_CHANGE_ORDERS_H
#define FSD_DAEMON_CHANGE_ORDERS_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/proto.h"
#include "daemon/change/deferred.h"
#include "daemon/proc/asks.h"

struct master;

/* The pools that applications start and stop, one after another. */
struct orders {
    struct asks asks;           /* of the workers */
    struct deferred deferred;   /* what operators want in the meantime */
    sd_event_source *turn;      /* owned; looks at the asks when nothing else runs */
    bool is_start;              /* of the one that is under way: a pool is started, else stopped */
    char name[PROTO_NAME_MAX];  /* its pool */
    char asker[PROTO_NAME_MAX]; /* and the pool of the worker that asked */
};

void orders_open(struct master *master);
void orders_close(struct master *master);
/* Something is over that may have been in the way. */
void orders_touch(struct master *master);
/* The change that carries out an order is over; why: it has failed, and nothing is changed. */
void orders_on_deployed(struct master *master, const char *why);

#endif
