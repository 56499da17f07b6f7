/*
 * parse_address.c - socket addresses: from text and back.
 *
 * Owns nothing.  An address is numeric or it is refused: asking a resolver would block the
 * caller's loop.  The result is zeroed before it is filled, so two equal addresses are equal
 * byte by byte; the text of an address that was parsed parses to the same address again.
 *
 * Called by the configuration, the command lines and the listeners.  Must not open sockets.
 */
#include "common/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static int parse_unix(const char *path, struct parse_address *address)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
    size_t len = strlen(path);

    /* A relative path would mean another file after every chdir. */
    if (path[0] != '/') {
        return -EINVAL;
    }
    if (len >= sizeof(un->sun_path)) {
        return -ERANGE;
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len + 1);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return 0;
}

static int parse_ipv6(const char *host, in_port_t port, struct parse_address *address)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;

    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) {
        return -EINVAL;
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = port;
    address->len = sizeof(*in6);
    return 0;
}

static int parse_ipv4(const char *host, in_port_t port, struct parse_address *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;

    if (inet_pton(AF_INET, host, &in->sin_addr) != 1) {
        return -EINVAL;
    }
    in->sin_family = AF_INET;
    in->sin_port = port;
    address->len = sizeof(*in);
    return 0;
}

/* host is what stands before the last colon, brackets included. */
static int parse_host(char *host, in_port_t port, struct parse_address *address)
{
    size_t len = strlen(host);

    if (len == 0 || strcmp(host, "*") == 0) {
        return parse_ipv6("::", port, address);
    }
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return parse_ipv6(host + 1, port, address);
    }
    return parse_ipv4(host, port, address);
}

/* "host:port" */
static int parse_inet(const char *text, struct parse_address *address)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;

    if (colon == NULL || (size_t)(colon - text) >= sizeof(host)) {
        return -EINVAL;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    int port_rc = parse_digits(colon + 1, 10, UINT16_MAX, &port);
    int rc = parse_host(host, htons((uint16_t)port), address);
    return rc < 0 ? rc : port_rc;
}

int parse_address(const char *text, struct parse_address *ret_address)
{
    struct parse_address address = {0};
    int rc = strncmp(text, "unix:", 5) == 0 ? parse_unix(text + 5, &address)
                                            : parse_inet(text, &address);

    if (rc == 0) {
        *ret_address = address;
    }
    return rc;
}

void parse_address_format(const struct parse_address *address, char text[PARSE_ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";

    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(text, PARSE_ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(in->sin_port));
    } else if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void)snprintf(text, PARSE_ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        /* getsockname may leave the last byte of a path without a NUL. */
        const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
        (void)snprintf(text, PARSE_ADDRESS_TEXT_MAX, "unix:%.*s", (int)sizeof(un->sun_path),
                       un->sun_path);
    }
}
