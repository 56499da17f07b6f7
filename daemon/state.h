#ifndef FSD_DAEMON_STATE_H
#define FSD_DAEMON_STATE_H

#include <jansson.h>

#include "daemon/app.h"
#include "daemon/control/control.h"
#include "daemon/listener.h"
#include "daemon/loader.h"
#include "daemon/log/log.h"
#include "daemon/pool.h"
#include "daemon/reload.h"

struct master_options;

enum master_phase {
    MASTER_LOADING,  /* the first bundles are being made */
    MASTER_RUNNING,  /* the pools are started */
    MASTER_STOPPING, /* nothing is started any more; ends when the last process is gone */
};

/* All that the running master owns.  Only master.c writes to it; reload.c, methods.c and status.c read it. */
struct master {
    const struct conf *conf;              /* borrowed */
    const struct master_options *options; /* borrowed */
    sd_event *loop;
    struct log log;
    struct control *control;
    struct listener *listeners; /* conf->listener_count */
    struct app *apps;           /* conf->app_count */
    struct pool *pools;         /* conf->pool_count */
    struct loader loader;
    struct reload reload; /* reload.c's */
    enum master_phase phase;
    bool was_ready; /* every slot of every pool has served at one moment */
    int exit_code;
    uint64_t incarnations;
    uint64_t started_us; /* wall clock */
};

/* Graceful, or at once; a second time, or at once after graceful, is fine. */
void master_stop(struct master *master, bool now);
/* Ends the loop when the master is stopping and the last process is gone. */
void master_check_end(struct master *master);

/* methods.c: the rows for control_open. */
const struct control_method *methods_get(size_t *ret_count);
/* status.c: the result of the method; NULL when memory is out. */
json_t *status_describe(const struct master *master);

#endif
