#ifndef FSD_WORKER_HTTP_CONNECTION_CONNECTION_CLOCK_H
#define FSD_WORKER_HTTP_CONNECTION_CONNECTION_CLOCK_H

#include <stddef.h>

struct connection_table;
struct pace_limits;

/* How long connections may take, and how large a head may get (0: any); also for those that are open already. */
void connection_clock_set(struct connection_table *table, const struct pace_limits *limits,
                          size_t head_bytes);
/* There is a connection to look at. */
void connection_clock_run(struct connection_table *table);
void connection_clock_stop(struct connection_table *table);

#endif
