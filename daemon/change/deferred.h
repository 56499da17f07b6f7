#ifndef FSD_DAEMON_CHANGE_DEFERRED_H
#define FSD_DAEMON_CHANGE_DEFERRED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct control_call;
struct master;

enum { DEFERRED_MAX = 8 };

/* As the run of a control method. */
typedef void (*deferred_fn)(void *owner, struct control_call *call, const json_t *params);

struct deferred_item {
    deferred_fn run;
    struct control_call *call;
    json_t *params; /* owned reference */
};

/* Calls of operators that wait while a worker's order is carried out. */
struct deferred {
    struct deferred_item items[DEFERRED_MAX];
    size_t count;
};

/* True: an order is under way, and the call is run when it is over, before the next one.  False: go on.  params are borrowed. */
bool deferred_add(struct master *master, deferred_fn run, struct control_call *call,
                  const json_t *params);
/* Runs them all. */
void deferred_run(struct master *master);
/* At the very end: the calls go with the control socket. */
void deferred_fini(struct deferred *deferred);

#endif
