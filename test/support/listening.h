#ifndef FSD_TEST_SUPPORT_LISTENING_H
#define FSD_TEST_SUPPORT_LISTENING_H

/* Clients of a listener for unit tests: include cmocka.h before this. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/conf/conf.h"
#include "daemon/listen/listener.h"

static inline struct conf_listener make_conf(const char *address)
{
    static char name[] = "web";
    struct conf_listener conf = {.name = name};
    assert_int_equal(parse_address(address, &conf.address), 0);
    return conf;
}

static inline int connect_to(const struct listener *listener)
{
    struct parse_address address;
    assert_int_equal(parse_address(listener_get_address(listener), &address), 0);
    int peer = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address.storage, address.len), 0);
    return peer;
}

/* Accepts what waits in a socket, and says how many that were. */
static inline int count_waiting(int fd)
{
    int count = 0;
    for (;;) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0) {
            assert_int_equal(errno, EAGAIN); /* it must not block */
            return count;
        }
        (void)close(peer);
        count++;
    }
}

#endif
