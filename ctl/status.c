/* status.c - `fsdctl status`: is it running, and as configured?
 * Owns nothing.  How: the answer is first checked for the fields without which it says nothing (status_judge), which gives
 * the exit code as well; then status_render.c prints it.
 * Called through the row of main.c.
 * Must not trust the daemon: a status of another version, or a broken one, ends in a sentence. */
#include "ctl/status.h"

#include <errno.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/field.h"
#include "ctl/status_render.h"

enum { TIMEOUT_MS = 5 * 1000 };

static int check_worker(const json_t *worker, size_t pool, size_t index, struct fsd_err *err)
{
    uint64_t slot = 0;
    if (!field_find_number(worker, "slot", &slot) &&
        !json_is_null(json_object_get(worker, "slot"))) {
        return fsd_err_set(err, EPROTO,
                           "the status makes no sense: pools[%zu].workers[%zu] has no slot", pool,
                           index);
    }
    if (!json_is_string(json_object_get(worker, "state"))) {
        return fsd_err_set(err, EPROTO,
                           "the status makes no sense: pools[%zu].workers[%zu] has no state", pool,
                           index);
    }
    return 0;
}

static int check(const json_t *status, struct fsd_err *err)
{
    const json_t *pools = json_object_get(status, "pools");
    if (!json_is_string(json_object_get(status, "state")) || !json_is_array(pools)) {
        return fsd_err_set(err, EPROTO, "the status makes no sense: it has no state or no pools");
    }
    for (size_t i = 0; i < json_array_size(pools); i++) {
        const json_t *pool = json_array_get(pools, i);
        const json_t *workers = json_object_get(pool, "workers");
        if (!json_is_string(json_object_get(pool, "name")) || !json_is_array(workers)) {
            return fsd_err_set(
                err, EPROTO, "the status makes no sense: pools[%zu] has no name or no workers", i);
        }
        for (size_t j = 0; j < json_array_size(workers); j++) {
            int r = check_worker(json_array_get(workers, j), i, j, err);
            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

/* Beside a worker that leaves, the one that took over its slot is what counts. */
static bool is_slot_ready(const json_t *workers, json_int_t slot)
{
    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);
        const json_t *other = json_object_get(worker, "slot");
        if (json_is_integer(other) && json_integer_value(other) == slot &&
            field_is(worker, "state", "ready")) {
            return true;
        }
    }
    return false;
}

/* Workers without a slot are a reserve, those above the count are leaving for good, and one that was to end when it was done
 * has. */
static bool is_pool_whole(const json_t *pool)
{
    const json_t *workers = json_object_get(pool, "workers");
    const json_t *state = json_object_get(pool, "state");
    uint64_t count = UINT64_MAX;
    (void)field_find_number(pool, "count", &count);
    if (state != NULL && !field_is(pool, "state", "running")) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);
        uint64_t slot = 0;
        if (field_find_number(worker, "slot", &slot) && slot < count &&
            !field_is(worker, "state", "done") && !is_slot_ready(workers, (json_int_t)slot)) {
            return false;
        }
    }
    return true;
}

/* The code that somebody brought is not the code that runs. */
static bool has_setback(const json_t *status)
{
    const json_t *apps = json_object_get(status, "apps");
    for (size_t i = 0; i < json_array_size(apps); i++) {
        if (json_is_object(json_object_get(json_array_get(apps, i), "setback"))) {
            return true;
        }
    }
    return false;
}

int status_judge(const json_t *status, struct fsd_err *err)
{
    int r = check(status, err);
    if (r < 0) {
        return r;
    }
    const json_t *pools = json_object_get(status, "pools");
    for (size_t i = 0; i < json_array_size(pools); i++) {
        if (!is_pool_whole(json_array_get(pools, i))) {
            return FSD_EXIT_DEGRADED;
        }
    }
    return field_is(status, "state", "running") && !has_setback(status) ? FSD_EXIT_OK
                                                                        : FSD_EXIT_DEGRADED;
}

static int render(const json_t *status, const struct output *output)
{
    return status_render(status, clock_wall_us() / 1000, output);
}

int status_run(const struct command_args *args)
{
    static const struct ask_row row = {"status", "fsd.status/1", TIMEOUT_MS,
                                       false,    status_judge,   render};
    return ask_and_show(args, &row, json_object());
}
