#ifndef FSD_TEST_SUPPORT_CONTROL_CLIENT_H
#define FSD_TEST_SUPPORT_CONTROL_CLIENT_H

/* A client of a control socket, in the thread whose loop serves it.  Include cmocka.h before this. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <systemd/sd-event.h>

enum { CONTROL_CLIENT_TURNS_MAX = 5000 };

/* Until there is nothing more to do. */
static inline void control_client_turn(sd_event *loop)
{
    for (int i = 0; i < CONTROL_CLIENT_TURNS_MAX; i++) {
        if (sd_event_run(loop, 0) <= 0) {
            return;
        }
    }
    fail_msg("the loop never comes to rest");
}

/* A connection that is accepted; it does not block. */
static inline int control_client_connect(sd_event *loop, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    control_client_turn(loop);
    return fd;
}

#endif
