/* logs.c - `fsdctl logs`: the last records that the daemon keeps in memory, and those to come; and `logs reopen`.
 * Owns nothing.  How: which records is the daemon's to decide, so that a filtered reader is not sent all.
 * Called through the rows of main.c.  Must not read the log's file. */
#include "ctl/logs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/err.h"
#include "common/log_level.h"
#include "common/parse.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/follow.h"
#include "ctl/output.h"
#include "ctl/record.h"

enum { LINES = 100, TIMEOUT_MS = 10 * 1000 };

static int set_since(const struct command_args *args, json_t *params)
{
    const char *since = command_find_option(args, "since");
    uint64_t ago_ms = 0;
    uint64_t now_ms = clock_wall_us() / 1000;
    if (since == NULL) {
        return FSD_EXIT_OK;
    }
    if (parse_duration_ms(since, &ago_ms) < 0) {
        return ask_refuse(args,
                          "--since must be a time with its unit, as in 30s, 10m or 2h, not "
                          "\"%s\"",
                          since);
    }
    uint64_t since_ms = ago_ms < now_ms ? now_ms - ago_ms : 0;
    (void)json_object_set_new(params, "since_ms", json_integer((json_int_t)since_ms));
    return FSD_EXIT_OK;
}

/* Without -n: all since a moment, else the last ones. */
static int set_lines(const struct command_args *args, json_t *params)
{
    const char *lines = command_find_option(args, "lines");
    uint64_t count = LINES;
    if (lines != NULL && parse_digits(lines, 10, INT32_MAX, &count) < 0) {
        return ask_refuse(args, "--lines must be a number, not \"%s\"", lines);
    }
    if (lines != NULL || command_find_option(args, "since") == NULL) {
        (void)json_object_set_new(params, "lines", json_integer((json_int_t)count));
    }
    return FSD_EXIT_OK;
}

static int set_level(const struct command_args *args, json_t *params)
{
    const char *name = command_find_option(args, "level");
    enum log_level level = LOG_LEVEL_DEBUG;
    if (name == NULL) {
        return FSD_EXIT_OK;
    }
    if (log_level_parse(name, &level) < 0) {
        return ask_refuse(args, "--level must be error, warning, notice, info or debug, not \"%s\"",
                          name);
    }
    (void)json_object_set_new(params, "level", json_string(name));
    return FSD_EXIT_OK;
}

int logs_run(const struct command_args *args)
{
    static const struct follow_row row = {"logs", "fsd.logs/1", "records",
                                          "log",  SIZE_MAX,     record_print};
    json_t *params = json_pack("{s:b}", "follow", command_has_option(args, "follow"));
    if (args->value_count > 0) {
        (void)json_object_set_new(params, "pool", json_string(args->values[0]));
    }
    int code = set_since(args, params);
    code = code == FSD_EXIT_OK ? set_lines(args, params) : code;
    code = code == FSD_EXIT_OK ? set_level(args, params) : code;
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    return follow_run(args, &row, params, command_find_option(args, "since") != NULL);
}

static int render_reopened(const json_t *result, const struct output *output)
{
    bool is_file = json_is_true(json_object_get(result, "reopened"));
    (void)fputs(is_file ? "the log goes to a new file now\n"
                        : "nothing to open: the log goes to no file\n",
                output->file);
    return json_is_boolean(json_object_get(result, "reopened")) ? 0 : -EPROTO;
}

int logs_reopen_run(const struct command_args *args)
{
    static const struct ask_row row = {"logs.reopen", NULL, TIMEOUT_MS,
                                       false,         NULL, render_reopened};
    return ask_and_show(args, &row, json_object());
}
