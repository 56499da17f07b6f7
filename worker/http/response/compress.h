#ifndef FSD_WORKER_HTTP_RESPONSE_COMPRESS_H
#define FSD_WORKER_HTTP_RESPONSE_COMPRESS_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>

struct service;

/* What compress_prepare has marked leaves compressed, on that path. */
void compress_register(h2o_pathconf_t *path, struct service *service);
/* Before the head leaves: decides whether the body is to be compressed, and says so in the head (Vary also when it is not, because
 * another client's would be).  len is SIZE_MAX when nobody knows it yet. */
bool compress_prepare(const struct service *service, h2o_req_t *req, int status, size_t len);
/* Sends a whole answer that was marked, as answer_send does; a long one in pieces, so that none holds the loop. */
void compress_send(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body,
                   bool close);
/* The answer that has these headers, and its body, will not be compressed. */
void compress_forbid(h2o_req_t *req);
/* For a 304: says what the whole answer would say of what it depends on. */
void compress_add_vary(const struct service *service, h2o_req_t *req);

#endif
