/* forwarded.c - the headers with which a proxy says for whom it speaks.
 *
 * Owns nothing.  Proxies append, so lists are kept from the right, nearest first: what a client made up stands left, behind the last
 * hop that is believed.  An entry that is no address says so (has_address), it is never handed on as text: these values end in logs
 * and databases.
 * Pure: no Lua, no libh2o.  Called by request_address.c.  Must not know who is trusted. */
#include "worker/http/text/forwarded.h"

#include <string.h>
#include <strings.h>

#include "worker/http/text/header_text.h"

/* An address, which may have a port: 192.0.2.1:80, [::1]:80, ::1. */
static bool read_node(const char *text, size_t len, struct address *ret_address)
{
    if (len > 0 && text[0] == '[') {
        const char *bracket = memchr(text, ']', len);
        if (bracket == NULL || (bracket + 1 < text + len && bracket[1] != ':')) {
            return false;
        }
        return address_parse(text + 1, (size_t)(bracket - text - 1), ret_address) == 0;
    }
    const char *colon = len > 0 ? memchr(text, ':', len) : NULL;
    const char *last = len > 0 ? memrchr(text, ':', len) : NULL;
    if (colon != NULL && colon == last) {
        len = (size_t)(colon - text);
    }
    return address_parse(text, len, ret_address) == 0;
}

void forwarded_parse_list(struct forwarded *forwarded, const char *text, size_t len)
{
    const char *end = text + len;
    forwarded->count = 0;
    while (end > text && forwarded->count < FORWARDED_HOPS_MAX) {
        const char *comma = memrchr(text, ',', (size_t)(end - text));
        struct parameter_text entry = parameters_trim(comma != NULL ? comma + 1 : text, end);
        end = comma != NULL ? comma : text;
        if (entry.len > 0) {
            struct forwarded_hop *hop = &forwarded->hops[forwarded->count++];
            *hop = (struct forwarded_hop){.has_address = false};
            hop->has_address = read_node(entry.bytes, entry.len, &hop->address);
        }
    }
}

static bool is_name(const struct parameter *parameter, const char *name)
{
    return parameters_is_text(parameter->name,
                              (struct parameter_text){.bytes = name, .len = strlen(name)});
}

static void read_for(struct forwarded_hop *hop, const struct parameter *parameter)
{
    char node[64];
    if (parameter->value.len <= sizeof(node)) {
        size_t len = parameters_copy_value(parameter, node);
        hop->has_address = read_node(node, len, &hop->address);
    }
}

static void read_pair(struct forwarded_hop *hop, const struct parameter *parameter)
{
    if (is_name(parameter, "for")) {
        read_for(hop, parameter);
    } else if (is_name(parameter, "proto")) {
        hop->proto = *parameter;
    } else if (is_name(parameter, "host")) {
        hop->host = *parameter;
    }
}

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at;
}

/* at is behind the opening quote.  Returns the closing one, or NULL. */
static const char *find_quote(const char *at, const char *end)
{
    while (at < end && *at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    return at < end ? at : NULL;
}

/* Reads name=value at at.  Returns where the ; or comma behind it is, or the end; NULL when it is not well made.  Strictly: a quote
 * that a client leaves open must not swallow what a proxy appends. */
static const char *scan_pair(const char *at, const char *end, struct parameter *ret_parameter)
{
    const char *equal = at < end ? memchr(at, '=', (size_t)(end - at)) : NULL;
    if (equal == NULL || !header_text_is_name(at, (size_t)(equal - at))) {
        return NULL;
    }
    const char *value = equal + 1;
    bool is_quoted = value < end && *value == '"';
    const char *stop = value;
    if (is_quoted) {
        value++;
        stop = find_quote(value, end);
        if (stop == NULL) {
            return NULL;
        }
    } else {
        while (stop < end && strchr("\" \t;,", *stop) == NULL) {
            stop++;
        }
    }
    *ret_parameter = (struct parameter){
        .name = {.bytes = at, .len = (size_t)(equal - at)},
        .value = {.bytes = value, .len = (size_t)(stop - value)},
        .is_quoted = is_quoted,
    };
    at = skip_blank(is_quoted ? stop + 1 : stop, end);
    return at == end || *at == ';' || *at == ',' ? at : NULL;
}

/* Reads what one proxy said, up to the comma or the end; NULL when it is not well made. */
static const char *scan_hop(const char *at, const char *end, struct forwarded_hop *hop)
{
    struct parameter parameter;
    while (at < end && *at != ',') {
        if (*at == ';') { /* a pair may be left out */
            at = skip_blank(at + 1, end);
            continue;
        }
        at = scan_pair(at, end, &parameter);
        if (at == NULL) {
            return NULL;
        }
        read_pair(hop, &parameter);
    }
    return at;
}

void forwarded_parse(struct forwarded *forwarded, const char *text, size_t len)
{
    struct forwarded_hop last[FORWARDED_HOPS_MAX]; /* a ring */
    const char *end = text + len;
    size_t count = 0;
    forwarded->count = 0;
    for (const char *at = skip_blank(text, end); at < end; at = skip_blank(at + 1, end)) {
        if (*at == ',') {
            continue;
        }
        struct forwarded_hop *hop = &last[count++ % FORWARDED_HOPS_MAX];
        *hop = (struct forwarded_hop){.has_address = false};
        at = scan_hop(at, end, hop);
        if (at == NULL) {
            return;
        }
    }
    while (count > 0 && forwarded->count < FORWARDED_HOPS_MAX) {
        forwarded->hops[forwarded->count++] = last[--count % FORWARDED_HOPS_MAX];
    }
}

static struct parameter_text find_first(const char *text, size_t len)
{
    const char *comma = len > 0 ? memchr(text, ',', len) : NULL;
    return parameters_trim(text, comma != NULL ? comma : text + len);
}

const char *forwarded_find_proto(const char *text, size_t len)
{
    struct parameter_text first = find_first(text, len);
    if (first.len == 4 && strncasecmp(first.bytes, "http", 4) == 0) {
        return "http";
    }
    return first.len == 5 && strncasecmp(first.bytes, "https", 5) == 0 ? "https" : NULL;
}

size_t forwarded_find_host(const char *text, size_t len, char ret_host[FORWARDED_HOST_MAX])
{
    struct parameter_text first = find_first(text, len);
    if (first.len == 0 || first.len >= FORWARDED_HOST_MAX) {
        return 0;
    }
    for (size_t i = 0; i < first.len; i++) {
        char c = first.bytes[i];
        bool is_alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alphanumeric && (c == '\0' || strchr("-._:[]", c) == NULL)) {
            return 0;
        }
    }
    memcpy(ret_host, first.bytes, first.len);
    ret_host[first.len] = '\0';
    return first.len;
}
