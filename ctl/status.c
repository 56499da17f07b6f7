/* status.c - `fsdctl status`: is it running, and as configured?
 * Owns nothing.  How: the answer is first checked for the fields without which it says nothing (status_judge), which gives
 * the exit code as well; then status_render.c prints it.
 * Called through the row of main.c.
 * Must not trust the daemon: a status of another version, or a broken one, ends in a sentence. */
#include "ctl/status.h"

#include <errno.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/status_render.h"

enum { TIMEOUT_MS = 5 * 1000 };

static int check_worker(const json_t *worker, size_t pool, size_t index, struct fsd_err *err)
{
    uint64_t slot = 0;
    if (!field_find_number(worker, "slot", &slot)) {
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
    static const char known[] = "fsd.status/1";
    if (!field_is(status, "schema", known)) {
        return fsd_err_set(err, EPROTO, "the status is of kind \"%s\", this fsdctl reads \"%s\"",
                           field_get_text(status, "schema"), known);
    }
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
static bool is_slot_ready(const json_t *workers, const json_t *worker)
{
    json_int_t slot = json_integer_value(json_object_get(worker, "slot"));
    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *other = json_array_get(workers, i);
        if (json_integer_value(json_object_get(other, "slot")) == slot &&
            field_is(other, "state", "ready")) {
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
        const json_t *workers = json_object_get(json_array_get(pools, i), "workers");
        for (size_t j = 0; j < json_array_size(workers); j++) {
            if (!is_slot_ready(workers, json_array_get(workers, j))) {
                return FSD_EXIT_DEGRADED;
            }
        }
    }
    return field_is(status, "state", "running") ? FSD_EXIT_OK : FSD_EXIT_DEGRADED;
}

static int show(const struct command_args *args, const json_t *status)
{
    struct output output;
    struct fsd_err why = {""};
    output_init(&output, args->out);
    bool json = command_has_option(args, "json");
    if (json) {
        output_json(&output, status);
    }
    int code = status_judge(status, &why);
    if (code < 0) {
        char sentence[FSD_ERR_MAX];
        output_escape(&output, why.text, sentence, sizeof(sentence));
        (void)fprintf(args->err, "%s\n", sentence);
        return client_exit_code(code);
    }
    if (!json && status_render(status, clock_wall_us() / 1000, &output) < 0) {
        (void)fprintf(args->err, "cannot print the status: out of memory\n");
        return FSD_EXIT_INTERNAL;
    }
    return code;
}

int status_run(const struct command_args *args)
{
    struct client client;
    json_t *status = NULL;
    int code = ask_open(args, TIMEOUT_MS, &client);
    if (code != FSD_EXIT_OK) {
        return code;
    }
    code = ask_call(args, &client, "status", json_object(), &status);
    client_close(&client);
    if (code == FSD_EXIT_OK) {
        code = show(args, status);
    }
    json_decref(status);
    return code;
}
