/* log_hub.c - the recent past of the log in memory, for `fsdctl logs` and `fsdctl events`.
 * Owns two rings of JSON text.  Each record is rendered once, whoever will read it; the oldest ones make room.  A watcher is
 * told that something came, and before something goes, so that it can count what a slow reader misses.
 * Called by log.c for each record, and by stream.c, which reads the rings.  Must not know sockets, or who reads. */
#include "daemon/log/log_hub.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log/log_buf.h"
#include "daemon/log/log_json.h"
#include "daemon/log/log_line.h"
#include "daemon/log/log_record.h"

enum { SHORT_MESSAGE_MAX = 4096 };

struct log_hub {
    struct log_ring rings[LOG_HUB_EVENTS + 1];
    const struct log_hub_watch *watch; /* borrowed */
    void *owner;                       /* borrowed */
    char text[LOG_LINE_MAX];           /* the one that is being rendered */
};

struct log_hub *log_hub_new(void)
{
    struct log_hub *hub = malloc(sizeof(*hub));
    if (hub == NULL) {
        return NULL;
    }
    memset(hub, 0, sizeof(*hub));
    if (log_ring_init(&hub->rings[LOG_HUB_RECORDS], LOG_HUB_RECORDS_MAX, LOG_HUB_RECORDS_BYTES) <
            0 ||
        log_ring_init(&hub->rings[LOG_HUB_EVENTS], LOG_HUB_EVENTS_MAX, LOG_HUB_EVENTS_BYTES) < 0) {
        log_hub_free(hub);
        return NULL;
    }
    return hub;
}

void log_hub_free(struct log_hub *hub)
{
    if (hub != NULL) {
        log_ring_fini(&hub->rings[LOG_HUB_RECORDS]);
        log_ring_fini(&hub->rings[LOG_HUB_EVENTS]);
        free(hub);
    }
}

void log_hub_watch(struct log_hub *hub, const struct log_hub_watch *watch, void *owner)
{
    hub->watch = watch;
    hub->owner = owner;
}

/* A record that is longer than any that a worker can send keeps the beginning of its message. */
static size_t render(struct log_hub *hub, const struct log_record *record, enum log_json_form form)
{
    struct log_buf buf = {hub->text, 0, sizeof(hub->text), false};
    log_json_put(&buf, record, form);
    if (buf.is_cut) {
        struct log_record brief = *record;
        brief.field_count = 1;
        brief.fields[0] = log_text("cut", "too long");
        if (brief.message_len > SHORT_MESSAGE_MAX) {
            brief.message_len = SHORT_MESSAGE_MAX;
        }
        buf = (struct log_buf){hub->text, 0, sizeof(hub->text), false};
        log_json_put(&buf, &brief, form);
    }
    return buf.len;
}

static void keep(struct log_hub *hub, enum log_hub_kind kind, const struct log_record *record)
{
    struct log_ring *ring = &hub->rings[kind];
    const char *pool = record->subject.pool;
    struct log_ring_entry entry = {.id = record->event_id,
                                   .wall_us = record->wall_us,
                                   .level = record->level,
                                   .pool_len = pool == NULL ? 0 : strlen(pool)};
    entry.text_len = render(hub, record, kind == LOG_HUB_EVENTS ? LOG_JSON_EVENT : LOG_JSON_RECORD);
    while (!log_ring_has_room(ring, entry.pool_len + entry.text_len)) {
        if (hub->watch != NULL) {
            hub->watch->on_drop(hub->owner, kind, ring->first, log_ring_get(ring, ring->first));
        }
        log_ring_drop(ring);
    }
    log_ring_add(ring, &entry, pool, hub->text);
}

_Static_assert((int)LOG_HUB_EVENTS_BYTES > (int)LOG_LINE_MAX + 4096,
               "every text fits an empty ring");

void log_hub_put(struct log_hub *hub, const struct log_record *record, bool is_logged)
{
    if (is_logged) {
        keep(hub, LOG_HUB_RECORDS, record);
    }
    if (record->event != NULL) {
        keep(hub, LOG_HUB_EVENTS, record);
    }
    if (hub->watch != NULL) {
        hub->watch->on_news(hub->owner);
    }
}

const struct log_ring *log_hub_get(const struct log_hub *hub, enum log_hub_kind kind)
{
    return &hub->rings[kind];
}
