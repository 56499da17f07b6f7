#ifndef FSD_WORKER_CORE_TERMINATE_H
#define FSD_WORKER_CORE_TERMINATE_H

#include <stdbool.h>

#include "worker/core/watch.h"

struct loop;

/* SIGTERM, as an event of the loop: somebody wants this worker to go.  Embedded in its owner. */
struct terminate {
    struct watch watch;
    void (*on_told)(struct terminate *terminate);
    bool was_told; /* saying it again says nothing new */
};

/* From now on on_told is called, once, after SIGTERM has come.  0, or a negative errno: then the signal does what it did. */
int terminate_open(struct terminate *terminate, struct loop *loop,
                   void (*on_told)(struct terminate *terminate));
/* SIGTERM is ignored afterwards: the worker is leaving.  Nothing happens when it is not open. */
void terminate_close(struct terminate *terminate, struct loop *loop);

#endif
