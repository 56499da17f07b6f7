/* pattern_write.c - from a pattern and values back to a path: which of its groups are written, and how values are escaped.
 * Pure.  As in path-to-regexp, a group is written when all its parameters have values; one without parameters always is.  The
 * alternatives of a pattern stand with the groups taken first, so the first one that can be written is the one.
 * Called by app/url.c.  Must not know where values come from. */
#include "worker/http/route/pattern_write.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    unsigned char letter = c | 0x20;
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_.!~*'()", c) != NULL);
}

size_t pattern_write_escaped(char *out, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = out;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_unreserved(c)) {
            *to++ = text[i];
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    return (size_t)(to - out);
}

/* Whether all parameters of the path have values; the first that has none. */
static bool is_complete(const struct pattern_path *path, const bool *has_value, size_t *ret_missing)
{
    for (size_t i = 0; i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind != PATTERN_LITERAL && !has_value[token->name]) {
            *ret_missing = token->name;
            return false;
        }
    }
    return true;
}

const struct pattern_path *pattern_write_choose(const struct pattern *pattern,
                                                const bool *has_value, size_t *ret_missing)
{
    for (size_t i = 0; i < pattern->path_count; i++) {
        if (is_complete(&pattern->paths[i], has_value, ret_missing)) {
            return &pattern->paths[i];
        }
    }
    return NULL;
}
