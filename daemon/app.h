#ifndef FSD_DAEMON_APP_H
#define FSD_DAEMON_APP_H

#include "daemon/bundle.h"

struct conf_app;

/* One application: its part of the configuration and its code. */
struct app {
    const struct conf_app *conf; /* borrowed */
    struct bundle_store store;
};

#endif
