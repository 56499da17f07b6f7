/* native.c - handlers that answer without entering Lua.
 *   fsd.respond(body [, { status = 200, type = "text/plain; charset=utf-8" }]) -> handler
 * Owns the class "fsd.Native": a userdata with the finished answer, for health checks, robots.txt and the like.  Folders
 * (file/static.c) are the second kind of it; all are asked here.
 * Called while an application loads, and by whoever comes to such a handler.  Must not know how an answer is sent (answer.c). */
#include "worker/http/native.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/http/exchange.h"
#include "worker/http/file/static.h"
#include "worker/http/request/params.h"
#include "worker/http/text/header_text.h"

#define NATIVE_METATABLE "fsd.Native"

/* fsd.respond */
struct finished {
    struct native native;
    int status;
    char *content_type; /* owned; NULL: none */
    char *body;         /* owned */
    size_t len;
};

const struct native *native_test(lua_State *L, int index)
{
    const struct native *native = luaL_testudata(L, index, NATIVE_METATABLE);
    return native != NULL ? native : static_test(L, index);
}

void native_answer(struct exchange *exchange, const struct file_given *given)
{
    exchange_answer(exchange, given->status, given->body);
    exchange->file = given->file;
}

struct file_request native_request(const struct exchange *exchange)
{
    const struct view *view = &exchange->view;
    size_t used = params_base_len(exchange);
    return (struct file_request){
        .service = exchange->service,
        .req = exchange->req,
        .view = view,
        .path = h2o_iovec_init(view->path.base + used, view->path.len - used),
        .status = exchange->status,
    };
}

static void give_answer(const struct finished *answer, h2o_req_t *req, struct file_given *ret_given)
{
    if (answer->content_type != NULL) {
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, answer->content_type,
                       strlen(answer->content_type), 0);
    }
    /* a copy: the application may be gone before a slow client has it */
    *ret_given = (struct file_given){.status = answer->status,
                                     .body = h2o_strdup(&req->pool, answer->body, answer->len)};
}

enum file_verdict native_ask(const struct native *native, const struct file_request *request,
                             struct file_given *ret_given, struct file_failure *ret_failure)
{
    switch (native->kind) {
    case NATIVE_ANSWER:
        give_answer((const void *)native, request->req, ret_given);
        return FILE_GIVES;
    case NATIVE_FOLDER:
        return static_ask(native, request, ret_given, ret_failure);
    }
    return FILE_PASSES;
}

void native_push_error(lua_State *L, const struct file_failure *failure)
{
    error_push(L, "HttpError", failure->code, failure->status, failure->message);
    if (failure->header != NULL) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, failure->value);
        lua_setfield(L, -2, failure->header);
        lua_setfield(L, -2, "headers");
    }
}

int native_raise(lua_State *L, const struct file_failure *failure)
{
    native_push_error(L, failure);
    return lua_error(L);
}

int native_respond(lua_State *L)
{
    size_t len;
    const char *body = luaL_checklstring(L, 1, &len);
    int status = 200;
    size_t type_len = 0;
    const char *type = "text/plain; charset=utf-8";
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        if (lua_getfield(L, 2, "status") != LUA_TNIL) {
            status = (int)luaL_checkinteger(L, -1);
            luaL_argcheck(L, status >= 200 && status <= 599, 2, "status must be 200 to 599");
        }
        if (lua_getfield(L, 2, "type") != LUA_TNIL) {
            type = luaL_checklstring(L, -1, &type_len);
            luaL_argcheck(L, header_text_is_value(type, type_len), 2,
                          "type has control characters");
        }
    }
    struct finished *answer = lua_newuserdatauv(L, sizeof(*answer), 0);
    memset(answer, 0, sizeof(*answer));
    luaL_setmetatable(L, NATIVE_METATABLE);
    answer->native.kind = NATIVE_ANSWER;
    answer->status = status;
    answer->content_type = h2o_strdup(NULL, type, SIZE_MAX).base;
    answer->body = h2o_strdup(NULL, body, len).base;
    answer->len = len;
    return 1;
}

static int native_gc(lua_State *L)
{
    struct finished *answer = luaL_checkudata(L, 1, NATIVE_METATABLE);
    free(answer->content_type);
    free(answer->body);
    memset(answer, 0, sizeof(*answer));
    return 0;
}

void native_register(lua_State *L)
{
    luaL_newmetatable(L, NATIVE_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, native_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
