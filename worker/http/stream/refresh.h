#ifndef FSD_WORKER_HTTP_STREAM_REFRESH_H
#define FSD_WORKER_HTTP_STREAM_REFRESH_H

#include <h2o.h>
#include <stdbool.h>

struct edition;
struct service;

/* Answers the requests of the script below itself; false: it is another one.  Only where config.refreshes says so, as all of this. */
bool refresh_answer(struct service *service, h2o_req_t *req);
/* The body of an answer that edition (NULL: no code) gives, with the script behind it when it is a page that a browser shows; in the
 * memory of the request. */
h2o_iovec_t refresh_add_script(const struct service *service, const struct edition *edition,
                               h2o_req_t *req, h2o_iovec_t body);
/* There is another edition now: the pages learn it. */
void refresh_tell_all(struct service *service);
/* The worker leaves: the pages ask again, somebody else. */
void refresh_end_all(struct service *service);

#endif
