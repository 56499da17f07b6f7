#ifndef FSD_WORKER_HTTP_TEXT_QUERY_KEY_H
#define FSD_WORKER_HTTP_TEXT_QUERY_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/text/query.h"

/* Names of parameters that say where in a structure their value belongs: a[b][]=1.  Pure; nothing is allocated. */

enum {
    QUERY_KEY_DEPTH = 5,      /* brackets that count in queries; the rest is one name */
    QUERY_KEY_DEPTH_MAX = 32, /* in any */
    QUERY_KEY_PARTS_MAX = QUERY_KEY_DEPTH_MAX + 2,
    QUERY_KEY_INDEX =
        19, /* in queries and forms, a larger number is a name, not a place in a list */
    QUERY_KEY_INDEX_MAX = 1000, /* in any */
};

/* Splits a decoded name: "a[b][]" is "a", "b", "".  Brackets inside brackets belong to the name; one that is not closed, and what
 * is deeper than depth (1 to QUERY_KEY_DEPTH_MAX), is one name with its brackets.  A name that begins with a bracket has no first
 * part of its own.  Parts lie in the name.  Returns how many there are; 0 for an empty name. */
size_t query_key_split(const char *name, size_t len, size_t depth,
                       struct query_text parts[QUERY_KEY_PARTS_MAX]);
/* Whether a part is the number of a place in a list, counted from 0 to max (QUERY_KEY_INDEX_MAX at most). */
bool query_key_is_index(struct query_text part, unsigned max, unsigned *ret_index);

#endif
