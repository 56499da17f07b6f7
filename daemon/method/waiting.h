#ifndef FSD_DAEMON_METHOD_WAITING_H
#define FSD_DAEMON_METHOD_WAITING_H

#include <stdint.h>

struct control_call;
struct master;

/* Calls that are answered when the daemon is as they want it. */
enum waiting_for {
    WAITING_READY,
    WAITING_DRAINED,
    WAITING_CONFIG,
    WAITING_CONFIRMED, /* the code of all apps; fails when some was taken back */
};

enum { WAITING_MAX = 64 };

struct waiting_item {
    struct control_call *call; /* NULL: free */
    enum waiting_for what;
    uint64_t number; /* of WAITING_CONFIG: at least this one runs */
    /* constant: the result is {"schema", "for": word, "waited_ms"}, or {word: true} */
    const char *word;
    bool is_wait; /* which of the two */
    uint64_t since_ms;
};

struct waiting {
    struct waiting_item items[WAITING_MAX];
};

/* Answers item's call as soon as it is so; it is copied. */
void waiting_add(struct master *master, const struct waiting_item *item);
/* An order was overtaken by another one: who gave it is told.  Who only waits for the same goes on. */
void waiting_give_up(struct master *master, enum waiting_for what, const char *why);
/* Something may have changed. */
void waiting_check(struct master *master);

#endif
