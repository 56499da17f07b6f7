#ifndef FSD_WORKER_ACTOR_SIGNAL_H
#define FSD_WORKER_ACTOR_SIGNAL_H

#include <stdbool.h>

/* Why an exit signal comes. */
enum signal_kind {
    SIGNAL_EXIT, /* another actor or a task said exit(pid, reason) */
    SIGNAL_SELF, /* the actor itself did */
    SIGNAL_LINK, /* an actor that it is linked with has ended */
    SIGNAL_KIND_COUNT,
};

/* What matters of its reason. */
enum signal_reason {
    SIGNAL_REASON_NORMAL,
    SIGNAL_REASON_KILL,
    SIGNAL_REASON_OTHER,
    SIGNAL_REASON_COUNT,
};

/* What happens then. */
enum signal_action {
    SIGNAL_IGNORE,
    SIGNAL_DELIVER, /* as the message {"$exit", from, reason} */
    SIGNAL_END,     /* the actor ends with this reason */
    SIGNAL_KILL,    /* it ends with the reason "killed" */
};

/* OTP's rules for an actor that traps exits or does not. */
enum signal_action signal_decide(enum signal_kind kind, enum signal_reason reason, bool traps);
/* Which of the three a reason is; NULL when it is no string. */
enum signal_reason signal_classify(const char *reason);

#endif
