/* swap_members.c - which processes take part in a change of code in place, and how each of them stands.
 * Owns swap->members, frozen at the beginning: every process that runs code, in a slot or in reserve; one that is just
 * beginning to serve is asked when it does.  Where no process of a pool runs, so that nobody could say no, a slot boots one
 * with the new code (a trial).  Their numbers are the participants of phase.c.  How they stand is looked up whenever something
 * has happened, and told to phase.c: who was told to leave keeps its code and is waited for no more, who is lost is lost.
 * Called by swap.c.  Must not decide what follows. */
#include "daemon/change/swap_members.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/proto.h"
#include "daemon/change/reason.h"
#include "daemon/state.h"

enum { ANSWER_MS = 2000 }; /* to say why it is late: more than a task is given to end */

static bool takes_part(const struct pool *pool)
{
    return pool->conf.app->store.candidate.number != 0;
}

static bool is_there(const struct swap_member *member)
{
    const struct proc *proc = &member->which->proc;
    return !proc_is_free(proc) && proc->number == member->incarnation;
}

static enum pool_code judge(const struct swap_member *member)
{
    if (member->trial != NULL || member->is_excused) {
        return POOL_CODE_APART;
    }
    return is_there(member) ? pool_code_judge(member->which) : POOL_CODE_LOST;
}

static struct pool *pool_of(const struct swap_member *member)
{
    return member->trial != NULL ? member->trial->pool : member->which->pool;
}

static bool is_same(const struct swap_member *member, const struct proc *proc)
{
    return member->trial == NULL && &member->which->proc == proc &&
           member->incarnation == proc->number;
}

size_t swap_members_find(const struct swap *swap, const struct proc *proc)
{
    size_t i = 0;
    while (i < swap->member_count && !is_same(&swap->members[i], proc)) {
        i++;
    }
    return i;
}

/* The one place where it is told what became of a worker. */
void swap_members_tell(struct master *master, const struct swap_member *member, enum swap_step step,
                       const char *why)
{
    static const struct {
        enum log_level level;
        const char *event;
        const char *message;
    } rows[] = {
        {LOG_LEVEL_INFO, "reload.prepared", "worker has prepared the code"},
        {LOG_LEVEL_WARNING, "reload.rejected", "worker does not take the code"},
        {LOG_LEVEL_INFO, "reload.committed", "worker has changed to the code"},
        {LOG_LEVEL_WARNING, "reload.killed",
         "worker did not change to the code and is replaced by one that has it"},
    };
    _Static_assert(sizeof(rows) / sizeof(rows[0]) == SWAP_KILLED + 1, "one a step");
    const struct proc *proc = &member->which->proc;
    const struct log_field *fields =
        why == NULL ? LOG_FIELDS(log_int("generation", (int64_t)proc->change_generation))
                    : LOG_FIELDS(log_int("generation", (int64_t)proc->change_generation),
                                 log_text("reason", why));
    log_event(&master->log, rows[step].level, &proc->subject, rows[step].event, rows[step].message,
              fields);
}

void swap_members_keep_reason(struct master *master, const struct swap_member *member,
                              const char *why)
{
    char text[RELOAD_WHY_MAX];
    const struct pool_slot *slot = member->trial != NULL ? member->trial : member->which->slot;
    reason_format(text, sizeof(text), why, pool_of(member)->name,
                  slot == NULL ? LOG_SLOT_NONE : slot->index);
    reload_keep_reason(master, text);
}

void swap_members_ask(struct master *master, size_t index)
{
    struct swap_member *member = &master->swap.members[index];
    if (member->asked_ms != 0) {
        return;
    }
    if (member->trial != NULL) {
        member->asked_ms = clock_monotonic_ms();
        pool_code_try(member->trial);
    } else if (judge(member) == POOL_CODE_ABLE) {
        member->asked_ms = clock_monotonic_ms();
        pool_code_prepare(member->which, master->swap.number);
    }
}

/* A trial has its own limits, those of any boot. */
static void check_trial(struct master *master, size_t index)
{
    const struct swap_member *member = &master->swap.members[index];
    const struct pool_slot *slot = member->trial;
    if (member->asked_ms == 0) {
        return;
    }
    if (!slot->awaits_commit) {
        swap_members_keep_reason(master, member, slot->last_exit);
        phase_feed(&master->swap.phase, PHASE_ON_LOST, index);
    } else if (slot->next != NULL && slot->next->proc.state == INCARNATION_LOADED) {
        phase_feed(&master->swap.phase, PHASE_ON_PREPARED, index);
    }
}

/* Who was told to leave keeps what it has, and its successor boots what is running then. */
static void excuse(struct swap *swap, size_t index)
{
    swap->members[index].is_excused = true;
    phase_feed(&swap->phase, PHASE_ON_PREPARED, index);
}

static void check_preparing(struct master *master, size_t index)
{
    struct swap *swap = &master->swap;
    const struct swap_member *member = &swap->members[index];
    if (member->trial != NULL) {
        check_trial(master, index);
        return;
    }
    if (member->is_excused) {
        excuse(swap, index);
        return;
    }
    switch (judge(member)) {
    case POOL_CODE_ABLE:
        if (phase_is_asked(&swap->phase, index)) {
            swap_members_ask(master, index);
        }
        break;
    case POOL_CODE_LEAVING:
        excuse(swap, index);
        break;
    case POOL_CODE_LOST:
    case POOL_CODE_APART:
        swap_members_keep_reason(master, member,
                                 is_there(member) ? member->which->proc.why.text : "has ended");
        phase_feed(&swap->phase, PHASE_ON_LOST, index);
        break;
    case POOL_CODE_SOON:
        break;
    }
}

/* Whoever tries the code begins to serve with it; it is waited for as long as for the others, and then goes on. */
static void check_tried(struct swap *swap, size_t index)
{
    const struct pool_slot *slot = swap->members[index].trial;
    if (slot_is_serving(slot->state) || slot->next == NULL) {
        phase_feed(&swap->phase, PHASE_ON_COMMITTED, index);
    }
}

static void check_committing(struct swap *swap, size_t index)
{
    if (swap->members[index].trial != NULL) {
        check_tried(swap, index);
        return;
    }
    enum pool_code code = judge(&swap->members[index]);
    if (code == POOL_CODE_LEAVING || code == POOL_CODE_LOST || code == POOL_CODE_APART) {
        phase_feed(&swap->phase, PHASE_ON_LOST, index); /* whoever takes its place has it */
    }
}

void swap_members_check(struct master *master)
{
    struct swap *swap = &master->swap;
    swap->is_unchecked = false;
    for (size_t i = 0; i < swap->member_count; i++) {
        if (swap->phase.state == PHASE_PREPARING) {
            check_preparing(master, i);
        } else if (swap->phase.state == PHASE_COMMITTING) {
            check_committing(swap, i);
        }
    }
}

/* Loading the code may take as long as it does in a worker that boots. */
static uint32_t get_limit_ms(const struct swap_member *member)
{
    return pool_of(member)->proc_setting.boot_ms;
}

static bool has_limit(const struct swap_member *member)
{
    return member->asked_ms != 0 && member->trial == NULL;
}

static uint64_t get_end_ms(const struct swap_member *member)
{
    return member->asked_ms + get_limit_ms(member) + (member->is_cut ? ANSWER_MS : 0);
}

void swap_members_kill(struct master *master, const struct swap_member *member)
{
    if (member->trial == NULL) {
        swap_members_tell(master, member, SWAP_KILLED, NULL);
        pool_code_kill(member->which);
    }
}

uint64_t swap_members_find_due(const struct swap *swap)
{
    uint64_t due_ms = UINT64_MAX;
    if (swap->phase.state == PHASE_COMMITTING) {
        return swap->committed_ms + SWAP_COMMIT_MS;
    }
    for (size_t i = phase_find_awaited(&swap->phase, 0); i < swap->member_count;
         i = phase_find_awaited(&swap->phase, i + 1)) {
        const struct swap_member *member = &swap->members[i];
        uint64_t end_ms = get_end_ms(member);
        due_ms = has_limit(member) && end_ms < due_ms ? end_ms : due_ms;
    }
    return due_ms;
}

bool swap_members_cut(struct swap *swap, uint64_t now_ms)
{
    bool is_any = false;
    for (size_t i = phase_find_awaited(&swap->phase, 0); i < swap->member_count;
         i = phase_find_awaited(&swap->phase, i + 1)) {
        struct swap_member *member = &swap->members[i];
        if (has_limit(member) && !member->is_cut && is_there(member) &&
            now_ms >= get_end_ms(member)) {
            member->is_cut = true;
            pool_code_cut(member->which);
            is_any = true;
        }
    }
    return is_any;
}

void swap_members_blame(struct master *master, uint64_t now_ms)
{
    const struct swap *swap = &master->swap;
    for (size_t i = phase_find_awaited(&swap->phase, 0); i < swap->member_count;
         i = phase_find_awaited(&swap->phase, i + 1)) {
        const struct swap_member *member = &swap->members[i];
        if (has_limit(member) && now_ms >= get_end_ms(member)) {
            char why[64];
            (void)snprintf(why, sizeof(why), "not prepared within %" PRIu32 " ms",
                           get_limit_ms(member));
            swap_members_keep_reason(master, member, why);
        }
    }
}

static size_t count_procs(const struct master *master)
{
    size_t count = 1; /* room for nothing could not be told from no memory */
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        count += master->inventory.pools[i]->proc_count;
    }
    return count;
}

static void add(struct swap *swap, struct pool *pool)
{
    size_t before = swap->member_count;
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct pool_proc *which = pool->procs[i];
        enum pool_code code = pool_code_judge(which);
        if (code == POOL_CODE_ABLE || code == POOL_CODE_SOON) {
            swap->members[swap->member_count++] =
                (struct swap_member){.which = which, .incarnation = which->proc.number};
        }
    }
    struct pool_slot *vacant = pool_code_find_vacant(pool);
    if (swap->member_count == before && vacant != NULL && !swap->is_proven) {
        swap->members[swap->member_count++] = (struct swap_member){.trial = vacant};
    }
    pool_code_freeze(pool);
}

int swap_members_make(struct master *master)
{
    struct swap *swap = &master->swap;
    size_t room = count_procs(master);
    swap->members = calloc(room, sizeof(*swap->members));
    swap->answers = calloc(room, sizeof(*swap->answers));
    if (swap->members == NULL || swap->answers == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (takes_part(master->inventory.pools[i])) {
            add(swap, master->inventory.pools[i]);
        }
    }
    return 0;
}

void swap_members_commit(const struct swap *swap)
{
    for (size_t i = 0; i < swap->member_count; i++) {
        if (judge(&swap->members[i]) == POOL_CODE_ABLE) {
            pool_code_commit(swap->members[i].which);
        }
    }
}

void swap_members_abort(const struct swap *swap)
{
    for (size_t i = 0; i < swap->member_count; i++) {
        bool is_able = judge(&swap->members[i]) == POOL_CODE_ABLE;
        if (swap->members[i].asked_ms != 0 && is_able) {
            pool_code_abort(swap->members[i].which);
        } else if (swap->members[i].trial != NULL) {
            pool_code_give_up(swap->members[i].trial);
        }
    }
}
