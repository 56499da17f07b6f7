#ifndef FSD_DAEMON_CHANGE_PHASE_H
#define FSD_DAEMON_CHANGE_PHASE_H

#include <stdbool.h>
#include <stddef.h>

/* One change in all participants or in none, in two phases.  Participants are numbers, frozen at the beginning. */
enum phase_state {
    PHASE_IDLE,
    PHASE_PREPARING,  /* nothing has changed yet, and any trouble ends it */
    PHASE_COMMITTING, /* all have said yes: it is done in any case */
    PHASE_ABORTING,   /* only until the order ABORT_ALL was taken */
    PHASE_ENDING,     /* only until the order DONE was taken */
};
enum { PHASE_STATES = PHASE_ENDING + 1 };

enum phase_event {
    PHASE_ON_PREPARED,  /* the participant says yes */
    PHASE_ON_REFUSED,   /* it says no */
    PHASE_ON_LOST,      /* it is gone, or will never answer */
    PHASE_ON_COMMITTED, /* it has the new thing */
    PHASE_ON_TIMEOUT,   /* of the phase as a whole */
    PHASE_ON_STOP,      /* the daemon ends, or is drained */
};
enum { PHASE_EVENTS = PHASE_ON_STOP + 1 };

enum phase_member {
    PHASE_MEMBER_WAITING,  /* was not asked yet */
    PHASE_MEMBER_ASKED,    /* PREPARE was ordered */
    PHASE_MEMBER_PREPARED, /* has said yes, COMMIT is not ordered */
    PHASE_MEMBER_TOLD,     /* COMMIT was ordered */
    PHASE_MEMBER_LATE,     /* ... and not carried out: KILL is due */
    PHASE_MEMBER_SETTLED,  /* has the new thing, or is gone and its replacement boots it */
};

enum phase_action {
    PHASE_DO_NOTHING, /* all that is due was ordered: wait for the next event */
    PHASE_PREPARE,    /* ask the participant */
    PHASE_COMMIT_ALL, /* from here on the new thing is the running one; start the timer anew */
    PHASE_ABORT_ALL,  /* drop the new thing; phase_is_asked says who knows of it */
    PHASE_KILL, /* the participant has the old thing for ever; its replacement boots the new one */
    PHASE_DONE, /* the end: exactly one for each begin */
};

struct phase_order {
    enum phase_action action;
    size_t participant; /* of PREPARE and KILL */
    bool is_committed;  /* of DONE */
};

/* {0} is idle.  What stands here after DONE stays readable until the next begin. */
struct phase {
    enum phase_state state;
    unsigned char *members; /* borrowed from the owner: an enum phase_member for each participant */
    size_t total;
    size_t parallel; /* so many prepare at a time */
    size_t asked;    /* participants before this one were asked */
    size_t prepared; /* of them have said yes */
    size_t unsettled;
    size_t late;
    size_t late_from; /* none before this one is late */
    bool is_committed;
    bool is_cut_short;      /* trouble or a stop ended it: .cause and .culprit say more */
    enum phase_event cause; /* REFUSED, LOST, TIMEOUT or STOP */
    size_t culprit;         /* of REFUSED and LOST */
};

/* How many may prepare at a time on a machine with so many CPUs: half of them, at least 1. */
size_t phase_get_parallel(size_t cpus);
/* Begins; members has room for total bytes (NULL when total is 0) and must live until DONE was taken.  -EBUSY when one is
 * under way: nothing has changed then. */
int phase_begin(struct phase *phase, unsigned char *members, size_t total, size_t parallel);
/* Every event may come in every state; participant: of the first four.  What can't be meant changes nothing: a participant that
 * does not exist, an answer twice or before the question.  Then take the orders that have become due. */
void phase_feed(struct phase *phase, enum phase_event event, size_t participant);
/* Takes the next order; call it after begin and after each feed until it says PHASE_DO_NOTHING.  Orders that cause events while
 * they are carried out may feed them at once. */
struct phase_order phase_next(struct phase *phase);
/* Has the participant been asked in this transaction (so that it must be told of an abort)? */
bool phase_is_asked(const struct phase *phase, size_t participant);
/* The first participant from this one on whose answer is awaited, else total: who is to blame for a timeout.  Ask before the
 * timeout is fed. */
size_t phase_find_awaited(const struct phase *phase, size_t from);

#endif
