/* status_note.c - the sentences of a status: what is wrong, since when it is tried again, and which command tells more.
 * Owns the words for the states of a pool that does not serve.  How: lines are added to a text of bounded length; the cause is
 * the daemon's, the hints are ours.
 * Called by status_render.c for each row.  Must not know where the text is printed, nor escape it. */
#include "ctl/status_note.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/output.h"

enum { LAGGARDS_SHOWN = 5 };

/* What is cut is cut: a status is no report. */
__attribute__((format(printf, 2, 3))) static void add(char note[STATUS_NOTE_MAX], const char *fmt,
                                                      ...)
{
    size_t len = strlen(note);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(note + len, STATUS_NOTE_MAX - len, fmt, args);
    va_end(args);
}

/* Each sentence is a line. */
static void begin(char note[STATUS_NOTE_MAX])
{
    add(note, "%s", note[0] != '\0' ? "\n" : "");
}

static void add_wait(char note[STATUS_NOTE_MAX], const json_t *object, const char *key,
                     const char *words)
{
    char wait[OUTPUT_NUMBER_MAX];
    uint64_t wait_ms = 0;
    if (field_find_number(object, key, &wait_ms)) {
        output_format_duration(wait_ms, wait);
        add(note, "; %s in %s", words, wait);
    }
}

static void add_backoff(char note[STATUS_NOTE_MAX], const char *pool, const json_t *worker)
{
    const char *last_exit = json_string_value(json_object_get(worker, "last_exit"));
    begin(note);
    add(note, "%.64s/%lld: %.1024s", pool,
        (long long)json_integer_value(json_object_get(worker, "slot")),
        last_exit != NULL ? last_exit : "ended for an unknown reason");
    add_wait(note, worker, "retry_in_ms", "next start");
}

/* "request GET /slow since 12s at app.lua:40", or as much of it as there is. */
static void add_laggard(char note[STATUS_NOTE_MAX], const json_t *item)
{
    const char *kind = json_string_value(json_object_get(item, "kind"));
    const char *at = json_string_value(json_object_get(item, "at"));
    char age[OUTPUT_NUMBER_MAX];
    uint64_t since_ms = 0;
    add(note, "%.32s%s%.200s", kind != NULL ? kind : "", kind != NULL ? " " : "",
        field_get_text(item, "what"));
    if (field_find_number(item, "since_ms", &since_ms)) {
        output_format_duration(since_ms, age);
        add(note, " since %s", age);
    }
    if (at != NULL && strcmp(at, "?") != 0) { /* nowhere: it waits in a library */
        add(note, " at %.200s", at);
    }
}

/* What still runs on code that a reload has replaced: the first of it. */
static void add_laggards(char note[STATUS_NOTE_MAX], const char *pool, const json_t *worker)
{
    const json_t *laggards = json_object_get(worker, "laggards");
    const json_t *items = json_object_get(laggards, "items");
    uint64_t count = 0;
    uint64_t generation = 0;
    uint64_t slot = 0;
    if (!field_find_number(laggards, "count", &count) || count == 0) {
        return;
    }
    (void)field_find_number(laggards, "generation", &generation);
    begin(note);
    add(note, "%.64s/", pool);
    if (field_find_number(worker, "slot", &slot)) {
        add(note, "%llu", (unsigned long long)slot);
    } else {
        add(note, "-");
    }
    add(note, " still runs %llu thing%s of generation %llu%s", (unsigned long long)count,
        count == 1 ? "" : "s", (unsigned long long)generation,
        json_array_size(items) > 0 ? ":" : "");
    for (size_t i = 0; i < json_array_size(items) && i < LAGGARDS_SHOWN; i++) {
        add(note, "%s", count == 1 ? " " : "\n  ");
        add_laggard(note, json_array_get(items, i));
    }
    if (json_array_size(items) > 0 && count > LAGGARDS_SHOWN) {
        add(note, "\n  and %llu more: `fsdctl status --json`",
            (unsigned long long)(count - LAGGARDS_SHOWN));
    }
}

static void add_hint(char note[STATUS_NOTE_MAX], const json_t *pool, const char *name)
{
    const char *crash = json_string_value(json_object_get(pool, "last_crash"));
    begin(note);
    add(note, "more: `fsdctl crashes%s%.128s`, `fsdctl logs %.64s`", crash != NULL ? " " : "",
        crash != NULL ? crash : "", name);
}

/* A pool that does not serve as it should. */
static void add_pool(char note[STATUS_NOTE_MAX], const json_t *pool, const char *name)
{
    const char *cause = json_string_value(json_object_get(pool, "cause"));
    const char *state = field_get_text(pool, "state");
    if (strcmp(state, "held") == 0) {
        begin(note);
        add(note, "%.64s is held: %.1024s", name, cause != NULL ? cause : "it failed too often");
        add_wait(note, pool, "probe_in_ms", "next try");
        add_hint(note, pool, name);
    } else if (strcmp(state, "drained") == 0) {
        begin(note);
        add(note, "%.64s was drained by command: `fsdctl resume` starts it again", name);
    } else if (strcmp(state, "running") != 0 && cause != NULL) {
        begin(note);
        add(note, "%.64s is %.32s: %.1024s", name, state, cause);
        add_hint(note, pool, name);
    }
}

/* One that is still booting is nothing to see to. */
static void add_standby(char note[STATUS_NOTE_MAX], const json_t *pool, const char *name)
{
    const json_t *standby = json_object_get(pool, "standby");
    uint64_t wanted = 0;
    uint64_t ready = 0;
    if (field_is(pool, "state", "running") && !json_is_false(json_object_get(standby, "failing")) &&
        field_find_number(standby, "wanted", &wanted) &&
        field_find_number(standby, "ready", &ready) && ready < wanted) {
        begin(note);
        add(note, "%.64s has %llu of %llu workers in reserve", name, (unsigned long long)ready,
            (unsigned long long)wanted);
    }
}

/* A slot has room for some that leave, and no more. */
static void add_waiting(char note[STATUS_NOTE_MAX], const json_t *pool, const char *name)
{
    uint64_t waiting = 0;
    if (field_find_number(pool, "waiting", &waiting) && waiting > 0) {
        begin(note);
        add(note, "%.64s waits for older workers to leave before it starts %llu more", name,
            (unsigned long long)waiting);
    }
}

void status_note_format(const json_t *pool, const json_t *worker, bool is_last,
                        char note[STATUS_NOTE_MAX])
{
    const char *name = field_get_text(pool, "name");
    note[0] = '\0';
    if (worker != NULL && field_is(worker, "state", "backoff")) {
        add_backoff(note, name, worker);
    }
    add_laggards(note, name, worker);
    if (is_last) {
        add_pool(note, pool, name);
        add_standby(note, pool, name);
        add_waiting(note, pool, name);
    }
}

void status_note_format_setback(const json_t *app, char note[STATUS_NOTE_MAX])
{
    const json_t *setback = json_object_get(app, "setback");
    const char *name = field_get_text(app, "name");
    char at[FIELD_TIME_MAX];
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t origin = 0;
    note[0] = '\0';
    if (!field_find_number(setback, "from", &from)) {
        return;
    }
    field_format_time(setback, "at", at);
    bool is_over = field_find_number(setback, "to", &to);
    add(note, "%.64s: generation %llu %s %s: %.1024s", name, (unsigned long long)from,
        is_over ? "was taken back at" : "is being taken back since", at,
        field_get_text(setback, "why"));
    if (is_over && field_find_number(setback, "origin", &origin)) {
        begin(note);
        add(note,
            "generation %llu runs now, the code of %llu: reload better code, or say that it is "
            "fine with `fsdctl confirm %.64s`",
            (unsigned long long)to, (unsigned long long)origin, name);
    }
}
