#ifndef FSD_DAEMON_CONTROL_CONTROL_OUTPUT_H
#define FSD_DAEMON_CONTROL_CONTROL_OUTPUT_H

#include <stddef.h>

/* Bytes that wait until a socket takes them.  All zero: none wait. */
struct control_output {
    char *bytes; /* owned */
    size_t sent;
    size_t end;
    size_t capacity;
};

void control_output_fini(struct control_output *output);
size_t control_output_waiting(const struct control_output *output);
/* 0; -ENOBUFS: more than limit_bytes would wait, -ENOMEM: nothing was added. */
int control_output_add(struct control_output *output, const char *bytes, size_t len,
                       size_t limit_bytes);
/* Sends what the socket takes now.  0 even when that is not all; negative errno when the connection is broken. */
int control_output_flush(struct control_output *output, int fd);

#endif
