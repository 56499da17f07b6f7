/* match_special.c - the items of a pattern that are more than one byte: %bxy, %f[set] and %1.
 * Owns nothing.  Pure.  Each moves the attempt behind itself, or says that it does not match there.  Called by match.c. */
#include "worker/core/stdlib/match_special.h"

#include <string.h>

#include "worker/core/stdlib/match_item.h"

static enum match_move fail(struct match_attempt *attempt, enum match_fault fault)
{
    attempt->match->fault = fault;
    return MATCH_MOVE_STOP;
}

enum match_move match_special_balance(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    if (match->pattern_end - attempt->next < 4) {
        return fail(attempt, MATCH_FAULT_BALANCE);
    }
    char open = attempt->next[2];
    char close = attempt->next[3];
    const char *at = attempt->at;
    size_t depth = 1;
    if (at == match->subject_end || *at != open) {
        return MATCH_MOVE_BACK;
    }
    for (at++; at < match->subject_end && depth > 0; at++) {
        if (*at == close) { /* first, for those that are the same */
            depth--;
        } else if (*at == open) {
            depth++;
        }
    }
    match->steps -= at - attempt->at;
    attempt->at = at;
    attempt->next += 4;
    return depth == 0 ? MATCH_MOVE_ON : MATCH_MOVE_BACK;
}

enum match_move match_special_frontier(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    const char *set = attempt->next + 2;
    struct match_item item;
    if (set == match->pattern_end || *set != '[') {
        return fail(attempt, MATCH_FAULT_FRONTIER);
    }
    if (!match_item_read_set(match, set, &item)) {
        return MATCH_MOVE_STOP;
    }
    char before = '\0';
    if (attempt->at > match->subject) {
        before = attempt->at[-1];
    }
    char behind = '\0';
    if (attempt->at < match->subject_end) {
        behind = *attempt->at;
    }
    attempt->next = item.end;
    return !match_set_has(item.set, before) && match_set_has(item.set, behind) ? MATCH_MOVE_ON
                                                                               : MATCH_MOVE_BACK;
}

enum match_move match_special_reference(struct match_attempt *attempt)
{
    struct match *match = attempt->match;
    int index = attempt->next[1] - '1';
    if (index < 0 || index >= match->capture_count ||
        match->captures[index].len == MATCH_LEN_OPEN) {
        match->fault_index = index + 1;
        return fail(attempt, MATCH_FAULT_REFERENCE);
    }
    const struct match_capture *capture = &match->captures[index];
    /* a position is nothing that the subject could repeat */
    if (capture->len == MATCH_LEN_POSITION || capture->len > match->subject_end - attempt->at ||
        memcmp(capture->start, attempt->at, (size_t)capture->len) != 0) {
        match->steps -=
            capture->len > 0 ? capture->len / 8 : 0; /* memcmp is quicker than a step a byte */
        return MATCH_MOVE_BACK;
    }
    match->steps -= capture->len / 8;
    attempt->at += capture->len;
    attempt->next += 2;
    return MATCH_MOVE_ON;
}
