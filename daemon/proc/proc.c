/* proc.c - the effects of one worker process.
 * Owns its pidfd, control channel, status page, log socket and the one timer that runs (boot, later shutdown).  Whatever is
 * seen is translated into an event of incarnation.c; its row names the next state and the one action to carry out here.
 * The owner (pool/) hears LOADED, READY, LOST at most once, and GONE last.  Everything that the worker says is bounded and
 * checked, and is nothing but a word (proc_words.c): at worst the worker is killed.
 * What the owner orders is in proc_order.c.  Must not know which slot it serves next, whether it will be replaced, or by what. */
#include "daemon/proc/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/supervise.h"
#include "daemon/log/log.h"
#include "daemon/proc/naming.h"
#include "daemon/proc/proc_parts.h"
#include "daemon/proc/proc_say.h"
#include "daemon/proc/proc_spawn.h"
#include "daemon/proc/proc_watch.h"
#include "daemon/proc/pulse.h"
#include "daemon/shared/shared_set.h"

enum {
    HUNG_UP_MS = 1000, /* a dying process closes its descriptors just before it is reported */
    DYING_MS = 2000,   /* for its handler to write down what it was doing */
    TIMER_ACCURACY_US = 10000,
    LATE_MS = 500, /* a timer that comes so late says more about us */
};

static void stop_timer(struct proc *proc)
{
    proc->timer = sd_event_source_disable_unref(proc->timer);
}

static int start_timer(struct proc *proc, uint32_t limit_ms);

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    struct proc *proc = userdata;
    char detail[64] = "closed its control channel";
    bool is_boot = incarnation_is_booting(proc->state);
    if (is_boot && clock_monotonic_ms() > usec / 1000 + LATE_MS &&
        start_timer(proc, PULSE_INTERVAL_MS) == 0) {
        return 0; /* it may have been ready in time, while we were held up */
    }
    if (is_boot) {
        (void)snprintf(detail, sizeof(detail), "not ready within %u ms", proc->setting->boot_ms);
    } else if (proc->state == INCARNATION_DRAINING) {
        proc->failure = PROC_FAILURE_SHUTDOWN_TIMEOUT;
        (void)snprintf(detail, sizeof(detail), "not gone within %u ms", proc->setting->shutdown_ms);
        (void)fsd_err_set(&proc->why, 0, "%s", detail);
    }
    stop_timer(proc);
    proc_step(proc, is_boot ? INCARNATION_ON_BOOT_TIMEOUT : INCARNATION_ON_SHUTDOWN_TIMEOUT,
              detail);
    return 0;
}

static int start_timer(struct proc *proc, uint32_t limit_ms)
{
    stop_timer(proc);
    if (limit_ms == SUPERVISE_INFINITY) {
        return 0;
    }
    int error =
        sd_event_add_time_relative(proc->setting->loop, &proc->timer, CLOCK_MONOTONIC,
                                   (uint64_t)limit_ms * 1000, TIMER_ACCURACY_US, on_timer, proc);
    return error < 0 ? error : 0;
}

/* The listeners have gone before. */
static int activate(struct proc *proc)
{
    int error = proc_say_activate(proc);
    proc->activated_mono_ms = clock_monotonic_ms();
    return error < 0 ? error : start_timer(proc, proc->setting->boot_ms);
}

static int send_drain(struct proc *proc)
{
    int error = proc_say_drain(proc);
    return error < 0 ? error : start_timer(proc, proc->setting->shutdown_ms);
}

static void kill_now(struct proc *proc)
{
    stop_timer(proc);
    spawn_signal(&proc->child, SIGKILL);
}

static void tell_loaded(struct proc *proc)
{
    stop_timer(proc);
    proc->was_loaded = true;
    proc->loaded_mono_ms = clock_monotonic_ms();
    proc->on_news(proc, PROC_LOADED);
}

static void tell_ready(struct proc *proc)
{
    stop_timer(proc);
    proc->ready_us = clock_wall_us();
    proc->ready_mono_ms = clock_monotonic_ms();
    uint64_t waited_ms = proc->activated_mono_ms - proc->loaded_mono_ms; /* in reserve */
    int64_t boot_ms = (int64_t)(proc->ready_mono_ms - proc->started_mono_ms - waited_ms);
    log_event(
        proc->setting->log, LOG_LEVEL_NOTICE, &proc->subject, "worker.ready", "worker is ready",
        LOG_FIELDS(log_int("generation", (int64_t)proc->generation), log_int("boot_ms", boot_ms)));
    proc->on_news(proc, PROC_READY);
}

static enum proc_failure name_failure(enum incarnation_event event)
{
    switch ((int)event) {
    case INCARNATION_ON_BOOT_TIMEOUT:
        return PROC_FAILURE_BOOT_TIMEOUT;
    case INCARNATION_ON_HANG:
        return PROC_FAILURE_HUNG;
    case INCARNATION_ON_BROKEN:
        return PROC_FAILURE_BROKEN;
    case INCARNATION_ON_LEAVE:
        return PROC_FAILURE_LEFT;
    default:
        return PROC_FAILURE_DIED;
    }
}

static void tell_lost(struct proc *proc, enum incarnation_event event, const char *detail)
{
    if (proc->failure == PROC_FAILURE_NONE) {
        proc->failure = name_failure(event);
        (void)fsd_err_set(&proc->why, 0, "%s", detail == NULL ? "closed its channel" : detail);
    }
    proc->on_news(proc, PROC_LOST);
}

/* It may not be able to tell a signal from nothing (stopped): the timer sees to that. */
static void abort_now(struct proc *proc)
{
    spawn_signal(&proc->child, SIGABRT);
}

static void await_end(struct proc *proc)
{
    if (start_timer(proc, DYING_MS) < 0) {
        kill_now(proc); /* nobody would come back for it */
    }
}

static void tell_answer(struct proc *proc, enum incarnation_event event)
{
    proc->on_news(proc, event == INCARNATION_ON_PREPARED   ? PROC_PREPARED
                        : event == INCARNATION_ON_REJECTED ? PROC_REJECTED
                                                           : PROC_COMMITTED);
}

void proc_check(struct proc *proc, int error)
{
    if (error == -EPIPE || error == -ECONNRESET) {
        proc_step(proc, INCARNATION_ON_CLOSED, NULL); /* it is ending: its exit will say why */
    } else if (error < 0) {
        proc_step(proc, INCARNATION_ON_BROKEN, strerror(-error));
    }
}

/* The owner is told last: it may give the next order from within. */
static void act(struct proc *proc, enum incarnation_action action, enum incarnation_event event,
                const char *detail)
{
    switch (action) {
    case INCARNATION_DO_NOTHING:
        break;
    case INCARNATION_HAND_OUT:
        proc_check(proc, proc_say_hand_out(proc));
        break;
    case INCARNATION_TELL_LOADED:
        tell_loaded(proc);
        break;
    case INCARNATION_ACTIVATE:
        proc_check(proc, activate(proc));
        break;
    case INCARNATION_TELL_READY:
        tell_ready(proc);
        break;
    case INCARNATION_SEND_DRAIN:
        proc_check(proc, send_drain(proc));
        break;
    case INCARNATION_TELL_WITHDRAWN:
        proc->on_news(proc, PROC_WITHDRAWN);
        break;
    case INCARNATION_TELL_ANSWER:
        tell_answer(proc, event);
        break;
    case INCARNATION_TELL_LEAVE:
        proc->on_news(proc, PROC_LEAVE);
        break;
    case INCARNATION_AWAIT_EXIT:
        proc_check(proc, start_timer(proc, HUNG_UP_MS));
        break;
    case INCARNATION_ABORT:
        abort_now(proc);
        await_end(proc);
        tell_lost(proc, event, detail);
        break;
    case INCARNATION_AWAIT_END:
        await_end(proc);
        tell_lost(proc, event, detail);
        break;
    case INCARNATION_KILL:
        proc->was_killed = true;
        kill_now(proc);
        break;
    case INCARNATION_FAIL:
        kill_now(proc);
        tell_lost(proc, event, detail);
        break;
    case INCARNATION_FAIL_AND_GONE:
        stop_timer(proc);
        tell_lost(proc, event, detail);
        proc->on_news(proc, PROC_GONE);
        break;
    case INCARNATION_TELL_GONE:
        stop_timer(proc);
        proc->on_news(proc, PROC_GONE);
        break;
    }
}

static void log_step(const struct proc *proc, const struct incarnation_row *row, const char *detail)
{
    if (row->sentence == NULL || row->action == INCARNATION_TELL_READY) {
        return; /* tell_ready has more to say */
    }
    char message[FSD_ERR_MAX + 64];
    (void)snprintf(message, sizeof(message), "%s%s%s", row->sentence, detail == NULL ? "" : ": ",
                   detail == NULL ? "" : detail);
    log_event(proc->setting->log, row->level, &proc->subject, row->name, message,
              LOG_FIELDS(log_int("generation", (int64_t)proc->generation)));
}

void proc_step(struct proc *proc, enum incarnation_event event, const char *detail)
{
    const struct incarnation_row *row = incarnation_find(proc->state, event);
    char breach[96];
    if (row == NULL && incarnation_is_word(event)) {
        (void)snprintf(breach, sizeof(breach), "said %s while %s", incarnation_event_name(event),
                       incarnation_state_name(proc->state));
        detail = breach;
        event = INCARNATION_ON_BROKEN;
        row = incarnation_find(proc->state, event);
    }
    if (row == NULL) {
        log_write(proc->setting->log, LOG_LEVEL_ERROR, &proc->subject, "impossible event",
                  LOG_FIELDS(log_text("event", incarnation_event_name(event)),
                             log_text("state", incarnation_state_name(proc->state))));
        return;
    }
    proc->state = row->next;
    if (proc->state >= INCARNATION_DRAINING) {
        naming_pass_over(&proc->member);
    }
    log_step(proc, row, detail);
    act(proc, row->action, event, detail);
}

int proc_start(struct proc *proc, const struct proc_setting *setting,
               const struct proc_order *order, proc_fn on_news, struct fsd_err *err)
{
    int sock = -1;
    int error = proc_spawn(proc, setting, order, &sock, err);
    if (error < 0) {
        proc_fini(proc);
        return error;
    }
    proc->on_news = on_news;
    proc->started_us = clock_wall_us();
    proc->started_mono_ms = clock_monotonic_ms();
    error = proc_watch_open(proc, sock);
    if (error >= 0) {
        error = start_timer(proc, setting->boot_ms);
    }
    if (error < 0) {
        proc_fini(proc); /* kills it; the sweep for foreign children reaps it */
        return fsd_err_set(err, -error, "cannot watch the new worker: %s", strerror(-error));
    }
    log_event(setting->log, LOG_LEVEL_DEBUG, &proc->subject, "worker.started", "worker is started",
              LOG_FIELDS(log_int("incarnation", (int64_t)proc->number),
                         log_int("generation", (int64_t)proc->generation)));
    return 0;
}

void proc_fini(struct proc *proc)
{
    if (proc_is_free(proc)) {
        return;
    }
    if (proc->state != INCARNATION_GONE && proc->child.pidfd >= 0) {
        spawn_signal(&proc->child, SIGKILL);
    }
    members_leave(&proc->member);
    asks_leave(&proc->ask);
    laggards_fini(&proc->laggards);
    stop_timer(proc);
    proc_watch_close(proc);
    spawn_forget(&proc->child);
    page_unmap(proc->page);
    blackbox_unmap(proc->blackbox);
    fd_close(&proc->page_fd);
    fd_close(&proc->blackbox_fd);
    fd_close(&proc->log_peer_fd);
    fd_close(&proc->bundle_fd);
    fd_close(&proc->config_fd);
    shared_set_release(&proc->set);
    *proc = (struct proc){.setting = NULL};
}

bool proc_is_free(const struct proc *proc)
{
    return proc->setting == NULL;
}
