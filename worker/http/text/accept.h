#ifndef FSD_WORKER_HTTP_TEXT_ACCEPT_H
#define FSD_WORKER_HTTP_TEXT_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/text/parameters.h"

/* What a client accepts: Accept, Accept-Charset, Accept-Encoding, Accept-Language (RFC 9110 §12.5).  Pure; nothing is allocated,
 * and everything points into the caller's header. */

enum {
    ACCEPT_ENTRIES_MAX = 64,     /* what stands behind is not read */
    ACCEPT_PARAMETERS_MAX = 16,  /* of one entry; an entry with more is passed over */
    ACCEPT_QUALITY_ONE = 1000000 /* q=1 */
};

enum accept_kind {
    ACCEPT_TYPE,
    ACCEPT_CHARSET,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
};

struct accept_entry {
    struct parameter_text value;      /* as it was sent: "text/html", "gzip", "de-CH", "*" */
    struct parameter_text parameters; /* all behind it, from the first ; on; may be empty */
    unsigned parameter_count;
    bool has_parameters; /* others than q */
    uint32_t quality;    /* in millionths; 0: not acceptable */
    unsigned order;      /* its place in the header */
};

struct accept {
    enum accept_kind kind;
    unsigned count;
    struct accept_entry entries[ACCEPT_ENTRIES_MAX];
};

/* Reads a header (several of one name joined by a comma).  text NULL: there was none, so everything is acceptable (of encodings,
 * identity only).  Never fails: what can't be understood is passed over. */
void accept_parse(struct accept *accept, enum accept_kind kind, const char *text, size_t len);
/* Puts the acceptable entries first, the ones liked best before the others, and returns how many they are. */
unsigned accept_sort(struct accept *accept);
/* Which of count offers (not "html" but "text/html") the client likes best, of equal ones the one that is named earlier in the
 * header, then in the offers; -1: none is acceptable.  A type offered may have parameters ("text/html;level=1"), which must be what
 * the client asked for, if it did. */
int accept_choose(const struct accept *accept, const struct parameter_text *offers, size_t count);

#endif
