/* response_redirect.c - res:redirect([status,] url), 302 by default.
 * Owns nothing.  As in Express the body says where it goes, as text or HTML by what the client accepts, for those who do not follow.
 * Called by response.c.  Must not know whether the URL is a good one: that is the application's business. */
#include "worker/http/response/response_redirect.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/http/exchange.h"
#include "worker/http/head.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_choose.h"
#include "worker/http/response/response_fields.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/response/response_send.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/parameters.h"

enum redirect_form { FORM_NONE = -1, FORM_TEXT, FORM_HTML };

static enum redirect_form choose_form(const struct exchange *exchange)
{
    static const struct parameter_text offers[] = {
        [FORM_TEXT] = {"text/plain", 10},
        [FORM_HTML] = {"text/html", 9},
    };
    return (enum redirect_form)response_choose(exchange, offers, 2);
}

static h2o_iovec_t make_text(h2o_req_t *req, const char *reason, h2o_iovec_t url)
{
    return h2o_concat(&req->pool, h2o_iovec_init(reason, strlen(reason)),
                      h2o_iovec_init(H2O_STRLIT(". Redirecting to ")), url);
}

static h2o_iovec_t make_html(h2o_req_t *req, const char *reason, h2o_iovec_t url)
{
    h2o_iovec_t text = make_text(req, reason, h2o_htmlescape(&req->pool, url.base, url.len));
    return h2o_concat(&req->pool, h2o_iovec_init(H2O_STRLIT("<!DOCTYPE html><head><title>")),
                      h2o_iovec_init(reason, strlen(reason)),
                      h2o_iovec_init(H2O_STRLIT("</title></head><body><p>")), text,
                      h2o_iovec_init(H2O_STRLIT("</p></body>")));
}

static void answer(struct exchange *exchange, int status, h2o_iovec_t url)
{
    h2o_req_t *req = exchange->req;
    const char *reason = header_text_reason(status);
    h2o_iovec_t body = h2o_iovec_init(H2O_STRLIT(""));
    h2o_iovec_t type = h2o_iovec_init(H2O_STRLIT("text/plain; charset=utf-8"));
    enum redirect_form form = choose_form(exchange);
    if (form == FORM_TEXT) {
        body = make_text(req, reason, url);
    } else if (form == FORM_HTML) {
        body = make_html(req, reason, url);
        type = h2o_iovec_init(H2O_STRLIT("text/html; charset=utf-8"));
    }
    if (form != FORM_NONE) {
        response_headers_put(req, "content-type", type);
    }
    exchange_answer(exchange, status, body);
}

int response_redirect(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    bool has_status = lua_type(L, 2) == LUA_TNUMBER;
    int url_index = has_status ? 3 : 2;
    int status = has_status ? response_send_check_status(L, 2) : 302;
    luaL_argcheck(L, status >= 300 && status <= 399, 2, "status must be 300 to 399");
    luaL_checkstring(L, url_index);
    if (!response_is_open(L, exchange)) {
        return 0;
    }
    size_t len;
    response_fields_set_location(L, exchange, url_index);
    const char *url = lua_tolstring(L, -1, &len);
    response_fields_add_vary(exchange, "Accept");
    exchange->status = status;
    head_run(L, exchange);
    answer(exchange, status, h2o_iovec_init(url, len));
    return 0;
}
