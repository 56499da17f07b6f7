/* query.c - names and values of a query string or form, one pair at a time.
 *
 * Owns nothing: the caller brings the text and a buffer as long as it, and a pair lives until the
 * next one.  Two rules for a bad escape, because two standards rule here: forms keep it as it stands
 * (WHATWG URL, "percent-decode"), a path parameter with one is refused.
 * Called by requests when a handler asks for the query, a form or a parameter; the text is hostile,
 * so the number of pairs is bounded.
 * Must not know Lua, h2o or what the names mean. */
#include "worker/http/text/query.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/hex_digit.h"

int query_escape_value(const char *at, const char *end)
{
    if (end - at < 3) {
        return -1;
    }
    int high = hex_digit_value(at[1]);
    int low = hex_digit_value(at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void query_init(struct query *query, const char *text, size_t len)
{
    *query = (struct query){.at = text, .end = len > 0 ? text + len : text};
}

/* Returns where the output ends. */
static char *decode_form(const char *at, const char *end, char *out)
{
    while (at < end) {
        int value = *at == '%' ? query_escape_value(at, end) : -1;
        if (value < 0) {
            value = *at == '+' ? ' ' : (unsigned char)*at;
            at++;
        } else {
            at += 3;
        }
        *out++ = (char)value;
    }
    return out;
}

static const char *find_byte(const char *at, const char *end, char byte)
{
    const char *found = at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;
    return found != NULL ? found : end;
}

int query_next(struct query *query, char *buf, struct query_text *ret_name,
               struct query_text *ret_value)
{
    const char *at = query->at;
    while (at < query->end && *at == '&') {
        at++;
    }
    if (at == query->end) {
        query->at = at;
        return 0;
    }
    if (query->count == QUERY_PAIRS_MAX) {
        return -E2BIG;
    }
    const char *pair_end = find_byte(at, query->end, '&');
    const char *name_end = find_byte(at, pair_end, '=');
    char *value = decode_form(at, name_end, buf);
    char *value_end = value;
    if (name_end < pair_end) {
        value_end = decode_form(name_end + 1, pair_end, value);
    }
    query->at = pair_end;
    query->count++;
    *ret_name = (struct query_text){.bytes = buf, .len = (size_t)(value - buf)};
    *ret_value = (struct query_text){.bytes = value, .len = (size_t)(value_end - value)};
    return 1;
}

int query_percent_decode(const char *in, size_t len, char *out, size_t *ret_len)
{
    const char *end = len > 0 ? in + len : in;
    char *to = out;
    while (in < end) {
        if (*in != '%') {
            *to++ = *in++;
            continue;
        }
        int value = query_escape_value(in, end);
        if (value <= 0) {
            return -EINVAL;
        }
        *to++ = (char)value;
        in += 3;
    }
    *ret_len = (size_t)(to - out);
    return 0;
}
