#ifndef FSD_WORKER_ACTOR_NODE_REMOTE_READ_H
#define FSD_WORKER_ACTOR_NODE_REMOTE_READ_H

#include <stddef.h>

struct remote;

/* Does what another worker says.  -EPROTO: it cannot be understood, and nothing was done. */
int remote_read(struct remote *remote, const unsigned char *data, size_t len);

#endif
