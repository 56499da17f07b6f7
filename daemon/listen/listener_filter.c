/* listener_filter.c - the filter that keeps new connections away from the last sockets of a group.
 * Owns the program: three rows of classic BPF, which the kernel runs for each new connection and which needs no privilege.  It
 * answers with the kernel's index of a socket, a random one of the first few: as even as the kernel's own choice by hash.
 * Called by listener.c.  Must not know what the sockets are for. */
#include "daemon/listen/listener_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

int listener_filter_attach(int fd, unsigned live)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, live),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {sizeof(rows) / sizeof(rows[0]), rows};
    int done = setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
    return done == 0 ? 0 : -errno;
}

int listener_filter_detach(int fd)
{
    int unused = 0;
    int done = setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof(unused));
    return done == 0 || errno == ENOENT ? 0 : -errno; /* ENOENT: there was none */
}
