/* generations.c - what still runs on code that was replaced, and until when it may.
 * Owns the list of replaced generations and a timer, which looks once a second while there are any.  Each task says in which
 * generation it was started; requests and tasks that are left when the time of theirs is over are cancelled with the code
 * "replaced", and closed by force a second later, as whatever is cancelled.  Actors have state that nobody could give back: they are
 * told of, and stay.  The master hears whenever what is left has changed.
 * Called by life_code.c at COMMIT and by whoever starts tasks.  Must not know what they do. */
#include "worker/core/generations.h"

#include <inttypes.h>
#include <lua.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "worker/core/generation.h"
#include "worker/core/link.h"
#include "worker/core/runtime.h"

enum { LOOK_MS = 1000, LINE_MAX_BYTES = 256 };

/* What is left, as the master is told. */
struct report {
    struct proto_laggards body;
    char text[PROTO_TEXT_MAX];
    size_t len;
    uint64_t hash; /* of what has no time in it */
};

static uint64_t current_number(const struct runtime *runtime)
{
    return runtime->generation == NULL ? 0 : runtime->generation->number;
}

/* A task has room for the low half only; generations that are alive at a time are close together. */
uint64_t generations_of(const struct runtime *runtime, const struct task *task)
{
    uint64_t current = current_number(runtime);
    return current - (uint16_t)(current - task->generation);
}

void generations_assign(struct task *task, uint64_t number)
{
    task->generation = (uint16_t)number;
}

static uint64_t find_since_ms(const struct generations *generations, uint64_t number)
{
    for (size_t i = 0; i < generations->count; i++) {
        if (generations->old[i].number >= number) {
            return generations->old[i].since_ms;
        }
    }
    return generations->old[generations->count - 1].since_ms;
}

/* FILE:LINE of the innermost function of the application's: names in a bundle are relative, those of libraries are not. */
static void find_place(lua_State *L, char *place, size_t room)
{
    lua_Debug info;
    (void)snprintf(place, room, "?");
    for (int level = 0; lua_getstack(L, level, &info) == 1; level++) {
        if (lua_getinfo(L, "Sl", &info) != 0 && info.currentline > 0 &&
            strncmp(info.source, "@/", 2) != 0) {
            (void)snprintf(place, room, "%s:%d", info.short_src, info.currentline);
            return;
        }
    }
}

static void add_hash(struct report *report, const char *text)
{
    for (; *text != '\0'; text++) { /* FNV-1a */
        report->hash = (report->hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
}

static void add_line(struct report *report, const struct task *task, const char *what,
                     uint64_t age_s)
{
    char place[LUA_IDSIZE + 16];
    char line[LINE_MAX_BYTES];
    find_place(task->L, place, sizeof(place));
    add_hash(report, what);
    add_hash(report, place);
    int len = snprintf(line, sizeof(line), "%s %s since %" PRIu64 " at %s\n", task->owner->kind,
                       what, age_s, place);
    size_t bytes = (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1;
    if (report->len + bytes < sizeof(report->text)) {
        memcpy(report->text + report->len, line, bytes);
        report->len += bytes;
    }
}

static uint64_t limit_ms(const struct runtime *runtime)
{
    uint64_t ms = runtime->config.replaced_ms;
    return ms == 0 ? GENERATIONS_REPLACED_MS : ms;
}

/* Reports one that is left, and ends it when its time is over. */
static void judge(struct runtime *runtime, struct task *task, struct report *report)
{
    uint64_t number = generations_of(runtime, task);
    uint64_t age_ms = clock_monotonic_ms() - find_since_ms(&runtime->generations, number);
    char what[LINE_MAX_BYTES / 2] = "-";
    if (task->owner->on_describe != NULL) {
        task->owner->on_describe(task, what, sizeof(what));
    }
    if (what[0] == '\0') {
        return; /* no code of the application's */
    }
    report->body.count++;
    if (report->body.generation == 0 || number < report->body.generation) {
        report->body.generation = number;
    }
    add_line(report, task, what, age_ms / 1000);
    if (!task->owner->is_lasting && age_ms >= limit_ms(runtime)) {
        task_cancel(task, TASK_CANCEL_REPLACED);
    }
}

static void tell(struct runtime *runtime, struct report *report)
{
    report->hash ^= report->body.count + report->body.generation;
    report->text[report->len > 0 ? report->len - 1 : 0] = '\0'; /* no newline behind the last one */
    if (report->hash != runtime->generations.told && runtime->link != NULL) {
        runtime->generations.told = report->hash;
        link_send_text(runtime->link, PROTO_LAGGARDS, &report->body, sizeof(report->body),
                       report->text);
    }
}

static void on_look(struct timer *timer)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, generations.look, timer);
    struct heap *heap = &runtime->heap;
    struct report report = {.hash = UINT64_C(14695981039346656037)};
    uint16_t current = (uint16_t)current_number(runtime);
    for (uint32_t account = 0; (account = heap_next_holder(heap, account)) != 0;) {
        struct task *task = heap->accounts[account].holder;
        if (task->generation != current && task->trial == TASK_TRIAL_NONE) {
            judge(runtime, task, &report);
        }
    }
    tell(runtime, &report);
    if (report.body.count == 0) {
        runtime->generations.count = 0;
        return;
    }
    loop_set_timer(&runtime->loop, timer, LOOK_MS, on_look);
}

void generations_replace(struct runtime *runtime, uint64_t number)
{
    struct generations *generations = &runtime->generations;
    if (generations->count < GENERATIONS_REPLACED_MAX) {
        generations->old[generations->count++] =
            (struct generations_old){number, clock_monotonic_ms()};
    }
    if (!timer_is_set(&generations->look)) {
        loop_set_timer(&runtime->loop, &generations->look, LOOK_MS, on_look);
    }
}

void generations_fini(struct runtime *runtime)
{
    timer_clear(&runtime->loop.timers, &runtime->generations.look);
}
