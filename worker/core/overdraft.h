#ifndef FSD_WORKER_CORE_OVERDRAFT_H
#define FSD_WORKER_CORE_OVERDRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/loop.h"

struct runtime;
struct task;

enum { OVERDRAFT_SUSPECTS = 64 };

enum overdraft_phase {
    OVERDRAFT_NONE,
    OVERDRAFT_FINISHING,  /* the collection that may be under way */
    OVERDRAFT_COLLECTING, /* one that began after the suspects were noted */
};

/* An account, and which of its holders. */
struct overdraft_suspect {
    uint32_t account;
    uint32_t serial;
};

/* The tasks that have more memory than they may.  Embedded in the runtime. */
struct overdraft {
    enum overdraft_phase phase;
    size_t suspect_count;
    struct overdraft_suspect suspects[OVERDRAFT_SUSPECTS];
    struct loop_job job;
};

/* An account of the heap is overdrawn: looks into it, in later turns.  May be called in the allocator. */
void overdraft_begin(struct runtime *runtime);
/* Whether the task must not run now, because it may have too much: it is to be asked again in a later turn. */
bool overdraft_holds(const struct task *task);

#endif
