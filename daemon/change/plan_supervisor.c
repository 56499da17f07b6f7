/* plan_supervisor.c - what differs between a supervisor of one configuration and the supervisor of the same name in another.
 * Owns nothing.  Children are compared by their names and their order, which is the order of the start.
 * Called by plan.c, and by plan_pool.c for what a pool is started after.  Pure.  Must not know what is done about it. */
#include "daemon/change/plan_supervisor.h"

#include <string.h>

#include "daemon/conf/conf.h"

static const char *child_name(const struct conf *conf, const struct conf_child *child)
{
    return child->is_supervisor ? conf->supervisors[child->index].name
                                : conf->pools[child->index].name;
}

bool plan_supervisor_is_same_children(const struct conf *from, const struct conf_children *old,
                                      const struct conf *to, const struct conf_children *now)
{
    if (old->count != now->count) {
        return false;
    }
    for (size_t i = 0; i < old->count; i++) {
        if (strcmp(child_name(from, &old->items[i]), child_name(to, &now->items[i])) != 0) {
            return false;
        }
    }
    return true;
}

void plan_supervisor_compare(const struct conf *from, const struct conf_supervisor *old,
                             const struct conf *to, const struct conf_supervisor *now,
                             struct plan_text *text)
{
    static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};
    _Static_assert(SUPERVISE_ONE_FOR_ONE == 0 && SUPERVISE_REST_FOR_ONE == 2, "their order");
    char before[PLAN_TEXT_VALUE_MAX];
    char after[PLAN_TEXT_VALUE_MAX];
    if (old->strategy != now->strategy) {
        plan_text_add(text, "strategy %s -> %s", strategies[old->strategy],
                      strategies[now->strategy]);
    }
    if (old->intensity != now->intensity) {
        plan_text_add(text, "intensity %u -> %u", (unsigned)old->intensity,
                      (unsigned)now->intensity);
    }
    if (old->period_ms != now->period_ms) {
        plan_text_format_duration(old->period_ms, before);
        plan_text_format_duration(now->period_ms, after);
        plan_text_add(text, "period %s -> %s", before, after);
    }
    if (!plan_supervisor_is_same_children(from, &old->children, to, &now->children)) {
        plan_text_add(text, "children changed");
    }
    if (!plan_supervisor_is_same_children(from, &old->after, to, &now->after)) {
        plan_text_add(text, "after changed");
    }
}
