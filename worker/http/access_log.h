#ifndef FSD_WORKER_HTTP_ACCESS_LOG_H
#define FSD_WORKER_HTTP_ACCESS_LOG_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/access_format.h"
#include "worker/core/json/json.h"
#include "worker/core/loop.h"
#include "worker/core/ration.h"

struct runtime;

/* The access log of one worker; embedded in the server. */
struct access_log {
    struct runtime *runtime; /* borrowed */
    int fd;                  /* owned; -1: none came */
    bool is_on;              /* there is a format */
    bool
        is_file; /* it takes any length at once; else PIPE_BUF, so that lines of workers don't mix */
    bool is_socket;
    bool is_mid_line;      /* the last line was cut short */
    uint64_t lost;         /* lines that were not taken, ever */
    int reason;            /* why the last of them was not: errno */
    struct ration losses;  /* what is told of them */
    struct json_buf lines; /* owned: those of this turn */
    struct loop_job flush;
    struct access_format format;
};

void access_log_init(struct access_log *log, struct runtime *runtime);
/* Writes what is left. */
void access_log_fini(struct access_log *log);
/* Logs the requests of that path. */
void access_log_register(struct access_log *log, h2o_pathconf_t *path);
/* Takes the descriptor. */
void access_log_take(struct access_log *log, int fd);
/* What the configuration says: a format, or "" for none.  One that can't be read was judged by the master, so it can't come. */
void access_log_set_format(struct access_log *log, const char *text);
/* Notes which request this is, for $request_id; called for every request while the log is on. */
void access_log_note(h2o_req_t *req, uint64_t serial);

#endif
