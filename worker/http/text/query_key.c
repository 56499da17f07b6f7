/* query_key.c - names of parameters with brackets, as Node's package qs reads them.
 *
 * Owns nothing.  Depth and places in lists are bounded, since a name is the client's: a[999999999] is no list of a thousand million.
 * Pure: no Lua, no libh2o.  Called by query_table.c.  Must not know what becomes of the values. */
#include "worker/http/text/query_key.h"

#include <string.h>

/* The bracket that closes the one at at; NULL without one. */
static const char *find_closing(const char *at, const char *end)
{
    size_t level = 0;
    for (; at < end; at++) {
        if (*at == '[') {
            level++;
        } else if (*at == ']' && --level == 0) {
            return at;
        }
    }
    return NULL;
}

static const char *find_opening(const char *at, const char *end)
{
    return at < end ? memchr(at, '[', (size_t)(end - at)) : NULL;
}

static struct query_text part_of(const char *start, const char *end)
{
    return (struct query_text){.bytes = start, .len = (size_t)(end - start)};
}

size_t query_key_split(const char *name, size_t len, size_t depth,
                       struct query_text parts[QUERY_KEY_PARTS_MAX])
{
    const char *end = name + len;
    const char *open = len > 0 ? find_opening(name, end) : NULL;
    size_t count = 0;
    if (len > 0 && open != name) {
        parts[count++] = part_of(name, open != NULL ? open : end);
    }
    for (size_t level = 0; open != NULL; level++) {
        const char *close = level < depth ? find_closing(open, end) : NULL;
        if (close == NULL) {
            parts[count++] = part_of(open, end);
            break;
        }
        parts[count++] = part_of(open + 1, close);
        open = find_opening(close + 1, end);
    }
    return count;
}

bool query_key_is_index(struct query_text part, unsigned max, unsigned *ret_index)
{
    unsigned index = 0;
    if (part.len == 0 || part.len > 4 || (part.len > 1 && part.bytes[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < part.len; i++) {
        if (part.bytes[i] < '0' || part.bytes[i] > '9') {
            return false;
        }
        index = index * 10 + (unsigned)(part.bytes[i] - '0');
    }
    if (index > max) {
        return false;
    }
    *ret_index = index;
    return true;
}
