#ifndef FSD_DAEMON_SETUP_H
#define FSD_DAEMON_SETUP_H

#include <systemd/sd-event.h>

#include "daemon/pool/pool.h"

struct conf;
struct fsd_err;
struct master;
struct master_options;
struct upgrade_state;

struct setup_signal {
    int number;
    sd_event_signal_handler_t on_signal; /* userdata is the master */
};

/* Where the master's events go. */
struct setup_events {
    pool_fn on_pool_news;
    sd_event_time_handler_t on_watch; /* once a second; userdata is the master */
    const struct setup_signal *signals;
    size_t signal_count;
};

/* A new master with its log and nothing else; NULL when memory is out.  The caller frees it with setup_free. */
struct master *setup_new(const struct conf *conf, const struct master_options *options);
/* Takes conf.  Adds everything that is needed before the first process is started: loop, signals, pools, control socket,
 * listeners.  Returns FSD_EXIT_OK, or another exit code having logged why. */
int setup_open(struct master *master, struct conf *conf, const struct setup_events *events);
/* The same for a master that goes on where another program was, with all that it had.  A negative errno with a sentence: then it
 * is to be left as it is; nothing has been done to what the state names. */
int setup_inherit(struct master *master, struct conf *conf, const struct setup_events *events,
                  const struct upgrade_state *state, struct fsd_err *err);
/* Ends and closes everything.  NULL is allowed. */
void setup_free(struct master *master);

#endif
