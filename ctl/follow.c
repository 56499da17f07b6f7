/* follow.c - showing a list of the daemon that goes on.
 * Owns nothing.  How: one call; its result has what was, and on the same connection come notifications, each shown when it
 * is there.  Ctrl-C is how one says that it is enough, so it is a success: its handler ends the program, also one that waits for
 * a full pipe.
 * Called by logs.c and events.c.  Must not keep what it has shown. */
#include "ctl/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { TIMEOUT_MS = 10 * 1000 }; /* of the first answer */

/* Where the records go, and how. */
struct view {
    const struct command_args *args; /* borrowed */
    const struct follow_row *row;    /* borrowed */
    struct output output;
    bool is_json;
};

static void on_interrupt(int signal)
{
    (void)signal;
    _exit(FSD_EXIT_OK); /* whole records have been written out */
}

static void show(const struct view *view, const json_t *record)
{
    if (view->is_json) {
        output_json(&view->output, record);
    } else {
        view->row->print(record, &view->output);
    }
    (void)fflush(view->args->out);
}

/* Among the records, so that a program which reads them knows; a person is told beside them. */
static void show_lost(const struct view *view, const json_t *lost)
{
    uint64_t count = 0;
    struct output output;
    output_init(&output, view->args->err);
    (void)field_find_number(lost, "records", &count);
    if (view->is_json) {
        (void)fprintf(view->args->out, "{\"lost\":%llu}\n", (unsigned long long)count);
        (void)fflush(view->args->out);
        return;
    }
    (void)fprintf(view->args->err, "%s %llu record%s dropped: reading too slowly\n",
                  output.utf8 ? "\u2026" : "...", (unsigned long long)count,
                  count == 1 ? " was" : "s were");
}

static void show_past(const struct view *view, const json_t *result, bool is_following)
{
    const json_t *list = json_object_get(result, view->row->list);
    size_t count = json_array_size(list);
    size_t first = is_following && count > view->row->tail ? count - view->row->tail : 0;
    for (size_t i = first; i < count; i++) {
        show(view, json_array_get(list, i));
    }
}

static int show_future(const struct view *view, struct client *client)
{
    for (;;) {
        struct fsd_err why = {""};
        json_t *notification = NULL;
        int r = client_next(client, &notification, &why);
        if (r < 0) {
            return ask_report(view->args, r,
                              r == -ECONNRESET
                                  ? "the end: fsd has stopped, or has cut this connection"
                                  : why.text);
        }
        const json_t *params = json_object_get(notification, "params");
        if (field_is(notification, "method", view->row->notification)) {
            show(view, params);
        } else if (field_is(notification, "method", "lost")) {
            show_lost(view, params);
        }
        json_decref(notification);
        if (ferror(view->args->out) != 0) {
            return FSD_EXIT_FAILED; /* nobody reads any more */
        }
    }
}

static void report_gone(const struct view *view, const json_t *result)
{
    uint64_t lost = 0;
    if (field_find_number(result, "lost", &lost) && lost > 0) {
        (void)fprintf(view->args->err, "%llu earlier ones are no longer kept\n",
                      (unsigned long long)lost);
    }
}

static int show_all(const struct view *view, struct client *client, const json_t *result,
                    bool is_since)
{
    bool is_following = command_has_option(view->args, "follow");
    if (!field_is(result, "schema", view->row->schema)) {
        return ask_report(view->args, -EPROTO, "the answer makes no sense to this fsdctl");
    }
    if (view->is_json && !is_following) {
        output_json(&view->output, result);
        return FSD_EXIT_OK;
    }
    if (is_since) {
        report_gone(view, result);
    }
    show_past(view, result, is_following && !is_since);
    return is_following ? show_future(view, client) : FSD_EXIT_OK;
}

int follow_run(const struct command_args *args, const struct follow_row *row, json_t *params,
               int is_since)
{
    struct view view = {.args = args, .row = row, .is_json = command_has_option(args, "json")};
    struct client client;
    json_t *result = NULL;
    struct sigaction interrupt = {.sa_handler = on_interrupt};
    output_init(&view.output, args->out);
    int code = ask_open(args, TIMEOUT_MS, &client);
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    if (command_has_option(args, "follow")) {
        (void)sigaction(SIGINT, &interrupt, NULL); /* of a signal that exists */
    }
    code = ask_call(args, &client, row->method, params, &result);
    if (code == FSD_EXIT_OK) {
        code = show_all(&view, &client, result, is_since != 0);
    }
    client_close(&client);
    json_decref(result);
    return code;
}
