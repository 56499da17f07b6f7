/* obituary.c - the crash report of a worker that has ended.
 * Owns nothing that lasts: the store is crash/'s, in the master.  It puts together what the master knows (how the process
 * ended, what was done to it, what followed) and what the worker left in its black box, lets crash/ judge and write, and says
 * in the log where the report is.
 * Called by master.c for every process that was reaped.  Must not know how a cause is judged or where a report is kept. */
#include "daemon/crash/obituary.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/crash/mask.h"
#include "daemon/state.h"

enum { SECRETS_MAX = 64 };
/* NOLINTNEXTLINE(misc-redundant-expression): that they are is what is asserted */
_Static_assert(CRASH_NO_SLOT == LOG_SLOT_NONE, "the same to both");

void obituary_open(struct master *master)
{
    struct fsd_err err = {""};
    if (crashes_open(&master->crashes, master->inventory.conf->state_path, &err) < 0) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL, err.text, NULL);
    }
    if (oom_open(&master->oom) < 0) {
        log_write(&master->log, LOG_LEVEL_DEBUG, NULL,
                  "no cgroup counts OOM kills here; they look like any other SIGKILL", NULL);
    }
}

void obituary_close(struct master *master)
{
    crashes_close(&master->crashes);
    oom_close(&master->oom);
}

static enum crash_deed name_deed(const struct proc *proc)
{
    switch (proc->failure) {
    case PROC_FAILURE_BOOT_TIMEOUT:
        return CRASH_DEED_BOOT_TIMEOUT;
    case PROC_FAILURE_HUNG:
        return CRASH_DEED_HANG;
    case PROC_FAILURE_SHUTDOWN_TIMEOUT:
        return CRASH_DEED_SHUTDOWN_TIMEOUT;
    case PROC_FAILURE_BROKEN:
    case PROC_FAILURE_MISMATCH:
        return CRASH_DEED_PROTOCOL;
    case PROC_FAILURE_REFUSED:
        return CRASH_DEED_REFUSED;
    case PROC_FAILURE_LEFT:
        return CRASH_DEED_STOPPED;
    case PROC_FAILURE_DIED:
        return CRASH_DEED_NONE;
    case PROC_FAILURE_NONE:
        break;
    }
    return proc->was_killed ? CRASH_DEED_STOPPED
           : proc->was_told ? CRASH_DEED_TOLD
                            : CRASH_DEED_NONE;
}

static enum crash_state name_state(const struct proc *proc)
{
    if (proc->was_told) {
        return CRASH_DRAINING;
    }
    if (proc->ready_us != 0) {
        return CRASH_SERVING;
    }
    return proc->subject.slot == LOG_SLOT_NONE && proc->was_loaded ? CRASH_STANDBY : CRASH_BOOTING;
}

/* The secrets that the configuration knows. */
static size_t collect_secrets(const struct conf *conf, const char *secrets[SECRETS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < conf->app_count; i++) {
        for (size_t j = 0; j < conf->apps[i].env_count && count < SECRETS_MAX; j++) {
            if (conf->apps[i].env[j].is_secret) {
                secrets[count++] = conf->apps[i].env[j].value;
            }
        }
    }
    return count;
}

/* One alarm when the store begins to fail, one line when it is well again. */
static void note_store(struct master *master, const struct fsd_err *err)
{
    bool is_failing = crashes_is_failing(&master->crashes);
    if (is_failing == master->is_crash_store_failing) {
        return;
    }
    master->is_crash_store_failing = is_failing;
    if (is_failing) {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "crash.store_failed", err->text, NULL);
    } else {
        log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "crash.store_healed",
                  "crash reports can be written again", NULL);
    }
}

static struct crash_facts gather_facts(struct master *master, const struct proc *proc)
{
    struct crash_facts facts = {.is_reaped = true,
                                .cause = proc->cause,
                                .deed = name_deed(proc),
                                .state = name_state(proc)};
    facts.unexplained = crash_class_is_unexplained(&facts);
    int64_t kills = oom_take(&master->oom, facts.unexplained, clock_monotonic_ms());
    facts.is_oom_counted = kills >= 0;
    facts.oom_kills = kills > 0 ? (uint64_t)kills : 0;
    return facts;
}

void obituary_write(struct master *master, const struct pool *pool, const struct proc *proc,
                    const char *next)
{
    struct crash_facts facts = gather_facts(master, proc);
    if (master->phase == MASTER_STOPPING && pool->phase == POOL_LEAVING) {
        next = "the daemon stops";
    }
    if (crash_class_get(&facts) == CRASH_REQUESTED) {
        return;
    }
    const char *secrets[SECRETS_MAX];
    struct mask mask = {secrets, collect_secrets(master->inventory.conf, secrets)};
    uint64_t now_ms = clock_monotonic_ms();
    struct crash_input input = {.at_us = clock_wall_us(),
                                .facts = facts,
                                .why = proc->why.text,
                                .pool = pool->name,
                                .slot = proc->subject.slot,
                                .pid = (int)proc->child.pid,
                                .incarnation = proc->number,
                                .generation = proc->generation,
                                .uptime_ms = now_ms - proc->started_mono_ms,
                                .next = next,
                                .blackbox = proc->blackbox,
                                .mask = &mask};
    char id[CRASH_ID_MAX] = "";
    char words[CRASH_CLASS_TEXT_MAX];
    struct fsd_err err = {""};
    (void)crashes_add(&master->crashes, &input, id, &err);
    note_store(master, &err);
    char message[CRASH_ID_MAX + 64];
    crash_class_format(&facts, words);
    (void)snprintf(message, sizeof(message), "crash report: fsdctl crashes %s", id);
    log_event(&master->log, LOG_LEVEL_NOTICE, &proc->subject, "crash.report", message,
              LOG_FIELDS(log_text("class", crash_class_name(crash_class_get(&facts))),
                         log_text("cause", words), log_text("next", next)));
}

void obituary_retry(struct master *master)
{
    struct fsd_err err = {""};
    if (crashes_is_failing(&master->crashes)) {
        (void)crashes_retry(&master->crashes, &err);
        note_store(master, &err);
    }
}
