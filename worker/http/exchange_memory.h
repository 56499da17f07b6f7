#ifndef FSD_WORKER_HTTP_EXCHANGE_MEMORY_H
#define FSD_WORKER_HTTP_EXCHANGE_MEMORY_H

#include "worker/http/route/router.h"

struct exchange;

/* Memory that lives as long as the exchange: handlers use the chain also after libh2o's request has gone. */
struct router_memory exchange_memory_get(struct exchange *exchange);
/* Frees all that was taken from it, so that it can be taken anew. */
void exchange_memory_free(struct exchange *exchange);

#endif
