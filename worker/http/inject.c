/* inject.c - requests that an application sends to itself, without a socket: for tests, and for handlers that use others.
 *
 * Owns a connection to nobody for each of them: libh2o makes and routes the request as any other, and what it would write to a socket
 * is collected.  libh2o is called from jobs only, never from within Lua: one job starts the request, each further one asks for the next
 * piece, and the last one wakes the task that waits, or frees all when that has gone.  For libh2o it is HTTP/2 (no guard, no chunks),
 * for handlers HTTP/1.1.
 * Called by lua/fsd/http/inject.lua (app:inject), and by intake.c for every request.  Must not know what handlers do. */
#include "worker/http/inject.h"

#include <arpa/inet.h>
#include <h2o.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/generation.h"
#include "worker/core/json/json_write.h"
#include "worker/core/runtime.h"
#include "worker/core/task.h"
#include "worker/http/app/app.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/inject_check.h"
#include "worker/http/server.h"
#include "worker/http/service.h"
#include "worker/http/text/header_text.h"

#define INJECTION_METATABLE "fsd.Injection"

enum { DEPTH_MAX = 16 };

enum inject_state {
    INJECT_WAITING, /* for the first job */
    INJECT_RUNNING, /* libh2o has it */
    INJECT_SENT,    /* the last piece is there */
};

struct injection {
    h2o_conn_t conn;
    h2o_ostream_t last;
    h2o_req_t req;
    struct service *service; /* borrowed */
    struct edition *edition; /* one use owned */
    struct sockaddr_storage peer;
    enum inject_state state;
    bool is_broken;    /* the answer ended before its end */
    bool is_too_large; /* it has more bytes than limit */
    struct json_buf body;
    size_t limit;
    uint8_t depth;
    struct task *waiter; /* borrowed; NULL: Lua has let go, and the next job frees it */
    bool is_given_up;    /* the waiter does not wait any more */
    struct task_wait wait;
    struct loop_job job;
};

static void on_job(struct loop_job *job);

static struct loop *loop_of(const struct injection *injection)
{
    return &injection->service->runtime->loop;
}

static socklen_t on_get_peername(h2o_conn_t *conn, struct sockaddr *address)
{
    const struct injection *injection = H2O_STRUCT_FROM_MEMBER(struct injection, conn, conn);
    size_t len = injection->peer.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                       : sizeof(struct sockaddr_in);
    memcpy(address, &injection->peer, len);
    return (socklen_t)len;
}

static socklen_t on_get_sockname(h2o_conn_t *conn, struct sockaddr *address)
{
    const struct sockaddr_in own = {.sin_family = AF_INET,
                                    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    (void)conn;
    memcpy(address, &own, sizeof(own));
    return sizeof(own);
}

static h2o_socket_t *on_get_socket(h2o_conn_t *conn)
{
    (void)conn;
    return NULL;
}

static const h2o_conn_callbacks_t callbacks = {
    .get_sockname = on_get_sockname,
    .get_peername = on_get_peername,
    .get_socket = on_get_socket,
};

/* What would go to the socket. */
static void on_send(h2o_ostream_t *last, h2o_req_t *req, h2o_iovec_t *pieces, size_t count,
                    h2o_send_state_t state)
{
    struct injection *injection = H2O_STRUCT_FROM_MEMBER(struct injection, last, last);
    (void)req;
    for (size_t i = 0; i < count && !injection->is_too_large; i++) {
        if (pieces[i].len > injection->limit - injection->body.len) {
            injection->is_too_large = true;
        } else {
            json_write_bytes(&injection->body, pieces[i].base, pieces[i].len);
        }
    }
    injection->is_broken = state == H2O_SEND_STATE_ERROR;
    if (state != H2O_SEND_STATE_IN_PROGRESS || injection->is_too_large) {
        injection->state = INJECT_SENT;
    }
    loop_defer(loop_of(injection), &injection->job, on_job);
}

/* Runs outside of Lua: a handler that has not finished loses its client. */
static void free_injection(struct injection *injection)
{
    h2o_dispose_request(&injection->req);
    edition_release(injection->service->runtime->L, injection->edition);
    json_buf_fini(&injection->body);
    free(injection);
}

static void on_job(struct loop_job *job)
{
    struct injection *injection = H2O_STRUCT_FROM_MEMBER(struct injection, job, job);
    if (injection->waiter == NULL) {
        free_injection(injection);
        return;
    }
    if (injection->is_given_up) {
        return; /* the userdata is about to let go */
    }
    switch (injection->state) {
    case INJECT_WAITING:
        injection->state = INJECT_RUNNING;
        h2o_process_request(&injection->req);
        break;
    case INJECT_RUNNING:
        h2o_proceed_response(&injection->req);
        break;
    case INJECT_SENT:
        task_wake(injection->waiter);
        break;
    }
}

static void let_go(struct injection *injection)
{
    injection->waiter = NULL;
    loop_defer(loop_of(injection), &injection->job, on_job);
}

/* The userdata that holds an injection while the task waits. */
static int on_close(lua_State *L)
{
    struct injection **held = lua_touserdata(L, 1);
    if (*held != NULL) {
        let_go(*held);
        *held = NULL;
    }
    return 0;
}

static void on_cancel(struct task_wait *wait)
{
    H2O_STRUCT_FROM_MEMBER(struct injection, wait, wait)->is_given_up = true;
}

static void push_headers(lua_State *L, const h2o_req_t *req)
{
    lua_Integer count = 0;
    lua_createtable(L, 2 * (int)req->res.headers.size, 0);
    for (size_t i = 0; i < req->res.headers.size; i++) {
        const h2o_header_t *header = &req->res.headers.entries[i];
        lua_pushlstring(L, header->name->base, header->name->len);
        lua_rawseti(L, -2, ++count);
        lua_pushlstring(L, header->value.base, header->value.len);
        lua_rawseti(L, -2, ++count);
    }
    if (req->res.content_length != SIZE_MAX) {
        lua_pushliteral(L, "content-length");
        lua_rawseti(L, -2, ++count);
        lua_pushfstring(L, "%I", (LUAI_UACINT)req->res.content_length);
        lua_rawseti(L, -2, ++count);
    }
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct injection *injection = H2O_STRUCT_FROM_MEMBER(struct injection, wait, wait);
    if (injection->is_too_large) {
        error_raise(L, "HttpError", "inject.too.large", 500,
                    "the answer has more than %I bytes; app:inject takes no more",
                    (LUAI_UACINT)injection->limit);
    }
    lua_pushinteger(L, injection->req.res.status);
    push_headers(L, &injection->req);
    lua_pushlstring(L, injection->body.data != NULL ? injection->body.data : "",
                    injection->body.len);
    lua_pushboolean(L, !injection->is_broken);
    return 4;
}

bool inject_fit(struct exchange *exchange)
{
    h2o_conn_t *conn = exchange->req->conn;
    if (conn->callbacks != &callbacks) { /* nearly always */
        return false;
    }
    struct injection *injection = H2O_STRUCT_FROM_MEMBER(struct injection, conn, conn);
    edition_release(exchange->service->runtime->L, exchange->edition);
    exchange->edition = edition_acquire(injection->edition);
    exchange->view.version = 0x101;
    exchange->inject_depth = injection->depth;
    exchange->view.has_content_length = injection->req.entity.base != NULL;
    return true;
}

/* The edition of the application at index 1: the one that runs, or one of its own. */
static struct edition *open_edition(lua_State *L, struct service *service)
{
    const struct app *app = app_test(L, 1);
    luaL_argcheck(L, app != NULL, 1, "an application expected: call app:inject{...} with a colon");
    if (service->edition == NULL) {
        luaL_error(L, "app:inject: there is no application that runs");
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    if (service->edition->app == app) {
        return edition_acquire(service->edition);
    }
    struct edition *edition;
    struct fsd_err err;
    struct generation own = {.number = service->edition->generation,
                             .bundle = {.main = "app:inject", .main_len = strlen("app:inject")}};
    lua_pushvalue(L, 1);
    own.app_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    int error = edition_open(L, &own, &edition, &err);
    luaL_unref(L, LUA_REGISTRYINDEX, own.app_ref);
    if (error != 0) {
        luaL_error(L, "%s", err.text);
    }
    return edition;
}

/* How deep the request lies that the task is going to send. */
static uint8_t find_depth(lua_State *L, const struct task *task)
{
    if (task->descent == DEPTH_MAX) {
        error_raise(L, "HttpError", "inject.too.deep", 508,
                    "app:inject: %d requests have led to each other already: does a handler inject "
                    "what leads to itself?",
                    DEPTH_MAX);
    }
    return (uint8_t)(task->descent + 1);
}

static h2o_iovec_t copy_argument(lua_State *L, struct injection *injection, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    return h2o_strdup(&injection->req.pool, text, len);
}

/* Host, and what says how the body is framed, are no headers for libh2o. */
static void add_header(struct injection *injection, h2o_iovec_t name, h2o_iovec_t value)
{
    h2o_req_t *req = &injection->req;
    h2o_iovec_t lower = h2o_strdup(&req->pool, name.base, name.len);
    h2o_strtolower(lower.base, lower.len);
    if (h2o_memis(lower.base, lower.len, H2O_STRLIT("host"))) {
        req->input.authority = value;
    } else if (!header_text_is_ours(lower.base, lower.len)) {
        h2o_add_header_by_str(&req->pool, &req->headers, lower.base, lower.len, 1, name.base,
                              value.base, value.len);
    }
}

static void fill_request(lua_State *L, struct injection *injection)
{
    h2o_req_t *req = &injection->req;
    h2o_init_request(req, &injection->conn, NULL);
    req->_ostr_top = &injection->last;
    req->version = 0x200;
    req->input.scheme = &H2O_URL_SCHEME_HTTP;
    req->input.authority = h2o_iovec_init(H2O_STRLIT("localhost"));
    req->input.method = copy_argument(L, injection, 2);
    req->input.path = copy_argument(L, injection, 3);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 4);
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_rawgeti(L, 4, i);
        lua_rawgeti(L, 4, i + 1);
        add_header(injection, copy_argument(L, injection, -2), copy_argument(L, injection, -1));
        lua_pop(L, 2);
    }
    if (!lua_isnoneornil(L, 5)) {
        req->entity = copy_argument(L, injection, 5);
    }
}

/* Pushes what lets go of the injection when the function that runs is over, however that ends. */
static struct injection **push_holder(lua_State *L)
{
    struct injection **held = lua_newuserdatauv(L, sizeof(struct injection *), 0);
    *held = NULL;
    if (luaL_newmetatable(L, INJECTION_METATABLE)) {
        lua_pushcfunction(L, on_close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return held;
}

static struct injection *injection_new(struct service *service, struct edition *edition)
{
    struct injection *injection = calloc(1, sizeof(*injection));
    if (injection == NULL) {
        abort();
    }
    injection->conn =
        (h2o_conn_t){.ctx = service->context, .hosts = service->hosts, .callbacks = &callbacks};
    injection->last.do_send = on_send;
    injection->service = service;
    injection->edition = edition;
    injection->wait = (struct task_wait){.on_cancel = on_cancel, .on_resume = on_resume};
    json_buf_init(&injection->body);
    return injection;
}

int inject_request(lua_State *L)
{
    struct sockaddr_storage peer;
    inject_check(L, &peer);
    task_check_loaded(L, "send a request to the application");
    struct task *task = task_check(L);
    uint8_t depth = find_depth(L, task);
    struct service *service = http_server_service(runtime_of(L)->http);
    struct injection **held = push_holder(L);
    struct injection *injection = injection_new(service, open_edition(L, service));
    *held = injection;
    injection->peer = peer;
    injection->depth = depth;
    injection->limit = (size_t)lua_tointeger(L, 7);
    injection->waiter = task;
    fill_request(L, injection);
    loop_defer(loop_of(injection), &injection->job, on_job);
    return task_wait(L, &injection->wait);
}
