/* status.c - the shape of `status`, schema fsd.status/1.
 * Owns nothing.  Everything comes from the master's own memory, the status pages that workers write and /proc/PID/statm, so the
 * answer does not depend on any worker being able to speak.  Numbers from pages are the workers' word: they are
 * printed, nothing else.  Called by methods.c.  Must not change anything. */
#include "common/blackbox.h"
#include "common/clock.h"
#include "common/memory.h"
#include "daemon/method/status_code.h"
#include "daemon/method/status_laggards.h"
#include "daemon/state.h"
#include "daemon/tree/supervision.h"

static json_int_t to_json(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *time_or_null(uint64_t wall_us)
{
    return wall_us == 0 ? json_null() : json_integer(to_json(wall_us / 1000));
}

static const char *name_state(const struct pool_proc *which)
{
    const struct pool_slot *slot = which->slot;
    if (which->proc.was_told && slot == NULL) {
        return "draining";
    }
    if (slot == NULL) {
        return which == which->pool->unavailable ? "answers 503" : "standby";
    }
    if (which == slot->next) {
        return (slot->awaits_commit || slot->pool->is_frozen) &&
                       which->proc.state == INCARNATION_LOADED
                   ? "prepared"
                   : "starting";
    }
    return which == slot->current ? "ready" : "draining";
}

/* What the worker's code is doing at this moment, as it wrote it down; null: nothing. */
static json_t *describe_doing(const struct proc *proc)
{
    struct blackbox_now now;
    char what[BLACKBOX_TITLE_MAX];
    blackbox_read_now(proc->blackbox, &now);
    if (blackbox_title(&now, what)[0] == '\0') {
        return json_null();
    }
    uint64_t wall_us = clock_wall_us();
    uint64_t since_ms = now.since_wall_us < wall_us ? (wall_us - now.since_wall_us) / 1000 : 0;
    return json_pack("{s:s, s:s, s:I}", "what", what, "id", now.request.id, "since_ms",
                     to_json(since_ms));
}

static json_t *slot_or_null(const struct pool_proc *which)
{
    return which->slot == NULL ? json_null() : json_integer((json_int_t)which->slot->index);
}

static json_t *text_or_null(const char *text)
{
    return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *describe_proc(const struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    const struct pool_slot *slot = which->slot;
    struct page_numbers numbers;
    page_read(proc->page, &numbers);
    uint64_t memory_bytes = memory_read(proc->child.pid);
    memory_bytes = memory_bytes > 0 ? memory_bytes : numbers.memory_bytes; /* /proc may hide it */
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t age_ms = numbers.heartbeat_ms > now_ms || numbers.heartbeat_ms == 0
                          ? 0
                          : now_ms - numbers.heartbeat_ms;
    return json_pack(
        "{s:o, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, "
        "s:o, s:o, s:o, "
        "s:o, s:o}",
        "slot", slot_or_null(which), "pid", (int)proc->child.pid, "incarnation",
        to_json(proc->number), "state", name_state(which), "generation", to_json(proc->generation),
        "restarts", to_json(slot == NULL ? 0 : slot->restarts), "requests",
        to_json(numbers.requests), "connections", to_json(numbers.connections), "accepted",
        to_json(numbers.accepted), "running", to_json(numbers.running), "heartbeat_age_ms",
        to_json(age_ms), "memory_bytes", to_json(memory_bytes), "lua_bytes",
        to_json(numbers.lua_bytes), "refused", to_json(numbers.refused), "timed_out",
        to_json(numbers.timed_out), "access_lost", to_json(numbers.access_lost), "died_at",
        time_or_null(which->died_us), "ready_at", time_or_null(proc->ready_us), "started_at",
        time_or_null(proc->started_us), "last_exit",
        slot == NULL ? json_null() : text_or_null(slot->last_exit), "doing", describe_doing(proc),
        "laggards", status_describe_laggards(&proc->laggards));
}

/* A slot that has no process now. */
static json_t *describe_vacancy(const struct pool_slot *slot)
{
    uint64_t now_ms = clock_monotonic_ms();
    bool is_held = slot->state == SLOT_HELD;
    uint64_t retry_ms = is_held ? slot->pool->probe_at_ms : slot->retry_at_ms;
    uint64_t left_ms = retry_ms > now_ms ? retry_ms - now_ms : 0;
    return json_pack("{s:i, s:n, s:n, s:s, s:I, s:I, s:i, s:i, s:i, s:o, s:n, s:n, s:o, s:I}",
                     "slot", (int)slot->index, "pid", "incarnation", "state",
                     slot_state_name(slot->state), "generation",
                     to_json(slot->pool->conf.app->store.running.number), "restarts",
                     to_json(slot->restarts), "requests", 0, "connections", 0, "memory_bytes", 0,
                     "died_at", time_or_null(slot->died_us), "ready_at", "started_at", "last_exit",
                     text_or_null(slot->last_exit), "retry_in_ms", to_json(left_ms));
}

/* Slots in their order, each with its processes; the reserve last. */
static json_t *describe_workers(const struct pool *pool, uint64_t *requests)
{
    json_t *workers = json_array();
    for (unsigned i = 0; i <= pool->made; i++) {
        const struct pool_slot *slot = i < pool->made ? pool->slots[i] : NULL;
        *requests += slot == NULL ? pool->requests_gone : slot->requests_total;
        if (slot != NULL &&
            (slot->state == SLOT_BACKOFF || slot->state == SLOT_HELD || slot->state == SLOT_DONE)) {
            (void)json_array_append_new(workers, describe_vacancy(slot));
        }
        for (size_t j = 0; j < pool->proc_count; j++) {
            const struct pool_proc *which = pool->procs[j];
            if (!proc_is_free(&which->proc) && which->slot == slot) {
                struct page_numbers numbers;
                page_read(which->proc.page, &numbers);
                *requests += slot == NULL ? 0 : numbers.requests;
                (void)json_array_append_new(workers, describe_proc(which));
            }
        }
    }
    return workers;
}

const char *status_name_pool_state(const struct master *master, const struct pool *pool)
{
    switch (pool->phase) {
    case POOL_LEAVING:
        return "stopping";
    case POOL_HELD:
    case POOL_SUSPENDED:
        return "held";
    case POOL_DRAINED:
        return "drained";
    case POOL_IDLE:
        return "starting";
    case POOL_RUNNING:
        break;
    }
    if (pool_is_serving(pool)) {
        return "running";
    }
    return master->was_ready ? "degraded" : "starting";
}

const char *status_name_origin(const struct pool *pool)
{
    return pool->conf.own->source == NULL ? "config" : "lua";
}

static const char *name_master_state(const struct master *master)
{
    const char *worst = "running";
    if (master->phase == MASTER_STOPPING) {
        return "stopping";
    }
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        const char *name = status_name_pool_state(master, master->inventory.pools[i]);
        if (strcmp(name, "held") == 0) {
            name = "degraded"; /* of one pool: the daemon as a whole does serve */
        }
        if (strcmp(name, "running") != 0) { /* the first pool that does not run says it */
            worst = name;
            break;
        }
    }
    return strcmp(worst, "running") != 0 || master->was_ready ? worst : "starting";
}

static json_t *describe_standby(const struct pool *pool)
{
    unsigned ready = 0;
    for (size_t i = 0; i < pool->proc_count; i++) {
        const struct pool_proc *which = pool->procs[i];
        ready += !proc_is_free(&which->proc) && which->slot == NULL && which != pool->unavailable &&
                 which->proc.state == INCARNATION_LOADED;
    }
    return json_pack("{s:i, s:i, s:b}", "wanted", (int)pool_wanted_standby(pool), "ready",
                     (int)ready, "failing", pool->is_reserve_failing || pool->is_start_failing);
}

/* Slots in which an older worker has to leave before another one is started. */
static json_int_t count_waiting(const struct pool *pool)
{
    json_int_t waiting = 0;
    for (unsigned i = 0; i < pool->made; i++) {
        waiting += pool->slots[i]->awaits_room;
    }
    return waiting;
}

static json_t *describe_pool(const struct master *master, const struct pool *pool)
{
    uint64_t requests = 0;
    json_t *workers = describe_workers(pool, &requests);
    char cause[POOL_TEXT_MAX];
    supervision_explain(master, pool, cause);
    uint64_t now_ms = clock_monotonic_ms();
    json_t *result =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:o, s:s?, s:o}", "name",
                  pool->name, "app", pool->conf.app->name, "origin", status_name_origin(pool),
                  "generation", to_json(pool->conf.app->store.running.number), "state",
                  status_name_pool_state(master, pool), "cause", text_or_null(cause), "count",
                  (json_int_t)pool->count, "waiting", count_waiting(pool), "requests_total",
                  to_json(requests), "standby", describe_standby(pool), "last_crash",
                  crashes_find_newest(&master->crashes, pool->name), "workers", workers);
    if (pool->phase == POOL_HELD && result != NULL) {
        uint64_t left_ms = pool->probe_at_ms > now_ms ? pool->probe_at_ms - now_ms : 0;
        (void)json_object_set_new(result, "probe_in_ms", json_integer(to_json(left_ms)));
    }
    return result;
}

static json_t *describe_listeners(const struct master *master)
{
    json_t *listeners = json_array();
    const struct conf *conf = master->inventory.conf;
    for (size_t i = 0; i < conf->pool_count; i++) {
        for (size_t j = 0; j < conf->pools[i].listener_count; j++) {
            const struct listener *listener =
                master->inventory.listeners[conf->pools[i].listeners[j]];
            (void)json_array_append_new(
                listeners, json_pack("{s:s, s:s, s:s}", "name", listener->name, "address",
                                     listener_get_address(listener), "pool", conf->pools[i].name));
        }
    }
    return listeners;
}

/* Whether the disk has another one costs reading it: `config.diff` says so. */
static json_t *describe_config(const struct master *master)
{
    const struct history_entry *entry =
        history_find(&master->configs.history, master->inventory.number);
    return json_pack("{s:I, s:s, s:o, s:o}", "number", to_json(master->inventory.number), "hash",
                     master->inventory.conf->hash, "applied_at",
                     entry == NULL ? json_null() : json_integer(to_json(entry->at_ms)), "overrides",
                     configs_list_overrides(&master->configs));
}

json_t *status_describe(const struct master *master)
{
    json_t *pools = json_array();
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        (void)json_array_append_new(pools, describe_pool(master, master->inventory.pools[i]));
    }
    return json_pack("{s:s, s:i, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "schema", "fsd.status/1",
                     "pid", (int)getpid(), "version", FSD_VERSION, "state",
                     name_master_state(master), "started_at", to_json(master->started_us / 1000),
                     "config", describe_config(master), "listeners", describe_listeners(master),
                     "apps", status_code_describe(master), "pools", pools);
}
