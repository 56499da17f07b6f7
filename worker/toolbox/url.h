#ifndef FSD_WORKER_TOOLBOX_URL_H
#define FSD_WORKER_TOOLBOX_URL_H

#include <stdbool.h>
#include <stddef.h>

/* URLs (RFC 3986).  Pure. */

struct url_text {
    const char *
        bytes; /* borrowed from the text; NULL: it is not there, which is not the same as being empty */
    size_t len;
};

struct url {
    struct url_text scheme;
    struct url_text user; /* with the password, before the "@" */
    struct url_text host; /* an IPv6 address in its brackets; NULL: there is no authority */
    struct url_text port; /* digits */
    struct url_text path; /* never NULL */
    struct url_text query;
    struct url_text fragment;
};

/* Takes a URL or a relative reference apart.  True; or false, and *ret_bad is where the first wrong character stands. */
bool url_parse(const char *text, size_t len, struct url *url, size_t *ret_bad);
/* The URL that a reference means on a page (RFC 3986, 5.2), dots taken out.  out has room for both texts and 8 bytes more.  Returns its
 * length. */
size_t url_resolve(const struct url *base, const struct url *reference, char *out);
/* Takes "." and ".." out of a path; out has room for it, and may be the path.  Returns the length. */
size_t url_remove_dots(const char *path, size_t len, char *out);

enum url_set {
    URL_COMPONENT, /* letters, digits and -._~ stay */
    URL_WHOLE,     /* what has a meaning in a URL stays too, and escapes that are there */
    URL_FORM,      /* as a component, and a space becomes "+" */
};

/* out has room for three times as much.  Returns the length. */
size_t url_encode(const char *text, size_t len, enum url_set set, char *out);
/* Takes escapes out; of URL_FORM "+", too.  out has room for len.  True; or false, and *ret_len is where a "%" has no two digits. */
bool url_decode(const char *text, size_t len, enum url_set set, char *out, size_t *ret_len);

#endif
