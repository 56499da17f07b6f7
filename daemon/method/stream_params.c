/* stream_params.c - which records and events somebody wants who called `logs` or `events`.
 * Owns the rows of their parameters.  A parameter that is unknown or of the wrong kind is refused: left out in silence it would
 * show something else than what was asked for.
 * Called by stream.c.  Pure.  Must not know where records are kept, or how they are sent. */
#include "daemon/method/stream_params.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "daemon/method/params.h"

static int set_follow(struct stream_params *params, const json_t *value)
{
    params->is_following = json_is_true(value);
    return json_is_boolean(value) ? 0 : -EINVAL;
}

static int set_pool(struct stream_params *params, const json_t *value)
{
    size_t len = json_string_length(value); /* 0 when it is no string */
    if (len == 0 || len >= sizeof(params->pool)) {
        return -EINVAL;
    }
    memcpy(params->pool, json_string_value(value), len + 1);
    return 0;
}

static int set_level(struct stream_params *params, const json_t *value)
{
    return json_is_string(value) ? log_level_parse(json_string_value(value), &params->level)
                                 : -EINVAL;
}

/* Greatest whole number that JSON readers agree about. */
static int get_count(const json_t *value, uint64_t *ret_count)
{
    static const json_int_t greatest = 9007199254740991;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > greatest) {
        return -EINVAL;
    }
    *ret_count = (uint64_t)number;
    return 0;
}

static int set_since_ms(struct stream_params *params, const json_t *value)
{
    int error = get_count(value, &params->since_us);
    params->since_us *= 1000;
    return error;
}

static int set_since_id(struct stream_params *params, const json_t *value)
{
    return get_count(value, &params->since_id);
}

static int set_lines(struct stream_params *params, const json_t *value)
{
    return get_count(value, &params->lines);
}

static const struct {
    const char *name;
    bool is_of_logs;
    bool is_of_events;
    int (*set)(struct stream_params *params, const json_t *value);
    const char *wanted;
} rows[] = {
    {"follow", true, true, set_follow, "true or false"},
    {"pool", true, false, set_pool, "the name of a pool"},
    {"level", true, false, set_level, "error, warning, notice, info or debug"},
    {"since_ms", true, false, set_since_ms, "milliseconds since 1970"},
    {"lines", true, false, set_lines, "a number of records"},
    {"since_id", false, true, set_since_id, "the id of an event"},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static bool is_of(size_t row, enum log_hub_kind kind)
{
    return kind == LOG_HUB_RECORDS ? rows[row].is_of_logs : rows[row].is_of_events;
}

static int set(struct stream_params *params, enum log_hub_kind kind, const char *name,
               const json_t *value, struct fsd_err *err)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (is_of(i, kind) && strcmp(rows[i].name, name) == 0) {
            if (rows[i].set(params, value) < 0) {
                return fsd_err_set(err, EINVAL, "\"%s\" must be %s", name, rows[i].wanted);
            }
            return 0;
        }
    }
    return fsd_err_set(err, EINVAL, "unknown parameter \"%.64s\"; there is only %s", name,
                       kind == LOG_HUB_RECORDS
                           ? "\"follow\", \"pool\", \"level\", \"since_ms\" and \"lines\""
                           : "\"follow\" and \"since_id\"");
}

int stream_params_parse(struct stream_params *ret_params, enum log_hub_kind kind,
                        const json_t *params, struct fsd_err *err)
{
    struct stream_params result = {.level = LOG_LEVEL_DEBUG, .lines = UINT64_MAX};
    for (void *at = params_first(params); at != NULL; at = params_next(params, at)) {
        int error = set(&result, kind, json_object_iter_key(at), json_object_iter_value(at), err);
        if (error < 0) {
            return error;
        }
    }
    *ret_params = result;
    return 0;
}

bool stream_params_match(const struct stream_params *params, const struct log_ring_entry *entry,
                         const char *pool)
{
    size_t len = strlen(params->pool);
    if (len > 0 && (len != entry->pool_len || memcmp(pool, params->pool, len) != 0)) {
        return false;
    }
    return entry->level <= params->level && entry->wall_us >= params->since_us &&
           (params->since_id == 0 || entry->id > params->since_id);
}
