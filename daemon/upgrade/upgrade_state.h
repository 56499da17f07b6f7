#ifndef FSD_DAEMON_UPGRADE_UPGRADE_STATE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/parse.h"
#include "common/proto.h"
#include "daemon/code/bundle.h"
#include "daemon/upgrade/record.h"

/* What a master hands to the program that takes its place (docs/ops/upgrade.md): plain values and numbers of descriptors, nothing
 * that a build may lay out differently.  Times "_ms" are of CLOCK_MONOTONIC, which goes on; enums travel as their numbers.
 *
 * UPGRADE_STATE_VERSION rises with every key that is added.  A program goes on with a state of an older version, where such keys are
 * zero, and refuses one of a newer version.  The meaning of a key never changes. */
enum { UPGRADE_STATE_VERSION = 4, UPGRADE_STATE_MAX = 64 << 20 };

enum { UPGRADE_VERSION_MAX = 32, UPGRADE_CAUSE_MAX = 160, UPGRADE_CLAIM_MAX = PROTO_CLAIM_MAX + 1 };

/* What a descriptor must be. */
enum upgrade_fd {
    UPGRADE_FD_LISTENING, /* a stream socket that listens */
    UPGRADE_FD_STREAM,    /* a Unix stream socket that does not */
    UPGRADE_FD_PACKETS,   /* a Unix SOCK_SEQPACKET socket */
    UPGRADE_FD_SEALED,    /* a memfd that nobody can write to */
    UPGRADE_FD_PAGE,      /* a memfd of a status page */
    UPGRADE_FD_BLACKBOX,  /* a memfd of a black box */
    UPGRADE_FD_SHARED,    /* a memfd that cannot be resized: a shared dictionary */
};

struct upgrade_text {
    char *path;
    char *text;
};

struct upgrade_override {
    char pool[PROTO_NAME_MAX];
    uint64_t count;
};

/* What the command line said, see struct master_options. */
struct upgrade_options {
    char *worker_path;
    char *source;
    char *address; /* of `fsd run`; "" of `fsd serve` */
    char *control; /* "": the default */
    char *shared;  /* of `fsd run`; "": none; since version 2 */
    uint64_t workers;
    bool is_development;
    bool watches; /* since version 4 */
};

/* A bundle; number 0 and fd -1: none. */
struct upgrade_bundle {
    uint64_t number;
    int fd;
    char sha256[BUNDLE_SHA256_MAX];
    uint64_t files;
    uint64_t bytes;
    uint64_t committed_us; /* since version 4, as the next */
    uint64_t origin;
};

enum { UPGRADE_KEPT_MAX = 2, UPGRADE_WHY_MAX = 256 };

struct upgrade_app {
    char name[PROTO_NAME_MAX];
    uint64_t last;
    struct upgrade_bundle running;
    /* since version 4 all that follows */
    uint64_t previous;  /* numbers; 0: none is */
    uint64_t confirmed; /* may be the running one */
    /* struct upgrade_bundle: these, but for the running one, the newest first */
    struct record_list kept;
    uint64_t probation_of;
    uint64_t probation_since_ms;
    uint64_t setback_from;
    uint64_t setback_to;
    uint64_t setback_at_us;
    char setback_why[UPGRADE_WHY_MAX];
};

struct upgrade_socket {
    int fd;
};

struct upgrade_listener {
    char name[PROTO_NAME_MAX];
    bool is_foreign;
    uint64_t device; /* of a Unix socket's file; inode 0: none */
    uint64_t inode;
    uint64_t live;
    uint64_t stored;
    struct record_list sockets; /* struct upgrade_socket; at least one */
};

enum upgrade_role { UPGRADE_IN_SLOT, UPGRADE_STANDBY, UPGRADE_UNAVAILABLE };
enum { UPGRADE_ROLES = UPGRADE_UNAVAILABLE + 1 };

struct upgrade_proc {
    uint64_t pid;
    uint64_t number; /* incarnation */
    uint64_t role;   /* enum upgrade_role */
    uint64_t slot;   /* of UPGRADE_IN_SLOT: its index */
    uint64_t shown;  /* the slot in its log lines */
    uint64_t generation;
    uint64_t config;
    bool is_active; /* else it is LOADED */
    bool log_was_malformed;
    bool has_joined; /* the workers with actors; since version 3 */
    bool is_behind;  /* with names; since version 3 */
    uint64_t retry_after_s;
    uint64_t change;
    uint64_t started_us;
    uint64_t ready_us;
    uint64_t started_ms;
    uint64_t activated_ms;
    uint64_t ready_ms;
    uint64_t died_us;
    /* what it still runs on replaced code, see struct laggards; since version 4 */
    uint64_t laggards;
    uint64_t laggards_generation;
    uint64_t laggards_told_ms;
    char *laggards_text; /* "": none */
    int channel;
    int page;
    int blackbox;
    int log; /* -1: it has closed its end */
};

struct upgrade_slot {
    uint64_t state; /* enum slot_state, of those that rest */
    uint64_t failures;
    uint64_t retry_at_ms;
    uint64_t vacant_since_ms;
    uint64_t borrower; /* number of an incarnation; 0: none */
    bool had_proved;
    uint64_t wanted;
    uint64_t restarts;
    uint64_t requests_total;
    uint64_t died_us;
    char last_exit[FSD_ERR_MAX];
};

struct upgrade_time {
    uint64_t at_ms;
};

struct upgrade_pool {
    char name[PROTO_NAME_MAX];
    uint64_t config;
    uint64_t count;
    uint64_t phase; /* enum pool_phase, of those that rest */
    bool was_up;
    bool is_down_told;
    char cause[UPGRADE_CAUSE_MAX];
    /* struct upgrade_time: those that the window knows, the oldest first */
    struct record_list restarts;
    uint64_t probe_at_ms;
    bool is_mended;
    uint64_t probed_at_ms;
    uint64_t requests_gone;
    uint64_t reserve_failures;
    uint64_t reserve_at_ms;
    struct record_list slots; /* struct upgrade_slot, at least count */
    struct record_list procs; /* struct upgrade_proc */
};

/* A shared dictionary; since version 2. */
struct upgrade_shared {
    char name[PROTO_NAME_MAX];
    uint64_t size;
    uint64_t seed;
    int fd;
};

/* A name that an actor holds, or waits for; since version 3. */
struct upgrade_claim {
    char name[UPGRADE_CLAIM_MAX];
    uint64_t incarnation;
    uint64_t serial;
    uint64_t index;
    bool waits;
    bool is_holder;
};

/* A pool that an application has started, in their order; since version 3. */
struct upgrade_extra {
    char name[PROTO_NAME_MAX];
    char *text; /* as it was asked for */
};

/* Who asked for the upgrade and waits for the answer. */
struct upgrade_caller {
    int fd;   /* -1: nobody */
    char *id; /* JSON */
};

struct upgrade_state {
    char version[UPGRADE_VERSION_MAX]; /* of the program that wrote this */
    uint64_t protocol;                 /* PROTO_VERSION of the workers */
    uint64_t page_version;
    uint64_t blackbox_version;
    uint64_t pid;
    char *path; /* where the program is started from */
    bool is_drained;
    bool was_ready;
    uint64_t started_us;
    uint64_t incarnations;
    uint64_t config_number;
    uint64_t config_last;
    char config_hash[32];
    uint64_t auto_count;
    uint64_t event_id;
    uint64_t log_dropped;
    uint64_t seen; /* develop_get_seen; since version 4 */
    int control;
    uint64_t control_device;
    uint64_t control_inode;
    struct upgrade_caller caller;
    struct upgrade_options options;
    struct record_list texts;          /* none of `fsd run` */
    struct record_list overrides;      /* that the running configuration has */
    struct record_list kept_overrides; /* that the next one will have */
    struct record_list apps;
    struct record_list listeners;
    struct record_list pools;
    struct record_list shared; /* struct upgrade_shared */
    struct record_list claims; /* struct upgrade_claim; those that wait for a name in their order */
    struct record_list extras; /* struct upgrade_extra */
};

extern const struct record_type upgrade_state_type;
extern const struct record_type upgrade_text_type;
extern const struct record_type upgrade_override_type;
extern const struct record_type upgrade_app_type;
extern const struct record_type upgrade_bundle_type;
extern const struct record_type upgrade_listener_type;
extern const struct record_type upgrade_socket_type;
extern const struct record_type upgrade_pool_type;
extern const struct record_type upgrade_slot_type;
extern const struct record_type upgrade_proc_type;
extern const struct record_type upgrade_time_type;
extern const struct record_type upgrade_shared_type;
extern const struct record_type upgrade_claim_type;
extern const struct record_type upgrade_extra_type;

/* The caller frees the bytes.  0, -ENOMEM, or -EMSGSIZE: more than UPGRADE_STATE_MAX. */
int upgrade_state_encode(const struct upgrade_state *state, unsigned char **ret_data,
                         size_t *ret_len);
/* Distrusts every byte; *ret_state fits together as far as that can be seen from itself, and is freed with upgrade_state_fini.  On
 * failure, a negative errno with a sentence, there is nothing to free. */
int upgrade_state_decode(struct upgrade_state *ret_state, const void *data, size_t len,
                         struct fsd_err *err);
/* All zero is fine.  Descriptors are left alone. */
void upgrade_state_fini(struct upgrade_state *state);

/* upgrade_check.c: does it fit together, and can this program go on with it?  0, or -EPROTO with a sentence. */
int upgrade_check(const struct upgrade_state *state, struct fsd_err *err);
/* All descriptors in rising order; the caller frees the array.  0 or -ENOMEM. */
int upgrade_list_fds(const struct upgrade_state *state, int **ret_fds, size_t *ret_count);

#endif
