#ifndef FSD_DAEMON_PROC_CHANNEL_H
#define FSD_DAEMON_PROC_CHANNEL_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/wire.h"

struct channel;

enum channel_news {
    CHANNEL_MESSAGE, /* message is set; a descriptor in it is closed afterwards unless taken (set to -1) */
    CHANNEL_CLOSED, /* end of file */
    CHANNEL_ROOM,   /* for channel_await_room */
    CHANNEL_BROKEN, /* why says how the worker broke the contract, or what the system said */
};
typedef void (*channel_fn)(struct channel *channel, enum channel_news news,
                           struct wire_message *message, const char *why);

/* The master's end of one worker's control socket.  Embedded in its owner. */
struct channel {
    int sock;                /* owned; -1 when closed */
    sd_event_source *source; /* owned */
    channel_fn on_news;
};

/* Takes sock.  After CLOSED and BROKEN nothing more is reported.  A negative errno when the loop is out of something; sock
 * is closed then. */
int channel_open(struct channel *channel, sd_event *loop, int sock, channel_fn on_news);
/* A channel that is closed already is fine, one of all zero and sock -1 as well.  May be called from on_news. */
void channel_close(struct channel *channel);
/* As wire_send; -EPIPE on a closed channel. */
int channel_send(const struct channel *channel, enum proto_kind kind, const void *payload,
                 size_t size, int fd);
/* Whether three quarters of the queue are free, so that what is sent now leaves room for what must be sent. */
bool channel_has_room(const struct channel *channel);
/* ROOM is reported when there is; it may be reported without this, too. */
void channel_await_room(const struct channel *channel);
/* Reports what has already arrived: after the process has ended, for its last words. */
void channel_read_rest(struct channel *channel);

#endif
