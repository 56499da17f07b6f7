#ifndef FSD_WORKER_CORE_STDLIB_MATCH_H
#define FSD_WORKER_CORE_STDLIB_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/stdlib/match_set.h"

enum {
    MATCH_CAPTURES_MAX = 32,
    /* Choices that one attempt may leave open at a time: a limit of Lua's, so that the same patterns are refused. */
    MATCH_CHOICES_MAX = 199,
    MATCH_SETS_MAX =
        4, /* sets in brackets that are kept as bits; a pattern with more reads some again */
};

enum match_result {
    MATCH_FOUND,
    MATCH_NONE,
    MATCH_OUT_OF_STEPS,
    MATCH_MALFORMED, /* match_describe says why */
};

enum match_fault {
    MATCH_FAULT_NONE,
    MATCH_FAULT_PERCENT,
    MATCH_FAULT_BRACKET,
    MATCH_FAULT_BALANCE,
    MATCH_FAULT_FRONTIER,
    MATCH_FAULT_CLOSE,
    MATCH_FAULT_REFERENCE,
    MATCH_FAULT_CAPTURES,
    MATCH_FAULT_COMPLEX,
};

/* What the len of a capture says when it is none. */
enum { MATCH_LEN_OPEN = -1, MATCH_LEN_POSITION = -2 };

struct match_text {
    const char *bytes; /* borrowed */
    size_t len;
};

struct match_capture {
    const char *start; /* borrowed from the subject */
    ptrdiff_t len;     /* or a MATCH_LEN */
};

/* A set in brackets that was read. */
struct match_bracket {
    const char *start; /* borrowed from the pattern: behind its bracket */
    const char *end;   /* behind the closing one */
    struct match_set set;
};

/* One pattern on one subject: what is being looked for, what may still be spent on it, and the last match. */
struct match {
    const char *subject;     /* borrowed */
    const char *subject_end; /* borrowed */
    const char *pattern;     /* borrowed */
    const char *pattern_end; /* borrowed */
    const char *last_end;    /* no match may end here: where the one before did; NULL without one */
    int64_t steps;           /* left */
    const char *start;       /* of the match, in the subject */
    const char *end;
    enum match_fault fault;
    int fault_index; /* the capture that was meant */
    int capture_count;
    int bracket_count; /* how often one was read */
    struct match_capture captures[MATCH_CAPTURES_MAX];
    struct match_bracket brackets[MATCH_SETS_MAX];
};

/* steps is how many bytes it may look at, and how many choices it may make, in all matches together. */
void match_init(struct match *match, struct match_text subject, struct match_text pattern,
                int64_t steps);
/* Takes a ^ away that begins the pattern; whether there was one. */
bool match_take_anchor(struct match *match);
/* Matches that begin at from, a place in the subject or its end. */
enum match_result match_here(struct match *match, const char *from);
/* Whether a pattern is more than plain text. */
bool match_is_special(struct match_text pattern);
/* Why a pattern is malformed, in Lua's words. */
void match_describe(const struct match *match, char *text, size_t room);

#endif
