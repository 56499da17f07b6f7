#ifndef FSD_WORKER_CORE_STDLIB_MATCH_ATTEMPT_H
#define FSD_WORKER_CORE_STDLIB_MATCH_ATTEMPT_H

#include "worker/core/stdlib/match.h"

/* What match.c and match_special.c share: one attempt at one place. */

enum match_choice_kind {
    MATCH_CHOICE_MOST,     /* * and +: one byte less, down to least */
    MATCH_CHOICE_LEAST,    /* -: one byte more */
    MATCH_CHOICE_OPTIONAL, /* ?: without */
    MATCH_CHOICE_OPEN,     /* a capture was begun: it is none */
    MATCH_CHOICE_CLOSE,    /* a capture was ended: it is open again */
};

struct match_choice {
    enum match_choice_kind kind;
    int capture;
    const char *at;    /* in the subject: where the pattern went on */
    const char *least; /* in the subject */
    const char *item;  /* in the pattern: what is repeated */
    const char *next;  /* in the pattern: what comes then */
};

/* One attempt. */
struct match_attempt {
    struct match *match; /* borrowed */
    const char *at;      /* in the subject */
    const char *next;    /* in the pattern */
    int choice_count;
    struct match_choice choices[MATCH_CHOICES_MAX];
};

enum match_move {
    MATCH_MOVE_ON,   /* at and next say where */
    MATCH_MOVE_BACK, /* the pattern does not match like this */
    MATCH_MOVE_FOUND,
    MATCH_MOVE_STOP, /* malformed, or out of steps */
};

#endif
