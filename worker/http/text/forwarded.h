#ifndef FSD_WORKER_HTTP_TEXT_FORWARDED_H
#define FSD_WORKER_HTTP_TEXT_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "worker/http/text/parameters.h"

/* What proxies say about whom they speak for: X-Forwarded-For, and Forwarded (RFC 7239).  Pure; texts point into the header. */

enum {
    FORWARDED_HOPS_MAX = 32, /* the nearest; what stands before them is not read */
    FORWARDED_HOST_MAX = 261 /* 253 bytes of a name, a port, and a NUL */
};

/* What one proxy has said. */
struct forwarded_hop {
    bool has_address; /* else it did not say, or hides it ("unknown", "_secret") */
    struct address address;
    struct parameter proto; /* of Forwarded; empty: it did not say */
    struct parameter host;
};

struct forwarded {
    unsigned count;
    struct forwarded_hop hops[FORWARDED_HOPS_MAX]; /* what our own peer said first */
};

/* "client, proxy, proxy": a list of addresses, which may have ports. */
void forwarded_parse_list(struct forwarded *forwarded, const char *text, size_t len);
/* for=192.0.2.43;proto=https, for="[2001:db8::1]:47011".  A header that is not well made says nothing at all: count is 0. */
void forwarded_parse(struct forwarded *forwarded, const char *text, size_t len);
/* The first of a list ("https, http") when it is "http" or "https", in any case; else NULL. */
const char *forwarded_find_proto(const char *text, size_t len);
/* The first of a list of hosts when it can be one, with or without a port.  Returns its length, 0 when it can't. */
size_t forwarded_find_host(const char *text, size_t len, char ret_host[FORWARDED_HOST_MAX]);

#endif
