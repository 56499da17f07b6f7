#ifndef FSD_DAEMON_CONF_CONF_H
#define FSD_DAEMON_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_level.h"
#include "common/parse.h"
#include "common/supervise.h"
#include "daemon/conf/conf_text.h"

struct problem_list;
struct source;
struct yaml_node;

/* Where a value was written; file is "" for values from flags and defaults. */
struct conf_place {
    const char *file; /* borrowed from the conf */
    unsigned line;    /* 1-based */
    unsigned column;  /* 1-based, in bytes */
};

struct conf_listener {
    char *name;                   /* owned */
    struct parse_address address; /* port 0: the kernel chooses, the master reads it back */
    bool is_extra;                /* made for an extra pool, and goes with it */
    struct conf_place place;
};

/* One variable that the application sees in fsd.config.env. */
struct conf_env {
    char *name;     /* owned */
    char *value;    /* owned; never logged */
    bool is_secret; /* it came from a reference or a file: never shown */
};

struct conf_app {
    char *name;              /* owned */
    char *path;              /* owned; absolute path of the application's main .lua file */
    unsigned char *settings; /* owned; one MessagePack map, what Lua sees as fsd.config.settings */
    size_t settings_len;
    struct conf_env *env; /* owned array */
    size_t env_count;
    uint32_t
        probation_ms; /* how long new code must run before it is confirmed, 60 s; 0: not at all */
    struct conf_place place;
};

/* What one request, and one worker, may use; handed to the workers. */
struct conf_limits {
    uint32_t request_timeout_ms; /* deadline of a handler, 30 s */
    uint32_t cpu_ms;             /* CPU time of a handler, 10 s */
    uint32_t keepalive_ms;       /* idle keep-alive connection, 60 s */
    uint32_t replaced_ms;        /* how long what runs on replaced code may go on, 60 s */
    uint64_t body_bytes;         /* request body, 10 MiB */
    uint64_t memory_bytes;       /* of all Lua code in a worker, 512 MiB */
    uint64_t actor_memory_bytes; /* of one actor; 0: no limit of its own */
    uint32_t header_timeout_ms;  /* a request's head, from its first byte, 10 s */
    uint32_t body_timeout_ms;    /* without a piece of a request's body, 30 s */
    uint32_t write_timeout_ms;   /* without a piece of an answer taken, 30 s */
    uint64_t url_bytes;          /* of a request's URL, 8 KiB */
    uint64_t header_bytes;       /* of a request's header fields, 32 KiB */
    uint32_t headers;            /* header fields of a request, 64 */
    uint32_t connections;        /* open at once in a worker; 0: as many as it has descriptors */
    uint32_t connections_per_ip; /* of these, from one address; 0: any */
};

/* Which answers leave compressed; handed to the workers. */
struct conf_compress {
    uint32_t level;     /* of gzip, 1 to 9; 0: none is */
    uint64_t min_bytes; /* of a body, 1 KiB */
};

enum {
    CONF_POOL_LISTENERS_MAX = 16,
    CONF_STANDBY_MAX = 8,
    CONF_INTENSITY_MAX = 1000,
    CONF_SHARED_MAX = 32,
    CONF_PROXIES_MAX = 1024, /* bytes of the list of a pool */
    CONF_CHILDREN_MAX = 64,  /* of one supervisor, and of one `after` */
};
#define CONF_STANDBY_AUTO   UINT32_MAX /* 1 when the pool has more than one worker, else 0 */
#define CONF_INTENSITY_AUTO UINT32_MAX /* as many as it has workers, at least 5 */

/* A child of a supervisor: a pool, or another supervisor. */
struct conf_child {
    bool is_supervisor;
    size_t index; /* into conf.pools or conf.supervisors */
};

/* Names in a list, resolved. */
struct conf_children {
    size_t count;
    struct conf_child items[CONF_CHILDREN_MAX];
};

struct conf_pool {
    char *name;            /* owned */
    size_t app;            /* index into conf.apps */
    size_t listener_count; /* of listeners, which are indexes; a listener belongs to one pool */
    size_t listeners[CONF_POOL_LISTENERS_MAX];
    unsigned count;         /* workers; 0 = auto, one for each CPU that the master may use */
    bool is_count_override; /* count was not written but set by an operator */
    uint32_t standby;       /* booted workers in reserve, or CONF_STANDBY_AUTO */
    uint32_t boot_ms;       /* from fork to ready, 60 s */
    /* a serving worker whose loop has not turned for so long is ended, 30 s */
    uint32_t heartbeat_ms;
    uint32_t drain_ms; /* how long a leaving worker keeps idle keep-alive connections, 5 s */
    /* from the order to leave until SIGKILL, 30 s; SUPERVISE_BRUTAL_KILL or SUPERVISE_INFINITY */
    uint32_t shutdown_ms;
    enum supervise_restart restart; /* permanent */
    uint32_t intensity; /* the pool gives up at more restarts than this, or CONF_INTENSITY_AUTO */
    uint32_t period_ms; /* within this time, 30 s */
    struct conf_children after; /* what must serve before the pool is started */
    struct conf_limits limits;
    char trusted_proxies[CONF_PROXIES_MAX]; /* a list, see common/address.h; "": nobody is one */
    struct conf_compress compress;
    struct source *source;  /* owned; what a worker asked for: an extra pool; NULL: of the files */
    struct yaml_node *tree; /* owned; of source */
    struct conf_place place;
};

/* Memory that all workers share. */
struct conf_shared {
    char *name; /* owned */
    uint64_t size_bytes;
    struct conf_place place;
};

/* Pools and supervisors that no supervisor has are the root's children, which is one_for_one and never gives up. */
struct conf_supervisor {
    char *name; /* owned; no pool may have it */
    enum supervise_strategy strategy;
    uint32_t intensity; /* 5 */
    uint32_t period_ms; /* 30 s */
    struct conf_children children;
    struct conf_children after;
    struct conf_place place;
};

enum conf_log_format { CONF_LOG_TEXT, CONF_LOG_JSON };

/* The whole configuration, checked: every index is valid, every name unique. */
struct conf {
    struct conf_listener *listeners; /* owned arrays */
    size_t listener_count;
    struct conf_app *apps;
    size_t app_count;
    struct conf_pool *pools;
    size_t pool_count;
    struct conf_supervisor *supervisors; /* owned array */
    size_t supervisor_count;
    struct conf_shared *shared; /* owned array; at most CONF_SHARED_MAX */
    size_t shared_count;
    enum log_level log_level;
    enum conf_log_format log_format;
    char *log_path; /* owned; absolute path of the log file, NULL: stderr */
    char *
        log_access; /* owned; the format of the access log, see common/access_format.h; NULL: there is none */
    char *log_access_path; /* owned; absolute path of its file, NULL: stdout */
    char *control_path;    /* owned; absolute path of the control socket */
    char *state_path; /* owned; absolute path of the folder for crash reports and config history */
    char *user;       /* owned; whom workers run as when the master is root; NULL: as the master */
    char *group;      /* owned; NULL: the user's own */
    char **files;     /* owned; the files that were read, for conf_place.file */
    size_t file_count;
    struct conf_text *texts; /* owned; its members are borrowed from sources; none of `fsd run` */
    size_t text_count;
    char hash[CONF_TEXT_HASH_MAX]; /* of texts */
    struct source **sources;       /* owned, and each of text_count */
    struct yaml_node *tree;        /* owned; what was bound; NULL for `fsd run` */
    /* owned reference: files, texts, sources and tree are borrowed from it; NULL: they are its own */
    struct conf *base;
    unsigned users; /* references that copies have */
    bool refreshes; /* fsd run: pages that browsers have open follow the code */
};

/* A value that an operator set by command, above all files. */
struct conf_override {
    const char *pool; /* borrowed; a pool that is not there is passed over */
    unsigned count;
};
struct conf_overrides {
    const struct conf_override *items; /* borrowed */
    size_t count;
};

/* Reads FILE and conf.d beside it (see docs/ops/config.md).  All problems are collected in list; the
 * result is NULL when one of them is an error.  The caller frees the result with conf_free. */
struct conf *conf_load(const char *file, struct problem_list *list);
/* A file that is read in the place of one of the configuration's, which need not exist. */
struct conf_replacement {
    const char *path; /* borrowed; the file of the configuration, and its name in all messages */
    const char *file; /* borrowed; what is read */
};
/* The same as it would be with the replacement. */
struct conf *conf_load_as(const char *file, const struct conf_replacement *replacement,
                          struct problem_list *list);
/* The same for texts that were kept, in their order; no file but references is read.  overrides may
 * be NULL. */
struct conf *conf_load_texts(const struct conf_text *texts, size_t count,
                             const struct conf_overrides *overrides, struct problem_list *list);
/* Lays overrides over a conf that was loaded. */
void conf_override(struct conf *conf, const struct conf_overrides *overrides);
/* The same as conf_load for one text in memory; file is its name, for messages and relative paths. */
struct conf *conf_parse(const char *file, const char *text, size_t len, struct problem_list *list);
/* The configuration of `fsd run APP`: one listener "http" on address, one app and pool named after
 * the file, short drain (1 s).  control_path NULL: a path of its own below XDG_RUNTIME_DIR or
 * /tmp. */
struct conf *conf_new_for_run(const char *app, const struct parse_address *address,
                              unsigned workers, const char *control_path,
                              struct problem_list *list);
/* The same configuration again, without its extra pools; NULL: no memory.  The texts are shared with from, which lives as long as its
 * copies do. */
struct conf *conf_copy(struct conf *from);
/* Adds shared dictionaries to that, from "NAME[=SIZE],...".  False, and a problem in list: the conf is only good to be freed. */
bool conf_run_add_shared(struct conf *conf, const char *text, struct problem_list *list);
/* NULL is allowed. */
void conf_free(struct conf *conf);

#endif
