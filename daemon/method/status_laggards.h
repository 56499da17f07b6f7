#ifndef FSD_DAEMON_METHOD_STATUS_LAGGARDS_H
#define FSD_DAEMON_METHOD_STATUS_LAGGARDS_H

#include <jansson.h>

struct laggards;

/* What a worker still runs on replaced code, for its row of the status; null: nothing. */
json_t *status_describe_laggards(const struct laggards *laggards);

#endif
