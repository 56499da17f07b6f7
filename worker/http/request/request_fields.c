/* request_fields.c - the fields of req that are read from the exchange each time.
 * Owns nothing.  Called by request.c, through its rows.  Must not know which of them is kept. */
#include "worker/http/request/request_fields.h"

#include <h2o.h>

#include "worker/core/runtime.h"
#include "worker/core/task.h"
#include "worker/http/exchange.h"
#include "worker/http/request/params.h"
#include "worker/http/request/request_id.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"

static void push_iovec(lua_State *L, h2o_iovec_t text)
{
    lua_pushlstring(L, text.base != NULL ? text.base : "", text.len);
}

static h2o_iovec_t get_path(const struct exchange *exchange)
{
    h2o_iovec_t path = exchange->view.path;
    size_t base_len = params_base_len(exchange);
    if (base_len == path.len && base_len > 0) {
        return h2o_iovec_init(H2O_STRLIT("/"));
    }
    return h2o_iovec_init(path.base + base_len, path.len - base_len);
}

static void push_url(lua_State *L, const struct view *view, h2o_iovec_t path)
{
    push_iovec(L, path);
    if (view->query.base != NULL) {
        lua_pushliteral(L, "?");
        push_iovec(L, view->query);
        lua_concat(L, 3);
    }
}

void request_push_method(lua_State *L, struct exchange *exchange)
{
    push_iovec(L, exchange->view.method);
}

void request_push_path(lua_State *L, struct exchange *exchange)
{
    push_iovec(L, get_path(exchange));
}

void request_push_url(lua_State *L, struct exchange *exchange)
{
    push_url(L, &exchange->view, get_path(exchange));
}

void request_push_base_url(lua_State *L, struct exchange *exchange)
{
    lua_pushlstring(L, exchange->view.path.base, params_base_len(exchange));
}

void request_push_original_url(lua_State *L, struct exchange *exchange)
{
    push_url(L, &exchange->view, exchange->view.path);
}

void request_push_id(lua_State *L, struct exchange *exchange)
{
    lua_pushstring(L, request_id_get(exchange));
}

void request_push_version(lua_State *L, struct exchange *exchange)
{
    int version = exchange->view.version;
    lua_pushfstring(L, "%d.%d", version >> 8, version & 0xff);
}

void request_push_log(lua_State *L, struct exchange *exchange)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.log");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "with");
    lua_insert(L, -2);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, request_id_get(exchange));
    lua_setfield(L, -2, "request_id");
    lua_call(L, 2, 1);
}

void request_push_aborted(lua_State *L, struct exchange *exchange)
{
    lua_pushboolean(L, exchange->is_client_gone);
}

void request_push_xhr(lua_State *L, struct exchange *exchange)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t with = view_header(&exchange->view, H2O_STRLIT("x-requested-with"), scratch);
    lua_pushboolean(L, h2o_lcstris(with.base, with.len, H2O_STRLIT("xmlhttprequest")));
}

/* Asking for it begins it, if no wait has yet. */
void request_push_deadline(lua_State *L, struct exchange *exchange)
{
    struct task *task = exchange->task;
    if (!task_has_deadline(task) && !task->cancelling && exchange->state == EXCHANGE_OPEN) {
        uint64_t own_ms = exchange_settings(exchange)->request_timeout_ms;
        task_set_deadline(task, own_ms != 0 ? own_ms : task->runtime->config.request_timeout_ms);
    }
    if (task_has_deadline(task)) {
        lua_pushnumber(L, (lua_Number)task->timing->deadline.at_ms / 1000);
    } else {
        lua_pushnil(L);
    }
}
