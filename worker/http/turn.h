#ifndef FSD_WORKER_HTTP_TURN_H
#define FSD_WORKER_HTTP_TURN_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>

struct app_handler;
struct exchange;
struct scope;

/* A place in the chain of a request: the number of a step, and in the low bits that of a handler of its route. */
enum { TURN_HANDLER_BITS = 8 };

/* What is known about the routes of the chain within a scope. */
struct turn_offer {
    bool is_served; /* one of them serves the method: then a missing answer is a 404, not a 405 */
    h2o_iovec_t methods; /* "GET, HEAD" of those that don't; empty when there are none */
};

/* The next handler at or behind the place that has its turn, whose place it then is; NULL when there is none. */
const struct app_handler *turn_find(struct exchange *exchange, size_t *place);
/* The place behind all that next("route") and next("router"), called in that step, leave. */
size_t turn_skip_route(const struct exchange *exchange, size_t step);
size_t turn_skip_router(const struct exchange *exchange, size_t step);
struct turn_offer turn_find_offer(struct exchange *exchange, const struct scope *scope);
/* Whether not_found of a scope has its turn: not when the path is known there and only the method is another one. */
bool turn_is_missing(struct exchange *exchange, const struct scope *scope);

#endif
