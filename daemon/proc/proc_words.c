/* proc_words.c - what a worker says, as events of its life.
 * Owns nothing.  The contract's table has checked size and direction of each message before; what is left is to compare numbers
 * with what the worker was told, and to keep its reasons as text that is safe to show.
 * Called by proc.c for each message.  Must not know what an event leads to. */
#include "daemon/proc/proc_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/log/text.h"
#include "daemon/owner.h"
#include "daemon/proc/naming.h"
#include "daemon/proc/proc.h"
#include "daemon/proc/proc_parts.h"

typedef void (*step_fn)(struct proc *proc, enum incarnation_event event, const char *detail);

static void on_hello(struct proc *proc, const struct wire_message *message,
                     enum incarnation_event event, step_fn step)
{
    struct proto_hello hello;
    memcpy(&hello, message->payload, sizeof(hello));
    if (hello.protocol == PROTO_VERSION) {
        step(proc, event, NULL);
        return;
    }
    proc->failure = PROC_FAILURE_MISMATCH;
    (void)fsd_err_set(&proc->why, 0,
                      "fsd-worker \"%s\" speaks protocol %" PRIu32
                      ", this fsd speaks %d: install both from the same version",
                      proc->setting->worker_path, hello.protocol, PROTO_VERSION);
    step(proc, INCARNATION_ON_MISMATCH, proc->why.text);
}

/* The text behind the fixed part of a message. */
static void keep_reason(struct proc *proc, const struct wire_message *message, size_t head)
{
    (void)text_clean(proc->why.text, sizeof(proc->why.text), (const char *)message->payload + head,
                     message->head.size - head);
}

static void on_generation(struct proc *proc, const struct wire_message *message,
                          enum incarnation_event event, step_fn step)
{
    struct proto_generation body;
    memcpy(&body, message->payload, sizeof(body));
    if (body.generation != proc->generation) {
        step(proc, INCARNATION_ON_BROKEN, "spoke of another generation than its own");
        return;
    }
    if (event != INCARNATION_ON_REFUSED) {
        step(proc, event, NULL);
        return;
    }
    if (proc->failure == PROC_FAILURE_NONE) {
        proc->failure = PROC_FAILURE_REFUSED;
        keep_reason(proc, message, sizeof(body));
    }
    step(proc, event, proc->why.text);
}

/* COMMITTED of code: it runs what it was told to run, or it is of no use. */
static bool has_changed_code(struct proc *proc, const struct proto_transaction *done)
{
    if (!proc->is_committing || done->generation != proc->change_generation) {
        return false;
    }
    proc->generation = proc->change_generation;
    proc->is_committing = false;
    return true;
}

/* The answer to an older change is late, and nobody waits for it. */
static void on_change(struct proc *proc, const struct wire_message *message,
                      enum incarnation_event event, step_fn step)
{
    struct proto_transaction body;
    memcpy(&body, message->payload, sizeof(body));
    if (body.number != proc->change) {
        return;
    }
    if (event == INCARNATION_ON_REJECTED && proc->failure == PROC_FAILURE_NONE) {
        keep_reason(proc, message, sizeof(body));
    }
    bool is_wrong = event == INCARNATION_ON_COMMITTED && proc->change_generation != 0 &&
                    !has_changed_code(proc, &body);
    step(proc, is_wrong ? INCARNATION_ON_BROKEN : event,
         is_wrong ? "took other code than it was told to" : NULL);
}

static void on_dying(struct proc *proc, const struct wire_message *message,
                     enum incarnation_event event, step_fn step)
{
    struct proto_dying body;
    char text[CAUSE_TEXT_MAX];
    memcpy(&body, message->payload, sizeof(body));
    struct cause cause = {.is_signal = true, .value = (int)(body.signal & 0x7f)};
    cause_format(&cause, false, text);
    step(proc, event, text);
}

static void on_untold(struct member *member, int error)
{
    proc_check(OWNER_OF(member, struct proc, member), error);
}

/* One that is ending may say what it likes. */
static bool is_ending(const struct proc *proc)
{
    return proc->state >= INCARNATION_HUNG_UP;
}

static struct proto_member describe_member(const struct proc *proc)
{
    struct proto_member body = {.incarnation = proc->number, .slot = UINT64_MAX};
    if (proc->state >= INCARNATION_ACTIVATING) {
        body.slot = proc->subject.slot;
    }
    (void)snprintf(body.pool, sizeof(body.pool), "%s", proc->setting->pool);
    return body;
}

void proc_rejoin(struct proc *proc, bool is_behind)
{
    struct proto_member body = describe_member(proc);
    members_rejoin(proc->setting->members, &proc->member, &proc->channel, &body, on_untold);
    if (is_behind) {
        naming_miss(&proc->member);
    }
}

static void on_join(struct proc *proc, step_fn step)
{
    struct proto_member body = describe_member(proc);
    if (proc->state == INCARNATION_SPAWNED ||
        !members_join(proc->setting->members, &proc->member, &proc->channel, &body, on_untold)) {
        step(proc, INCARNATION_ON_BROKEN, "joined twice, or before anything else");
        return;
    }
    proc->member.claimant.is_passed_over = proc->setting->is_starting;
    if (proc->state >= INCARNATION_DRAINING) {
        naming_pass_over(&proc->member);
    }
}

static void on_reach(struct proc *proc, const struct wire_message *message)
{
    struct proto_peer body;
    memcpy(&body, message->payload, sizeof(body));
    members_reach(&proc->member, &body);
}

static void on_name(struct proc *proc, const struct wire_message *message, step_fn step)
{
    struct proto_claim body;
    char name[PROTO_CLAIM_MAX + 1];
    size_t len = message->head.size - sizeof(body);
    memcpy(&body, message->payload, sizeof(body));
    memcpy(name, message->payload + sizeof(body), len);
    name[len] = '\0';
    if (strlen(name) != len) {
        step(proc, INCARNATION_ON_BROKEN, "claims what is no name");
    } else if (message->head.kind == PROTO_CLAIM) {
        naming_claim(&proc->member, &body, name);
    } else {
        naming_unclaim(&proc->member, &body, name);
    }
}

/* JOIN, and what only those may say who have joined. */
static void on_member_word(struct proc *proc, const struct wire_message *message,
                           enum incarnation_event event, step_fn step)
{
    if (is_ending(proc)) {
        return;
    }
    if (message->head.kind == PROTO_JOIN) {
        on_join(proc, step);
    } else if (proc->member.members == NULL) {
        step(proc, event, "wants to reach others, but has not joined them");
    } else if (message->head.kind == PROTO_REACH) {
        on_reach(proc, message);
    } else {
        on_name(proc, message, step);
    }
}

static void on_unanswered(struct ask *ask, int error)
{
    proc_check(OWNER_OF(ask, struct proc, ask), error);
}

static void on_ask(struct proc *proc, const struct wire_message *message,
                   enum incarnation_event event, step_fn step)
{
    struct proto_ask body;
    memcpy(&body, message->payload, sizeof(body));
    if (is_ending(proc)) {
        return;
    }
    if (proc->ask.asks == NULL) {
        proc->ask = (struct ask){
            .channel = &proc->channel, .pool = proc->setting->pool, .on_failed = on_unanswered};
    }
    if (!asks_add(proc->setting->asks, &proc->ask, &body, message->payload + sizeof(body),
                  message->head.size - sizeof(body))) {
        step(proc, event, "asks again before it has its answer");
    }
}

static void on_laggards(struct proc *proc, const struct wire_message *message,
                        enum incarnation_event event, step_fn step)
{
    struct proto_laggards body;
    (void)event;
    (void)step;
    memcpy(&body, message->payload, sizeof(body));
    if (!is_ending(proc)) {
        laggards_take(&proc->laggards, &body, message->payload + sizeof(body),
                      message->head.size - sizeof(body), clock_monotonic_ms());
    }
}

static void on_plain(struct proc *proc, const struct wire_message *message,
                     enum incarnation_event event, step_fn step)
{
    (void)message;
    step(proc, event, NULL);
}

/* What each word is in the worker's life; the last six are nothing in it, unless they are wrong. */
static const struct word {
    enum proto_kind kind;
    enum incarnation_event event;
    void (*on_said)(struct proc *proc, const struct wire_message *message,
                    enum incarnation_event event, step_fn step);
} words[] = {
    {PROTO_HELLO, INCARNATION_ON_HELLO, on_hello},
    {PROTO_LOADED, INCARNATION_ON_LOADED, on_generation},
    {PROTO_REFUSED, INCARNATION_ON_REFUSED, on_generation},
    {PROTO_ACTIVE, INCARNATION_ON_ACTIVE, on_generation},
    {PROTO_DRAINING, INCARNATION_ON_WITHDRAWN, on_plain},
    {PROTO_PREPARED, INCARNATION_ON_PREPARED, on_change},
    {PROTO_REJECTED, INCARNATION_ON_REJECTED, on_change},
    {PROTO_COMMITTED, INCARNATION_ON_COMMITTED, on_change},
    {PROTO_LEAVE, INCARNATION_ON_LEAVE, on_plain},
    {PROTO_DYING, INCARNATION_ON_DYING, on_dying},
    {PROTO_JOIN, INCARNATION_ON_BROKEN, on_member_word},
    {PROTO_REACH, INCARNATION_ON_BROKEN, on_member_word},
    {PROTO_CLAIM, INCARNATION_ON_BROKEN, on_member_word},
    {PROTO_UNCLAIM, INCARNATION_ON_BROKEN, on_member_word},
    {PROTO_ASK, INCARNATION_ON_BROKEN, on_ask},
    {PROTO_LAGGARDS, INCARNATION_ON_BROKEN, on_laggards},
};

/* What else there is goes to the worker; wire_recv refuses it. */
void proc_words_on_message(struct proc *proc, const struct wire_message *message, step_fn step)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].kind == message->head.kind) {
            words[i].on_said(proc, message, words[i].event, step);
            return;
        }
    }
}
