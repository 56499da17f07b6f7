/* proc_words.c - what a worker says, as events of its life.
 * Owns nothing.  The contract's table has checked size and direction of each message before; what is left is to compare numbers
 * with what the worker was told, and to keep its reasons as text that is safe to show.
 * Called by proc.c for each message.  Must not know what an event leads to. */
#include "daemon/proc/proc_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/text.h"
#include "daemon/owner.h"
#include "daemon/proc/naming.h"
#include "daemon/proc/proc.h"
#include "daemon/proc/proc_parts.h"

typedef void (*step_fn)(struct proc *proc, enum incarnation_event event, const char *detail);

static void on_hello(struct proc *proc, const struct wire_message *message, step_fn step)
{
    struct proto_hello hello;
    memcpy(&hello, message->payload, sizeof(hello));
    if (hello.protocol == PROTO_VERSION) {
        step(proc, INCARNATION_ON_HELLO, NULL);
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
    step(proc, event, NULL);
}

static void on_dying(struct proc *proc, const struct wire_message *message, step_fn step)
{
    struct proto_dying body;
    char words[CAUSE_TEXT_MAX];
    memcpy(&body, message->payload, sizeof(body));
    struct cause cause = {.is_signal = true, .value = (int)(body.signal & 0x7f)};
    cause_format(&cause, false, words);
    step(proc, INCARNATION_ON_DYING, words);
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
static void on_member_word(struct proc *proc, const struct wire_message *message, step_fn step)
{
    if (is_ending(proc)) {
        return;
    }
    if (message->head.kind == PROTO_JOIN) {
        on_join(proc, step);
    } else if (proc->member.members == NULL) {
        step(proc, INCARNATION_ON_BROKEN, "wants to reach others, but has not joined them");
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

static void on_ask(struct proc *proc, const struct wire_message *message, step_fn step)
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
        step(proc, INCARNATION_ON_BROKEN, "asks again before it has its answer");
    }
}

void proc_words_on_message(struct proc *proc, const struct wire_message *message, step_fn step)
{
    switch ((enum proto_kind)message->head.kind) {
    case PROTO_HELLO:
        on_hello(proc, message, step);
        break;
    case PROTO_LOADED:
        on_generation(proc, message, INCARNATION_ON_LOADED, step);
        break;
    case PROTO_REFUSED:
        on_generation(proc, message, INCARNATION_ON_REFUSED, step);
        break;
    case PROTO_ACTIVE:
        on_generation(proc, message, INCARNATION_ON_ACTIVE, step);
        break;
    case PROTO_DRAINING:
        step(proc, INCARNATION_ON_WITHDRAWN, NULL);
        break;
    case PROTO_PREPARED:
        on_change(proc, message, INCARNATION_ON_PREPARED, step);
        break;
    case PROTO_REJECTED:
        on_change(proc, message, INCARNATION_ON_REJECTED, step);
        break;
    case PROTO_COMMITTED:
        on_change(proc, message, INCARNATION_ON_COMMITTED, step);
        break;
    case PROTO_LEAVE:
        step(proc, INCARNATION_ON_LEAVE, NULL);
        break;
    case PROTO_DYING:
        on_dying(proc, message, step);
        break;
    case PROTO_JOIN:
    case PROTO_REACH:
    case PROTO_CLAIM:
    case PROTO_UNCLAIM:
        on_member_word(proc, message, step);
        break;
    case PROTO_ASK:
        on_ask(proc, message, step);
        break;
    case PROTO_LOG: /* the others go to the worker; wire_recv refuses them */
    case PROTO_CONFIG:
    case PROTO_LOAD:
    case PROTO_UNAVAILABLE:
    case PROTO_LISTENER:
    case PROTO_ACTIVATE:
    case PROTO_RETURN:
    case PROTO_DRAIN:
    case PROTO_PREPARE:
    case PROTO_COMMIT:
    case PROTO_ABORT:
    case PROTO_SHARED:
    case PROTO_UNSHARED:
    case PROTO_MEMBER:
    case PROTO_PEER:
    case PROTO_GONE:
    case PROTO_NAMES:
    case PROTO_NAMED:
    case PROTO_UNNAMED:
    case PROTO_TAKEN:
    case PROTO_ANSWER:
    case PROTO_POOLS:
        break;
    }
}
