/* plan.c - an application with all that is mounted in it, flat: what requests use.
 * Owns the router, its entries' values, and the scopes: a tree that says of each entry what is around it.  So a route of a router that is
 * mounted three deep costs a request as much as one of the application itself; only errors, settings and req.base_url look at the tree.
 * flatten.c makes it, an edition uses it.  Must not know how it is made. */
#include "worker/http/app/plan.h"

#include <stdlib.h>

struct plan *plan_new(void)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL) {
        abort();
    }
    plan->router = router_new();
    return plan;
}

static void free_route(struct app_route *route)
{
    free(route->param_kinds);
    free(route->param_keys);
    free(route);
}

static void free_scope(struct scope *scope)
{
    handler_free_all(&scope->errors);
    handler_free_all(&scope->pre_handler);
    handler_free_all(&scope->send);
    handler_free_all(&scope->response);
    free(scope);
}

void plan_free(struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    router_free(plan->router);
    while (plan->routes != NULL) {
        struct app_route *route = plan->routes;
        plan->routes = route->next;
        free_route(route);
    }
    while (plan->scopes != NULL) {
        struct scope *scope = plan->scopes;
        plan->scopes = scope->next;
        free_scope(scope);
    }
    free(plan);
}

size_t plan_first_name(const struct scope *scope, const struct pattern *pattern, size_t own)
{
    while (scope != NULL && own > 0 && scope->source->merges_params) {
        scope = scope->parent;
        own--;
    }
    return pattern_first_name(pattern, own);
}

bool scope_is_within(const struct scope *scope, const struct scope *outer)
{
    while (scope != NULL && scope != outer) {
        scope = scope->parent;
    }
    return scope != NULL;
}
