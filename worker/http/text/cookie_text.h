#ifndef FSD_WORKER_HTTP_TEXT_COOKIE_TEXT_H
#define FSD_WORKER_HTTP_TEXT_COOKIE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/text/parameters.h"

/* Cookies as they stand in headers (RFC 6265): Cookie, read pair by pair, and Set-Cookie.  Pure. */

enum {
    COOKIE_TEXT_PAIRS_MAX = 200, /* of one request; what stands behind is not read */
    COOKIE_TEXT_MAX = 4096,      /* of one that we set; browsers drop longer ones */
};

struct cookie_text {
    const char *at; /* borrowed from the caller */
    const char *end;
    unsigned count; /* pairs so far */
};

void cookie_text_init(struct cookie_text *cookies, const char *text, size_t len);
/* The next name=value, without blanks around, nor quotes around the value; a piece without = is passed over.  False: that was the
 * last one, or there are too many. */
bool cookie_text_next(struct cookie_text *cookies, struct parameter_text *ret_name,
                      struct parameter_text *ret_value);
/* Decodes percent escapes as decodeURIComponent does; out has room for len bytes.  Returns the length; a text with a bad escape, or
 * that would not be UTF-8 then, is copied as it is. */
size_t cookie_text_decode(const char *text, size_t len, char *out);
/* Encodes as encodeURIComponent does; out has room for 3 * len bytes.  Returns the length. */
size_t cookie_text_encode(const char *text, size_t len, char *out);

enum cookie_text_same_site {
    COOKIE_TEXT_SAME_SITE_UNSET,
    COOKIE_TEXT_SAME_SITE_LAX,
    COOKIE_TEXT_SAME_SITE_STRICT,
    COOKIE_TEXT_SAME_SITE_NONE,
};

enum cookie_text_priority {
    COOKIE_TEXT_PRIORITY_UNSET,
    COOKIE_TEXT_PRIORITY_LOW,
    COOKIE_TEXT_PRIORITY_MEDIUM,
    COOKIE_TEXT_PRIORITY_HIGH,
};

/* What a Set-Cookie says; a text without bytes is not said. */
struct cookie_text_set {
    struct parameter_text name;
    struct parameter_text value; /* encoded already */
    struct parameter_text domain;
    struct parameter_text path;
    bool has_max_age;
    int64_t max_age_s;
    struct parameter_text expires; /* a date as headers write it */
    bool is_http_only;
    bool is_secure;
    bool is_partitioned;
    enum cookie_text_same_site same_site;
    enum cookie_text_priority priority;
};

/* Why a cookie can't be sent, or why browsers would drop it, as the end of a sentence about it; NULL: it can. */
const char *cookie_text_find_fault(const struct cookie_text_set *set);
/* Writes the header's value; of a cookie without fault only.  Returns its length, 0 when it is longer than COOKIE_TEXT_MAX. */
size_t cookie_text_format(const struct cookie_text_set *set, char out[COOKIE_TEXT_MAX]);

#endif
