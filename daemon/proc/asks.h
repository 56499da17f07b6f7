#ifndef FSD_DAEMON_PROC_ASKS_H
#define FSD_DAEMON_PROC_ASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/proto.h"

struct asks;
struct channel;

/* What one worker asks for; one at a time.  Embedded in its owner; all zero asks for nothing. */
struct ask {
    struct asks *asks;             /* borrowed; NULL: nothing is asked for */
    const struct channel *channel; /* borrowed */
    struct proto_ask body;         /* the name ends with a NUL */
    char *text;                    /* owned, ends with a NUL; may have others */
    size_t len;
    const char *pool;  /* borrowed; of the worker */
    struct ask *next;  /* borrowed; of those that wait */
    struct ask **link; /* what points to it; NULL: it does not wait, it is the current one */
    /* its channel is full or gone; called from asks_answer */
    void (*on_failed)(struct ask *ask, int error);
};

/* Those of all workers, in the order in which they came. */
struct asks {
    struct ask *first;   /* borrowed */
    struct ask **last;   /* where the next one goes; NULL: there was none yet */
    struct ask *current; /* borrowed; what is being done; NULL: nothing, or who asked has gone */
    void (*on_asked)(struct asks *asks, struct ask *ask); /* may answer it */
};

/* Adds one; channel, pool and on_failed are filled in by the caller before.  False: it asks already.  Without memory for the text it is
 * answered at once. */
bool asks_add(struct asks *asks, struct ask *ask, const struct proto_ask *body, const void *text,
              size_t len);
/* Makes the first one the current one.  NULL: none waits. */
struct ask *asks_next(struct asks *asks);
/* The text of an ANSWER, cut at PROTO_TEXT_MAX.  ask is to be asked anew afterwards, or is gone. */
void asks_answer(struct ask *ask, enum proto_answer_code code, const char *text);
/* POOLS; fd stays the caller's. */
void asks_answer_list(struct ask *ask, int fd);
/* Who asks has gone; nothing asked for is fine. */
void asks_leave(struct ask *ask);
/* Nobody waits for an answer. */
bool asks_is_empty(const struct asks *asks);

#endif
