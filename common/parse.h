#ifndef FSD_COMMON_PARSE_H
#define FSD_COMMON_PARSE_H

#include <stdint.h>
#include <sys/socket.h>

/* The only text-to-value code of fsd: configuration, command lines and the control socket use it.
 * All return 0 or -EINVAL / -ERANGE and leave *ret untouched then. */

/* Decimal, optional leading '-', the whole text. */
int parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value);
/* Digits of radix 8, 10 or 16, the whole text, neither sign nor prefix. */
int parse_digits(const char *text, unsigned radix, uint64_t max, uint64_t *ret_value);
/* "1.5" "-2e10" ".5": a decimal number, the whole text; no hexadecimal, no "inf" or "nan". */
int parse_float(const char *text, double *ret_value);
/* "250ms" "5s" "1.5s" "10m" "2h" "1d"; a bare number is refused (-EINVAL): the unit must be said.
 * What is no whole number of milliseconds is refused as well. */
int parse_duration_ms(const char *text, uint64_t *ret_ms);
/* "512" (bytes) "64KiB" "10MiB" "1GiB" and "64K" "10M" "1G" (the same powers of 1024). */
int parse_size_bytes(const char *text, uint64_t *ret_bytes);

enum { PARSE_ADDRESS_TEXT_MAX = 128 };

/* A socket address to listen on or connect to. */
struct parse_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* "127.0.0.1:8080", "[::1]:80", ":8080" and "*:8080" (all IPv4 and IPv6 addresses), and
 * "unix:/run/x.sock" (absolute); "8080" alone is refused (-EINVAL).  -ERANGE: a port above 65535 or
 * a path that is too long.  No host names: nothing here may block on a resolver. */
int parse_address(const char *text, struct parse_address *ret_address);
/* The canonical text of an address: "127.0.0.1:8080", "[::]:80", "unix:/path"; always fits text. */
void parse_address_format(const struct parse_address *address, char text[PARSE_ADDRESS_TEXT_MAX]);

#endif
