#ifndef FSD_DAEMON_SIGNALS_H
#define FSD_DAEMON_SIGNALS_H

#include <stddef.h>

struct setup_signal;

/* What each signal makes the daemon do, one row a signal; docs/reference/signals.md lists them. */
const struct setup_signal *signals_get(size_t *ret_count);

#endif
