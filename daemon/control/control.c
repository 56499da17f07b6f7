/* control.c - the control socket: who is connected.
 * Owns the listening socket and the peers.
 * How: a connection is accepted, its user checked, and made a peer; lines that a peer sends go to control_request.c with the
 * caller's rows.  A peer that breaks a limit is told which one and closed.
 * Called by master.c, which has the rows, and by the peers' events.
 * Must not know what any method does; nothing that a peer sends may end or delay the daemon. */
#include "daemon/control/control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/rpc.h"
#include "daemon/control/control_access.h"
#include "daemon/control/control_peer.h"
#include "daemon/control/control_request.h"
#include "daemon/control/control_socket.h"
#include "daemon/control/control_stream.h"

enum {
    PEERS_MAX = 64,
    OUTPUT_BYTES = 4 * 1024 * 1024,
    SILENT_MS = 30 * 1000,
    STUCK_MS = 5 * 60 * 1000, /* somebody reads what a pager shows, and goes on */
    PAUSE_US = 1000 * 1000,   /* without a free descriptor, accept is tried again then */
    REFUSED_US = 60 * 1000 * 1000,
    SPARE_FDS =
        32, /* what peers leave free as far as they can: a worker takes about ten to start */
};

static const struct control_peer_limits limits = {
    .line_bytes = RPC_LINE_MAX,
    .output_bytes = OUTPUT_BYTES,
    .silent_ms = SILENT_MS,
    .stuck_ms = STUCK_MS,
};

struct control {
    sd_event *loop; /* borrowed */
    struct control_socket socket;
    struct control_access access;
    control_refused_fn on_refused;
    uint64_t refused;          /* since it was last told */
    uint64_t refused_us;       /* monotonic; may be told again */
    sd_event_source *incoming; /* owned; a peer connects */
    sd_event_source *pause;    /* owned; runs while accepting is off */
    struct control_rows rows;
    struct control_peer *peers[PEERS_MAX];
    size_t peer_count;
    struct control_streams streams;
};

static void on_line(void *owner, struct control_peer *peer, char *text, size_t len)
{
    const struct control *control = owner;
    control_request_run(&control->rows, peer, text, len); /* the control may be gone now */
}

static void on_end(void *owner, struct control_peer *peer, int reason)
{
    struct control *control = owner;
    size_t i = 0;
    while (control->peers[i] != peer) {
        i++;
        assert(i < control->peer_count);
    }
    control->peer_count--; /* the order stays: oldest first */
    memmove(
        &control->peers[i], &control->peers[i + 1],
        (control->peer_count - i) *
            sizeof(control->peers[0])); /* NOLINT(bugprone-sizeof-expression): pointers are moved */
    control_streams_on_end(&control->streams, peer);
    if (reason == -EMSGSIZE) {
        control_request_fail(peer, NULL, RPC_INVALID_REQUEST, "the request is longer than 1 MiB");
    } else if (reason == -ETIMEDOUT) {
        control_request_fail(peer, NULL, RPC_INVALID_REQUEST,
                             "the request was not finished for 30 s");
    }
    control_peer_close(peer);
}

static void on_drained(void *owner, struct control_peer *peer)
{
    struct control *control = owner;
    control_streams_on_drained(&control->streams, peer);
}

static const struct control_peer_events events = {on_line, on_end, on_drained};

static void pause_accepting(struct control *control)
{
    (void)sd_event_source_set_enabled(control->incoming, SD_EVENT_OFF);
    (void)sd_event_source_set_time_relative(control->pause, PAUSE_US);
    /* A failure would leave the socket deaf until the next start; none is possible on a live source. */
    (void)sd_event_source_set_enabled(control->pause, SD_EVENT_ONESHOT);
}

/* The oldest that asks nothing, first of all one that has also read all its answers; NULL: all wait for answers. */
static struct control_peer *find_idle(const struct control *control)
{
    struct control_peer *found = NULL;
    for (size_t i = control->peer_count; i-- > 0;) {
        struct control_peer *peer = control->peers[i];
        bool is_better =
            found == NULL || control_peer_waiting(peer) == 0 || control_peer_waiting(found) > 0;
        found = is_better && control_peer_is_idle(peer) ? peer : found;
    }
    return found;
}

/* Those who ask nothing must not keep out somebody who does.  Streams are held, so they stay. */
static bool make_room(struct control *control)
{
    struct control_peer *idle = find_idle(control);
    if (idle != NULL) {
        on_end(control, idle, 0);
    }
    return idle != NULL;
}

/* Somebody who tries in a loop must not fill the log. */
static void tell_refused(struct control *control, const char *why)
{
    uint64_t now_us = 0;
    control->refused++;
    (void)sd_event_now(control->loop, CLOCK_MONOTONIC, &now_us); /* runs, so it knows */
    if (control->on_refused != NULL && now_us >= control->refused_us) {
        control->refused_us = now_us + REFUSED_US;
        control->on_refused(control->rows.owner, why, control->refused);
        control->refused = 0;
    }
}

/* The lowest free number is taken, so the number of the newest says how many are in use. */
static bool is_scarce(int fd)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd + SPARE_FDS >= limit.rlim_cur;
}

/* False: there is none for one more.  *fd may become another number. */
static bool find_room(struct control *control, int *fd)
{
    bool is_full = control->peer_count == PEERS_MAX;
    if (!is_full && !is_scarce(*fd)) {
        return true;
    }
    if (!make_room(control)) {
        return !is_full; /* better too few descriptors for a worker than nobody who can ask why */
    }
    /* Into the gap that this has left, or the next one would take that and look as if there were plenty. */
    int low = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
    if (low >= 0) {
        int high = *fd;
        *fd = low;
        fd_close(&high);
    }
    return true;
}

static void on_accept_failed(struct control *control, int error)
{
    bool is_full = error == EMFILE || error == ENFILE;
    if (is_full && make_room(control)) {
        return; /* the next turn tries again */
    }
    if (is_full || error == ENOMEM || error == ENOBUFS) {
        pause_accepting(control); /* else the loop would turn without end */
    }
}

static int on_connected(sd_event_source *source, int listening, uint32_t revents, void *userdata)
{
    (void)source;
    (void)revents;
    struct control *control = userdata;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        on_accept_failed(control, errno);
        return 0;
    }
    struct fsd_err why = {""};
    if (control_access_check(&control->access, fd, &why) < 0) {
        control_request_turn_away(fd, RPC_FORBIDDEN, why.text);
        fd_close(&fd);
        tell_refused(control, why.text);
        return 0;
    }
    if (!find_room(control, &fd)) {
        control_request_turn_away(fd, RPC_BUSY, "too many connections to the control socket");
        fd_close(&fd);
        return 0;
    }
    struct control_peer **place = &control->peers[control->peer_count];
    if (control_peer_open(place, control->loop, fd, &limits, &events, control) < 0) {
        fd_close(&fd);
        return 0;
    }
    control->peer_count++;
    return 0;
}

static int on_pause_over(sd_event_source *source, uint64_t now_us, void *userdata)
{
    (void)source;
    (void)now_us;
    struct control *control = userdata;
    if (sd_event_source_set_enabled(control->incoming, SD_EVENT_ON) < 0) {
        pause_accepting(control); /* no memory in the kernel: later */
    }
    return 0;
}

static int add_sources(struct control *control)
{
    int r = sd_event_add_io(control->loop, &control->incoming, control->socket.fd, EPOLLIN,
                            on_connected, control);
    if (r >= 0) {
        r = sd_event_add_time_relative(control->loop, &control->pause, CLOCK_MONOTONIC, 0, 0,
                                       on_pause_over, control);
    }
    return r >= 0 ? sd_event_source_set_enabled(control->pause, SD_EVENT_OFF) : r;
}

/* Without a socket; NULL: no memory. */
static struct control *new_control(sd_event *loop, const struct control_method *methods,
                                   size_t method_count, void *owner)
{
    struct control *control = calloc(1, sizeof(*control));
    const char **names = calloc(method_count + 1, sizeof(*names));
    if (control == NULL || names == NULL) {
        free(control);
        free(names);
        return NULL;
    }
    control->loop = loop;
    control->socket.fd = -1;
    control_access_init(&control->access);
    control->rows = (struct control_rows){methods, names, method_count, owner, &control->streams};
    for (size_t i = 0; i < method_count; i++) {
        names[i] = methods[i].name;
    }
    return control;
}

/* NOLINTNEXTLINE(readability-function-size): one call site; a struct for it would only be taken apart here */
int control_open(struct control **ret_control, sd_event *loop, const char *path,
                 const struct control_method *methods, size_t method_count, void *owner,
                 int *ret_removed_stale, struct fsd_err *err)
{
    struct control *control = new_control(loop, methods, method_count, owner);
    if (control == NULL) {
        return fsd_err_set(err, ENOMEM, "cannot open the control socket: out of memory");
    }
    int r = control_socket_open(&control->socket, path, ret_removed_stale, err);
    if (r >= 0) {
        r = add_sources(control);
        if (r < 0) {
            (void)fsd_err_set(err, -r, "cannot watch control socket \"%s\": %s", path,
                              strerror(-r));
        }
    }
    if (r < 0) {
        control_close(control);
        return r;
    }
    *ret_control = control;
    return 0;
}

void control_guard(struct control *control, uid_t workers, control_refused_fn on_refused)
{
    control->access.is_production = true;
    control->access.workers = workers;
    control->on_refused = on_refused;
}

struct control_legacy control_get_legacy(const struct control *control)
{
    const struct control_socket *socket = &control->socket;
    return (struct control_legacy){socket->fd, socket->device, socket->inode};
}

/* NOLINTNEXTLINE(readability-function-size): as above */
int control_inherit(struct control **ret_control, sd_event *loop, const char *path,
                    const struct control_legacy *legacy, const struct control_method *methods,
                    size_t method_count, void *owner)
{
    struct control *control = new_control(loop, methods, method_count, owner);
    if (control == NULL) {
        return -ENOMEM;
    }
    struct control_socket *socket = &control->socket;
    *socket = (struct control_socket){legacy->fd, strdup(path), legacy->device, legacy->inode};
    int r = socket->path == NULL ? -ENOMEM : add_sources(control);
    if (r < 0) {
        free(socket->path);
        socket->fd = -1; /* so it is neither closed, nor its file removed */
        control_close(control);
        return r;
    }
    *ret_control = control;
    /* cppcheck-suppress memleak ; control->socket owns the copy */
    return 0;
}

int control_call_inherit(struct control *control, int fd, const char *id,
                         struct control_call **ret_call)
{
    json_t *value = json_loads(id, JSON_DECODE_ANY, NULL);
    if (value == NULL || control->peer_count == PEERS_MAX) {
        json_decref(value);
        return -EPROTO;
    }
    struct control_peer **place = &control->peers[control->peer_count];
    int r = control_peer_open(place, control->loop, fd, &limits, &events, control);
    if (r < 0) {
        json_decref(value);
        return r;
    }
    control->peer_count++;
    *ret_call = control_request_make_call(&control->rows, *place, value);
    return *ret_call == NULL ? -ENOMEM : 0;
}

void control_close(struct control *control)
{
    if (control == NULL) {
        return;
    }
    (void)sd_event_source_disable_unref(control->incoming); /* returns NULL always */
    (void)sd_event_source_disable_unref(control->pause);
    control_socket_close(&control->socket);
    while (control->peer_count > 0) {
        struct control_peer *peer = control->peers[--control->peer_count];
        control_streams_on_end(&control->streams, peer);
        control_peer_close(peer);
    }
    free(control->rows.names);
    free(control);
}
