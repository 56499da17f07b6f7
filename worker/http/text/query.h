#ifndef FSD_WORKER_HTTP_TEXT_QUERY_H
#define FSD_WORKER_HTTP_TEXT_QUERY_H

#include <stddef.h>

/* application/x-www-form-urlencoded pairs, of a query string or a form, and percent escapes of path
 * parameters.  Pure; nothing is allocated. */

enum { QUERY_PAIRS_MAX = 1000 };

struct query {
    const char *at; /* borrowed from the caller */
    const char *end;
    unsigned count; /* pairs so far */
};

/* A decoded piece of the caller's buffer; it may hold any byte, NUL too. */
struct query_text {
    const char *bytes;
    size_t len;
};

void query_init(struct query *query, const char *text, size_t len);
/* Decodes the next pair ("a" is the name "a" with an empty value, empty pieces between & are passed
 * over) as the WHATWG says: + is a space, a % without two hexadecimal digits stays as it is.
 * buf must have room for as many bytes as the whole text; name and value lie in it until the next
 * call.  1: a pair, 0: the end, -E2BIG: more than QUERY_PAIRS_MAX pairs. */
int query_next(struct query *query, char *buf, struct query_text *ret_name,
               struct query_text *ret_value);

/* The byte that the escape at at stands for (at is the %), or -1 when it is none. */
int query_escape_value(const char *at, const char *end);
/* Strictly, for a piece of a path: + stays.  out has room for len bytes and may be in itself.
 * -EINVAL: a % without two hexadecimal digits, or %00; out is then undefined. */
int query_percent_decode(const char *in, size_t len, char *out, size_t *ret_len);

#endif
