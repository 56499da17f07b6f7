#ifndef FSD_COMMON_BLACKBOX_H
#define FSD_COMMON_BLACKBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The black box: a memfd that the master makes, sizes and seals, and one worker (one incarnation) writes while it works
 * and while it dies.  It outlives the worker, also one that was killed with SIGKILL; the master makes a crash report of it.
 * The content is the worker's word: readers copy first, then bound every number and every text of the copy. */

enum {
    BLACKBOX_VERSION = 1,
    BLACKBOX_SIZE = 65536, /* of the memfd */
    BLACKBOX_REQUESTS = 64,
    BLACKBOX_OPEN = 32, /* at most so many of them are kept for requests that have not ended */
    BLACKBOX_LINES = 32,
    BLACKBOX_ERRORS = 6, /* long lines: errors with a traceback */
    BLACKBOX_FRAMES = 48,
    BLACKBOX_METHOD_MAX = 16,
    BLACKBOX_PATH_MAX = 200,
    BLACKBOX_ID_MAX = 64,
    BLACKBOX_PLACE_MAX = 64,
    BLACKBOX_LINE_MAX = 400,
    BLACKBOX_ERROR_MAX = 2000,
    BLACKBOX_FRAME_MAX = 112,
    BLACKBOX_LUA_MAX = 4096,
};

enum blackbox_kind {
    BLACKBOX_NOTHING, /* Lua has let go: the worker waits, or C code runs on its own */
    BLACKBOX_REQUEST, /* a handler of a request */
    BLACKBOX_TASK,    /* a coroutine that belongs to no request */
    BLACKBOX_LOAD,    /* the top level of an application */
};

/* ---- for the master: copies, bounded, every text ends with NUL ---- */

struct blackbox_request {
    uint64_t number;              /* order in which they were begun (noted, to be exact) */
    char id[BLACKBOX_ID_MAX + 1]; /* the request's id */
    char method[BLACKBOX_METHOD_MAX + 1];
    char path[BLACKBOX_PATH_MAX + 1]; /* without the query */
    char place[BLACKBOX_PLACE_MAX +
               1];   /* of the handler that was called last: "app.lua:12"; "" before */
    bool is_open;    /* it has not ended; status and duration_us are 0 */
    unsigned status; /* HTTP status; 0: ended without an answer */
    uint64_t generation;
    uint64_t begun_mono_us; /* CLOCK_MONOTONIC; the clock's steps are up to 10 ms */
    uint64_t begun_wall_us; /* since 1970 */
    uint64_t duration_us;
};

/* What Lua code is on the CPU. */
struct blackbox_now {
    enum blackbox_kind kind;
    uint64_t since_mono_us; /* when Lua got the CPU, not when the request began */
    uint64_t since_wall_us;
    uint64_t generation;               /* LOAD: the one that is loaded */
    char name[BLACKBOX_PLACE_MAX + 1]; /* TASK: what it is; LOAD: the main file; else "" */
    bool has_request;                  /* REQUEST, unless its entry can't be read */
    struct blackbox_request request;
};

struct blackbox_line {
    uint64_t number;  /* order; lines that were lost leave gaps */
    int level;        /* enum log_level, not checked */
    uint64_t wall_us; /* since 1970 */
    /* message, then " key=value" for texts; a traceback follows on lines of its own */
    char text[BLACKBOX_ERROR_MAX + 1];
};

struct blackbox_frame {
    uint64_t address;
    char text[BLACKBOX_FRAME_MAX + 1]; /* "libc.so.6(raise+0x12)"; "" where nothing is known */
};

struct blackbox_death {
    bool is_noted; /* a handler of fatal signals has run; all below is zero else */
    int signal;
    int code;             /* si_code */
    uint64_t address;     /* si_addr of a fault; 0 for a signal that somebody sent */
    int sender;           /* pid that sent the signal; 0 for a fault */
    unsigned frame_count; /* innermost first; 0: no C backtrace could be made */
    struct blackbox_frame frames[BLACKBOX_FRAMES];
    char lua_stack
        [BLACKBOX_LUA_MAX +
         1]; /* one line a level, innermost first, "" when no Lua ran or it could not be read */
    bool is_finished; /* the handler has come to its end */
};

/* About 125 KB: for the heap. */
struct blackbox_copy {
    bool is_written; /* a worker of this BLACKBOX_VERSION has mapped it; all below is zero else */
    struct blackbox_now now;
    unsigned request_count;
    /* newest first; is_open tells the open ones */
    struct blackbox_request requests[BLACKBOX_REQUESTS];
    unsigned line_count;
    struct blackbox_line lines[BLACKBOX_LINES + BLACKBOX_ERRORS]; /* oldest first */
    struct blackbox_death death;
};

struct blackbox;

/* Master: a new zeroed box as a sealed, close-on-exec memfd.  Returns the descriptor or a negative errno. */
int blackbox_create(void);
/* Maps the box in fd, writable for the worker.  The descriptor may be closed then.  NULL with errno. */
struct blackbox *blackbox_map(int fd, bool writable);
void blackbox_unmap(const struct blackbox *box); /* NULL is allowed */
/* Copies everything that can be read; what is half-written is absent.  NULL box: all zero. */
void blackbox_read(const struct blackbox *box, struct blackbox_copy *ret_copy);
/* Only what runs now: cheap enough for status, also while the worker lives.  NULL box: all zero. */
void blackbox_read_now(const struct blackbox *box, struct blackbox_now *ret_now);
/* "GET /path", or the name of what else runs; "" for nothing.  Returns text, which has room for BLACKBOX_TITLE_MAX. */
enum { BLACKBOX_TITLE_MAX = BLACKBOX_METHOD_MAX + BLACKBOX_PATH_MAX + 24 };
const char *blackbox_title(const struct blackbox_now *now, char text[BLACKBOX_TITLE_MAX]);

/* ---- the layout, for the worker that writes (worker/core/recorder.c, worker/fatal.c) and for the reader ---- */

/* Entries are guarded by a sequence: odd while one is being written. */
struct blackbox_request_entry {
    _Atomic uint64_t sequence;
    uint64_t number; /* 0: never used */
    uint64_t begun_us;
    uint64_t duration_us;
    uint64_t generation;
    uint64_t id_high; /* the id when id_text is "": "high-low" in hexadecimal */
    uint64_t id_low;
    uint16_t status;
    uint16_t path_len;
    uint8_t method_len;
    uint8_t id_len;
    uint8_t is_open;
    uint8_t unused;
    char place[BLACKBOX_PLACE_MAX];
    char method[BLACKBOX_METHOD_MAX];
    char path[BLACKBOX_PATH_MAX];
    char id[BLACKBOX_ID_MAX];
};

struct blackbox_line_entry {
    _Atomic uint64_t sequence;
    uint64_t number; /* of all lines, long or not; 0: never used */
    uint64_t wall_us;
    uint32_t level;
    uint32_t len;
    char text[BLACKBOX_LINE_MAX];
};

struct blackbox_error_entry {
    _Atomic uint64_t sequence;
    uint64_t number;
    uint64_t wall_us;
    uint32_t level;
    uint32_t len;
    char text[BLACKBOX_ERROR_MAX];
};

/* Written step by step, each step's number last. */
struct blackbox_death_entry {
    _Atomic uint64_t signal; /* 0: nothing happened */
    int64_t code;
    uint64_t address;
    int64_t sender;
    _Atomic uint64_t frame_count; /* addresses that stand */
    _Atomic uint64_t named_count; /* texts that stand */
    _Atomic uint64_t lua_len;
    _Atomic uint64_t is_finished;
    uint64_t frames[BLACKBOX_FRAMES];
    char names[BLACKBOX_FRAMES][BLACKBOX_FRAME_MAX];
    char lua_stack[BLACKBOX_LUA_MAX];
};

/* What runs: one word, kind in the low bits and behind it the entry's index and number (blackbox_word); the rest is written
 * before it and while it is 0. */
enum { BLACKBOX_KIND_BITS = 2, BLACKBOX_INDEX_BITS = 6 };

struct blackbox {
    _Atomic uint64_t version;        /* BLACKBOX_VERSION once a worker has mapped it */
    _Atomic uint64_t wall_offset_us; /* wall clock minus monotonic clock */
    _Atomic uint64_t now;
    _Atomic uint64_t now_since_us; /* monotonic */
    _Atomic uint64_t now_generation;
    char now_name[BLACKBOX_PLACE_MAX];
    struct blackbox_request_entry requests[BLACKBOX_REQUESTS];
    struct blackbox_line_entry lines[BLACKBOX_LINES];
    struct blackbox_error_entry errors[BLACKBOX_ERRORS];
    struct blackbox_death_entry death;
};

_Static_assert(sizeof(struct blackbox) <= BLACKBOX_SIZE, "the box fits into its memfd");
_Static_assert(1 << BLACKBOX_INDEX_BITS == BLACKBOX_REQUESTS, "an index has so many bits");

static inline uint64_t blackbox_word(enum blackbox_kind kind, uint64_t number, unsigned index)
{
    return (number << BLACKBOX_INDEX_BITS | index) << BLACKBOX_KIND_BITS | (uint64_t)kind;
}

#endif
