#ifndef FSD_DAEMON_CHANGE_PLAN_LISTENER_H
#define FSD_DAEMON_CHANGE_PLAN_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/change/plan_text.h"

struct conf;
struct conf_pool;

/* The listener of from whose sockets a listener of to takes over, because the address is the same; SIZE_MAX: none.  With port 0
 * the name must be the same, too: each such listener has another port. */
size_t plan_listener_find(const struct conf *from, const struct conf *to, size_t to_listener);

enum plan_listener_fate {
    PLAN_LISTENER_SAME,   /* address, name and pool are what they were */
    PLAN_LISTENER_KEPT,   /* the socket stays, the name or the pool changes */
    PLAN_LISTENER_OPENED, /* has no socket yet */
};
/* What becomes of a listener of to; the details go to text. */
enum plan_listener_fate plan_listener_get_fate(const struct conf *from, const struct conf *to,
                                               size_t listener, struct plan_text *text);
/* Is the socket of a listener of from closed?  Its address goes to text then. */
bool plan_listener_is_closed(const struct conf *from, const struct conf *to, size_t listener,
                             struct plan_text *text);
/* Adds what differs in the listeners of a pool: "listeners +admin -http".  Nothing is added when they are the same in any order. */
void plan_listener_compare(const struct conf *from, const struct conf_pool *old,
                           const struct conf *to, const struct conf_pool *new_pool,
                           struct plan_text *text);

#endif
