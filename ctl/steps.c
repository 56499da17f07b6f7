/* steps.c - a command that takes a while, step by step.
 * Owns nothing.  People see the steps on standard error, where they can look at it while the result goes somewhere else.
 * How: the connection first follows the events of the service, then asks; what comes before the answer is shown when it is a step.  The
 * daemon sends events when it has nothing better to do, so those that the answer has overtaken are asked for at the end; their numbers
 * tell which were shown.  A daemon that cannot be followed (too many do) is asked all the same.  Without --timeout it is
 * waited for as long as it answers other questions: only it knows how long its workers may take.
 * Called by reload.c and code.c.  Must not know what is done, nor believe that events have a certain shape. */
#include "ctl/steps.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { STATUS_TIMEOUT_MS = 5 * 1000 };

struct steps {
    const struct command_args *args; /* borrowed */
    struct client *client;           /* borrowed */
    struct output output;
    bool is_json;
    bool is_following;
    uint64_t seen; /* number of the last event that was looked at */
};

/* What becomes of workers, and where a reload begins; how it ends is the result. */
static bool is_step(const json_t *event)
{
    static const char worker[] = "worker.";
    static const char reload[] = "reload.";
    const char *name = field_get_text(event, "event");
    if (strcmp(name, "reload.done") == 0 || strcmp(name, "reload.failed") == 0) {
        return false;
    }
    return strncmp(name, worker, strlen(worker)) == 0 || strncmp(name, reload, strlen(reload)) == 0;
}

static void print_line(const struct output *output, const char *text)
{
    output_text_part(output, text, strcspn(text, "\n"));
}

/* "web/0 worker is ready, generation 4": the first line of what happened, and of why. */
static void print(const json_t *event, const struct output *output)
{
    const char *pool = json_string_value(json_object_get(event, "pool"));
    const char *message = field_get_text(event, "message");
    const char *reason = json_string_value(json_object_get(event, "reason"));
    uint64_t number = 0;
    if (pool != NULL) {
        output_text(output, pool);
        (void)fputc('/', output->file);
        if (field_find_number(event, "slot", &number)) {
            (void)fprintf(output->file, "%llu ", (unsigned long long)number);
        } else {
            (void)fputs("- ", output->file);
        }
    }
    print_line(output, message);
    if (field_find_number(event, "generation", &number)) {
        (void)fprintf(output->file, ", generation %llu", (unsigned long long)number);
    }
    if (reason != NULL) {
        (void)fputs(": ", output->file);
        print_line(output, reason);
    }
    (void)fputc('\n', output->file);
}

static void show(struct steps *steps, const json_t *event)
{
    uint64_t id = 0;
    if (!field_find_number(event, "id", &id) || id <= steps->seen) {
        return;
    }
    steps->seen = id;
    if (!is_step(event)) {
        return;
    }
    if (steps->is_json) {
        output_json(&steps->output, event);
    } else {
        print(event, &steps->output);
    }
    (void)fflush(steps->output.file);
}

static void on_notification(void *owner, const json_t *notification)
{
    const struct steps *steps = owner;
    if (steps->is_following && field_is(notification, "method", "event")) {
        show(owner, json_object_get(notification, "params"));
    }
}

/* What is asked for may take as long as it likes while the daemon is well. */
static bool is_well(void *owner)
{
    const struct steps *steps = owner;
    json_t *status = ask_quietly(steps->args, "status", STATUS_TIMEOUT_MS);
    json_decref(status);
    return status != NULL;
}

static const struct client_watch patient = {on_notification, is_well};
static const struct client_watch hasty = {on_notification, NULL};

/* What was before is not ours. */
static void begin(struct steps *steps)
{
    json_t *result = NULL;
    json_t *params = json_pack("{s:b}", "follow", 1);
    if (client_call(steps->client, "events", params, &result, NULL) == 0) {
        const json_t *events = json_object_get(result, "events");
        size_t count = json_array_size(events);
        (void)field_find_number(json_array_get(events, count - 1), "id", &steps->seen);
        steps->is_following = true;
    }
    json_decref(result);
}

/* Has this event told what the answer tells: the result, or the reason why there is none? */
static bool is_our_end(const json_t *event, const json_t *result, const char *reason)
{
    const json_t *apps = json_object_get(result, "apps");
    const json_t *number = json_object_get(event, "generation");
    if (result == NULL) {
        return reason != NULL && field_is(event, "event", "reload.failed") &&
               strstr(field_get_text(event, "message"), reason) != NULL;
    }
    for (size_t i = 0; i < json_array_size(apps); i++) {
        if (field_is(event, "event", "reload.done") && json_is_integer(number) &&
            json_equal(json_object_get(json_array_get(apps, i), "to"), number)) {
            return true;
        }
    }
    return false;
}

/* What the answer has overtaken; what came behind that is somebody else's. */
static void end(struct steps *steps, const json_t *result, const char *reason)
{
    json_t *answer = NULL;
    json_t *params = json_pack("{s:I}", "since_id", (json_int_t)steps->seen);
    if (!steps->is_following) {
        json_decref(params);
        return;
    }
    steps->is_following = false;
    if (client_call(steps->client, "events", params, &answer, NULL) == 0) {
        const json_t *events = json_object_get(answer, "events");
        size_t count = json_array_size(events);
        for (size_t i = 0; i < count; i++) {
            const json_t *event = json_array_get(events, i);
            show(steps, event);
            count = is_our_end(event, result, reason) ? i + 1 : count;
        }
    }
    json_decref(answer);
}

static int show_failure(const struct steps *steps, const struct ask_row *row, int result,
                        const char *sentence, json_t *refusal)
{
    const char *message = json_string_value(json_object_get(refusal, "message"));
    json_t *last = json_pack("{s:s, s:O?}", "schema", row->schema, "error", refusal);
    if (steps->is_json && refusal != NULL && last != NULL) {
        output_json(&steps->output, last);
    }
    json_decref(last);
    int code = ask_report(steps->args, result, message != NULL ? message : sentence);
    ask_show_late(steps->args, row, code);
    return code;
}

/* Takes params. */
static int ask(struct steps *steps, const struct ask_row *row, json_t *params)
{
    struct fsd_err why = {""};
    json_t *result = NULL;
    int r = client_call(steps->client, row->method, params, &result, &why);
    json_t *refusal = json_incref(steps->client->refusal);
    if (r == 0 || refusal != NULL) { /* it is there, and will answer once more */
        end(steps, result, json_string_value(json_object_get(refusal, "message")));
    }
    int code = r == 0 ? ask_show(steps->args, row, result)
                      : show_failure(steps, row, r, why.text, refusal);
    json_decref(refusal);
    json_decref(result);
    return code;
}

int steps_ask_and_show(const struct command_args *args, const struct ask_row *row, json_t *params)
{
    struct client client;
    struct steps steps = {
        .args = args, .client = &client, .is_json = command_has_option(args, "json")};
    uint64_t timeout_ms = 0;
    int fd = fileno(args->err);
    output_init(&steps.output, steps.is_json ? args->out : args->err);
    int code = ask_get_timeout(args, row->timeout_ms, &timeout_ms);
    code = code == FSD_EXIT_OK ? ask_open(args, timeout_ms, &client) : code;
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    client.watch = command_find_option(args, "timeout") != NULL ? &hasty : &patient;
    client.owner = &steps;
    if (steps.is_json || (fd >= 0 && isatty(fd) == 1)) {
        begin(&steps);
    }
    code = ask(&steps, row, params);
    client_close(&client);
    return code;
}
