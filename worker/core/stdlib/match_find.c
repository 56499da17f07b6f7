/* match_find.c - the first place in a subject where a pattern matches, or plain text stands.
 * Owns nothing.  Pure.  Most patterns begin with an item that one byte must match: then only the places with such a byte are
 * tried, which are found much quicker than an attempt fails.  Called by search.c and gsub.c. */
#include "worker/core/stdlib/match_find.h"

#include <string.h>

#include "worker/core/stdlib/match_item.h"

/* Whether every match must begin with a byte that this item stands for: then places without one need no attempt. */
static bool read_first_item(struct match *match, struct match_item *ret_item)
{
    const char *at = match->pattern;
    /* fewer than could be too many captures: such a pattern is refused wherever it begins */
    while (at - match->pattern < 8 && match->pattern_end - at > 1 && at[0] == '(' && at[1] != ')') {
        at++;
    }
    if (at == match->pattern_end || *at == '(' || *at == ')' || *at == '$') {
        return false;
    }
    if (*at == '%' && match->pattern_end - at > 1 && strchr("bf0123456789", at[1]) != NULL &&
        at[1] != '\0') {
        return false;
    }
    if (!match_item_read(match, at, ret_item)) {
        match->fault = MATCH_FAULT_NONE; /* the first attempt will say so */
        return false;
    }
    if (ret_item->end == match->pattern_end) {
        return true;
    }
    return *ret_item->end != '*' && *ret_item->end != '-' && *ret_item->end != '?';
}

enum match_result match_find(struct match *match, const char *from)
{
    struct match_item first;
    struct match_set first_set;
    bool has_first = read_first_item(match, &first);
    if (has_first && first.set != NULL) {
        first_set = *first.set;
        first.set = &first_set; /* that of the match may be replaced by those of other brackets */
    }
    for (const char *at = from;; at++) {
        if (has_first) {
            const char *found = match_item_find(&first, at, match->subject_end);
            if (found == NULL) {
                return MATCH_NONE;
            }
            match->steps -= (found - at) / 4; /* such a search is quicker than a step a byte */
            at = found;
        }
        enum match_result result = match_here(match, at);
        if (result != MATCH_NONE || at == match->subject_end) {
            return result;
        }
    }
}

/* Looks at the places where the first byte stands, which is quickest if they are few; memmem takes what is left after some
 * of them, as it needs no longer for text that repeats itself. */
static const char *find_by_first(const char *start, const char *end, struct match_text text)
{
    for (int tries = 0; tries < 32; tries++) {
        size_t room = (size_t)(end - start);
        if (room < text.len) {
            return NULL;
        }
        start = memchr(start, text.bytes[0], room - text.len + 1);
        if (start == NULL || memcmp(start + 1, text.bytes + 1, text.len - 1) == 0) {
            return start;
        }
        start++;
    }
    return memmem(start, (size_t)(end - start), text.bytes, text.len);
}

const char *match_find_plain(struct match_text subject, size_t from, struct match_text text)
{
    if (text.len == 0) {
        return subject.bytes + from;
    }
    return find_by_first(subject.bytes + from, subject.bytes + subject.len, text);
}
