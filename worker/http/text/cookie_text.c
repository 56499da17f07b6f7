/* cookie_text.c - the texts of the headers Cookie and Set-Cookie.
 *
 * Owns nothing.  Reads as Node's package cookie does, so with its forgiveness, and writes what RFC 6265 §4.1 allows, so nothing that
 * could end a header or begin another attribute.
 * Pure: no Lua, no libh2o.  Called by cookies.c.  Must not know signatures, nor what a value means. */
#include "worker/http/text/cookie_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "worker/http/text/header_text.h"
#include "worker/http/text/query.h"

void cookie_text_init(struct cookie_text *cookies, const char *text, size_t len)
{
    *cookies = (struct cookie_text){.at = text, .end = len >= 2 ? text + len : text};
}

static struct parameter_text unquote(struct parameter_text value)
{
    if (value.len > 0 && value.bytes[0] == '"' && value.bytes[value.len - 1] == '"') {
        value.bytes++;
        value.len = value.len > 2 ? value.len - 2 : 0;
    }
    return value;
}

bool cookie_text_next(struct cookie_text *cookies, struct parameter_text *ret_name,
                      struct parameter_text *ret_value)
{
    while (cookies->at < cookies->end && cookies->count < COOKIE_TEXT_PAIRS_MAX) {
        const char *at = cookies->at;
        const char *semicolon = memchr(at, ';', (size_t)(cookies->end - at));
        const char *stop = semicolon != NULL ? semicolon : cookies->end;
        const char *equal = memchr(at, '=', (size_t)(stop - at));
        cookies->at = semicolon != NULL ? semicolon + 1 : cookies->end;
        if (equal != NULL) {
            cookies->count++;
            *ret_name = parameters_trim(at, equal);
            *ret_value = unquote(parameters_trim(equal + 1, stop));
            return true;
        }
    }
    return false;
}

/* How many bytes a character of UTF-8 has that begins so, and what its second byte may be; 0: none begins so. */
static size_t read_lead(int lead, int *ret_least, int *ret_most)
{
    *ret_least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *ret_most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Decodes the escapes of one character at at, the first % of it.  Returns how many bytes that are, 0 when they are none. */
static size_t decode_character(const char *at, const char *end, char *out)
{
    int byte = query_escape_value(at, end);
    int least;
    int most;
    size_t count = byte < 0 ? 0 : read_lead(byte, &least, &most);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            at += 3;
            byte = at < end && *at == '%' ? query_escape_value(at, end) : -1;
            if (byte < least || byte > most) {
                return 0;
            }
            least = 0x80;
            most = 0xbf;
        }
        out[i] = (char)byte;
    }
    return count;
}

size_t cookie_text_decode(const char *text, size_t len, char *out)
{
    const char *end = text + len;
    char *to = out;
    for (const char *at = text; at < end;) {
        if (*at != '%') {
            *to++ = *at++;
            continue;
        }
        size_t count = decode_character(at, end, to);
        if (count == 0) {
            memcpy(out, text, len); /* there is a %, so len is not 0 */
            return len;
        }
        to += count;
        at += 3 * count;
    }
    return (size_t)(to - out);
}

size_t cookie_text_encode(const char *text, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = out;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c != '\0' && strchr("-_.!~*'()", c) != NULL)) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    return (size_t)(to - out);
}

/* Visible ASCII but those of others; what is between quotes, when it has some. */
static bool is_value(struct parameter_text value)
{
    if (value.len >= 2 && value.bytes[0] == '"') {
        value = unquote(value);
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.bytes[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\",;\\", c) != NULL) {
            return false;
        }
    }
    return true;
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Labels with points between; one point may stand before all. */
static bool is_domain(struct parameter_text domain)
{
    enum { LABEL_MAX = 63 };
    const char *end = domain.bytes + domain.len;
    const char *at = domain.bytes + (domain.len > 0 && domain.bytes[0] == '.');
    while (true) {
        const char *point = at < end ? memchr(at, '.', (size_t)(end - at)) : NULL;
        const char *stop = point != NULL ? point : end;
        if (stop == at || stop - at > LABEL_MAX || !is_alphanumeric(*at) ||
            !is_alphanumeric(stop[-1])) {
            return false;
        }
        for (; at < stop; at++) {
            if (!is_alphanumeric(*at) && *at != '-') {
                return false;
            }
        }
        if (point == NULL) {
            return true;
        }
        at = point + 1;
    }
}

static bool is_attribute(struct parameter_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c < 0x20 || c >= 0x7f || c == ';' || c == '<') {
            return false;
        }
    }
    return true;
}

static bool has_prefix(struct parameter_text text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && strncasecmp(text.bytes, prefix, len) == 0;
}

const char *cookie_text_find_fault(const struct cookie_text_set *set)
{
    bool is_root = set->path.len == 1 && set->path.bytes[0] == '/';
    if (!header_text_is_name(set->name.bytes, set->name.len)) {
        return "a name has one or more letters, digits or !#$%&'*+-.^_`|~";
    }
    if (!is_value(set->value)) {
        return "a value has no blanks, controls, bytes above 0x7e, nor \",;\\; leave its encoding "
               "to fsd";
    }
    if (set->domain.len > 0 && !is_domain(set->domain)) {
        return "the domain is no name of a host";
    }
    if (!is_attribute(set->path)) {
        return "the path has a control, a byte above 0x7e, ; or <";
    }
    if (!is_attribute(set->expires)) {
        return "expires is no date";
    }
    if (has_prefix(set->name, "__Secure-") && !set->is_secure) {
        return "browsers take a name that begins with __Secure- only with secure";
    }
    if (has_prefix(set->name, "__Host-") && (!set->is_secure || !is_root || set->domain.len > 0)) {
        return "browsers take a name that begins with __Host- only with secure, path \"/\" and no "
               "domain";
    }
    return NULL;
}

struct writer {
    char *out;
    size_t len; /* may pass the room; then what was written is not whole */
};

static void write_bytes(struct writer *writer, const char *bytes, size_t len)
{
    if (len > 0 && writer->len + len <= COOKIE_TEXT_MAX) {
        memcpy(writer->out + writer->len, bytes, len);
    }
    writer->len += len;
}

static void write_attribute(struct writer *writer, const char *label, struct parameter_text text)
{
    if (text.len > 0) {
        write_bytes(writer, label, strlen(label));
        write_bytes(writer, text.bytes, text.len);
    }
}

static void write_word(struct writer *writer, const char *word)
{
    write_bytes(writer, word, strlen(word));
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written to, through the writer */
size_t cookie_text_format(const struct cookie_text_set *set, char out[COOKIE_TEXT_MAX])
{
    static const char *const same_sites[] = {"", "; SameSite=Lax", "; SameSite=Strict",
                                             "; SameSite=None"};
    static const char *const priorities[] = {"", "; Priority=Low", "; Priority=Medium",
                                             "; Priority=High"};
    struct writer writer = {.out = out};
    write_bytes(&writer, set->name.bytes, set->name.len);
    write_bytes(&writer, "=", 1);
    write_bytes(&writer, set->value.bytes, set->value.len);
    if (set->has_max_age) {
        char max_age[32];
        (void)snprintf(max_age, sizeof(max_age), "; Max-Age=%" PRId64, set->max_age_s);
        write_word(&writer, max_age);
    }
    write_attribute(&writer, "; Domain=", set->domain);
    write_attribute(&writer, "; Path=", set->path);
    write_attribute(&writer, "; Expires=", set->expires);
    write_word(&writer, set->is_http_only ? "; HttpOnly" : "");
    write_word(&writer, set->is_secure ? "; Secure" : "");
    write_word(&writer, set->is_partitioned ? "; Partitioned" : "");
    write_word(&writer, priorities[set->priority]);
    write_word(&writer, same_sites[set->same_site]);
    return writer.len <= COOKIE_TEXT_MAX ? writer.len : 0;
}
