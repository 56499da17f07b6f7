#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_ID_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_ID_H

struct exchange;

/* Takes over the X-Request-Id that the client sent, when it is a short token. */
void request_id_take(struct exchange *exchange);
/* The request's id: X-Request-Id when it is a short token, else made. */
const char *request_id_get(struct exchange *exchange);

#endif
