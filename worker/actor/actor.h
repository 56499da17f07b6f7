#ifndef FSD_WORKER_ACTOR_ACTOR_H
#define FSD_WORKER_ACTOR_ACTOR_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/actor/mailbox.h"
#include "worker/actor/pid.h"
#include "worker/actor/sender.h"
#include "worker/core/task.h"

struct actors;
struct bond;
struct asked;
struct call;
struct claim;
struct code;

/* What becomes of a message that a mailbox has no room for. */
enum actor_overflow {
    ACTOR_OVERFLOW_SUSPEND, /* its sender waits */
    ACTOR_OVERFLOW_DROP_NEW,
    ACTOR_OVERFLOW_DROP_OLD,
    ACTOR_OVERFLOW_RAISE,
};

/* What it waits for in receive. */
enum actor_receiving {
    ACTOR_NOT_RECEIVING,
    ACTOR_RECEIVING_ANY,  /* the next message goes straight onto its stack */
    ACTOR_RECEIVING_SOME, /* it looks at each new message itself */
};

/* What became of it when its code was replaced. */
enum actor_renewal {
    ACTOR_KEPT_CODE,
    ACTOR_REFUSED_CODE, /* its code_change has failed: it goes on as it is */
    ACTOR_TOLD_TO_END,
};

/* A coroutine with a mailbox.  The struct and the task live and end together. */
struct actor {
    struct actors *actors; /* borrowed */
    struct task *task;     /* borrowed from the pool of tasks */
    struct code *code;     /* borrowed; what it runs */
    uint64_t serial;
    uint32_t index;
    bool traps; /* exit signals become messages */
    bool has_begun;
    /* it ends as soon as its task is closed; for all others it has ended already */
    bool is_exiting;
    bool is_system;    /* the server, or what it has started to do its work; ends last */
    bool is_matching;  /* a predicate of receive is looking at its mailbox */
    bool follows_code; /* wants to hear of other code, see renewal.h */
    bool is_listed;    /* in groups, registries or topics, see roster.h */
    bool is_late;      /* the time for a message is over */
    uint8_t handed;    /* values that were put on the receiver's stack */
    enum actor_overflow overflow : 8;
    enum actor_receiving receiving : 8;
    enum actor_renewal renewal : 8;
    uint32_t scan;       /* messages that receive has looked at in vain */
    int reason_ref;      /* why it is exiting */
    char *name;          /* owned; NULL: none */
    struct claim *claim; /* owned; of a name for all workers, NULL: none */
    uint64_t dropped;    /* messages */
    struct mailbox mailbox;
    struct bond *bonds;          /* owned list: links and monitors */
    struct asked *asked;         /* borrowed list: who in another worker waits for its answers */
    struct call *calls;          /* borrowed list: who waits for its answers */
    struct sender_queue senders; /* who waits for room */
    union {
        lua_State *receiver;      /* borrowed: where receive was called, while receiving */
        struct actor *next_start; /* borrowed; before it has begun */
    };
    struct task_wait wait;
    void (*on_end)(struct actors *actors); /* it has ended, and is freed; may be NULL */
};

/* How an actor is made. */
struct actor_options {
    enum actor_overflow overflow;
    uint32_t mailbox_count;
    uint32_t mailbox_bytes;
    size_t memory_bytes;  /* 0: any */
    uint64_t cpu_ms;      /* CPU time in its life; 0: any */
    uint64_t deadline_ms; /* from now on; 0: none */
    bool is_held;         /* it begins only when actors_start is called */
};

/* Makes an actor that will run a module with the argument on the top of the stack, which is popped; module is only read. */
struct actor *actor_spawn(lua_State *L, const char *module, const struct actor_options *options);
/* Whether a module is one of fsd's own, which has no code of the application. */
bool actor_is_library(const char *module);
/* The actor that runs now; NULL in a request, a task, or outside of both. */
struct actor *actor_running(lua_State *L);
/* The same, but raises when there is none: "cannot link here: ...". */
struct actor *actor_check(lua_State *L, const char *what);
struct pid actor_pid(const struct actor *actor);
void actor_push_pid(lua_State *L, const struct actor *actor);

#endif
