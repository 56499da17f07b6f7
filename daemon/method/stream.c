/* stream.c - `fsdctl logs` and `fsdctl events`: what the hub has, and what comes after it.
 * Owns the followers.  Each has the number of the record that it looks at next; the hub's rings are the only buffer.  When
 * something comes, or a connection that was full has been read, a follower is sent what it wants until its connection has
 * no more room; what leaves the ring before that is counted and told as `lost`.  All this happens in turns of the loop of their
 * own, of bounded length and low priority: nothing is sent while a record is being logged.
 * Called by methods.c; events come from the hub, the control socket and the loop.  Must not log: it would feed itself. */
#include "daemon/method/stream.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/control/control.h"
#include "daemon/log/log_buf.h"
#include "daemon/log/log_hub.h"
#include "daemon/log/log_line.h"
#include "daemon/method/stream_answer.h"
#include "daemon/method/stream_params.h"

enum {
    BATCH_BYTES = 2 * LOG_LINE_MAX, /* sent at once */
    FRAME_BYTES = 128,              /* around a record, and a notice of what was lost */
    PRIORITY =
        SD_EVENT_PRIORITY_NORMAL + 10, /* as the records of workers: neither starves the other */
};

struct follower {
    struct stream_table *table; /* borrowed */
    struct control_stream *out; /* NULL: this place is free */
    enum log_hub_kind kind;
    struct stream_params params;
    uint64_t next; /* number of the record to look at */
    uint64_t lost; /* records that it wanted, and that went before it could take them */
};

struct stream_table {
    struct log_hub *hub;   /* borrowed */
    sd_event_source *pump; /* owned; runs when a follower may have something to get */
    struct follower followers[CONTROL_STREAMS_MAX];
    char batch[BATCH_BYTES];
};

/* The notifications of each kind. */
static const char *const methods[] = {"log", "event"};

static void start_pump(struct stream_table *table)
{
    (void)sd_event_source_set_enabled(table->pump, SD_EVENT_ONESHOT); /* of a live source */
}

/* Appends a notification to the batch; there is room. */
static void frame(struct log_buf *batch, const char *method, const char *params, size_t len)
{
    log_buf_put_text(batch, "{\"jsonrpc\":\"2.0\",\"method\":\"");
    log_buf_put_text(batch, method);
    log_buf_put_text(batch, "\",\"params\":");
    log_buf_put(batch, params, len);
    log_buf_put_text(batch, "}\n");
    assert(!batch->is_cut);
}

static bool has_match(const struct follower *follower, const struct log_ring *ring,
                      const struct log_ring_entry *entry)
{
    return stream_params_match(&follower->params, entry, log_ring_get_pool(ring, entry));
}

/* The next notification, if there is one; its text stays valid until something is logged.  False: there is none. */
static bool find_next(struct follower *follower, const char **ret_text, size_t *ret_len)
{
    const struct log_ring *ring = log_hub_get(follower->table->hub, follower->kind);
    for (; follower->next < ring->next; follower->next++) {
        const struct log_ring_entry *entry = log_ring_get(ring, follower->next);
        if (has_match(follower, ring, entry)) {
            *ret_text = log_ring_get_text(ring, entry);
            *ret_len = entry->text_len;
            return true;
        }
    }
    return false;
}

static void frame_lost(struct follower *follower, struct log_buf *batch)
{
    char params[48];
    int len = snprintf(params, sizeof(params), "{\"records\":%" PRIu64 "}", follower->lost);
    frame(batch, "lost", params, (size_t)len);
    follower->lost = 0;
}

/* Sends at most one batch.  True: there may be more, and room for it. */
static bool send_batch(struct follower *follower)
{
    struct log_buf batch = {follower->table->batch, 0, BATCH_BYTES, false};
    const char *text;
    size_t len;
    if (follower->lost > 0 && control_stream_has_room(follower->out, FRAME_BYTES)) {
        frame_lost(follower, &batch);
    }
    bool has_more = find_next(follower, &text, &len);
    bool is_full = false;
    while (has_more && !is_full &&
           control_stream_has_room(follower->out, batch.len + len + FRAME_BYTES)) {
        frame(&batch, methods[follower->kind], text, len);
        follower->next++;
        has_more = find_next(follower, &text, &len);
        is_full = has_more && batch.len + len + FRAME_BYTES > BATCH_BYTES;
    }
    if (batch.len > 0) {
        control_stream_send(follower->out, batch.at, batch.len); /* on_end may run in here */
    }
    return is_full && follower->out != NULL;
}

static int on_pump(sd_event_source *source, void *userdata)
{
    (void)source;
    struct stream_table *table = userdata;
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        struct follower *follower = &table->followers[i];
        if (follower->out != NULL && send_batch(follower)) {
            start_pump(table);
        }
    }
    return 0;
}

static void on_news(void *owner)
{
    start_pump(owner);
}

static void on_drop(void *owner, enum log_hub_kind kind, uint64_t number,
                    const struct log_ring_entry *entry)
{
    struct stream_table *table = owner;
    const struct log_ring *ring = log_hub_get(table->hub, kind);
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        struct follower *follower = &table->followers[i];
        if (follower->out != NULL && follower->kind == kind && follower->next == number) {
            follower->next++;
            follower->lost += has_match(follower, ring, entry) ? 1 : 0;
        }
    }
}

static const struct log_hub_watch watch = {on_news, on_drop};

static void on_room(void *owner)
{
    struct follower *follower = owner;
    start_pump(follower->table);
}

static void on_end(void *owner)
{
    struct follower *follower = owner;
    follower->out = NULL;
}

static const struct control_stream_events stream_events = {on_room, on_end};

int stream_open(struct stream_table **ret_streams, sd_event *loop, struct log_hub *hub)
{
    struct stream_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return -ENOMEM;
    }
    table->hub = hub;
    int error = sd_event_add_defer(loop, &table->pump, on_pump, table);
    if (error >= 0) {
        error = sd_event_source_set_priority(table->pump, PRIORITY);
    }
    if (error >= 0) {
        error = sd_event_source_set_enabled(table->pump, SD_EVENT_OFF);
    }
    if (error < 0) {
        (void)sd_event_source_disable_unref(table->pump); /* returns NULL always */
        free(table);
        return error;
    }
    log_hub_watch(hub, &watch, table);
    *ret_streams = table;
    return 0;
}

void stream_close(struct stream_table *streams)
{
    if (streams == NULL) {
        return;
    }
    log_hub_watch(streams->hub, NULL, NULL);
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        struct follower *follower = &streams->followers[i];
        while (follower->out != NULL && send_batch(follower)) {
        }
        if (follower->out != NULL) {
            control_stream_close(follower->out);
        }
    }
    (void)sd_event_source_disable_unref(streams->pump);
    free(streams);
}

/* False: the call has been answered with an error. */
static bool follow(struct stream_table *table, enum log_hub_kind kind,
                   const struct stream_params *params, struct control_call *call)
{
    struct follower *follower = table->followers;
    while (follower < table->followers + CONTROL_STREAMS_MAX && follower->out != NULL) {
        follower++;
    }
    struct control_stream *out = NULL;
    int error = -EBUSY;
    if (follower < table->followers + CONTROL_STREAMS_MAX) {
        error = control_stream_open(&out, call, &stream_events, follower);
    }
    if (error < 0) {
        control_fail(call, CONTROL_BUSY,
                     error == -EEXIST ? "this connection follows something already"
                                      : "too many connections follow the log or the events");
        return false;
    }
    *follower = (struct follower){.table = table, .out = out, .kind = kind, .params = *params};
    follower->params.since_us = 0; /* what comes is new, whatever a worker's clock says */
    follower->params.since_id = 0;
    follower->next = log_hub_get(table->hub, kind)->next;
    return true;
}

static void run(struct stream_table *table, enum log_hub_kind kind, struct control_call *call,
                const json_t *params)
{
    struct stream_params wanted;
    struct fsd_err err;
    size_t len = 0;
    if (stream_params_parse(&wanted, kind, params, &err) < 0) {
        control_fail(call, CONTROL_BAD_PARAMS, err.text);
        return;
    }
    char *answer = stream_answer_make(log_hub_get(table->hub, kind), kind, &wanted, &len);
    if (answer == NULL) {
        control_fail(call, CONTROL_FAILED, "out of memory");
        return;
    }
    if (!wanted.is_following || follow(table, kind, &wanted, call)) {
        control_answer_text(call, answer, len); /* the follower may be gone after this */
    }
    free(answer);
}

void stream_run_events(struct stream_table *streams, struct control_call *call,
                       const json_t *params)
{
    run(streams, LOG_HUB_EVENTS, call, params);
}

void stream_run_logs(struct stream_table *streams, struct control_call *call, const json_t *params)
{
    run(streams, LOG_HUB_RECORDS, call, params);
}
