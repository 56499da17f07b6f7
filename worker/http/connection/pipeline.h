#ifndef FSD_WORKER_HTTP_CONNECTION_PIPELINE_H
#define FSD_WORKER_HTTP_CONNECTION_PIPELINE_H

#include <h2o.h>

struct guard_head_facts;
struct service;

enum pipeline_verdict {
    PIPELINE_GO_ON, /* the request is answered now */
    PIPELINE_LATER, /* in another turn: go_on is called then, unless the client leaves before */
    PIPELINE_DROP,  /* nobody is there to read an answer */
};

/* Judges an HTTP/1 request by what stands behind it on its connection. */
enum pipeline_verdict pipeline_judge(struct service *service, h2o_req_t *req,
                                     const struct guard_head_facts *facts,
                                     void (*go_on)(struct service *service, h2o_req_t *req,
                                                   const struct guard_head_facts *facts));

#endif
