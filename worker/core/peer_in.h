#ifndef FSD_WORKER_CORE_PEER_IN_H
#define FSD_WORKER_CORE_PEER_IN_H

#include <stddef.h>

/* What has come from another worker and is not taken yet. */
struct peer_in {
    unsigned char *data; /* owned */
    size_t capacity;
    size_t start; /* of what is not taken yet */
    size_t len;   /* where it ends */
};

enum { PEER_IN_BYTES = 64 << 10 }; /* of room at least, when no longer frame is under way */

void peer_in_init(struct peer_in *in);
void peer_in_fini(struct peer_in *in);
/* Where to read to, and how much at most, never 0; what peer_in_next has shown is gone then.  NULL: out of memory. */
unsigned char *peer_in_room(struct peer_in *in, size_t *ret_len);
/* So many bytes were read to there. */
void peer_in_fill(struct peer_in *in, size_t len);
/* Takes the next frame, which stays where it is until peer_in_room.  1; 0: it is not complete; -EPROTO: its length is none. */
int peer_in_next(struct peer_in *in, const unsigned char **ret_frame, size_t *ret_len);

#endif
