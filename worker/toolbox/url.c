/* url.c - takes URLs apart, and joins them.
 * Owns nothing; parts point into the text.  Only what RFC 3986 allows is a URL: whoever has a path with spaces or letters of other
 * alphabets encodes it first, so that no two programs read one text differently.  Pure.  Called by mod_url.c. */
#include "worker/toolbox/url.h"

#include <string.h>

#include "worker/core/hex_digit.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* From at to the first character that is neither unreserved, an escape, nor in the set. */
static size_t skip(const char *text, size_t at, size_t len, const char *set)
{
    while (at < len) {
        char c = text[at];
        if (c == '%' && len - at > 2 && hex_digit_is(text[at + 1]) && hex_digit_is(text[at + 2])) {
            at += 3;
        } else if (is_letter(c) || is_digit(c) || is_among(c, "-._~") || is_among(c, set)) {
            at++;
        } else {
            break;
        }
    }
    return at;
}

static struct url_text part(const char *text, size_t from, size_t to)
{
    return (struct url_text){text + from, to - from};
}

/* Behind "scheme:", or 0 when there is none. */
static size_t parse_scheme(const char *text, size_t len, struct url *url)
{
    size_t at = 0;
    if (len == 0 || !is_letter(text[0])) {
        return 0;
    }
    while (at < len && (is_letter(text[at]) || is_digit(text[at]) || is_among(text[at], "+-."))) {
        at++;
    }
    if (at == len || text[at] != ':') {
        return 0;
    }
    url->scheme = part(text, 0, at);
    return at + 1;
}

/* Behind an address in brackets; what it says is the resolver's to judge. */
static size_t skip_address(const char *text, size_t at, size_t len)
{
    size_t from = at++;
    while (at < len && (hex_digit_is(text[at]) || is_among(text[at], ":.")) && at - from < 46) {
        at++;
    }
    return at < len && text[at] == ']' && at - from > 2 ? at + 1 : from;
}

/* From behind "//" on; returns where the path begins. */
static size_t parse_authority(const char *text, size_t at, size_t len, struct url *url)
{
    size_t user_end = skip(text, at, len, "!$&'()*+,;=:");
    if (user_end < len && text[user_end] == '@') {
        url->user = part(text, at, user_end);
        at = user_end + 1;
    }
    size_t host_end = at < len && text[at] == '[' ? skip_address(text, at, len)
                                                  : skip(text, at, len, "!$&'()*+,;=");
    url->host = part(text, at, host_end);
    at = host_end;
    if (at < len && text[at] == ':') {
        size_t from = ++at;
        while (at < len && is_digit(text[at]) && at - from < 5) {
            at++;
        }
        url->port = part(text, from, at);
    }
    return at;
}

/* The first segment of a reference without a scheme has no colon, since that would be one. */
static bool is_path_allowed(const struct url *url, const char *text, size_t from, size_t to,
                            size_t *ret_bad)
{
    const char *colon = memchr(text + from, ':', to - from);
    const char *slash = memchr(text + from, '/', to - from);
    bool is_relative = url->scheme.bytes == NULL && url->host.bytes == NULL;
    if (url->host.bytes != NULL && to > from && text[from] != '/') {
        *ret_bad = from;
        return false;
    }
    if (is_relative && colon != NULL && (slash == NULL || colon < slash)) {
        *ret_bad = (size_t)(colon - text);
        return false;
    }
    return true;
}

bool url_parse(const char *text, size_t len, struct url *url, size_t *ret_bad)
{
    *url = (struct url){0};
    size_t at = parse_scheme(text, len, url);
    if (len - at >= 2 && text[at] == '/' && text[at + 1] == '/') {
        at = parse_authority(text, at + 2, len, url);
    }
    size_t end = skip(text, at, len, "!$&'()*+,;=:@/");
    if (!is_path_allowed(url, text, at, end, ret_bad)) {
        return false;
    }
    url->path = part(text, at, end);
    at = end;
    if (at < len && text[at] == '?') {
        end = skip(text, at + 1, len, "!$&'()*+,;=:@/?");
        url->query = part(text, at + 1, end);
        at = end;
    }
    if (at < len && text[at] == '#') {
        end = skip(text, at + 1, len, "!$&'()*+,;=:@/?");
        url->fragment = part(text, at + 1, end);
        at = end;
    }
    *ret_bad = at;
    return at == len;
}

/* Whether the segment from at to end is so many dots. */
static bool is_dots(const char *path, size_t at, size_t end, size_t dots)
{
    return end - at == dots && memcmp(path + at, "..", dots) == 0;
}

/* What was written, without its last segment; the slash before that stays. */
static size_t go_up(const char *out, size_t written)
{
    if (written > 0) {
        written--;
    }
    while (written > 0 && out[written - 1] != '/') {
        written--;
    }
    return written;
}

size_t url_remove_dots(const char *path, size_t len, char *out)
{
    size_t written = 0;
    size_t at = 0;
    if (len > 0 && path[0] == '/') {
        out[written++] = '/';
        at = 1;
    }
    size_t root = written;
    while (at < len) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t end = slash != NULL ? (size_t)(slash - path) : len;
        size_t next = slash != NULL ? end + 1 : len;
        if (is_dots(path, at, end, 2)) {
            written = written > root ? go_up(out, written) : root;
        } else if (!is_dots(path, at, end, 1)) {
            memmove(out + written, path + at, next - at);
            written += next - at;
        }
        at = next;
    }
    return written;
}

static size_t put(char *out, size_t at, const char *text, size_t len)
{
    memcpy(out + at, text, len);
    return at + len;
}

static size_t put_part(char *out, size_t at, const char *before, const struct url_text *text)
{
    if (text->bytes == NULL) {
        return at;
    }
    at = put(out, at, before, strlen(before));
    return put(out, at, text->bytes, text->len);
}

static size_t put_authority(char *out, size_t at, const struct url *url)
{
    if (url->host.bytes == NULL) {
        return at;
    }
    at = put(out, at, "//", 2);
    if (url->user.bytes != NULL) {
        at = put(out, at, url->user.bytes, url->user.len);
        out[at++] = '@';
    }
    at = put(out, at, url->host.bytes, url->host.len);
    return put_part(out, at, ":", &url->port);
}

/* The path of a reference that has one without a slash in front: it takes the place of the last segment. */
static size_t put_merged(char *out, size_t at, const struct url *base, const struct url_text *path)
{
    size_t from = at;
    if (base->host.bytes != NULL && base->path.len == 0) {
        out[at++] = '/';
    } else {
        size_t kept = base->path.len;
        while (kept > 0 && base->path.bytes[kept - 1] != '/') {
            kept--;
        }
        at = put(out, at, base->path.bytes, kept);
    }
    at = put(out, at, path->bytes, path->len);
    return from + url_remove_dots(out + from, at - from, out + from);
}

/* What must stand before a path that would else be read as an authority, or as a scheme. */
static const char *find_guard(const struct url_text *scheme, const struct url_text *host,
                              const char *path, size_t len)
{
    const char *colon = memchr(path, ':', len);
    const char *slash = memchr(path, '/', len);
    if (host->bytes != NULL) {
        return "";
    }
    if (len > 1 && path[0] == '/' && path[1] == '/') {
        return "/.";
    }
    return scheme->bytes == NULL && colon != NULL && (slash == NULL || colon < slash) ? "./" : "";
}

size_t url_resolve(const struct url *base, const struct url *reference, char *out)
{
    bool has_scheme = reference->scheme.bytes != NULL;
    bool is_own = has_scheme || reference->host.bytes != NULL;
    const struct url_text *scheme = has_scheme ? &reference->scheme : &base->scheme;
    const struct url_text *query = &reference->query;
    size_t at = put_part(out, 0, "", scheme);
    if (scheme->bytes != NULL) {
        out[at++] = ':';
    }
    at = put_authority(out, at, is_own ? reference : base);
    size_t from = at;
    if (is_own || (reference->path.len > 0 && reference->path.bytes[0] == '/')) {
        at += url_remove_dots(reference->path.bytes, reference->path.len, out + at);
    } else if (reference->path.len == 0) {
        at = put(out, at, base->path.bytes, base->path.len);
        query = query->bytes != NULL ? query : &base->query;
    } else {
        at = put_merged(out, at, base, &reference->path);
    }
    const char *guard =
        find_guard(scheme, is_own ? &reference->host : &base->host, out + from, at - from);
    size_t guard_len = strlen(guard);
    memmove(out + from + guard_len, out + from, at - from);
    (void)put(out, from, guard, guard_len);
    at = put_part(out, at + guard_len, "?", query);
    return put_part(out, at, "#", &reference->fragment);
}

size_t url_encode(const char *text, size_t len, enum url_set set, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *kept = set == URL_WHOLE ? "-._~!$&'()*+,;=:@/?#[]%" : "-._~";
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_letter(text[i]) || is_digit(text[i]) || is_among(text[i], kept)) {
            out[written++] = text[i];
        } else if (c == ' ' && set == URL_FORM) {
            out[written++] = '+';
        } else {
            out[written++] = '%';
            out[written++] = digits[c >> 4];
            out[written++] = digits[c & 15];
        }
    }
    return written;
}

static unsigned value_of(char c)
{
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

bool url_decode(const char *text, size_t len, enum url_set set, char *out, size_t *ret_len)
{
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (len - i < 3 || !hex_digit_is(text[i + 1]) || !hex_digit_is(text[i + 2])) {
                *ret_len = i;
                return false;
            }
            c = (char)(value_of(text[i + 1]) << 4 | value_of(text[i + 2]));
            i += 2;
        } else if (c == '+' && set == URL_FORM) {
            c = ' ';
        }
        out[written++] = c;
    }
    *ret_len = written;
    return true;
}
