/* body_bytes.c - where the bytes of a request's body are.
 * Owns nothing: they are libh2o's until the request is answered or its client has gone; what a compressed body inflated to is a
 * string of Lua's that the req keeps.
 * Called by everything that reads bodies, first and after each wait.  Must not know what the bytes mean. */
#include "worker/http/body/body_bytes.h"

#include <string.h>
#include <strings.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/http/body/body_parameters.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"

enum { TYPE_MAX = 256 }; /* what is longer is looked at in Lua */

static const char key[] = "fsd.body.inflated";

static const struct exchange *check(lua_State *L)
{
    const struct exchange *exchange = request_check(L);
    if (exchange->view.is_kept) {
        task_raise_cancel(L);
        error_raise(
            L, "HttpError", exchange->is_client_gone ? "aborted" : "body.gone", 400,
            "the body has gone: read it before answering or waiting for the client to leave");
    }
    uint64_t limit = exchange_settings(exchange)->body_limit_bytes;
    if (limit > 0 && exchange->view.body.len > limit) {
        error_raise(L, "HttpError", "entity.too.large", 413,
                    "the body is larger than the limit of %I bytes", (LUAI_UACINT)limit);
    }
    return exchange;
}

struct body_text body_bytes_sent(lua_State *L)
{
    h2o_iovec_t body = check(L)->view.body;
    return (struct body_text){body.base != NULL ? body.base : "", body.len};
}

struct body_text body_bytes(lua_State *L)
{
    struct body_text body = body_bytes_sent(L);
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) { /* what belongs to the req in Lua */
        if (lua_rawgetp(L, -1, key) == LUA_TSTRING) {
            body.bytes = lua_tolstring(L, -1, &body.len);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return body;
}

bool body_bytes_are_kept(lua_State *L)
{
    return body_bytes(L).bytes != body_bytes_sent(L).bytes;
}

uint64_t body_bytes_limit(lua_State *L)
{
    const struct exchange *exchange = request_check(L);
    uint64_t limit = exchange_settings(exchange)->body_limit_bytes;
    uint64_t most = exchange->service->runtime->config.body_bytes;
    return limit > 0 && limit < most ? limit : most;
}

void body_bytes_keep(lua_State *L)
{
    request_push_store(L);
    lua_insert(L, -2);
    lua_rawsetp(L, -2, key);
    lua_pop(L, 1);
}

struct body_text body_bytes_header(lua_State *L, const char *name)
{
    char scratch[VIEW_SCRATCH_MAX]; /* for content-length only, which nobody asks for */
    h2o_iovec_t value = view_header(&request_check(L)->view, name, strlen(name), scratch);
    return (struct body_text){value.base != NULL ? value.base : "", value.len};
}

bool body_bytes_are_plain(lua_State *L)
{
    char buf[TYPE_MAX];
    struct body_text charset;
    struct body_text type = body_bytes_header(L, "content-type");
    if (body_bytes_header(L, "content-encoding").len > 0 || type.len > sizeof(buf)) {
        return false;
    }
    if (type.len == 0 || memchr(type.bytes, ';', type.len) == NULL ||
        body_parameters_find(type.bytes, type.len, "charset", buf, &charset) < 0) {
        return true;
    }
    return charset.len == 5 && strncasecmp(charset.bytes, "utf-8", 5) == 0;
}
