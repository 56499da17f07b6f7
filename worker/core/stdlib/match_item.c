/* match_item.c - the items of a pattern that stand for one byte: a byte, any byte, a class, a set.
 * Owns nothing; the sets that were read last are kept in the match, so that a set which is looked at again and again is read
 * once.  Pure.  Called by match.c and match_find.c.  Must not know what follows an item. */
#include "worker/core/stdlib/match_item.h"

#include <string.h>

static const struct match_bracket *find_bracket(struct match *match, const char *start)
{
    int kept = match->bracket_count < MATCH_SETS_MAX ? match->bracket_count : MATCH_SETS_MAX;
    for (int i = 0; i < kept; i++) {
        if (match->brackets[i].start == start) {
            return &match->brackets[i];
        }
    }
    struct match_bracket *bracket = &match->brackets[match->bracket_count % MATCH_SETS_MAX];
    const char *end = match_set_read(start, match->pattern_end, &bracket->set);
    if (end == NULL) {
        match->fault = MATCH_FAULT_BRACKET;
        return NULL;
    }
    bracket->start = start;
    bracket->end = end;
    match->bracket_count =
        match->bracket_count < 2 * MATCH_SETS_MAX ? match->bracket_count + 1 : MATCH_SETS_MAX + 1;
    match->steps -= bracket->end - start;
    return bracket;
}

bool match_item_read_set(struct match *match, const char *at, struct match_item *ret_item)
{
    const struct match_bracket *bracket = find_bracket(match, at + 1);
    if (bracket == NULL) {
        return false;
    }
    *ret_item =
        (struct match_item){.kind = MATCH_ITEM_SET, .set = &bracket->set, .end = bracket->end};
    return true;
}

static bool read_escape(struct match *match, const char *at, struct match_item *ret_item)
{
    if (at + 1 == match->pattern_end) {
        match->fault = MATCH_FAULT_PERCENT;
        return false;
    }
    const struct match_set *set = match_set_of_class(at[1]);
    *ret_item =
        (struct match_item){set == NULL ? MATCH_ITEM_BYTE : MATCH_ITEM_SET, at[1], set, at + 2};
    return true;
}

bool match_item_read_long(struct match *match, const char *at, struct match_item *ret_item)
{
    return *at == '[' ? match_item_read_set(match, at, ret_item) : read_escape(match, at, ret_item);
}

const char *match_item_skip(const struct match_item *item, const char *at, const char *end)
{
    switch (item->kind) {
    case MATCH_ITEM_BYTE:
        while (at < end && *at == item->byte) {
            at++;
        }
        return at;
    case MATCH_ITEM_ANY:
        return end;
    case MATCH_ITEM_SET:
        while (at < end && match_set_has(item->set, *at)) {
            at++;
        }
        return at;
    }
    return at;
}

const char *match_item_find(const struct match_item *item, const char *at, const char *end)
{
    switch (item->kind) {
    case MATCH_ITEM_BYTE:
        return memchr(at, item->byte, (size_t)(end - at));
    case MATCH_ITEM_ANY:
        break;
    case MATCH_ITEM_SET:
        while (at < end && !match_set_has(item->set, *at)) {
            at++;
        }
        break;
    }
    return at < end ? at : NULL;
}
