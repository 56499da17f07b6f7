/* stream_answer.c - what the hub has, as the result of the methods `logs` and `events`.
 * Owns nothing.  The records are JSON text already: those that are wanted are found from the newest back and joined.
 * Called by stream.c.  Pure.  Must not know who asks, or what comes later. */
#include "daemon/method/stream_answer.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/log/log_buf.h"
#include "daemon/method/stream_params.h"

enum { FRAME_BYTES = 128 }; /* around the records */

static const char *const heads[] = {
    "{\"schema\":\"fsd.logs/1\",\"records\":[",  /* LOG_HUB_RECORDS */
    "{\"schema\":\"fsd.events/1\",\"events\":[", /* LOG_HUB_EVENTS */
};

/* The number of the first record that belongs into the answer; *ret_left is how many lines more were asked for. */
static uint64_t find_first(const struct log_ring *ring, const struct stream_params *params,
                           uint64_t *ret_left)
{
    uint64_t first = ring->next;
    uint64_t left = params->lines;
    for (uint64_t at = ring->next; at > ring->first && left > 0; at--) {
        const struct log_ring_entry *entry = log_ring_get(ring, at - 1);
        if (stream_params_match(params, entry, log_ring_get_pool(ring, entry))) {
            first = at - 1;
            left--;
        }
    }
    *ret_left = left;
    return first;
}

/* How many that would have been older than those in the answer are gone; some of them may not have matched. */
static uint64_t count_gone(const struct log_ring *ring, const struct stream_params *params)
{
    if (log_ring_is_empty(ring)) {
        return 0;
    }
    const struct log_ring_entry *oldest = log_ring_get(ring, ring->first);
    if (oldest->wall_us < params->since_us) {
        return 0;
    }
    uint64_t gone = ring->first;
    if (params->since_id > 0) {
        uint64_t missing = oldest->id > params->since_id ? oldest->id - params->since_id - 1 : 0;
        gone = missing < gone ? missing : gone;
    }
    return gone;
}

char *stream_answer_make(const struct log_ring *ring, enum log_hub_kind kind,
                         const struct stream_params *params, size_t *ret_len)
{
    uint64_t left;
    uint64_t first = find_first(ring, params, &left);
    struct log_buf buf = {NULL, 0, FRAME_BYTES, false};
    for (uint64_t at = first; at < ring->next; at++) {
        buf.size += log_ring_get(ring, at)->text_len + 1;
    }
    buf.at = malloc(buf.size);
    if (buf.at == NULL) {
        return NULL;
    }
    log_buf_put_text(&buf, heads[kind]);
    const char *separator = "";
    for (uint64_t at = first; at < ring->next; at++) {
        const struct log_ring_entry *entry = log_ring_get(ring, at);
        if (stream_params_match(params, entry, log_ring_get_pool(ring, entry))) {
            log_buf_put_text(&buf, separator);
            log_buf_put(&buf, log_ring_get_text(ring, entry), entry->text_len);
            separator = ",";
        }
    }
    log_buf_put_text(&buf, "],\"lost\":");
    log_buf_put_int(&buf, left > 0 ? (int64_t)count_gone(ring, params) : 0);
    log_buf_put_text(&buf, "}");
    assert(!buf.is_cut);
    *ret_len = buf.len;
    return buf.at;
}
