/* url_text.c - URLs as they stand in a head: Location, Link.
 * Owns nothing.  What is escaped already stays as it is, as in Express's encodeurl; unlike there, '\' is escaped as well, because
 * browsers read it as '/', and "/\evil.example" as another host.  Pure.
 * Called by response_fields.c and response_redirect.c.  Must not know what the URL is for. */
#include "worker/http/text/url_text.h"

#include <stdbool.h>
#include <string.h>

#include "worker/core/hex_digit.h"

static bool stays(const char *at, const char *end)
{
    if (*at == '%') {
        return end - at > 2 && hex_digit_is(at[1]) && hex_digit_is(at[2]);
    }
    unsigned char c = (unsigned char)*at;
    return c > 0x20 && c < 0x7f && strchr("\"<>\\`{}", c) == NULL;
}

size_t url_text_escape(const char *url, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = out;
    for (const char *at = url; at < url + len; at++) {
        if (stays(at, url + len)) {
            *to++ = *at;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*at >> 4];
            *to++ = digits[(unsigned char)*at & 15];
        }
    }
    return (size_t)(to - out);
}
