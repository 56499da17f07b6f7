#ifndef FSD_COMMON_ADDRESS_H
#define FSD_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Addresses of peers, and which of them are proxies that may say for whom they speak.  Pure. */

enum {
    ADDRESS_TEXT_MAX = 46,   /* the longest text, with a NUL */
    ADDRESS_RANGES_MAX = 64, /* in one list */
};

/* IPv4 as ::ffff:a.b.c.d. */
struct address {
    uint8_t bytes[16];
};

struct address_range {
    struct address base;
    uint8_t prefix; /* bits of base that count, 1 to 128; of IPv4 97 and more */
};

enum address_trust_kind {
    ADDRESS_TRUST_UNSET, /* nobody has said anything */
    ADDRESS_TRUST_NONE,
    ADDRESS_TRUST_ALL,
    ADDRESS_TRUST_HOPS,     /* the nearest ones */
    ADDRESS_TRUST_RANGES,   /* those in a list */
    ADDRESS_TRUST_FUNCTION, /* whoever asks knows which */
};

struct address_trust {
    enum address_trust_kind kind;
    unsigned hops;
    unsigned count;
    struct address_range ranges[ADDRESS_RANGES_MAX];
};

/* "10.0.0.1" "::1" "::ffff:10.0.0.1"; -EINVAL for anything else. */
int address_parse(const char *text, size_t len, struct address *ret_address);
/* As people write it: IPv4 with points, IPv6 in its shortest form. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);
bool address_is_in(const struct address *address, const struct address_range *range);

/* Adds to a list "loopback", "linklocal", "uniquelocal", an address, or a range ("10.0.0.0/8", "10.0.0.0/255.0.0.0", "fc00::/7").
 * -EINVAL: it is none of these, -E2BIG: the list is full; err says so, with the text in it. */
int address_trust_add(struct address_trust *trust, const char *text, size_t len,
                      struct fsd_err *err);
/* A list of these with commas between; an empty one believes nobody.  As above. */
int address_trust_parse(const char *text, size_t len, struct address_trust *ret_trust,
                        struct fsd_err *err);
/* Whether the peer at that distance is a proxy to be believed (0: it has connected to us).  Of a kind that only others know: false. */
bool address_is_trusted(const struct address_trust *trust, const struct address *address,
                        unsigned distance);

#endif
