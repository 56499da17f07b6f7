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
 *                                  <-   LOG (fd)  CONFIG (fd)  LISTENER (fd) x n  LOAD {generation} (fd)
 *   LOADED {generation}            ->        (or REFUSED {generation, why})
 *                                  <-   ACTIVATE {generation}
 *   ACTIVE {generation}            ->        from now on it accepts connections
 *                                  <-   DRAIN {idle_ms}
 *   DRAINING                       ->   from now on it accepts nothing more
 *   exits with FSD_EXIT_OK when its last connection is closed
 *
 * End of file on FD_CONTROL means to a worker that the master is gone: it exits at once. */

enum { PROTO_VERSION = 1 };

enum proto_fd {
    PROTO_FD_CONTROL = 3, /* SOCK_SEQPACKET, both directions */
    PROTO_FD_PAGE = 4,    /* memfd of one struct page, sealed against resizing */
    PROTO_FD_END = 5,     /* every descriptor from here on is closed at exec */
};

/* Environment of a worker: PROTO_ENV_* and what the configuration lists, nothing inherited. */
#define PROTO_ENV_INCARNATION "FSD_INCARNATION" /* decimal */
#define PROTO_ENV_MASTER_PID  "FSD_MASTER_PID"  /* decimal; compared with getppid() */

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
    PROTO_LISTENER,
    PROTO_LOAD,
    PROTO_LOADED,
    PROTO_REFUSED,
    PROTO_ACTIVATE,
    PROTO_ACTIVE,
    PROTO_DRAIN,
    PROTO_DRAINING,
};

enum { PROTO_TEXT_MAX = 4096, PROTO_NAME_MAX = 64, PROTO_PAYLOAD_MAX = 8192 };

/* CONFIG: a sealed memfd with one MessagePack map:
 *   number (int), pool (str), slot (int), workers (int: how many the pool has), app (str), path (str: the main
 *   file's absolute path), log_level (int), settings (map), env (map str -> str),
 *   limits {request_timeout_ms, keepalive_ms, body_bytes} (ints).  Unknown keys are ignored.
 * LOG: a SOCK_SEQPACKET socket on which the worker sends log records, one a packet, each one MessagePack array
 *   [level (int, log_level.h), wall_us (int), dropped (int: records lost since the last one that was sent), message (str),
 *    fields (map str -> nil, bool, int, float or str)] of at most PROTO_LOG_MAX bytes.
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

/* LISTENER: the descriptor is a listening stream socket. */
struct proto_listener {
    char name[PROTO_NAME_MAX]; /* NUL-padded */
};

/* LOAD (fd: the bundle), LOADED, ACTIVATE, ACTIVE; REFUSED has the reason as text behind it. */
struct proto_generation {
    uint64_t generation;
};

struct proto_drain {
    uint64_t idle_ms; /* how long connections that are idle may stay open */
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
