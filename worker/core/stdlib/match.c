/* match.c - Lua's patterns (reference manual, 6.4.1), with a limit on the work that one match may take.
 * Owns nothing: subject and pattern are the caller's.  Pure.  The pattern is read as it stands, item by item, forwards from
 * where an attempt begins; each item that could have matched otherwise leaves a choice, and where the pattern does not go
 * on the latest choice is changed (back).  Choices stand in an array with the room of Lua's own limit, so no subject and no
 * pattern takes more stack.  A fault of the pattern counts when the attempt arrives at it, as in Lua.
 * Called by search.c and gsub.c, which look for a place by match_find.c.  Must not know Lua, nor what a match is used for. */
#include "worker/core/stdlib/match.h"

#include <stdio.h>
#include <string.h>

#include "worker/core/stdlib/match_item.h"
#include "worker/core/stdlib/match_special.h"

void match_init(struct match *match, struct match_text subject, struct match_text pattern,
                int64_t steps)
{
    match->subject = subject.bytes;
    match->subject_end = subject.bytes + subject.len;
    match->pattern = pattern.bytes;
    match->pattern_end = pattern.bytes + pattern.len;
    match->last_end = NULL;
    match->steps = steps;
    match->fault = MATCH_FAULT_NONE;
    match->capture_count = 0;
    match->bracket_count = 0; /* captures and brackets are written before they are read */
}

bool match_take_anchor(struct match *match)
{
    bool has_anchor = match->pattern < match->pattern_end && *match->pattern == '^';
    match->pattern += has_anchor;
    return has_anchor;
}

static enum match_move fail(struct match_attempt *attempt, enum match_fault fault)
{
    attempt->match->fault = fault;
    return MATCH_MOVE_STOP;
}

/* Room for a choice; NULL: the pattern is too complex. */
static inline struct match_choice *add_choice(struct match_attempt *attempt,
                                              enum match_choice_kind kind)
{
    if (attempt->choice_count == MATCH_CHOICES_MAX) {
        attempt->match->fault = MATCH_FAULT_COMPLEX;
        return NULL;
    }
    struct match_choice *choice = &attempt->choices[attempt->choice_count++];
    choice->kind = kind;
    return choice;
}

static enum match_move open_capture(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    bool is_position = attempt->next + 1 < match->pattern_end && attempt->next[1] == ')';
    if (match->capture_count == MATCH_CAPTURES_MAX) {
        return fail(attempt, MATCH_FAULT_CAPTURES);
    }
    match->captures[match->capture_count++] =
        (struct match_capture){attempt->at, is_position ? MATCH_LEN_POSITION : MATCH_LEN_OPEN};
    attempt->next += is_position ? 2 : 1;
    return add_choice(attempt, MATCH_CHOICE_OPEN) == NULL ? MATCH_MOVE_STOP : MATCH_MOVE_ON;
}

static enum match_move close_capture(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    int latest = match->capture_count - 1;
    while (latest >= 0 && match->captures[latest].len != MATCH_LEN_OPEN) {
        latest--;
    }
    if (latest < 0) {
        return fail(attempt, MATCH_FAULT_CLOSE);
    }
    struct match_choice *choice = add_choice(attempt, MATCH_CHOICE_CLOSE);
    if (choice == NULL) {
        return MATCH_MOVE_STOP;
    }
    choice->capture = latest;
    match->captures[latest].len = attempt->at - match->captures[latest].start;
    attempt->next++;
    return MATCH_MOVE_ON;
}

static inline enum match_move match_most(struct match_attempt *attempt,
                                         const struct match_item *item, bool needs_one)
{
    const char *most = match_item_skip(item, attempt->at, attempt->match->subject_end);
    attempt->next = item->end + 1;
    if (most == attempt->at) {
        return needs_one ? MATCH_MOVE_BACK : MATCH_MOVE_ON;
    }
    struct match_choice *choice = add_choice(attempt, MATCH_CHOICE_MOST);
    if (choice == NULL) {
        return MATCH_MOVE_STOP;
    }
    choice->at = most;
    choice->least = attempt->at + needs_one;
    choice->next = attempt->next;
    if (item->kind != MATCH_ITEM_ANY) {
        attempt->match->steps -= most - attempt->at;
    }
    attempt->at = most;
    return MATCH_MOVE_ON;
}

/* ? and -: with one byte or without, in either order */
static inline enum match_move match_maybe(struct match_attempt *attempt,
                                          const struct match_item *item,
                                          enum match_choice_kind kind)
{
    const char *start = attempt->next;
    attempt->next = item->end + 1;
    if (attempt->at == attempt->match->subject_end || !match_item_has(item, *attempt->at)) {
        return MATCH_MOVE_ON;
    }
    struct match_choice *choice = add_choice(attempt, kind);
    if (choice == NULL) {
        return MATCH_MOVE_STOP;
    }
    choice->at = attempt->at;
    choice->item = start;
    choice->next = attempt->next;
    attempt->at += kind == MATCH_CHOICE_OPTIONAL;
    return MATCH_MOVE_ON;
}

/* An item for one byte, and how often it may stand there. */
static inline enum match_move match_item(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    struct match_item item;
    if (!match_item_read(match, attempt->next, &item)) {
        return MATCH_MOVE_STOP;
    }
    char suffix = '\0';
    if (item.end < match->pattern_end) {
        suffix = *item.end;
    }
    switch (suffix) {
    case '*':
        return match_most(attempt, &item, false);
    case '+':
        return match_most(attempt, &item, true);
    case '-':
        return match_maybe(attempt, &item, MATCH_CHOICE_LEAST);
    case '?':
        return match_maybe(attempt, &item, MATCH_CHOICE_OPTIONAL);
    default:
        break;
    }
    if (attempt->at == match->subject_end || !match_item_has(&item, *attempt->at)) {
        return MATCH_MOVE_BACK;
    }
    attempt->at++;
    attempt->next = item.end;
    return MATCH_MOVE_ON;
}

static enum match_move match_escape(struct match_attempt *attempt)
{
    char letter = '\0';
    if (attempt->next + 1 < attempt->match->pattern_end) {
        letter = attempt->next[1];
    }
    if (letter == 'b') {
        return match_special_balance(attempt);
    }
    if (letter == 'f') {
        return match_special_frontier(attempt);
    }
    if (letter >= '0' && letter <= '9') {
        return match_special_reference(attempt);
    }
    return match_item(attempt);
}

static inline enum match_move match_next(struct match_attempt *attempt)
{
    const struct match *match = attempt->match;
    switch (*attempt->next) {
    case '(':
        return open_capture(attempt);
    case ')':
        return close_capture(attempt);
    case '%':
        return match_escape(attempt);
    case '$':
        if (attempt->next + 1 == match->pattern_end) {
            attempt->next++;
            return attempt->at == match->subject_end ? MATCH_MOVE_ON : MATCH_MOVE_BACK;
        }
        return match_item(attempt);
    default:
        return match_item(attempt);
    }
}

/* Goes on with the pattern as long as it matches. */
static inline enum match_move go_forward(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    enum match_move move = MATCH_MOVE_ON;
    while (move == MATCH_MOVE_ON) {
        if (attempt->next == match->pattern_end) {
            return MATCH_MOVE_FOUND;
        }
        if (--match->steps < 0) {
            return MATCH_MOVE_STOP;
        }
        move = match_next(attempt);
    }
    return move;
}

/* One byte more, if the item allows it. */
static inline bool take_more(struct match *match, struct match_choice *choice)
{
    struct match_item item;
    if (choice->at == match->subject_end || !match_item_read(match, choice->item, &item) ||
        !match_item_has(&item, *choice->at)) {
        return false;
    }
    choice->at++;
    return true;
}

/* Changes the latest choice: MATCH_MOVE_ON if there is another way from there, and MATCH_MOVE_BACK if not; then the choice has gone. */
static inline enum match_move change_choice(struct match_attempt *attempt,
                                            struct match_choice *choice)
{
    struct match *match = attempt->match;
    switch (choice->kind) {
    case MATCH_CHOICE_MOST:
        if (choice->at > choice->least) {
            attempt->at = --choice->at;
            attempt->next = choice->next;
            return MATCH_MOVE_ON;
        }
        break;
    case MATCH_CHOICE_LEAST:
        if (take_more(match, choice)) {
            attempt->at = choice->at;
            attempt->next = choice->next;
            return MATCH_MOVE_ON;
        }
        break;
    case MATCH_CHOICE_OPTIONAL:
        attempt->choice_count--;
        attempt->at = choice->at;
        attempt->next = choice->next;
        return MATCH_MOVE_ON;
    case MATCH_CHOICE_OPEN:
        match->capture_count--;
        break;
    case MATCH_CHOICE_CLOSE:
        match->captures[choice->capture].len = MATCH_LEN_OPEN;
        break;
    }
    attempt->choice_count--;
    return MATCH_MOVE_BACK;
}

enum match_result match_here(struct match *match, const char *from)
{
    struct match_attempt attempt; /* its choices are written before they are read */
    attempt.match = match;
    attempt.at = from;
    attempt.next = match->pattern;
    attempt.choice_count = 0;
    match->capture_count = 0;
    match->fault = MATCH_FAULT_NONE;
    enum match_move move = go_forward(&attempt);
    while (move == MATCH_MOVE_BACK && attempt.choice_count > 0) {
        if (--match->steps < 0) {
            return MATCH_OUT_OF_STEPS;
        }
        move = change_choice(&attempt, &attempt.choices[attempt.choice_count - 1]);
        if (move == MATCH_MOVE_ON) {
            move = go_forward(&attempt);
        }
    }
    if (move == MATCH_MOVE_STOP) {
        return match->fault == MATCH_FAULT_NONE ? MATCH_OUT_OF_STEPS : MATCH_MALFORMED;
    }
    if (move == MATCH_MOVE_BACK || attempt.at == match->last_end) {
        return MATCH_NONE;
    }
    match->start = from;
    match->end = attempt.at;
    return MATCH_FOUND;
}

bool match_is_special(struct match_text pattern)
{
    /* ^$*+?.([%- */
    static const struct match_set special = {{0x80006d3000000000, 0x48000000, 0, 0}};
    for (size_t i = 0; i < pattern.len; i++) {
        if (match_set_has(&special, pattern.bytes[i])) {
            return true;
        }
    }
    return false;
}

void match_describe(const struct match *match, char *text, size_t room)
{
    static const char *const sentences[] = {
        [MATCH_FAULT_NONE] = "",
        [MATCH_FAULT_PERCENT] = "malformed pattern (ends with '%')",
        [MATCH_FAULT_BRACKET] = "malformed pattern (missing ']')",
        [MATCH_FAULT_BALANCE] = "malformed pattern (missing arguments to '%b')",
        [MATCH_FAULT_FRONTIER] = "missing '[' after '%f' in pattern",
        [MATCH_FAULT_CLOSE] = "invalid pattern capture",
        [MATCH_FAULT_REFERENCE] = "invalid capture index %",
        [MATCH_FAULT_CAPTURES] = "too many captures",
        [MATCH_FAULT_COMPLEX] = "pattern too complex",
    };
    if (match->fault == MATCH_FAULT_REFERENCE) {
        (void)snprintf(text, room, "%s%d", sentences[match->fault], match->fault_index);
    } else {
        (void)snprintf(text, room, "%s", sentences[match->fault]);
    }
}
