/* failure.c - what becomes of an error that no handler has caught.
 * Owns nothing.  An error that is the server's fault is logged; then app:on_error may answer, under a protected call of its
 * own; what nobody answers becomes the default page, which shows the message of a client's error and, but for `fsd run`, never
 * that of ours.  Whatever an application has put into its Error is read without running any of its code (core/error.c).
 * Called by dispatch.c, at the end of a coroutine's main function.  Must not know the chain of handlers. */
#include "worker/http/failure.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/json/json.h"
#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/app/plan.h"
#include "worker/http/dispatch.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/exchange_note.h"
#include "worker/http/head.h"
#include "worker/http/hint.h"
#include "worker/http/hooks.h"
#include "worker/http/offspring.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/service.h"
#include "worker/http/stream/resume.h"
#include "worker/http/stream/stream.h"
#include "worker/http/text/header_text.h"

/* Everything that might raise comes before the record is begun. */
void failure_log(lua_State *L, struct exchange *exchange, const char *what, int error)
{
    struct logger *logger = &exchange->service->runtime->logger;
    int top = lua_gettop(L);
    const char *code = error_push_text(L, error, "code");
    const char *traceback = error_push_text(L, error, "traceback");
    const char *message = error_push_text(L, error, "message");
    message = hint_push(L, message != NULL ? message : "unknown error");
    const char *line = lua_pushfstring(L, "%s: %s", what, message);
    struct logger_record record;
    logger_begin(&record, logger, LOG_LEVEL_ERROR, line, strlen(line));
    exchange_note_record(exchange, &record);
    if (code != NULL) {
        logger_field_text(&record, "code", code, strlen(code));
    }
    if (traceback != NULL) { /* not for an error that dispatch made itself */
        logger_field_text(&record, "traceback", traceback, strlen(traceback));
    }
    logger_send(&record);
    lua_settop(L, top);
}

/* For an error that is the server's fault. */
static void log_error(lua_State *L, struct exchange *exchange, int error)
{
    failure_log(L, exchange, "error in request", error);
}

/* Whether strangers may read the message: what err.expose says, else that of a client's error. */
static bool is_exposed(lua_State *L, int error, int status)
{
    lua_pushliteral(L, "expose");
    bool is = lua_rawget(L, error) == LUA_TBOOLEAN ? lua_toboolean(L, -1) : status < 500;
    lua_pop(L, 1);
    return is;
}

static void put_headers(lua_State *L, struct exchange *exchange, int error)
{
    lua_pushliteral(L, "headers");
    if (lua_rawget(L, error) == LUA_TTABLE) {
        response_headers_put_table(L, lua_gettop(L), exchange->req);
    }
    lua_pop(L, 1);
}

/* err.headers, in place of what the handlers had set about the body that was to come. */
static void replace_headers(lua_State *L, struct exchange *exchange, int error)
{
    response_headers_drop_content(exchange->req);
    put_headers(L, exchange, error);
}

/* For programs, what a ValidationError lists goes with its message; base NULL: it has no list, or a person is to read it. */
static h2o_iovec_t make_problems_body(lua_State *L, h2o_req_t *req, int error)
{
    static const struct {
        const char *from;
        const char *to;
    } fields[] = {{"message", "error"}, {"code", "code"}, {"problems", "problems"}};
    h2o_iovec_t body = h2o_iovec_init(NULL, 0);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushstring(L, fields[i].to);
        lua_pushstring(L, fields[i].from);
        (void)lua_rawget(L, error);
        lua_rawset(L, -3);
    }
    lua_pushliteral(L, "problems");
    bool has_problems = lua_rawget(L, -2) == LUA_TTABLE && !answer_wants_html(req);
    lua_pop(L, 1);
    struct json_buf buf;
    struct fsd_err err;
    json_buf_init(&buf);
    if (has_problems && json_encode(L, lua_gettop(L), &buf, &err) == 0) {
        response_headers_put(req, "content-type",
                             h2o_iovec_init(H2O_STRLIT("application/json; charset=utf-8")));
        body = h2o_strdup(&req->pool, buf.data, buf.len);
    }
    json_buf_fini(&buf);
    lua_pop(L, 1);
    return body;
}

static h2o_iovec_t make_body(lua_State *L, const struct exchange *exchange, int error, int status)
{
    const char *message = error_push_text(L, error, "message");
    bool exposes = is_exposed(L, error, status);
    if (message == NULL || (!exposes && !exchange->service->runtime->config.refreshes)) {
        return answer_error_body(exchange->req, status, header_text_reason(status));
    }
    if (exposes) {
        h2o_iovec_t body = make_problems_body(L, exchange->req, error);
        return body.base != NULL ? body : answer_error_body(exchange->req, status, message);
    }
    const char *traceback = error_push_text(L, error, "traceback");
    message = hint_push(L, message);
    const char *details =
        traceback == NULL ? message : lua_pushfstring(L, "%s\n\n%s", message, traceback);
    return answer_failure_body(exchange->req, status, details);
}

/* What these functions raise is logged: the answer tells of what happened first. */
static void run_before_head(lua_State *L, struct exchange *exchange, int status)
{
    exchange->status = status;
    if (head_try(L, exchange) == 0) {
        error_wrap(L);
        log_error(L, exchange, lua_gettop(L));
        lua_pop(L, 1);
    }
}

/* The default page: the message of a client's error; that of ours only to who develops. */
static int finish_with_page(lua_State *L, struct exchange *exchange, int error)
{
    if (exchange->state == EXCHANGE_OPEN) {
        int status = error_status(L, error);
        replace_headers(L, exchange, error);
        run_before_head(L, exchange, status);
        exchange_answer(exchange, status, make_body(L, exchange, error, status));
    }
    return hooks_finish(L, exchange);
}

/* next of app:on_error: back to the default page, for its error or another one. */
static int error_next(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushvalue(L, lua_upvalueindex(1));
    }
    return lua_error(L);
}

static int after_error_handler(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    response_take_result(L, exchange_of(context));
    return 0;
}

/* Protected: err, req, res -> nothing. */
static int run_error_handler(lua_State *L)
{
    struct exchange *exchange = ((struct http_object *)lua_touserdata(L, 2))->exchange;
    const struct app_handler *handler =
        &exchange->scope->errors.items[exchange->error_handlers - 1];
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    lua_rawgeti(L, -1, handler->index);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, error_next, 1);
    lua_callk(L, 4, 1, (lua_KContext)exchange, after_error_handler);
    return after_error_handler(L, LUA_OK, (lua_KContext)exchange);
}

/* What is missing of an answer that has begun is all that the client can be told.  Is it so? */
static bool tear_stream(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_STREAMING) {
        exchange->stream->is_torn = true;
    }
    return exchange->stream != NULL && exchange->stream->is_torn;
}

static int ask_next_handler(lua_State *L, struct exchange *exchange);

/* An error of a handler itself, or what it gave to next, is what the next one outward gets. */
static int after_error(lua_State *L, int status, lua_KContext context)
{
    struct exchange *exchange = exchange_of(context);
    int first = AT_RESPONSE + 1; /* the error that on_error was called for */
    if (status == LUA_OK || status == LUA_YIELD) {
        return finish_with_page(L, exchange, first);
    }
    error_wrap(
        L); /* Lua's own errors "not enough memory" and "error in error handling" come as strings */
    int second = lua_gettop(L);
    bool is_new = !lua_rawequal(L, first, second); /* not next(err): on_error itself failed */
    bool is_torn = tear_stream(exchange);
    if (is_new && (is_torn || error_status(L, second) >= 500) && !exchange->is_client_gone) {
        log_error(L, exchange, second);
    }
    lua_pushvalue(L, second);
    lua_replace(L, first);
    lua_settop(L, first);
    return ask_next_handler(L, exchange);
}

/* Has the next app:on_error answer: those of a router in their order, then those of what it is mounted in. */
static int ask_next_handler(lua_State *L, struct exchange *exchange)
{
    int error = AT_RESPONSE + 1;
    const struct scope *scope = exchange->scope;
    while (scope != NULL && exchange->error_handlers >= scope->errors.count) {
        scope = scope->parent;
        exchange->error_handlers = 0;
    }
    if (exchange->state != EXCHANGE_OPEN || scope == NULL || exchange->is_client_gone) {
        return finish_with_page(L, exchange, error);
    }
    exchange->scope = scope;
    exchange->error_handlers++;
    put_headers(L, exchange, error); /* an answer of its own needs Retry-After and the like, too */
    lua_pushcfunction(L, run_error_handler);
    lua_pushvalue(L, error);
    lua_pushvalue(L, AT_REQUEST);
    lua_pushvalue(L, AT_RESPONSE);
    int status = lua_pcallk(L, 3, 0, AT_TRACEBACK, (lua_KContext)exchange, after_error);
    return after_error(L, status, (lua_KContext)exchange);
}

/* From here on no handler of the chain runs: req is that of where the error comes from. */
static void leave_chain(struct exchange *exchange)
{
    exchange->error_handlers = 0;
    exchange->failed_step = exchange->step;
    if (exchange->step < exchange->chain.count) {
        const struct app_route *route = exchange->chain.steps[exchange->step].entry->value;
        exchange->scope = route->scope;
    } else {
        exchange->scope = exchange->edition->plan->root;
    }
    exchange->step = exchange->chain.count;
}

/* The error by which a handler was told to make room for other code. */
static bool is_told(lua_State *L, const struct exchange *exchange, int error)
{
    const char *code = exchange->task->is_told ? error_push_text(L, error, "code") : NULL;
    bool is = code != NULL && (strcmp(code, "reload") == 0 || strcmp(code, "replaced") == 0);
    lua_settop(L, error);
    return is;
}

/* Whatever happens on its way out, its stream goes on (resume.c). */
static int make_room(lua_State *L, struct exchange *exchange, int error)
{
    if (!is_told(L, exchange, error)) {
        log_error(L, exchange, error);
    }
    dispatch_close(exchange);
    return 0;
}

int failure_answer(lua_State *L, struct exchange *exchange)
{
    int error = AT_RESPONSE + 1;
    error_wrap(
        L); /* Lua's own errors "not enough memory" and "error in error handling" come as strings */
    lua_pushvalue(L, -1);
    lua_replace(L, error); /* it may stand there already, or above a message */
    lua_settop(L, error);
    offspring_cancel(L, exchange);
    if (exchange->is_client_gone || exchange->is_dismissed) {
        dispatch_close(exchange); /* nobody is there to be told, and nothing is wrong */
        return 0;
    }
    if (resume_is_due(exchange, LUA_OK)) {
        return make_room(L, exchange, error);
    }
    if (tear_stream(exchange) || error_status(L, error) >= 500) {
        log_error(L, exchange, error);
    }
    leave_chain(exchange);
    return ask_next_handler(L, exchange);
}
