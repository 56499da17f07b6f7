/* ending.c - how a request ended, for a task that waits for that: res:on("finish"), res:on("close").
 * Owns the class "fsd.Ending": a userdata that outlives the exchange.  An anchor in the memory of libh2o's request is told what was
 * given of the answer; when libh2o has passed it on, or the connection is gone, it drops the request, and with it the anchor, which
 * wakes the task.  That the kernel has it is all that can be known: a connection that was reset by then counts as a loss.
 * Called by lua/fsd/http/response.lua, by exchange.c and stream.c.  Must not know what is done then. */
#include "worker/http/ending.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "worker/core/task.h"
#include "worker/http/exchange.h"
#include "worker/http/response/response.h"
#include "worker/http/stream/stream.h"

#define ENDING_METATABLE "fsd.Ending"

struct ending {
    struct task_wait wait;
    struct task *task;            /* borrowed; NULL: nobody waits now */
    struct ending_anchor *anchor; /* borrowed from libh2o's request; NULL: that has gone */
    struct exchange *exchange;    /* borrowed; NULL: it is over */
    int status;
    bool is_complete;
};

struct ending_anchor {
    struct ending *ending; /* borrowed from Lua; NULL: it was collected */
    h2o_req_t *req;        /* borrowed */
    int status;
    bool is_whole;
};

static bool was_reset(h2o_req_t *req)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    struct tcp_info info = {.tcpi_state = TCP_ESTABLISHED};
    socklen_t len = sizeof(info);
    if (socket == NULL) { /* an injected request: nobody can be far away */
        return false;
    }
    /* fails for a socket that is no TCP one: then nothing more can be known */
    (void)getsockopt(h2o_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &len);
    return info.tcpi_state == TCP_CLOSE;
}

static void on_request_disposed(void *disposed)
{
    struct ending_anchor *anchor = disposed;
    struct ending *ending = anchor->ending;
    if (ending == NULL) {
        return;
    }
    ending->anchor = NULL;
    ending->status = anchor->status;
    ending->is_complete = anchor->is_whole && !was_reset(anchor->req);
    if (ending->exchange != NULL) {
        ending->exchange->ending = NULL;
        ending->exchange = NULL;
    }
    if (ending->task != NULL) {
        task_wake(ending->task);
        ending->task = NULL;
    }
}

void ending_note(struct ending_anchor *anchor, int status, bool is_whole)
{
    if (anchor != NULL) {
        anchor->status = status;
        anchor->is_whole = is_whole;
    }
}

void ending_forget(struct exchange *exchange)
{
    if (exchange->ending != NULL && exchange->ending->ending != NULL) {
        exchange->ending->ending->exchange = NULL;
    }
    exchange->ending = NULL;
}

int ending_open(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    struct ending *ending = lua_newuserdatauv(L, sizeof(*ending), 0);
    *ending = (struct ending){.status = exchange->is_client_gone ? 499 : exchange->status,
                              .is_complete = !exchange->is_client_gone};
    luaL_setmetatable(L, ENDING_METATABLE);
    if (exchange->req == NULL) { /* it has left already, or never will */
        return 1;
    }
    struct ending_anchor *anchor =
        h2o_mem_alloc_shared(&exchange->req->pool, sizeof(*anchor), on_request_disposed);
    *anchor = (struct ending_anchor){.ending = ending, .req = exchange->req, .status = 499};
    ending->anchor = exchange->ending = anchor;
    ending->exchange = exchange;
    if (exchange->stream != NULL) {
        exchange->stream->ending = anchor;
    }
    return 1;
}

static void on_cancel(struct task_wait *wait)
{
    H2O_STRUCT_FROM_MEMBER(struct ending, wait, wait)->task = NULL;
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    (void)L;
    return 0;
}

int ending_wait(lua_State *L)
{
    struct ending *ending = luaL_checkudata(L, 1, ENDING_METATABLE);
    struct task *task = task_check(L);
    if (ending->anchor == NULL) {
        return 0;
    }
    ending->wait = (struct task_wait){on_cancel, on_resume};
    ending->task = task;
    return task_wait(L, &ending->wait);
}

int ending_read(lua_State *L)
{
    const struct ending *ending = luaL_checkudata(L, 1, ENDING_METATABLE);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, ending->status);
    lua_setfield(L, -2, "status");
    lua_pushboolean(L, ending->anchor == NULL && ending->is_complete);
    lua_setfield(L, -2, "complete");
    return 1;
}

/* Collected: its task was ended for good. */
static int ending_gc(lua_State *L)
{
    struct ending *ending = luaL_checkudata(L, 1, ENDING_METATABLE);
    if (ending->exchange != NULL) {
        ending->exchange->ending = NULL;
        ending->exchange = NULL;
    }
    if (ending->anchor != NULL) {
        ending->anchor->ending = NULL;
        ending->anchor = NULL;
    }
    return 0;
}

void ending_register(lua_State *L)
{
    luaL_newmetatable(L, ENDING_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, ending_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
