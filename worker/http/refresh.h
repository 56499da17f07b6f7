#ifndef FSD_WORKER_HTTP_REFRESH_H
#define FSD_WORKER_HTTP_REFRESH_H

#include <h2o.h>
#include <stdbool.h>

struct service;

/* Answers the requests of the script below itself; false: it is another one.  Only where config.refreshes says so, as all of this. */
bool refresh_answer(struct service *service, h2o_req_t *req);
/* The body of an answer, with the script behind it when it is a page that a browser shows; in the memory of the request. */
h2o_iovec_t refresh_add_script(struct service *service, h2o_req_t *req, h2o_iovec_t body);
/* The worker leaves, or has other code: each page asks again, and learns it. */
void refresh_end_all(struct service *service);

#endif
