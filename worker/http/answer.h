#ifndef FSD_WORKER_HTTP_ANSWER_H
#define FSD_WORKER_HTTP_ANSWER_H

#include <h2o.h>
#include <stdbool.h>

struct service;

/* Sends a complete answer through libh2o: headers already set stay, the body must live in the request's pool (or for
 * ever).  The request must not be touched afterwards.  While the worker drains, or with close, the connection ends with
 * this answer, lingering. */
void answer_send(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body, bool close);
/* The length of a body that answer_send is not to tell; only where answer_is_bodiless says that nothing is sent anyway. */
#define ANSWER_LENGTH_UNKNOWN SIZE_MAX
/* Whether an answer of that status to this request never has a body (RFC 9110: HEAD, 204, 205, 304). */
bool answer_is_bodiless(h2o_req_t *req, int status);
/* Begins one whose body comes from a generator, in pieces, but is so long in all; headers and the connection's end are as for
 * answer_send.  Not for an answer without a body. */
void answer_start(struct service *service, h2o_req_t *req, int status, h2o_generator_t *generator,
                  size_t len, bool close);
/* To be called first when libh2o asks for the next piece. */
void answer_forget_write(h2o_req_t *req);
/* Begins an answer of unknown length: the head leaves with the first h2o_send.  While the worker drains, or with close, the
 * head says Connection: close; true when answer_linger is to be called before the last h2o_send then. */
bool answer_begin(struct service *service, h2o_req_t *req, int status, h2o_generator_t *generator,
                  bool close);
/* The connection ends with the answer under way, lingering. */
void answer_linger(h2o_req_t *req);
/* The same as answer_send for what is answered without a handler in Lua: a page gets what `fsd run` adds to pages. */
void answer_own(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body, bool close);
/* The default page of an error: HTML for a browser, else {"error":message}; message may be shown to strangers.  Headers that a
 * handler had set are dropped. */
void answer_error(struct service *service, h2o_req_t *req, int status, const char *message,
                  bool close);
/* The same for a pool that is held: 503 with Retry-After, and the connection ends, so that the next one may find another worker. */
void answer_unavailable(struct service *service, h2o_req_t *req);
/* Whether the client names HTML before anything else would do: browsers do, API clients don't. */
bool answer_wants_html(h2o_req_t *req);
/* Builds that page into the request's pool and sets its content type, without sending. */
h2o_iovec_t answer_error_body(h2o_req_t *req, int status, const char *message);
/* The same for an error of ours in `fsd run`: a browser shows the details, of several lines. */
h2o_iovec_t answer_failure_body(h2o_req_t *req, int status, const char *details);
/* Adds "Allow: GET, HEAD" of the methods; the text must be in the request's pool. */
void answer_set_allow(h2o_req_t *req, h2o_iovec_t methods);

#endif
