#ifndef FSD_WORKER_CORE_CONFIG_H
#define FSD_WORKER_CORE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/log_level.h"

struct fsd_err;

enum {
    CONFIG_PROXIES_MAX = 1024,
    CONFIG_NAME_MAX = 64,
    CONFIG_PATH_MAX = 4096,
    CONFIG_ACCESS_MAX = 1024
};

/* What the master's CONFIG message says (the keys: common/proto.h). */
struct config {
    char pool[CONFIG_NAME_MAX];
    char app[CONFIG_NAME_MAX];
    char path[CONFIG_PATH_MAX];               /* of the application's main file, for messages */
    char trusted_proxies[CONFIG_PROXIES_MAX]; /* a list, see common/address.h */
    uint32_t workers;
    enum log_level log_level;
    char access[CONFIG_ACCESS_MAX]; /* the format of the access log; "": there is none */
    uint32_t
        refreshes; /* 1: pages that browsers have open follow the code; only `fsd run` says so */
    uint32_t request_timeout_ms;
    uint32_t cpu_ms;       /* of one handler; 0: no limit */
    uint32_t keepalive_ms; /* between two requests; 0: for ever */
    uint64_t body_bytes;
    uint64_t memory_bytes;       /* of the Lua state; 0: any */
    uint64_t replaced_ms;        /* how long what runs on replaced code may go on; 0: the usual */
    uint64_t actor_memory_bytes; /* of that, of one actor; 0: any */
    /* Of what comes over connections; each 0: no limit. */
    uint32_t header_timeout_ms; /* from the first byte of a head to its last */
    uint32_t body_timeout_ms;   /* without a piece of a body */
    uint32_t write_timeout_ms;  /* without a piece of an answer taken */
    uint64_t url_bytes;
    uint64_t header_bytes; /* all header fields of a request */
    uint32_t headers;      /* how many */
    uint32_t connections;  /* open at once */
    uint32_t connections_per_ip;
    uint32_t compress_level;     /* of gzip; 0: no answer is compressed */
    uint64_t compress_min_bytes; /* of a body */
    const void *bytes; /* owned mapping of the whole message; settings and env point into it */
    size_t len;
    const void *settings; /* borrowed from bytes: one MessagePack map */
    size_t settings_len;
    const void *env; /* borrowed from bytes: one MessagePack map of strings */
    size_t env_len;
};

void config_init(struct config *config);
void config_fini(struct config *config);
/* Reads a sealed memfd.  0, -EPROTO with a sentence, or what mapping it says; config keeps its values on failure. */
int config_read(struct config *config, int fd, struct fsd_err *err);
/* Puts env into the process's environment, so that os.getenv and C libraries see it. */
int config_export_env(const struct config *config);

#endif
