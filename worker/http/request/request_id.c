/* request_id.c - by which name logs and people speak of one request.
 * Owns nothing; the text stands in the exchange.  Which id of the client's is taken over, and the form of ours, are
 * text/request_token.c's; one of ours is made only when somebody asks.
 * Called for req.id, req.log and the black box.  Must not know Lua. */
#include "worker/http/request/request_id.h"

#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/service.h"
#include "worker/http/text/request_token.h"

void request_id_take(struct exchange *exchange)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t given = view_header(&exchange->view, H2O_STRLIT("x-request-id"), scratch);
    if (request_token_is_usable(given.base, given.len)) {
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
        request_token_make(exchange->id, exchange->service->runtime->incarnation, exchange->serial);
    }
    return exchange->id;
}
