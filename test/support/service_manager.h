#ifndef FSD_TEST_SUPPORT_SERVICE_MANAGER_H
#define FSD_TEST_SUPPORT_SERVICE_MANAGER_H

/* A service manager's notify socket for unit tests: include cmocka.h before this. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"

struct service_manager {
    int fd;
    char name[64]; /* as NOTIFY_SOCKET says it */
    char text[512];
    int received; /* the descriptor of the last message, or -1 */
};

/* An abstract name, so that nothing is left behind. */
static inline void service_manager_open(struct service_manager *manager, const char *word)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *manager = (struct service_manager){.received = -1};
    (void)snprintf(manager->name, sizeof(manager->name), "@fsd-test-%s-%d", word, (int)getpid());
    memcpy(address.sun_path + 1, manager->name + 1, strlen(manager->name) - 1);
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(manager->name));
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, len), 0);
}

static inline void service_manager_close(struct service_manager *manager)
{
    fd_close(&manager->received);
    fd_close(&manager->fd);
}

/* The next message, or NULL. */
static inline const char *service_manager_read(struct service_manager *manager)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {manager->text, sizeof(manager->text) - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    fd_close(&manager->received);
    ssize_t len = recvmsg(manager->fd, &message, MSG_CMSG_CLOEXEC);
    if (len < 0) {
        assert_int_equal(errno, EAGAIN);
        return NULL;
    }
    manager->text[len] = '\0';
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL) {
        assert_int_equal(head->cmsg_type, SCM_RIGHTS);
        memcpy(&manager->received, CMSG_DATA(head), sizeof(int));
    }
    return manager->text;
}

static inline void service_manager_expect(struct service_manager *manager, const char *text)
{
    const char *got = service_manager_read(manager);
    assert_non_null(got);
    assert_string_equal(got, text);
}

#endif
