#ifndef FSD_WORKER_CORE_LINK_H
#define FSD_WORKER_CORE_LINK_H

#include <stddef.h>

#include "common/wire.h"
#include "worker/core/watch.h"

struct loop;

/* The worker's end of the control channel. */
struct link {
    struct loop *loop; /* borrowed */
    struct watch watch;
    unsigned char
        *queue;      /* owned: messages that the socket has no room for yet, as they are sent */
    size_t queue_at; /* of the first that is not sent */
    size_t queue_len;
    size_t queue_room;
    void (*on_message)(struct link *link, struct wire_message *message);
    void (*on_gone)(struct link *link, const char *why);
};

/* Watches the descriptor.  on_message gets each message, checked against its row, and owns its descriptor; on_gone is called
 * once, when the master has closed its end or broke the contract.  0, or a negative errno. */
int link_open(struct link *link, struct loop *loop, int fd,
              void (*on_message)(struct link *link, struct wire_message *message),
              void (*on_gone)(struct link *link, const char *why));
/* Sends; when the master does not take it (its queue is full or it has gone), on_gone is called at once. */
void link_send(struct link *link, enum proto_kind kind, const void *payload, size_t size);
void link_send_text(struct link *link, enum proto_kind kind, const void *payload, size_t size,
                    const char *text);

/* The same for what may be much: while the master does not read, it waits here.  Nobody bounds that but the caller, who is told
 * by link_waiting how many bytes there are. */
void link_post(struct link *link, enum proto_kind kind, const void *payload, size_t size);
size_t link_waiting(const struct link *link);
/* Frees what waits; nothing is sent any more. */
void link_fini(struct link *link);

#endif
