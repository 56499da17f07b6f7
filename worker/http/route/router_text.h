#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_TEXT_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Comparing pieces of paths without copying them.  fold: ASCII letters of both cases are equal. */

/* A hash for tables whose keys come from the application, not from the network. */
uint64_t router_text_hash(const char *text, size_t len, bool fold);
/* key has len bytes too, and is lower-case already when fold is set. */
bool router_text_equal(const char *key, const char *text, size_t len, bool fold);
/* Lower-cases ASCII letters in place. */
void router_text_fold(char *text, size_t len);

#endif
