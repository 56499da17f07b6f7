/* compressible.c - whether an answer may be compressed, and is worth it.
 * Owns the list of types.  What is compressed already (pictures, films, archives, woff2) only costs time.  Pure.
 * Called by compress.c for each answer while compression is on.  Must not know how it is done. */
#include "worker/http/text/compressible.h"

#include <string.h>
#include <strings.h>

#include "worker/http/text/accept.h"
#include "worker/http/text/type_text.h"

static bool is_text(const char *text, size_t len, const char *wanted)
{
    return strlen(wanted) == len && strncasecmp(text, wanted, len) == 0;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t end_len = strlen(end);
    return len > end_len && strncasecmp(text + len - end_len, end, end_len) == 0;
}

bool compressible_is_type(const char *type, size_t len)
{
    static const char *const types[] = {
        "application/json",
        "application/javascript",
        "application/ecmascript",
        "application/xml",
        "application/wasm",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/vnd.ms-fontobject",
        "font/ttf",
        "font/otf",
        "image/bmp",
        "image/x-icon",
        "image/vnd.microsoft.icon",
    };
    size_t essence = type_text_essence_len(type, len);
    if (essence > 5 && strncasecmp(type, "text/", 5) == 0) {
        return !is_text(type, essence, "text/event-stream");
    }
    if (ends_with(type, essence, "+json") || ends_with(type, essence, "+xml")) {
        return true;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_text(type, essence, types[i])) {
            return true;
        }
    }
    return false;
}

bool compressible_is_forbidden(const char *cache_control, size_t len)
{
    const char *end = cache_control + len;
    for (const char *at = cache_control; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        while (at < stop && (*at == ' ' || *at == '\t')) {
            at++;
        }
        const char *last = stop;
        while (last > at && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }
        if (is_text(at, (size_t)(last - at), "no-transform")) {
            return true;
        }
        at = stop + 1;
    }
    return false;
}

bool compressible_is_accepted(const char *accept_encoding, size_t len)
{
    static const struct parameter_text offers[] = {{"gzip", 4}, {"identity", 8}};
    struct accept accept;
    if (accept_encoding == NULL) {
        return false;
    }
    accept_parse(&accept, ACCEPT_ENCODING, accept_encoding, len);
    return accept_choose(&accept, offers, 2) == 0;
}
