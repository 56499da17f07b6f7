/* status.c - the shape of `status`, schema fsd.status/1.
 * Owns nothing.  Everything comes from the master's own memory, the status pages that workers write and /proc/PID/statm, so the
 * answer does not depend on any worker being able to speak.  Numbers from pages are the workers' word: they are
 * printed, nothing else.  Called by methods.c.  Must not change anything. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "daemon/state.h"

static json_int_t to_json(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *time_or_null(uint64_t wall_us)
{
    return wall_us == 0 ? json_null() : json_integer(to_json(wall_us / 1000));
}

/* Resident memory, 0 when the process is gone. */
static uint64_t read_memory(pid_t pid)
{
    char path[32];
    char text[128] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    fd_close(&fd);
    char *resident = NULL;
    if (len > 0) {
        (void)strtoull(text, &resident, 10);
        return strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    return 0;
}

static const char *name_state(const struct pool_slot *slot, const struct pool_proc *which)
{
    if (which == slot->next) {
        return "starting";
    }
    return which == slot->current ? "ready" : "draining";
}

static json_t *describe_proc(const struct pool_slot *slot, const struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    struct page_numbers numbers;
    page_read(proc->page, &numbers);
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t age_ms = numbers.heartbeat_ms > now_ms || numbers.heartbeat_ms == 0
                          ? 0
                          : now_ms - numbers.heartbeat_ms;
    return json_pack(
        "{s:i, s:i, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s?}", "slot",
        (int)slot->index, "pid", (int)proc->child.pid, "incarnation", to_json(proc->number),
        "state", name_state(slot, which), "generation", to_json(proc->generation), "restarts",
        to_json(slot->restarts), "requests", to_json(numbers.requests), "connections",
        to_json(numbers.connections), "accepted", to_json(numbers.accepted), "running",
        to_json(numbers.running), "heartbeat_age_ms", to_json(age_ms), "memory_bytes",
        to_json(read_memory(proc->child.pid)), "died_at", time_or_null(which->died_us), "ready_at",
        time_or_null(proc->ready_us), "started_at", time_or_null(proc->started_us), "last_exit",
        slot->last_exit[0] == '\0' ? NULL : slot->last_exit);
}

static json_t *describe_backoff(const struct pool_slot *slot)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t left_ms = slot->retry_at_ms > now_ms ? slot->retry_at_ms - now_ms : 0;
    return json_pack("{s:i, s:n, s:n, s:s, s:I, s:I, s:i, s:i, s:i, s:o, s:n, s:n, s:s?, s:I}",
                     "slot", (int)slot->index, "pid", "incarnation", "state", "backoff",
                     "generation", to_json(slot->pool->setting.store->running.number), "restarts",
                     to_json(slot->restarts), "requests", 0, "connections", 0, "memory_bytes", 0,
                     "died_at", time_or_null(slot->died_us), "ready_at", "started_at", "last_exit",
                     slot->last_exit[0] == '\0' ? NULL : slot->last_exit, "retry_in_ms",
                     to_json(left_ms));
}

static uint64_t describe_slot(json_t *workers, const struct pool_slot *slot)
{
    uint64_t requests = slot->requests_total;
    if (slot->state == SLOT_BACKOFF) {
        (void)json_array_append_new(workers, describe_backoff(slot));
    }
    for (size_t i = 0; i < POOL_PROCS_MAX; i++) {
        const struct pool_proc *which = &slot->procs[i];
        if (!proc_is_free(&which->proc)) {
            struct page_numbers numbers;
            page_read(which->proc.page, &numbers);
            requests += numbers.requests;
            (void)json_array_append_new(workers, describe_proc(slot, which));
        }
    }
    return requests;
}

static const char *name_pool_state(const struct master *master, const struct pool *pool)
{
    if (master->phase == MASTER_STOPPING) {
        return "stopping";
    }
    if (pool_is_serving(pool)) {
        return "running";
    }
    return master->was_ready ? "degraded" : "starting";
}

static const char *name_master_state(const struct master *master)
{
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        const char *name = name_pool_state(master, &master->pools[i]);
        if (strcmp(name, "running") != 0) { /* the first pool that does not run says it */
            return name;
        }
    }
    return master->was_ready ? "running" : "starting";
}

static json_t *describe_pool(const struct master *master, const struct pool *pool)
{
    const struct app *app = &master->apps[pool->conf->app];
    json_t *workers = json_array();
    uint64_t requests = 0;
    for (unsigned i = 0; i < pool->count; i++) {
        requests += describe_slot(workers, &pool->slots[i]);
    }
    return json_pack("{s:s, s:s, s:I, s:s, s:I, s:o}", "name", pool->conf->name, "app",
                     master->conf->apps[pool->conf->app].name, "generation",
                     to_json(app->store.running.number), "state", name_pool_state(master, pool),
                     "requests_total", to_json(requests), "workers", workers);
}

static json_t *describe_listeners(const struct master *master)
{
    json_t *listeners = json_array();
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        const struct conf_pool *pool = &master->conf->pools[i];
        for (size_t j = 0; j < pool->listener_count; j++) {
            const struct listener *listener = &master->listeners[pool->listeners[j]];
            (void)json_array_append_new(
                listeners, json_pack("{s:s, s:s, s:s}", "name", listener->name, "address",
                                     listener->address, "pool", pool->name));
        }
    }
    return listeners;
}

json_t *status_describe(const struct master *master)
{
    json_t *pools = json_array();
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        (void)json_array_append_new(pools, describe_pool(master, &master->pools[i]));
    }
    return json_pack("{s:s, s:i, s:s, s:s, s:I, s:o, s:o}", "schema", "fsd.status/1", "pid",
                     (int)getpid(), "version", FSD_VERSION, "state", name_master_state(master),
                     "started_at", to_json(master->started_us / 1000), "listeners",
                     describe_listeners(master), "pools", pools);
}
