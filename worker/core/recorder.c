/* recorder.c - writes down what the worker does, so that the master can tell when it has died.
 * Owns the mapping of the black box.  Requests take the entries round about; one that has not ended is passed over, until half
 * of the entries are such: then they push each other out.  An entry has a sequence that is odd while it is written, and plain stores in
 * between: a worker that is killed there leaves an entry that counts as absent.  The clock is the coarse one (a few ns, steps
 * of some ms), because this runs for every request.
 * Called by task.c, generation.c, logger.c and the HTTP area, on the hot path.  Must not know what a request is. */
#include "worker/core/recorder.h"

#include <errno.h>
#include <string.h>

#include "common/blackbox.h"
#include "common/clock.h"
#include "common/log_level.h"

enum { OFFSET_US = 1000000 }; /* how old the distance of the clocks may be */

static void set(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_release);
}

static uint64_t get(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

/* Between the two the entry's fields may be written. */
static void begin_entry(_Atomic uint64_t *sequence)
{
    atomic_store_explicit(sequence, get(sequence) + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void end_entry(_Atomic uint64_t *sequence)
{
    set(sequence, get(sequence) + 1);
}

static void set_offset(struct recorder *recorder, uint64_t now_us)
{
    recorder->offset_at_us = now_us;
    set(&recorder->box->wall_offset_us, clock_wall_us() - clock_monotonic_us());
}

int recorder_open(struct recorder *recorder, int fd)
{
    *recorder = (struct recorder){.box = blackbox_map(fd, true)};
    if (recorder->box == NULL) {
        return -errno;
    }
    set_offset(recorder, clock_coarse_us());
    set(&recorder->box->version, BLACKBOX_VERSION);
    return 0;
}

void recorder_close(struct recorder *recorder)
{
    blackbox_unmap(recorder->box);
    recorder->box = NULL;
}

static struct blackbox_request_entry *find_entry(const struct recorder *recorder,
                                                 const struct recorder_ticket *ticket)
{
    if (recorder->box == NULL || ticket->number == 0) {
        return NULL;
    }
    struct blackbox_request_entry *entry = &recorder->box->requests[ticket->index];
    return entry->number == ticket->number ? entry : NULL;
}

bool recorder_has(const struct recorder *recorder, const struct recorder_ticket *ticket)
{
    return recorder->box == NULL || find_entry(recorder, ticket) != NULL;
}

/* The next entry round about whose request has ended; of the open ones when there are too many of those. */
static unsigned take_entry(struct recorder *recorder)
{
    const struct blackbox_request_entry *entries = recorder->box->requests;
    bool takes_open = recorder->open_count >= BLACKBOX_OPEN;
    while ((entries[recorder->request].is_open != 0) != takes_open) {
        recorder->request = (recorder->request + 1) % BLACKBOX_REQUESTS;
    }
    unsigned index = recorder->request;
    recorder->request = (index + 1) % BLACKBOX_REQUESTS;
    return index;
}

static size_t clip(size_t len, size_t limit)
{
    return len < limit ? len : limit;
}

static void fill_entry(struct blackbox_request_entry *entry, const struct recorder_subject *subject)
{
    size_t method_len = clip(subject->method_len, sizeof(entry->method));
    size_t path_len = clip(subject->path_len, sizeof(entry->path));
    size_t id_len = clip(strlen(subject->id), sizeof(entry->id));
    entry->generation = subject->generation;
    entry->id_high = subject->id_high;
    entry->id_low = subject->id_low;
    entry->method_len = (uint8_t)method_len;
    entry->path_len = (uint16_t)path_len;
    entry->id_len = (uint8_t)id_len;
    entry->is_open = 1;
    memcpy(entry->method, subject->method, method_len);
    memcpy(entry->path, subject->path, path_len);
    memcpy(entry->id, subject->id, id_len);
    entry->place[0] = '\0';
}

void recorder_note(struct recorder *recorder, struct recorder_ticket *ticket,
                   const struct recorder_subject *subject)
{
    if (recorder->box == NULL) {
        return;
    }
    unsigned index = take_entry(recorder);
    struct blackbox_request_entry *entry = &recorder->box->requests[index];
    if (ticket->number == 0) {
        ticket->begun_us = clock_coarse_us();
        recorder->now_us = ticket->begun_us;
        if (ticket->begun_us - recorder->offset_at_us > OFFSET_US) {
            set_offset(recorder, ticket->begun_us);
        }
    }
    recorder->open_count += entry->is_open ? 0 : 1;
    ticket->number = ++recorder->request_count;
    ticket->index = index;
    begin_entry(&entry->sequence);
    fill_entry(entry, subject);
    entry->number = ticket->number;
    entry->begun_us = ticket->begun_us;
    if (subject->place != NULL) {
        memcpy(entry->place, subject->place, sizeof(entry->place));
    }
    end_entry(&entry->sequence);
}

void recorder_note_place(struct recorder *recorder, const struct recorder_ticket *ticket,
                         const char *where)
{
    struct blackbox_request_entry *entry = find_entry(recorder, ticket);
    if (entry != NULL) {
        begin_entry(&entry->sequence);
        memcpy(entry->place, where, sizeof(entry->place));
        end_entry(&entry->sequence);
    }
}

void recorder_note_end(struct recorder *recorder, const struct recorder_ticket *ticket, int status)
{
    struct blackbox_request_entry *entry = find_entry(recorder, ticket);
    if (entry == NULL) {
        return; /* no box, or pushed out */
    }
    recorder->open_count--;
    begin_entry(&entry->sequence);
    entry->is_open = 0;
    entry->status = (uint16_t)status;
    entry->duration_us = clock_coarse_us() - entry->begun_us;
    end_entry(&entry->sequence);
}

static void run(struct recorder *recorder, uint64_t word, uint64_t now_us)
{
    atomic_store_explicit(&recorder->box->now_since_us, now_us, memory_order_relaxed);
    set(&recorder->box->now, word);
}

void recorder_run(struct recorder *recorder, const struct recorder_ticket *ticket)
{
    if (recorder->box != NULL) {
        uint64_t now_us = recorder->now_us != 0 ? recorder->now_us : clock_coarse_us();
        recorder->now_us = 0;
        run(recorder, blackbox_word(BLACKBOX_REQUEST, ticket->number, ticket->index), now_us);
    }
}

static void set_name(struct recorder *recorder, const char *name, size_t len)
{
    char *room = recorder->box->now_name;
    size_t kept = clip(len, sizeof(recorder->box->now_name) - 1);
    memcpy(room, name, kept);
    room[kept] = '\0';
}

void recorder_run_task(struct recorder *recorder, const char *what)
{
    if (recorder->box != NULL) {
        set_name(recorder, what, strlen(what));
        run(recorder, blackbox_word(BLACKBOX_TASK, 0, 0), clock_coarse_us());
    }
}

void recorder_run_place(struct recorder *recorder, const char *where, uint64_t now_us)
{
    if (recorder->box != NULL) {
        memcpy(recorder->box->now_name, where, sizeof(recorder->box->now_name));
        run(recorder, blackbox_word(BLACKBOX_TASK, 0, 0), now_us);
    }
}

void recorder_run_load(struct recorder *recorder, uint64_t generation, const char *name, size_t len)
{
    if (recorder->box != NULL) {
        set_name(recorder, name, len);
        set(&recorder->box->now_generation, generation);
        run(recorder, blackbox_word(BLACKBOX_LOAD, 0, 0), clock_coarse_us());
    }
}

void recorder_pause(struct recorder *recorder)
{
    if (recorder->box != NULL) {
        set(&recorder->box->now, 0);
    }
}

/* The line under way: where its text goes. */
struct line_room {
    _Atomic uint64_t *sequence;
    uint32_t *len;
    char *text;
    uint32_t limit;
};

static struct line_room find_room(struct recorder *recorder)
{
    if (recorder->is_long) {
        struct blackbox_error_entry *entry = &recorder->box->errors[recorder->error];
        return (struct line_room){&entry->sequence, &entry->len, entry->text, sizeof(entry->text)};
    }
    struct blackbox_line_entry *entry = &recorder->box->lines[recorder->line];
    return (struct line_room){&entry->sequence, &entry->len, entry->text, sizeof(entry->text)};
}

static void append(struct recorder *recorder, const char *text, size_t len)
{
    struct line_room room = find_room(recorder);
    size_t kept = clip(len, room.limit - *room.len);
    begin_entry(room.sequence);
    memcpy(room.text + *room.len, text, kept);
    *room.len += (uint32_t)kept;
    end_entry(room.sequence);
}

/* An error that is longer than a line moves to the long ones; the line's entry is free again. */
static void make_long(struct recorder *recorder)
{
    struct blackbox_line_entry *line = &recorder->box->lines[recorder->line];
    recorder->error = (recorder->error + 1) % BLACKBOX_ERRORS;
    struct blackbox_error_entry *entry = &recorder->box->errors[recorder->error];
    begin_entry(&entry->sequence);
    entry->number = line->number;
    entry->wall_us = line->wall_us;
    entry->level = line->level;
    entry->len = line->len;
    memcpy(entry->text, line->text, line->len);
    end_entry(&entry->sequence);
    begin_entry(&line->sequence);
    line->number = 0;
    end_entry(&line->sequence);
    recorder->line = (recorder->line + BLACKBOX_LINES - 1) % BLACKBOX_LINES;
    recorder->is_long = true;
}

/* Makes room for so many bytes more, where that can be. */
static void widen(struct recorder *recorder, size_t len)
{
    const struct blackbox_line_entry *line = &recorder->box->lines[recorder->line];
    if (!recorder->is_long && line->level == LOG_LEVEL_ERROR &&
        line->len + len > sizeof(line->text)) {
        make_long(recorder);
    }
}

void recorder_line(struct recorder *recorder, int level, uint64_t wall_us, const char *message,
                   size_t len)
{
    if (recorder->box == NULL) {
        return;
    }
    recorder->is_long = false;
    recorder->line = (recorder->line + 1) % BLACKBOX_LINES;
    struct blackbox_line_entry *line = &recorder->box->lines[recorder->line];
    begin_entry(&line->sequence);
    line->number = ++recorder->line_count;
    line->wall_us = wall_us;
    line->level = (uint32_t)level;
    line->len = 0;
    end_entry(&line->sequence);
    widen(recorder, len);
    append(recorder, message, len);
}

void recorder_line_add(struct recorder *recorder, const char *key, size_t key_len, const char *text,
                       size_t len)
{
    if (recorder->box == NULL) {
        return;
    }
    widen(recorder, key_len + len + 2);
    if (key_len == strlen("traceback") && memcmp(key, "traceback", key_len) == 0) {
        append(recorder, "\n", 1); /* on lines of its own, last */
    } else {
        append(recorder, " ", 1);
        append(recorder, key, key_len);
        append(recorder, "=", 1);
    }
    append(recorder, text, len);
}
