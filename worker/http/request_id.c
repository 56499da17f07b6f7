/* request_id.c - by which name logs and people speak of one request.
 * Owns nothing; the text stands in the exchange.  An id of the client's is taken over when it can stand in a log; one of our own is made
 * only when somebody asks, from the worker's incarnation and a serial number.
 * Called for req.id, req.log and the black box.  Must not know Lua. */
#include "worker/http/request_id.h"

#include <stdio.h>
#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/service.h"

void request_id_take(struct exchange *exchange)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t given = view_header(&exchange->view, H2O_STRLIT("x-request-id"), scratch);
    bool usable = given.len > 0 && given.len <= EXCHANGE_ID_MAX;
    for (size_t i = 0; usable && i < given.len; i++) {
        usable = given.base[i] > 0x20 && given.base[i] < 0x7f;
    }
    if (usable) {
        memcpy(exchange->id, given.base, given.len);
        exchange->id[given.len] = '\0';
    }
}

const char *request_id_get(struct exchange *exchange)
{
    if (exchange->id[0] == '\0') {
        request_id_take(exchange);
    }
    if (exchange->id[0] == '\0') {
        (void)snprintf(exchange->id, sizeof(exchange->id), "%llx-%llx",
                       (unsigned long long)exchange->service->runtime->incarnation,
                       (unsigned long long)exchange->serial);
    }
    return exchange->id;
}
