/* turn.c - whose turn it is among what a request's path has met.
 * Owns nothing.  The chain has every entry that matches the path, in their order; of those, the ones that serve the method and whose
 * parameters are what they were said to be run one after the other.  What the others offer is what a 405 and OPTIONS tell.
 * Called by dispatch.c.  Must not know Lua. */
#include "worker/http/turn.h"

#include "worker/http/app/param_kind.h"
#include "worker/http/app/plan.h"
#include "worker/http/exchange.h"

static const struct app_route *route_at(const struct exchange *exchange, size_t step)
{
    return exchange->chain.steps[step].entry->value;
}

/* Whether the parameters of a step are what app:param says that they are. */
static bool has_fitting_params(const struct exchange *exchange, size_t index)
{
    const struct router_step *step = &exchange->chain.steps[index];
    const uint8_t *kinds = route_at(exchange, index)->param_kinds;
    const char *path = exchange->view.path.base;
    for (size_t i = 0; kinds != NULL && i < step->entry->pattern.name_count; i++) {
        const struct router_capture *capture = &step->captures[i];
        if (kinds[i] != PARAM_ANY && capture->len > 0 &&
            !param_kind_fits((enum param_kind)kinds[i], path + capture->start, capture->len)) {
            return false;
        }
    }
    return true;
}

/* Whether a step serves the request's method, and its parameters fit. */
static bool is_served(const struct exchange *exchange, size_t step)
{
    const struct view *view = &exchange->view;
    return router_entry_takes(exchange->chain.steps[step].entry, view->method.base,
                              view->method.len) &&
           has_fitting_params(exchange, step);
}

static void add_method(struct exchange *exchange, h2o_iovec_t *list, const char *method, size_t len)
{
    for (size_t at = 0; at < list->len; at++) {
        size_t end = at;
        while (end < list->len && list->base[end] != ',') {
            end++;
        }
        if (h2o_memis(list->base + at, end - at, method, len)) {
            return;
        }
        at = end + 1; /* and the blank */
    }
    *list = h2o_concat(&exchange->req->pool, *list, h2o_iovec_init(", ", list->len > 0 ? 2 : 0),
                       h2o_iovec_init(method, len));
}

struct turn_offer turn_find_offer(struct exchange *exchange, const struct scope *scope)
{
    struct turn_offer offer = {false, h2o_iovec_init(NULL, 0)};
    for (size_t i = 0; i < exchange->chain.count; i++) {
        const struct router_entry *entry = exchange->chain.steps[i].entry;
        const struct app_route *route = entry->value;
        if (entry->kind != ROUTER_ROUTE || !scope_is_within(route->scope, scope)) {
            continue;
        }
        if (is_served(exchange, i)) {
            offer.is_served = true;
        } else if (has_fitting_params(exchange, i) && exchange->req != NULL) {
            add_method(exchange, &offer.methods, entry->method, entry->method_len);
            if (h2o_memis(entry->method, entry->method_len, H2O_STRLIT("GET"))) {
                add_method(exchange, &offer.methods, H2O_STRLIT("HEAD"));
            }
        }
    }
    return offer;
}

bool turn_is_missing(struct exchange *exchange, const struct scope *scope)
{
    struct turn_offer offer = turn_find_offer(exchange, scope);
    return offer.is_served || offer.methods.len == 0 || !scope->app->settings.method_not_allowed;
}

const struct app_handler *turn_find(struct exchange *exchange, size_t *place)
{
    size_t step = *place >> TURN_HANDLER_BITS;
    size_t handler = *place & ((1U << TURN_HANDLER_BITS) - 1);
    for (; step < exchange->chain.count; step++, handler = 0) {
        const struct app_route *route = route_at(exchange, step);
        if (handler == 0) {
            if (!is_served(exchange, step) ||
                (route->is_missing &&
                 (exchange->state != EXCHANGE_OPEN || !turn_is_missing(exchange, route->scope)))) {
                continue;
            }
        } else if (handler >= route->count) {
            continue;
        }
        *place = step << TURN_HANDLER_BITS | handler;
        return &route->handlers[handler];
    }
    return NULL;
}

size_t turn_skip_route(const struct exchange *exchange, size_t step)
{
    const struct app_route *left = route_at(exchange, step);
    for (step++; step < exchange->chain.count; step++) {
        const struct app_route *route = route_at(exchange, step);
        if (route->scope != left->scope || route->group != left->group) {
            break;
        }
    }
    return step << TURN_HANDLER_BITS;
}

size_t turn_skip_router(const struct exchange *exchange, size_t step)
{
    const struct scope *left = route_at(exchange, step)->scope;
    while (step < exchange->chain.count && scope_is_within(route_at(exchange, step)->scope, left)) {
        step++;
    }
    return step << TURN_HANDLER_BITS;
}
