/* channel.c - one worker's control channel as an event source.
 * Owns the master's end of the socketpair.  Reads whole messages, checked against the contract by wire.c, and reports each; the
 * first end of file or breach is the last thing that it reports.  Sending never blocks: the socket's buffer is the
 * bounded queue, and a worker that lets it fill up is treated as broken by the caller.  What answers a worker's words can't do that,
 * because no more are read while it has not read.
 * Called by proc.c.  Must not know what a message means. */
#include "daemon/proc/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"

enum {
    MESSAGES_PER_TURN = 8, /* then others get their turn */
    CHANNEL_PRIORITY =
        SD_EVENT_PRIORITY_NORMAL - 10, /* the last words are read before the end is seen */
};

/* 1: a message was reported, and there may be more. */
static int read_one(struct channel *channel)
{
    struct wire_message message;
    struct fsd_err err = {""};
    int result = wire_recv(channel->sock, PROTO_TO_MASTER, &message, &err);
    if (result == -EAGAIN) {
        return 0;
    }
    if (result > 0) {
        channel->on_news(channel, CHANNEL_MESSAGE, &message, NULL);
        fd_close(&message.fd);
        return channel->sock >= 0;
    }
    channel_close(channel);
    if (result == 0 || result == -ECONNRESET) {
        channel->on_news(channel, CHANNEL_CLOSED, NULL, NULL);
    } else {
        channel->on_news(channel, CHANNEL_BROKEN, NULL,
                         result == -EPROTO ? err.text : strerror(-result));
    }
    return 0;
}

/* A worker that does not read what it is told is not listened to: its words would have answers. */
static bool may_read(const struct channel *channel, uint32_t events)
{
    if (channel->sock < 0 || (events & (EPOLLHUP | EPOLLERR)) != 0 || channel_has_room(channel)) {
        return channel->sock >= 0;
    }
    (void)sd_event_source_set_io_events(channel->source, EPOLLOUT);
    return false;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)fd;
    struct channel *channel = userdata;
    if ((events & EPOLLOUT) != 0) {
        (void)sd_event_source_set_io_events(source, EPOLLIN);
        channel->on_news(channel, CHANNEL_ROOM, NULL, NULL);
    }
    for (int i = 0; i < MESSAGES_PER_TURN && may_read(channel, events) && read_one(channel) > 0;
         i++) {
    }
    return 0;
}

int channel_open(struct channel *channel, sd_event *loop, int sock, channel_fn on_news)
{
    *channel = (struct channel){.sock = sock, .on_news = on_news};
    int error = sd_event_add_io(loop, &channel->source, sock, EPOLLIN, on_ready, channel);
    if (error >= 0) {
        error = sd_event_source_set_priority(channel->source, CHANNEL_PRIORITY);
    }
    if (error < 0) {
        channel_close(channel);
        return error;
    }
    return 0;
}

void channel_close(struct channel *channel)
{
    channel->source = sd_event_source_disable_unref(channel->source);
    fd_close(&channel->sock);
}

int channel_send(const struct channel *channel, enum proto_kind kind, const void *payload,
                 size_t size, int fd)
{
    return channel->sock < 0 ? -EPIPE : wire_send(channel->sock, kind, payload, size, fd);
}

/* The system says that a socket is writable while at most a quarter of its buffer is in use. */
bool channel_has_room(const struct channel *channel)
{
    struct pollfd wanted = {.fd = channel->sock, .events = POLLOUT};
    return channel->sock >= 0 && poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

void channel_await_room(const struct channel *channel)
{
    if (channel->source != NULL) {
        (void)sd_event_source_set_io_events(channel->source, EPOLLIN | EPOLLOUT);
    }
}

void channel_read_rest(struct channel *channel)
{
    for (int i = 0; i < MESSAGES_PER_TURN && channel->sock >= 0 && read_one(channel) > 0; i++) {
    }
}
