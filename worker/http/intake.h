#ifndef FSD_WORKER_HTTP_INTAKE_H
#define FSD_WORKER_HTTP_INTAKE_H

#include <h2o.h>

struct service;

/* The one handler that libh2o calls for every request, on every path. */
struct intake {
    h2o_handler_t super;
    struct service *service; /* borrowed */
};

/* Registers the handler, and the filter that lets libh2o's own error pages linger, on a path. */
void intake_register(h2o_pathconf_t *path, struct service *service);

#endif
