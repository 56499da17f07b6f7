/* wire.c - sends and receives the messages of proto.h over a SOCK_SEQPACKET socket, descriptors
 * attached.
 * Owns nothing between calls; the socket's buffer is the bounded queue.  Every packet is checked by
 * proto_check before the caller sees it, and surplus descriptors are closed here, so that a hostile
 * peer can't leak them into us (MSG_CTRUNC, MSG_TRUNC).  Called by the master's channel and by the
 * worker's link.  Must not know what a message means. */
#include "common/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/err.h"

enum { FDS_ROOM = 4 }; /* more than any row asks for, so that a surplus is seen as such */

static int send_parts(int sock, struct iovec *parts, size_t count, int fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = count};
    if (fd >= 0) {
        packet.msg_control = control;
        packet.msg_controllen = sizeof(control);
        struct cmsghdr *head = CMSG_FIRSTHDR(&packet);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    }
    ssize_t sent;
    do {
        sent = sendmsg(sock, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int wire_send(int sock, enum proto_kind kind, const void *payload, size_t size, int fd)
{
    struct proto_head head = {.kind = kind, .size = (uint32_t)size};
    /* sendmsg does not write through iov_base; the union spares a cast that drops const */
    union {
        const void *in;
        void *out;
    } body = {.in = payload};
    struct iovec parts[] = {{&head, sizeof(head)}, {body.out, size}};
    return send_parts(sock, parts, 2, fd);
}

int wire_send_text(int sock, enum proto_kind kind, const void *payload, size_t size,
                   const char *text)
{
    unsigned char body[PROTO_PAYLOAD_MAX];
    size_t text_len = strnlen(text, PROTO_TEXT_MAX);
    memcpy(body, payload, size);
    memcpy(body + size, text, text_len);
    return wire_send(sock, kind, body, size + text_len, -1);
}

/* Takes the descriptors out of a received packet; returns how many came, keeping at most FDS_ROOM. */
static unsigned take_fds(struct msghdr *packet, int fds[FDS_ROOM])
{
    unsigned count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(packet); head != NULL;
         head = CMSG_NXTHDR(packet, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t came = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < came && count < FDS_ROOM; i++) {
            memcpy(&fds[count++], CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        }
    }
    return count;
}

static void close_fds(const int fds[FDS_ROOM], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)close(fds[i]); /* nothing was written to it */
    }
}

int wire_recv(int sock, enum proto_direction direction, struct wire_message *ret_message,
              struct fsd_err *err)
{
    unsigned char packet_bytes[sizeof(struct proto_head) + PROTO_PAYLOAD_MAX];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_ROOM * sizeof(int))];
    struct iovec part = {packet_bytes, sizeof(packet_bytes)};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    ssize_t len;
    do {
        len = recvmsg(sock, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len <= 0) {
        return len == 0 ? 0 : -errno;
    }
    int fds[FDS_ROOM];
    unsigned count = take_fds(&packet, fds);
    int result;
    if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        result = fsd_err_set(err, EPROTO, "message is larger than any of the contract");
    } else {
        result = proto_check(packet_bytes, (size_t)len, count, direction, err);
    }
    if (result < 0) {
        close_fds(fds, count);
        return result;
    }
    memcpy(&ret_message->head, packet_bytes, sizeof(ret_message->head));
    memcpy(ret_message->payload, packet_bytes + sizeof(ret_message->head), ret_message->head.size);
    ret_message->fd = count == 1 ? fds[0] : -1;
    return 1;
}
