#ifndef FSD_DAEMON_CONTROL_CONTROL_PEER_H
#define FSD_DAEMON_CONTROL_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* One connection to the control socket: lines in, bytes out, neither ever waits. */
struct control_peer;

struct control_peer_limits {
    size_t line_bytes;   /* longest request */
    size_t output_bytes; /* how much may wait for a peer that does not read */
    uint64_t silent_ms;  /* how long the rest of a line may take to begin */
    uint64_t stuck_ms;   /* how long output may wait without any of it being read */
};

struct control_peer_events {
    /* A line came, NUL-terminated; it is valid during the call. */
    void (*on_line)(void *owner, struct control_peer *peer, char *text, size_t len);
    /* The connection is over: 0 the peer is done, -EMSGSIZE line too long, -ETIMEDOUT silent amid a line, -ENOBUFS does not
     * read, other negative errno.  Called once; the owner must call control_peer_close, and may send a last word before. */
    void (*on_end)(void *owner, struct control_peer *peer, int reason);
    /* What waited has been sent. */
    void (*on_drained)(void *owner, struct control_peer *peer);
};

/* Takes fd (connected, non-blocking) when it succeeds.  limits and events are borrowed.  The owner holds one reference until
 * control_peer_close. */
int control_peer_open(struct control_peer **ret_peer, sd_event *loop, int fd,
                      const struct control_peer_limits *limits,
                      const struct control_peer_events *events, void *owner);
/* Sends what the socket takes now, closes it and drops the owner's reference. */
void control_peer_close(struct control_peer *peer);

/* Who will send something later holds the peer: a peer that ended its side is kept open until nobody does.  Every hold needs
 * one release; the peer is freed with the last one. */
void control_peer_hold(struct control_peer *peer);
void control_peer_release(struct control_peer *peer);
/* How many hold it, without the owner. */
unsigned control_peer_holds(const struct control_peer *peer);
/* Its descriptor, which stays the peer's; -1 when the connection is over. */
int control_peer_get_fd(const struct control_peer *peer);
/* Does it ask nothing?  It does when an answer is outstanding, or when it has written what has not been read yet. */
bool control_peer_is_idle(const struct control_peer *peer);
bool control_peer_is_open(const struct control_peer *peer);
/* How many bytes have been sent to it that its socket does not take yet. */
size_t control_peer_waiting(const struct control_peer *peer);

/* Queues bytes; dropped when the connection is over.  on_end may be called before this returns. */
void control_peer_send(struct control_peer *peer, const char *bytes, size_t len);

#endif
