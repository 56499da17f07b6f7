/* request_token.c - by what a request is known in logs.
 * Owns which ids of clients are taken over, and the form of ours.  Pure.  Called by request.c, when somebody asks for the id, and by
 * access_log.c, so that both logs name a request alike. */
#include "worker/http/text/request_token.h"

#include <inttypes.h>
#include <stdio.h>

bool request_token_is_usable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f) {
            return false;
        }
    }
    return len > 0 && len <= REQUEST_TOKEN_MAX;
}

void request_token_make(char text[REQUEST_TOKEN_MAX + 1], uint64_t incarnation, uint64_t serial)
{
    (void)snprintf(text, REQUEST_TOKEN_MAX + 1, "%" PRIx64 "-%" PRIx64, incarnation, serial);
}
