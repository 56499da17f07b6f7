#ifndef FSD_COMMON_PROTO_H
#define FSD_COMMON_PROTO_H

#include <stddef.h>
#include <stdint.h>

struct fsd_err;

/* THE contract between the master and its workers, with page.h.  Nothing else crosses.
 *
 * A worker is started by fork + exec with fixed descriptors.  Everything else that it needs comes as
 * a message on FD_CONTROL, descriptors attached (SCM_RIGHTS).  The order in a worker's life:
 *
 *   worker                                   master
 *   HELLO {protocol, build}        ->
 *                                  <-   LOG (fd)  CONFIG (fd)  ACCESS (fd), if there is an access log  SHARED {name, size, seed} (fd) x n
 *                                       LOAD {generation} (fd)   (or UNAVAILABLE instead of LOAD)
 *   LOADED {generation}            ->        (or REFUSED {generation, why}); now it may wait: a standby
 *                                  <-   LISTENER {slot, name} (fd) x n  ACTIVATE {generation, slot}
 *   ACTIVE {generation}            ->        from now on it accepts connections
 *                                  <-   LISTENER (lent by another slot: accepted from at once)   RETURN {slot}
 *                                  <-   DRAIN {idle_ms, empties_queues}
 *   DRAINING                       ->   from now on it accepts nothing more
 *   exits with FSD_EXIT_OK when its last connection is closed
 *
 * A change of what it has (two phases; between LOADED and DRAIN):
 *                                  <-   PREPARE {number, what, generation} (fd)
 *   PREPARED {number}              ->        (or REJECTED {number, why}: nothing has changed)
 *                                  <-   COMMIT {number}   or ABORT {number}
 *   COMMITTED {number, generation} ->
 * Code is loaded beside what runs, and may take its time: between PREPARE and the answer all else goes on, and ABORT ends it.
 *   LAGGARDS {generation, count} text  ->    what still runs on code that was replaced has changed
 *
 * At any time after CONFIG: ACCESS (the access log goes to another file from now on)   SHARED (a dictionary is new, or takes the place of the one of that name)   UNSHARED {name}
 * Links between workers (at any time after CONFIG; only to and between those that have joined):
 *   JOIN                           ->        I have actors: tell me who else has, and them of me
 *                                  <-   MEMBER {incarnation, slot, pool} x n, one for each other that has joined, now and later;
 *                                       again when it serves another slot
 *   REACH {incarnation, link}      ->        make us a link, the how manieth it is
 *                                  <-   PEER {incarnation, link} (fd), to both   or GONE {incarnation}: there is no such member
 *                                  <-   GONE {incarnation}: it has ended, and holds no name any more
 * Names for all workers (only of those that have joined):
 *                                  <-   NAMES (fd), after JOIN when there are any, and again whenever it has missed some
 *   CLAIM {actor, waits} name      ->        this actor shall have the name
 *                                  <-   NAMED {incarnation, actor} name, to all: the answer, too, at once or after a while
 *                                       or TAKEN {actor, why} name
 *   UNCLAIM {actor} name           ->        it gives the name back, or waits for it no more
 *                                  <-   UNNAMED {incarnation, actor} name, to all, unless another one is NAMED
 *
 * Pools that applications start (from ACTIVATE on; one question at a time):
 *   ASK {number, what, name} text  ->        start a pool (text: its options as JSON), stop one, or list all
 *                                  <-   ANSWER {number, code} text   or POOLS {number, code} (fd) to a list
 *
 * At any time: LEAVE (somebody sent it SIGTERM: replace me), DYING {signal} from its handler of fatal signals.
 *
 * End of file on FD_CONTROL means to a worker that the master is gone: it exits at once. */

enum { PROTO_VERSION = 6 };

enum proto_fd {
    PROTO_FD_CONTROL = 3,  /* SOCK_SEQPACKET, both directions */
    PROTO_FD_PAGE = 4,     /* memfd of one struct page, sealed against resizing */
    PROTO_FD_BLACKBOX = 5, /* memfd of one struct blackbox, sealed against resizing */
    PROTO_FD_END = 6,      /* every descriptor from here on is closed at exec */
};

/* Environment of a worker: PROTO_ENV_* and what the configuration lists, nothing inherited. */
#define PROTO_ENV_INCARNATION "FSD_INCARNATION" /* decimal */
#define PROTO_ENV_MASTER_PID  "FSD_MASTER_PID"  /* decimal; compared with getppid() */
/* "1": the process makes itself undumpable before it does anything else, so that no other process of its user can look into it
 * (ptrace, /proc/PID/mem, environ) and no core dump shows what it held.  Not set for `fsd run`, nor when the daemon's own limit asks
 * for core dumps.  Also for the bundle tool. */
#define PROTO_ENV_SHIELD "FSD_SHIELD"

/* Process exit codes of all three programs; the README lists them.  64 and up are sysexits.h's. */
enum fsd_exit {
    FSD_EXIT_OK = 0,
    FSD_EXIT_FAILED = 1,       /* the operation that was asked for failed */
    FSD_EXIT_DEGRADED = 2,     /* status: running, but not as configured */
    FSD_EXIT_NOT_RUNNING = 3,  /* status: no daemon answers */
    FSD_EXIT_UNKNOWN = 4,      /* status: no permission to ask */
    FSD_EXIT_USAGE = 64,       /* command line */
    FSD_EXIT_LOAD = 65,        /* the application's code cannot be loaded */
    FSD_EXIT_NO_INPUT = 66,    /* the application's file cannot be opened */
    FSD_EXIT_UNAVAILABLE = 69, /* the daemon hung up, or does not know the method */
    FSD_EXIT_INTERNAL = 70,    /* fsd's own fault, or the system is out of something */
    FSD_EXIT_BIND = 71,        /* an address or socket path is taken or may not be used */
    FSD_EXIT_TIMEOUT = 75,     /* may be tried again */
    FSD_EXIT_PROTOCOL = 76,    /* fsd and fsd-worker are of different protocol versions */
    FSD_EXIT_CONFIG = 78,      /* bad configuration, and nothing else: systemd gives up on it */
};

enum proto_direction { PROTO_TO_MASTER, PROTO_TO_WORKER };

enum proto_kind {
    PROTO_HELLO = 1,
    PROTO_LOG,
    PROTO_CONFIG,
    PROTO_LOAD,
    PROTO_UNAVAILABLE,
    PROTO_LOADED,
    PROTO_REFUSED,
    PROTO_LISTENER,
    PROTO_ACTIVATE,
    PROTO_ACTIVE,
    PROTO_RETURN,
    PROTO_DRAIN,
    PROTO_DRAINING,
    PROTO_PREPARE,
    PROTO_PREPARED,
    PROTO_REJECTED,
    PROTO_COMMIT,
    PROTO_COMMITTED,
    PROTO_ABORT,
    PROTO_LEAVE,
    PROTO_DYING,
    PROTO_SHARED,
    PROTO_UNSHARED,
    PROTO_JOIN,
    PROTO_MEMBER,
    PROTO_REACH,
    PROTO_PEER,
    PROTO_GONE,
    PROTO_CLAIM,
    PROTO_UNCLAIM,
    PROTO_NAMES,
    PROTO_NAMED,
    PROTO_UNNAMED,
    PROTO_TAKEN,
    PROTO_ASK,
    PROTO_ANSWER,
    PROTO_POOLS,
    PROTO_LAGGARDS,
    PROTO_ACCESS,
};

enum {
    PROTO_TEXT_MAX = 4096,
    PROTO_NAME_MAX = 64,
    PROTO_PAYLOAD_MAX = 8192,
    PROTO_CLAIM_MAX = 255
};

/* CONFIG: a sealed memfd with one MessagePack map:
 *   number (int), pool (str), workers (int: how many the pool has), app (str), path (str: the main
 *   file's absolute path), trusted_proxies (str: see common/address.h), log_level (int), refreshes (int: 1 in
 *   `fsd run` that watches), access (str: the format of the access log, common/access_format.h; "": none), settings (map), env (map str -> str),
 *   limits {request_timeout_ms, cpu_ms, keepalive_ms, replaced_ms, body_bytes, memory_bytes, actor_memory_bytes,
 *   header_timeout_ms, body_timeout_ms, write_timeout_ms, url_bytes, header_bytes, headers, connections, connections_per_ip} (ints),
 *   compress {compress_level, compress_min_bytes} (ints).  Unknown keys are ignored.
 * LOG: a SOCK_SEQPACKET socket on which the worker sends log records, one a packet, each one MessagePack array
 *   [level (int, log_level.h), wall_us (int), dropped (int: records lost since the last one that was sent), message (str),
 *    fields (map str -> nil, bool, int, float or str)] of at most PROTO_LOG_MAX bytes.
 * ACCESS: where the worker writes the access log itself; it never waits for it.
 * LOAD: a sealed memfd with a bundle: what `fsd-worker --tool bundle` wrote; the master does not look inside. */
enum { PROTO_LOG_MAX = 16384 };

/* `fsd-worker --tool bundle --app FILE` reads an application's Lua files, checks that each compiles and writes the bundle
 * to descriptor PROTO_FD_BUNDLE; on stdout it prints one line "SHA256-HEX FILES BYTES"; errors go to stderr, one line
 * each, "FILE:LINE: what".  Exit: FSD_EXIT_OK, FSD_EXIT_LOAD, FSD_EXIT_NO_INPUT or FSD_EXIT_INTERNAL. */
enum { PROTO_FD_BUNDLE = 3 };

/* A message is one packet: this head, then size bytes of payload. */
struct proto_head {
    uint32_t kind;
    uint32_t size;
};

/* Frozen for ever: a master must be able to read the HELLO of any version. */
struct proto_hello {
    uint32_t protocol;
    char build[28]; /* NUL-padded; information only */
};

/* LISTENER: the descriptor is a listening stream socket.  Before ACTIVATE it is kept; afterwards accepted from at once. */
struct proto_listener {
    uint64_t slot; /* whose socket it is: the worker's own slot, or another one that lends it */
    char name[PROTO_NAME_MAX]; /* NUL-padded */
};

/* LOAD (fd: the bundle), LOADED, ACTIVE; REFUSED has the reason as text behind it. */
struct proto_generation {
    uint64_t generation;
};

/* Instead of LOAD: the pool is held, answer every request with 503 and Retry-After.  LOADED follows with generation 0. */
struct proto_unavailable {
    uint64_t retry_after_s;
};

struct proto_activate {
    uint64_t generation; /* the one that is loaded */
    uint64_t slot;       /* which the worker serves from now on */
};

/* RETURN: accept nothing more from the sockets that this slot had lent; what was accepted stays.  No answer. */
struct proto_return {
    uint64_t slot;
};

struct proto_drain {
    uint64_t idle_ms; /* how long connections that are idle may stay open */
    /* 1: nobody accepts from these sockets afterwards, so accept what waits there first */
    uint64_t empties_queues;
};

enum proto_change {
    PROTO_CHANGE_CONFIG = 1, /* fd: what CONFIG carries */
    PROTO_CHANGE_CODE = 2,   /* fd: a bundle, as with LOAD */
};

enum proto_abort {
    PROTO_ABORT_SILENT = 0,
    /* its time is over: REJECTED follows, with the place where it stood, if it was not PREPARED before */
    PROTO_ABORT_LATE = 1,
};

/* PREPARE (fd: the new thing), PREPARED, COMMIT, COMMITTED, ABORT; REJECTED has the reason as text behind it.  One change is under way
 * at a time; ABORT and COMMIT of a number that is not prepared are ignored. */
struct proto_transaction {
    uint64_t number;
    uint64_t what; /* enum proto_change; of ABORT: enum proto_abort; 0 in the answers */
    uint64_t
        generation; /* PREPARE of code: its number, above all before. COMMITTED: the one that runs now. Else 0 */
};

/* LAGGARDS, at most once a second; behind it the text: one line each, "KIND WHAT since SECONDS at FILE:LINE", as many as fit. */
struct proto_laggards {
    uint64_t generation; /* the oldest that is left; 0: only the running one is */
    uint64_t count;      /* of all, also those that the text has no room for */
};

/* Sent by the handler of a fatal signal before the process ends by it. */
struct proto_dying {
    uint64_t signal;
};

/* SHARED (fd: a memfd of exactly size bytes, sealed against resizing; all zero is an empty dictionary, what else is in it is the workers'
 * affair alone, the master never maps it), UNSHARED: only the name counts. */
struct proto_shared {
    uint64_t size;
    uint64_t seed;             /* random; of the hash of its keys */
    char name[PROTO_NAME_MAX]; /* NUL-padded */
};

/* MEMBER: a worker that has joined. */
struct proto_member {
    uint64_t incarnation;
    uint64_t slot;             /* UINT64_MAX: it serves none yet */
    char pool[PROTO_NAME_MAX]; /* NUL-padded */
};

/* REACH, GONE, and PEER (fd: one end of a stream socket between the two, which does not block). */
struct proto_peer {
    uint64_t incarnation; /* of the other one */
    /* How many links the asking end has seen end with that one.  Both may ask at once, and get two: the second one counts only
     * for an end that has seen fewer, and so has not noticed yet that its link is broken.  In GONE 0; 1: it is there, but no link
     * can be made now. */
    uint64_t link;
};

/* CLAIM, UNCLAIM; behind it the name, 1 to PROTO_CLAIM_MAX bytes without a NUL. */
struct proto_claim {
    uint64_t serial; /* of the actor */
    uint32_t index;
    uint32_t waits; /* 1: until the name is free, when it is not */
};

/* NAMED, UNNAMED; behind it the name.  NAMES: a sealed memfd with one MessagePack array of
 * [name (str), incarnation (int), serial (int), index (int)]: the names that are held, all of them. */
struct proto_named {
    uint64_t incarnation;
    uint64_t serial;
    uint32_t index;
    uint32_t reserved; /* 0 */
};

enum proto_taken_why {
    PROTO_TAKEN_EXISTS = 1,   /* another one holds it, or the worker waits for it already */
    PROTO_TAKEN_OVERLOAD = 2, /* there are too many names or claims */
};

/* TAKEN; behind it the name. */
struct proto_taken {
    uint64_t serial;
    uint32_t index;
    uint32_t why; /* enum proto_taken_why */
};

enum proto_ask_what {
    PROTO_ASK_START =
        1, /* a pool; the text behind it: one JSON object, the keys of `pools.NAME` and `listeners` as a map */
    PROTO_ASK_STOP = 2, /* a pool that was started so */
    PROTO_ASK_LIST = 3,
};

/* ASK, with text behind it.  The next one may be sent when this one is answered. */
struct proto_ask {
    uint64_t number;           /* the worker's own; the answer repeats it */
    uint64_t what;             /* enum proto_ask_what */
    char name[PROTO_NAME_MAX]; /* NUL-padded; of the pool */
};

enum proto_answer_code {
    PROTO_ANSWER_OK,
    PROTO_ANSWER_EXISTS,
    PROTO_ANSWER_INVALID,
    PROTO_ANSWER_OVERLOAD,
    PROTO_ANSWER_REFUSED, /* it was tried and failed */
    PROTO_ANSWER_UNKNOWN, /* there is no such pool */
    PROTO_ANSWER_BUSY,    /* not now: ask again in a moment */
};
enum { PROTO_ANSWER_CODES = PROTO_ANSWER_BUSY + 1 };

/* ANSWER, with the sentence for people behind it, and POOLS (fd: a sealed memfd with one MessagePack array of maps: name, app, state,
 * origin (str), count (int)). */
struct proto_answer {
    uint64_t number;
    uint64_t code; /* enum proto_answer_code */
};

/* One row a kind; the length and the number of descriptors are checked before a handler sees it. */
struct proto_row {
    enum proto_kind kind;
    const char *name;
    enum proto_direction direction;
    uint32_t size_min;
    uint32_t size_max;
    unsigned fds; /* exactly this many descriptors */
};

/* NULL when no such kind exists. */
const struct proto_row *proto_find(uint32_t kind);
/* Checks a received packet of len bytes with nfds descriptors that came in the given direction.
 * 0, or -EPROTO with the reason: the sender broke the contract and its channel is closed. */
int proto_check(const void *packet, size_t len, unsigned nfds, enum proto_direction direction,
                struct fsd_err *err);

#endif
