/* The recent past of the log: what is kept, in which form, and what a watcher hears. */
#include "daemon/log/log_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/proto.h"
#include "daemon/log/log_record.h"

struct watcher {
    unsigned news;
    unsigned drops[2];
    uint64_t last_dropped;
};

static void on_news(void *owner)
{
    struct watcher *watcher = owner;
    watcher->news++;
}

static void on_drop(void *owner, enum log_hub_kind kind, uint64_t number,
                    const struct log_ring_entry *entry)
{
    struct watcher *watcher = owner;
    assert_true(entry->text_len > 0);
    watcher->drops[kind]++;
    watcher->last_dropped = number;
}

static const struct log_hub_watch watch = {on_news, on_drop};

static struct log_record make_record(const char *message, const char *event)
{
    return (struct log_record){.level = LOG_LEVEL_INFO,
                               .wall_us = 1000000,
                               .subject = {"web", 0, 12},
                               .message = message,
                               .message_len = strlen(message),
                               .event = event,
                               .event_id = event == NULL ? 0 : 77};
}

static json_t *parse(const struct log_ring *ring, uint64_t number)
{
    const struct log_ring_entry *entry = log_ring_get(ring, number);
    json_t *parsed = json_loadb(log_ring_get_text(ring, entry), entry->text_len, 0, NULL);
    assert_non_null(parsed);
    return parsed;
}

static void an_event_is_kept_as_a_record_and_as_an_event(void **state)
{
    (void)state;
    struct log_hub *hub = log_hub_new();
    assert_non_null(hub);
    struct log_record record = make_record("ready", "worker.ready");
    log_hub_put(hub, &record, true);
    record = make_record("hello", NULL);
    log_hub_put(hub, &record, true);
    const struct log_ring *records = log_hub_get(hub, LOG_HUB_RECORDS);
    const struct log_ring *events = log_hub_get(hub, LOG_HUB_EVENTS);
    assert_int_equal(records->next, 2);
    assert_int_equal(events->next, 1);
    assert_int_equal(log_ring_get(events, 0)->id, 77);
    json_t *parsed = parse(events, 0);
    assert_string_equal(json_string_value(json_object_get(parsed, "message")), "ready");
    json_decref(parsed);
    parsed = parse(records, 0);
    assert_string_equal(json_string_value(json_object_get(parsed, "event")), "worker.ready");
    json_decref(parsed);
    log_hub_free(hub);
    log_hub_free(NULL);
}

static void an_event_below_the_level_of_the_log_is_still_an_event(void **state)
{
    (void)state;
    struct log_hub *hub = log_hub_new();
    assert_non_null(hub);
    struct log_record record = make_record("started", "worker.started");
    log_hub_put(hub, &record, false);
    assert_int_equal(log_hub_get(hub, LOG_HUB_RECORDS)->next, 0);
    assert_int_equal(log_hub_get(hub, LOG_HUB_EVENTS)->next, 1);
    log_hub_free(hub);
}

static void the_oldest_make_room_and_the_watcher_hears_of_each(void **state)
{
    (void)state;
    struct watcher watcher = {0};
    struct log_hub *hub = log_hub_new();
    assert_non_null(hub);
    log_hub_watch(hub, &watch, &watcher);
    struct log_record record = make_record("x", "a.b");
    for (int i = 0; i < LOG_HUB_RECORDS_MAX + 5; i++) {
        log_hub_put(hub, &record, true);
    }
    assert_int_equal(watcher.news, LOG_HUB_RECORDS_MAX + 5);
    assert_int_equal(watcher.drops[LOG_HUB_RECORDS], 5);
    assert_int_equal(watcher.drops[LOG_HUB_EVENTS], LOG_HUB_RECORDS_MAX + 5 - LOG_HUB_EVENTS_MAX);
    assert_int_equal(log_hub_get(hub, LOG_HUB_RECORDS)->first, 5);
    log_hub_watch(hub, NULL, NULL);
    log_hub_put(hub, &record, true);
    assert_int_equal(watcher.news, LOG_HUB_RECORDS_MAX + 5);
    log_hub_free(hub);
}

static void long_records_take_the_room_of_many(void **state)
{
    (void)state;
    struct log_hub *hub = log_hub_new();
    assert_non_null(hub);
    char *message = malloc(PROTO_LOG_MAX);
    assert_non_null(message);
    memset(message, 1, PROTO_LOG_MAX); /* every byte takes six */
    struct log_record record = make_record("", NULL);
    record.message = message;
    record.message_len = PROTO_LOG_MAX;
    for (int i = 0; i < 100; i++) {
        log_hub_put(hub, &record, true);
    }
    const struct log_ring *ring = log_hub_get(hub, LOG_HUB_RECORDS);
    assert_in_range(ring->next - ring->first, 15, 25);
    json_t *parsed = parse(ring, ring->next - 1);
    assert_int_equal(json_string_length(json_object_get(parsed, "msg")), PROTO_LOG_MAX);
    json_decref(parsed);
    free(message);
    log_hub_free(hub);
}

static void a_record_that_no_worker_could_send_is_shortened(void **state)
{
    (void)state;
    enum { HUGE_LEN = 1000 * 1000 };
    struct log_hub *hub = log_hub_new();
    assert_non_null(hub);
    char *text = malloc(HUGE_LEN + 1);
    assert_non_null(text);
    memset(text, 'x', HUGE_LEN);
    text[HUGE_LEN] = '\0';
    struct log_record record = make_record(text, "a.b");
    log_hub_put(hub, &record, true);
    record = make_record("brief", "a.b");
    record.fields[0] = log_text("long", text);
    record.field_count = 1;
    log_hub_put(hub, &record, true);
    const struct log_ring *ring = log_hub_get(hub, LOG_HUB_EVENTS);
    json_t *parsed = parse(ring, 0);
    assert_in_range(json_string_length(json_object_get(parsed, "message")), 1000, 5000);
    assert_non_null(json_object_get(parsed, "cut"));
    json_decref(parsed);
    parsed = parse(ring, 1);
    assert_string_equal(json_string_value(json_object_get(parsed, "message")), "brief");
    json_decref(parsed);
    free(text);
    log_hub_free(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_kept_as_a_record_and_as_an_event),
        cmocka_unit_test(an_event_below_the_level_of_the_log_is_still_an_event),
        cmocka_unit_test(the_oldest_make_room_and_the_watcher_hears_of_each),
        cmocka_unit_test(long_records_take_the_room_of_many),
        cmocka_unit_test(a_record_that_no_worker_could_send_is_shortened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
