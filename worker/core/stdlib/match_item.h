#ifndef FSD_WORKER_CORE_STDLIB_MATCH_ITEM_H
#define FSD_WORKER_CORE_STDLIB_MATCH_ITEM_H

#include "worker/core/stdlib/match.h"

enum match_item_kind {
    MATCH_ITEM_BYTE,
    MATCH_ITEM_ANY,
    MATCH_ITEM_SET,
};

/* What stands for one byte of the subject. */
struct match_item {
    enum match_item_kind kind;
    char byte;
    const struct match_set *set; /* borrowed from the match, until another one is read */
    const char *end;             /* in the pattern: behind it */
};

/* A set in brackets whose [ stands at at.  false: it is not closed. */
bool match_item_read_set(struct match *match, const char *at, struct match_item *ret_item);
/* A set, or what stands behind a %.  false: the pattern is malformed there. */
bool match_item_read_long(struct match *match, const char *at, struct match_item *ret_item);
/* The first byte from at on that the item stands for; NULL when there is none. */
const char *match_item_find(const struct match_item *item, const char *at, const char *end);
/* Behind all bytes from at on that the item stands for. */
const char *match_item_skip(const struct match_item *item, const char *at, const char *end);

/* The item that begins at at, which is not the end of the pattern.  false: the pattern is malformed there. */
static inline bool match_item_read(struct match *match, const char *at, struct match_item *ret_item)
{
    if (*at == '[' || *at == '%') {
        return match_item_read_long(match, at, ret_item);
    }
    *ret_item =
        (struct match_item){*at == '.' ? MATCH_ITEM_ANY : MATCH_ITEM_BYTE, *at, NULL, at + 1};
    return true;
}

static inline bool match_item_has(const struct match_item *item, char byte)
{
    if (item->kind == MATCH_ITEM_SET) {
        return match_set_has(item->set, byte);
    }
    return item->kind == MATCH_ITEM_ANY || item->byte == byte;
}

#endif
