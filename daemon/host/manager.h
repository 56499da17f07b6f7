#ifndef FSD_DAEMON_HOST_MANAGER_H
#define FSD_DAEMON_HOST_MANAGER_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/host/notify.h"
#include "daemon/listen/activation.h"

struct conf;
struct fsd_err;
struct log;
struct master;

enum manager_state {
    MANAGER_STARTING,
    MANAGER_RUNNING,
    MANAGER_RELOADING, /* code, configuration or the program is being changed */
    MANAGER_STOPPING,
};

/* The service manager (systemd) that started us, or nobody. */
struct manager {
    struct notify notify;
    struct activation activation; /* until all listeners are open */
    sd_event_source *watchdog;    /* owned; NULL: nobody waits to hear that we live */
    uint64_t watchdog_us;         /* how often it is said */
    enum manager_state state;     /* as was said last */
    uint64_t since_ms;            /* monotonic */
};

/* Nobody; manager_close is fine from here on. */
void manager_init(struct manager *manager);
/* Finds out who started us, and takes the sockets that were handed over for the configuration's listeners, which are borrowed until
 * activation_close.  To be called before any descriptor is opened.  0 or negative errno with a sentence. */
int manager_open(struct manager *manager, const struct conf *conf, struct log *log,
                 struct fsd_err *err);
/* Says from the loop that the daemon lives, when somebody waits for that.  0 or negative errno. */
int manager_watch(struct manager *manager, sd_event *loop);
/* The sockets that are still open lie in the fd store for the next daemon. */
void manager_close(struct manager *manager);

/* Says how the daemon is, when that has changed; to be called whenever it may have.  At the end of a reload before its
 * caller is answered, so that systemd knows before `systemctl reload` ends. */
void manager_update(struct master *master);
/* The same once a second, and what repeats itself: asking for time, and what could not be said before. */
void manager_tick(struct master *master);

#endif
