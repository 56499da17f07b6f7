/* methods_code.c - the control methods generations, rollback and confirm: which code is kept, and what it is worth.
 * Owns the shape fsd.generations/1.  What is shown is the master's own memory; what a generation takes is asked of its memfd.
 * Called through the rows of methods.c.  Must not know how code is made or brought to a worker. */
#include "daemon/method/methods_code.h"

#include <sys/stat.h>

#include "daemon/change/deferred.h"
#include "daemon/change/rollback.h"
#include "daemon/change/setback.h"
#include "daemon/method/methods_params.h"
#include "daemon/state.h"

enum { BLOCK_BYTES = 512 }; /* of st_blocks */

static json_t *number_or_null(uint64_t number)
{
    return number == 0 ? json_null() : json_integer((json_int_t)number);
}

static json_int_t measure(const struct bundle *bundle)
{
    struct stat info;
    return fstat(bundle->fd, &info) == 0 ? (json_int_t)info.st_blocks * BLOCK_BYTES : 0;
}

static json_t *describe_bundle(const struct bundle_store *store, const struct bundle *bundle)
{
    return json_pack("{s:I, s:s, s:o, s:b, s:b, s:b, s:b, s:o, s:I, s:I, s:I}", "number",
                     (json_int_t)bundle->number, "sha256", bundle->sha256, "at",
                     number_or_null(bundle->committed_us / 1000), "running",
                     bundle == &store->running, "confirmed",
                     bundle_store_is_confirmed(store, bundle), "previous",
                     bundle == &store->previous, "candidate", bundle == &store->candidate, "origin",
                     number_or_null(bundle->origin), "files", (json_int_t)bundle->files, "bytes",
                     (json_int_t)bundle->bytes, "memory_bytes", measure(bundle));
}

static json_t *describe_app(const struct master *master, size_t index)
{
    const struct app *app = master->inventory.apps[index];
    const struct bundle *rows[BUNDLE_ROLES];
    struct probation_facts facts = setback_get_facts(master, index);
    size_t count = bundle_store_list(&app->store, rows);
    json_t *generations = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(generations, describe_bundle(&app->store, rows[i]));
    }
    return json_pack("{s:s, s:I, s:I, s:o}", "app", app->name, "probation_ms",
                     (json_int_t)facts.limit_ms, "probation_left_ms",
                     (json_int_t)probation_get_left(&app->probation, &facts), "generations",
                     generations);
}

static void answer_all(const struct master *master, struct control_call *call,
                       const struct app *only)
{
    json_t *apps = json_array();
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        if (only == NULL || only == master->inventory.apps[i]) {
            (void)json_array_append_new(apps, describe_app(master, i));
        }
    }
    control_answer(call, json_pack("{s:s, s:o}", "schema", "fsd.generations/1", "apps", apps));
}

void methods_code_generations(void *owner, struct control_call *call, const json_t *params)
{
    struct app *only = NULL;
    if (methods_has_only(call, params, "app") && methods_find_app(owner, call, params, &only)) {
        answer_all(owner, call, only);
    }
}

void methods_code_confirm(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    struct app *only = NULL;
    if (!methods_has_only(call, params, "app") || !methods_find_app(owner, call, params, &only)) {
        return;
    }
    if (master->phase != MASTER_RUNNING) {
        control_fail(call, CONTROL_BUSY, master_find_obstacle(master));
        return;
    }
    setback_confirm(owner, only);
    answer_all(owner, call, only);
}

void methods_code_rollback(void *owner, struct control_call *call, const json_t *params)
{
    struct app *only = NULL;
    if (methods_has_only(call, params, "app") && methods_find_app(owner, call, params, &only) &&
        !deferred_add(owner, methods_code_rollback, call, params)) {
        rollback_start(owner, only, call);
    }
}
