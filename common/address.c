/* address.c - IP addresses as bytes, ranges of them, and the list of trusted proxies.
 *
 * Owns nothing.  IPv4 lives at ::ffff:0:0/96, so one comparison of bits does for both families; a range of IPv6 with fewer bits than
 * that never means IPv4.  Names and notations are those of Node's package proxy-addr.
 * Pure.  Called by the master for the configuration, and by workers for requests (req.ip and its like).  Must not know headers. */
#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { MAPPED_BITS = 96 };

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

int address_parse(const char *text, size_t len, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_MAX];
    struct address address;
    if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL) {
        return -EINVAL;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, address.bytes + sizeof(mapped)) == 1) {
        memcpy(address.bytes, mapped, sizeof(mapped));
    } else if (inet_pton(AF_INET6, copy, address.bytes) != 1) {
        return -EINVAL;
    }
    *ret_address = address;
    return 0;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
    if (is_ipv4(address)) {
        (void)inet_ntop(AF_INET, address->bytes + sizeof(mapped), text, ADDRESS_TEXT_MAX);
    } else {
        (void)inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_MAX);
    }
}

bool address_is_in(const struct address *address, const struct address_range *range)
{
    size_t whole = range->prefix / 8;
    unsigned rest = range->prefix % 8;
    if (range->prefix < MAPPED_BITS && is_ipv4(address)) {
        return false;
    }
    if (memcmp(address->bytes, range->base.bytes, whole) != 0) {
        return false;
    }
    if (rest == 0) {
        return true;
    }
    return (address->bytes[whole] ^ range->base.bytes[whole]) >> (8 - rest) == 0;
}

/* "24" for an address with so many bits; 0 when it is none. */
static unsigned read_bits(const char *text, size_t len, unsigned most)
{
    unsigned bits = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || bits > most) {
            return 0;
        }
        bits = bits * 10 + (unsigned)(text[i] - '0');
    }
    return bits > most ? 0 : bits;
}

/* "255.255.0.0"; 0 when it is no mask. */
static unsigned read_mask(const char *text, size_t len)
{
    struct address mask;
    if (address_parse(text, len, &mask) != 0 || !is_ipv4(&mask)) {
        return 0;
    }
    uint32_t rest = ~(uint32_t)0;
    for (size_t i = sizeof(mapped); i < sizeof(mask.bytes); i++) {
        rest = rest << 8 | mask.bytes[i];
    }
    unsigned bits = 0;
    for (; (rest & 0x80000000U) != 0; rest <<= 1) {
        bits++;
    }
    return rest == 0 ? bits : 0;
}

static int parse_range(const char *text, size_t len, struct address_range *ret_range)
{
    const char *slash = len > 0 ? memchr(text, '/', len) : NULL;
    size_t address_len = slash != NULL ? (size_t)(slash - text) : len;
    struct address base;
    if (address_parse(text, address_len, &base) != 0) {
        return -EINVAL;
    }
    bool has_colon = memchr(text, ':', address_len) != NULL;
    unsigned bits = 128;
    if (slash != NULL) {
        size_t bits_len = len - address_len - 1;
        bits = read_bits(slash + 1, bits_len, has_colon ? 128 : 32);
        if (bits == 0 && !has_colon) {
            bits = read_mask(slash + 1, bits_len);
        }
        if (bits == 0) {
            return -EINVAL;
        }
        bits += has_colon ? 0 : MAPPED_BITS;
    }
    if (is_ipv4(&base) && bits <= MAPPED_BITS) {
        return -EINVAL;
    }
    *ret_range = (struct address_range){.base = base, .prefix = (uint8_t)bits};
    return 0;
}

static const struct name {
    const char *name;
    const char *ranges[3];
} names[] = {
    {"loopback", {"127.0.0.0/8", "::1", NULL}},
    {"linklocal", {"169.254.0.0/16", "fe80::/10", NULL}},
    {"uniquelocal", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}},
    {"uniquelocal", {"fc00::/7", NULL, NULL}},
};

static int add_range(struct address_trust *trust, const char *text, size_t len, struct fsd_err *err)
{
    struct address_range range;
    if (parse_range(text, len, &range) != 0) {
        return fsd_err_set(err, EINVAL,
                           "\"%.*s\" is neither an address, nor a range (10.0.0.0/8), nor "
                           "\"loopback\", \"linklocal\" or \"uniquelocal\"",
                           len < 100 ? (int)len : 100, text);
    }
    if (trust->count == ADDRESS_RANGES_MAX) {
        return fsd_err_set(err, E2BIG, "more than %d ranges", ADDRESS_RANGES_MAX);
    }
    trust->ranges[trust->count++] = range;
    return 0;
}

int address_trust_add(struct address_trust *trust, const char *text, size_t len,
                      struct fsd_err *err)
{
    bool is_name = false;
    trust->kind = ADDRESS_TRUST_RANGES;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i].name) != len || memcmp(names[i].name, text, len) != 0) {
            continue;
        }
        is_name = true;
        for (size_t at = 0; at < 3 && names[i].ranges[at] != NULL; at++) {
            int rc = add_range(trust, names[i].ranges[at], strlen(names[i].ranges[at]), err);
            if (rc != 0) {
                return rc;
            }
        }
    }
    return is_name ? 0 : add_range(trust, text, len, err);
}

int address_trust_parse(const char *text, size_t len, struct address_trust *ret_trust,
                        struct fsd_err *err)
{
    struct address_trust trust = {.kind = ADDRESS_TRUST_NONE};
    const char *end = text + len;
    for (const char *at = text; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *next = comma != NULL ? comma + 1 : end;
        const char *stop = comma != NULL ? comma : end;
        while (at < stop && *at == ' ') {
            at++;
        }
        while (stop > at && stop[-1] == ' ') {
            stop--;
        }
        int rc = address_trust_add(&trust, at, (size_t)(stop - at), err);
        if (rc != 0) {
            return rc;
        }
        at = next;
    }
    *ret_trust = trust;
    return 0;
}

bool address_is_trusted(const struct address_trust *trust, const struct address *address,
                        unsigned distance)
{
    switch (trust->kind) {
    case ADDRESS_TRUST_ALL:
        return true;
    case ADDRESS_TRUST_HOPS:
        return distance < trust->hops;
    case ADDRESS_TRUST_RANGES:
        for (unsigned i = 0; i < trust->count; i++) {
            if (address_is_in(address, &trust->ranges[i])) {
                return true;
            }
        }
        return false;
    case ADDRESS_TRUST_UNSET:
    case ADDRESS_TRUST_NONE:
    case ADDRESS_TRUST_FUNCTION:
        return false;
    }
    return false;
}
