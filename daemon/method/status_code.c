/* status_code.c - the part of `status` that is about the code of the applications.
 * Owns its shape.  Called by status.c.  Must not change anything. */
#include "daemon/method/status_code.h"

#include "daemon/change/setback.h"
#include "daemon/state.h"

static json_t *describe_setback(const struct app *app)
{
    const struct app_setback *setback = setback_find(app);
    if (setback == NULL) {
        return json_null();
    }
    json_t *to = setback->to == 0 ? json_null() : json_integer((json_int_t)setback->to);
    const struct bundle *running = &app->store.running;
    json_t *origin = setback->to == 0 || running->origin == 0
                         ? json_null()
                         : json_integer((json_int_t)running->origin);
    return json_pack("{s:I, s:o, s:o, s:I, s:s}", "from", (json_int_t)setback->from, "to", to,
                     "origin", origin, "at", (json_int_t)(setback->at_us / 1000), "why",
                     setback->why);
}

json_t *status_code_describe(const struct master *master)
{
    json_t *apps = json_array();
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        const struct app *app = master->inventory.apps[i];
        struct probation_facts facts = setback_get_facts(master, i);
        json_int_t left_ms = (json_int_t)probation_get_left(&app->probation, &facts);
        (void)json_array_append_new(
            apps, json_pack("{s:s, s:I, s:b, s:I, s:o}", "name", app->name, "generation",
                            (json_int_t)facts.generation, "confirmed", facts.is_confirmed,
                            "probation_left_ms", left_ms, "setback", describe_setback(app)));
    }
    return apps;
}
