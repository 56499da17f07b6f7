#ifndef FSD_WORKER_CORE_RECORDER_H
#define FSD_WORKER_CORE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blackbox;

/* The worker's pen for its black box (common/blackbox.h).  Without a box every function does nothing. */
struct recorder {
    struct blackbox *box;   /* owned mapping; NULL: nothing is recorded */
    uint64_t request_count; /* noted, ever */
    uint64_t line_count;
    uint64_t offset_at_us; /* when the distance of the two clocks was taken */
    uint64_t now_us;       /* read for a request that was just noted and is about to run; 0: not */
    unsigned request;      /* index of the entry that is looked at next */
    unsigned open_count;   /* entries of requests that have not ended */
    unsigned line;         /* indices of the entries that are written next */
    unsigned error;
    bool is_long; /* the line under way has moved to the long ones */
};

/* A request's place in the box; all zero before it was noted. */
struct recorder_ticket {
    uint64_t number;
    uint64_t begun_us;
    unsigned index;
};

/* What is to be noted of a request; borrowed for the call. */
struct recorder_subject {
    const char *method;
    size_t method_len;
    const char *path;
    size_t path_len;
    const char *id;   /* "": the two numbers are the id */
    uint64_t id_high; /* "high-low" in hexadecimal */
    uint64_t id_low;
    const char *place; /* has room for BLACKBOX_PLACE_MAX bytes; NULL: not yet known */
    uint64_t generation;
};

/* Maps the box in fd, which may be closed then.  0, or a negative errno: there is none, and nothing will be recorded. */
int recorder_open(struct recorder *recorder, int fd);
void recorder_close(struct recorder *recorder);

/* Whether the box still has the request's entry: the newest ones push the oldest ones out. */
bool recorder_has(const struct recorder *recorder, const struct recorder_ticket *ticket);
/* Enters a request, for the first time or again. */
void recorder_note(struct recorder *recorder, struct recorder_ticket *ticket,
                   const struct recorder_subject *subject);
/* The handler that is called now; where has room for BLACKBOX_PLACE_MAX bytes. */
void recorder_note_place(struct recorder *recorder, const struct recorder_ticket *ticket,
                         const char *where);
/* The request is over; 0: without an answer. */
void recorder_note_end(struct recorder *recorder, const struct recorder_ticket *ticket, int status);

/* Lua gets the CPU for this, until recorder_pause. */
void recorder_run(struct recorder *recorder, const struct recorder_ticket *ticket);
void recorder_run_task(struct recorder *recorder, const char *what);
/* The same for what runs very often and knows the time, about; where is text in BLACKBOX_PLACE_MAX bytes. */
void recorder_run_place(struct recorder *recorder, const char *where, uint64_t now_us);
void recorder_run_load(struct recorder *recorder, uint64_t generation, const char *name,
                       size_t len);
void recorder_pause(struct recorder *recorder);

/* A log line: begun with its message, then given fields.  One line is under way at a time. */
void recorder_line(struct recorder *recorder, int level, uint64_t wall_us, const char *message,
                   size_t len);
void recorder_line_add(struct recorder *recorder, const char *key, size_t key_len, const char *text,
                       size_t len);

#endif
