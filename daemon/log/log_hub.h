#ifndef FSD_DAEMON_LOG_LOG_HUB_H
#define FSD_DAEMON_LOG_LOG_HUB_H

#include <stdbool.h>

#include "daemon/log/log_ring.h"

struct log_record;
struct log_hub;

/* The recent past: what the log said and what happened, as JSON text (log_json.h, RECORD and EVENT), whatever became of the
 * lines.  Numbers of the two rings are independent of each other. */
enum log_hub_kind { LOG_HUB_RECORDS, LOG_HUB_EVENTS };

/* Who follows.  Neither function may log. */
struct log_hub_watch {
    /* Something was added; it may be looked at later. */
    void (*on_news)(void *owner);
    /* This one will be dropped after the call. */
    void (*on_drop)(void *owner, enum log_hub_kind kind, uint64_t number,
                    const struct log_ring_entry *entry);
};

enum {
    LOG_HUB_RECORDS_MAX = 4000,
    LOG_HUB_RECORDS_BYTES = 2 * 1024 * 1024,
    LOG_HUB_EVENTS_MAX = 1000,
    LOG_HUB_EVENTS_BYTES = 384 * 1024,
};

/* Takes all memory at once; NULL when there is none. */
struct log_hub *log_hub_new(void);
/* NULL is allowed. */
void log_hub_free(struct log_hub *hub);
/* One at a time; watch is borrowed, NULL: nobody. */
void log_hub_watch(struct log_hub *hub, const struct log_hub_watch *watch, void *owner);
/* Keeps a record among the records if is_logged (it passed the level), and an event among the events. */
void log_hub_put(struct log_hub *hub, const struct log_record *record, bool is_logged);
const struct log_ring *log_hub_get(const struct log_hub *hub, enum log_hub_kind kind);

#endif
