/* control_output.c - what waits to be sent on one connection to the control socket.
 * Owns the bytes.  They are appended at the end and sent from the front; when the room is used up, the part that still waits
 * moves to a new one that is twice as large as needed; when all is sent, the memory is given back.
 * Called by control_peer.c.  Must not know what the bytes are, or when the socket takes more. */
#include "daemon/control/control_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void control_output_fini(struct control_output *output)
{
    free(output->bytes);
    *output = (struct control_output){0};
}

size_t control_output_waiting(const struct control_output *output)
{
    return output->end - output->sent;
}

int control_output_add(struct control_output *output, const char *bytes, size_t len,
                       size_t limit_bytes)
{
    size_t waiting = control_output_waiting(output);
    if (len > limit_bytes || waiting > limit_bytes - len) {
        return -ENOBUFS;
    }
    if (output->end + len > output->capacity) {
        /* Half of the room stays free, so that many small answers are not moved each time. */
        size_t capacity = (waiting + len) * 2;
        char *room = malloc(capacity);
        if (room == NULL) {
            return -ENOMEM;
        }
        if (waiting > 0) {
            memcpy(room, output->bytes + output->sent, waiting);
        }
        free(output->bytes);
        output->bytes = room;
        output->sent = 0;
        output->end = waiting;
        output->capacity = capacity;
    }
    memcpy(output->bytes + output->end, bytes, len);
    output->end += len;
    return 0;
}

int control_output_flush(struct control_output *output, int fd)
{
    while (control_output_waiting(output) > 0) {
        ssize_t n = send(fd, output->bytes + output->sent, control_output_waiting(output),
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EAGAIN ? 0 : -errno;
        }
        output->sent += (size_t)n;
    }
    control_output_fini(output);
    return 0;
}
