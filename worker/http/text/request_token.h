#ifndef FSD_WORKER_HTTP_TEXT_REQUEST_TOKEN_H
#define FSD_WORKER_HTTP_TEXT_REQUEST_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By what a request is known in logs.  Pure. */

enum { REQUEST_TOKEN_MAX = 64 };

/* Whether what a client sent as X-Request-Id is taken over: 1 to 64 visible ASCII characters. */
bool request_token_is_usable(const char *text, size_t len);
/* The one that we make: the number of the worker's incarnation, and that of the request in it. */
void request_token_make(char text[REQUEST_TOKEN_MAX + 1], uint64_t incarnation, uint64_t serial);

#endif
