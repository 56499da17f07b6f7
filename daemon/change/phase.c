/* phase.c - who is asked and told next when something changes in all participants or in none.
 * Owns the state of one transaction and, in an array of its owner, of each participant.  Events only mark what they mean; the
 * owner then takes orders until none is due, so that one event may yield many.  Everybody prepares, some at a time; when all have
 * said yes there is no way back: whoever does not commit is killed, because its replacement boots the new thing.
 * Called by the reload of code and by the deploy of a configuration, which carry the orders out and own the timer.
 * Pure: no system call, no clock, no log.  Must not know what a participant is, or what changes. */
#include "daemon/change/phase.h"

#include <assert.h>
#include <errno.h>

/* What an event means in a state. */
enum step {
    STEP_IGNORE,
    STEP_COUNT_YES,
    STEP_ABORT,
    STEP_SETTLE,
    STEP_KILL_ONE,
    STEP_KILL_LATE,
    STEP_END,
};

/* Columns: PREPARED, REFUSED, LOST, COMMITTED, TIMEOUT, STOP. */
static const enum step steps[PHASE_STATES][PHASE_EVENTS] = {
    /* idle */
    {STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE},
    /* preparing; COMMITTED before COMMIT is nonsense and does not replace the yes */
    {STEP_COUNT_YES, STEP_ABORT, STEP_ABORT, STEP_IGNORE, STEP_ABORT, STEP_ABORT},
    /* committing; a no after the yes will not become a COMMITTED */
    {STEP_IGNORE, STEP_KILL_ONE, STEP_SETTLE, STEP_SETTLE, STEP_KILL_LATE, STEP_END},
    /* aborting */
    {STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE},
    /* ending */
    {STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE},
};

size_t phase_get_parallel(size_t cpus)
{
    return cpus < 4 ? 1 : cpus / 2;
}

int phase_begin(struct phase *phase, unsigned char *members, size_t total, size_t parallel)
{
    assert(parallel > 0);
    if (phase->state != PHASE_IDLE) {
        return -EBUSY;
    }
    *phase = (struct phase){.state = PHASE_PREPARING,
                            .members = members,
                            .total = total,
                            .parallel = parallel,
                            .unsettled = total};
    for (size_t i = 0; i < total; i++) {
        members[i] = PHASE_MEMBER_WAITING;
    }
    return 0;
}

static void cut_short(struct phase *phase, enum phase_event event, size_t participant)
{
    phase->is_cut_short = true;
    phase->cause = event;
    phase->culprit = participant;
}

static void count_yes(struct phase *phase, size_t participant)
{
    if (phase->members[participant] == PHASE_MEMBER_ASKED) {
        phase->members[participant] = PHASE_MEMBER_PREPARED;
        phase->prepared++;
    }
}

static void settle(struct phase *phase, size_t participant)
{
    if (phase->members[participant] == PHASE_MEMBER_SETTLED) {
        return;
    }
    phase->late -= phase->members[participant] == PHASE_MEMBER_LATE;
    phase->members[participant] = PHASE_MEMBER_SETTLED;
    phase->unsettled--;
}

static void mark_late(struct phase *phase, size_t participant)
{
    if (phase->members[participant] != PHASE_MEMBER_TOLD) {
        return;
    }
    phase->members[participant] = PHASE_MEMBER_LATE;
    phase->late++;
    if (participant < phase->late_from) {
        phase->late_from = participant;
    }
}

void phase_feed(struct phase *phase, enum phase_event event, size_t participant)
{
    if (event <= PHASE_ON_COMMITTED && participant >= phase->total) {
        return;
    }
    switch (steps[phase->state][event]) {
    case STEP_IGNORE:
        break;
    case STEP_COUNT_YES:
        count_yes(phase, participant);
        break;
    case STEP_ABORT:
        cut_short(phase, event, participant);
        phase->state = PHASE_ABORTING;
        break;
    case STEP_SETTLE:
        settle(phase, participant);
        break;
    case STEP_KILL_ONE:
        mark_late(phase, participant);
        break;
    case STEP_KILL_LATE:
        for (size_t i = 0; i < phase->total; i++) {
            mark_late(phase, i);
        }
        break;
    case STEP_END:
        cut_short(phase, event, participant);
        phase->state = PHASE_ENDING;
        break;
    }
}

static struct phase_order prepare_next(struct phase *phase)
{
    if (phase->prepared == phase->total) {
        for (size_t i = 0; i < phase->total; i++) {
            phase->members[i] = PHASE_MEMBER_TOLD;
        }
        phase->late_from = phase->total;
        phase->is_committed = true;
        phase->state = PHASE_COMMITTING;
        return (struct phase_order){.action = PHASE_COMMIT_ALL};
    }
    if (phase->asked == phase->total || phase->asked - phase->prepared >= phase->parallel) {
        return (struct phase_order){.action = PHASE_DO_NOTHING};
    }
    size_t participant = phase->asked++;
    phase->members[participant] = PHASE_MEMBER_ASKED;
    return (struct phase_order){.action = PHASE_PREPARE, .participant = participant};
}

static struct phase_order finish(struct phase *phase)
{
    phase->state = PHASE_IDLE;
    return (struct phase_order){.action = PHASE_DONE, .is_committed = phase->is_committed};
}

static struct phase_order commit_next(struct phase *phase)
{
    if (phase->unsettled == 0) {
        return finish(phase);
    }
    if (phase->late == 0) {
        phase->late_from = phase->total;
        return (struct phase_order){.action = PHASE_DO_NOTHING};
    }
    while (phase->members[phase->late_from] != PHASE_MEMBER_LATE) {
        phase->late_from++;
    }
    settle(phase, phase->late_from);
    return (struct phase_order){.action = PHASE_KILL, .participant = phase->late_from};
}

struct phase_order phase_next(struct phase *phase)
{
    switch (phase->state) {
    case PHASE_IDLE:
        break;
    case PHASE_PREPARING:
        return prepare_next(phase);
    case PHASE_COMMITTING:
        return commit_next(phase);
    case PHASE_ABORTING:
        phase->state = PHASE_ENDING;
        return (struct phase_order){.action = PHASE_ABORT_ALL};
    case PHASE_ENDING:
        return finish(phase);
    }
    return (struct phase_order){.action = PHASE_DO_NOTHING};
}

bool phase_is_asked(const struct phase *phase, size_t participant)
{
    return participant < phase->total && phase->members[participant] != PHASE_MEMBER_WAITING;
}

size_t phase_find_awaited(const struct phase *phase, size_t from)
{
    while (from < phase->total && phase->members[from] != PHASE_MEMBER_ASKED &&
           phase->members[from] != PHASE_MEMBER_TOLD) {
        from++;
    }
    return from;
}
