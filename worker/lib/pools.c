/* pools.c - pools of workers that the application starts and stops: what it asks of the master.
 * Owns the orders of this worker, each a userdata on the stack of the task that waits for it, and the row in which they wait: the
 * master answers one after another.  An order that nobody waits for any more is not taken back, only its answer is dropped.
 * Called by Lua through mod_worker.c, and by life.c with the answers.  Must not know what a pool may have: the master says it. */
#include "worker/lib/pools.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"
#include "common/wire.h"
#include "worker/core/error.h"
#include "worker/core/json/json.h"
#include "worker/core/link.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

enum { BUSY_MS = 200 };
static const lua_Number timeout_s = 60;
static const lua_Number timeout_max_s = 1e6;

static const char order_metatable[] = "fsd.worker.order";
static const char pools_key; /* its address */

enum order_state { ORDER_QUEUED, ORDER_SENT, ORDER_ANSWERED, ORDER_LATE };

struct pools;

struct order {
    struct pools *pools; /* borrowed */
    struct task *task;   /* borrowed */
    struct task_wait wait;
    struct timer timer;
    enum order_state state;
    struct order *next;  /* borrowed; of those that wait */
    struct order **link; /* of ORDER_QUEUED: what points to it */
    struct proto_ask body;
    char text[PROTO_TEXT_MAX];
    size_t len;
    uint64_t code; /* enum proto_answer_code, if the master keeps to the contract */
    char answer[PROTO_TEXT_MAX + 1];
    int fd; /* owned; the list of pools, or -1 */
};

struct pools {
    struct runtime *runtime; /* borrowed */
    struct order *first;     /* borrowed */
    struct order *sent;      /* borrowed; NULL: none, or its task has gone */
    uint64_t number;         /* of the last one that was sent */
    bool is_under_way;       /* its answer has not come yet */
    struct timer pause;      /* before it is asked again */
    bool is_pausing;
};

static const struct answer_row {
    const char *code;
    int status;
} answers[] = {{"ok", 200},      {"exists", 409},  {"invalid", 500}, {"overload", 503},
               {"refused", 503}, {"unknown", 404}, {"busy", 503}};
_Static_assert(sizeof(answers) / sizeof(answers[0]) == PROTO_ANSWER_CODES, "a row for each code");

static struct pools *pools_find(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &pools_key);
    struct pools *pools = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return pools;
}

static struct pools *pools_of(lua_State *L)
{
    struct pools *pools = pools_find(L);
    if (pools == NULL) {
        pools = lua_newuserdatauv(L, sizeof(*pools), 0);
        *pools = (struct pools){.runtime = runtime_of(L)};
        lua_rawsetp(L, LUA_REGISTRYINDEX, &pools_key);
    }
    return pools;
}

static void enqueue(struct order *order, struct order **link)
{
    order->state = ORDER_QUEUED;
    order->link = link;
    order->next = *link;
    if (order->next != NULL) {
        order->next->link = &order->next;
    }
    *link = order;
}

static void dequeue(struct order *order)
{
    *order->link = order->next;
    if (order->next != NULL) {
        order->next->link = order->link;
    }
}

static void send_first(struct pools *pools)
{
    struct order *order = pools->first;
    unsigned char payload[sizeof(order->body) + sizeof(order->text)];
    if (order == NULL || pools->is_under_way || pools->is_pausing) {
        return;
    }
    dequeue(order);
    order->state = ORDER_SENT;
    order->body.number = ++pools->number;
    pools->sent = order;
    pools->is_under_way = true;
    memcpy(payload, &order->body, sizeof(order->body));
    memcpy(payload + sizeof(order->body), order->text, order->len);
    link_post(pools->runtime->link, PROTO_ASK, payload, sizeof(order->body) + order->len);
}

/* Nothing leads to it any more. */
static void detach(struct order *order)
{
    timer_clear(&order->pools->runtime->loop.timers, &order->timer);
    if (order->state == ORDER_QUEUED) {
        dequeue(order);
    } else if (order->pools->sent == order) {
        order->pools->sent = NULL;
    }
}

static void on_cancel(struct task_wait *wait)
{
    detach(H2O_STRUCT_FROM_MEMBER(struct order, wait, wait));
}

static void on_late(struct timer *timer)
{
    struct order *order = H2O_STRUCT_FROM_MEMBER(struct order, timer, timer);
    detach(order);
    order->state = ORDER_LATE;
    task_wake(order->task);
}

static void on_pause_over(struct timer *timer)
{
    struct pools *pools = H2O_STRUCT_FROM_MEMBER(struct pools, pause, timer);
    pools->is_pausing = false;
    send_first(pools);
}

static void take_answer(struct order *order, const struct proto_answer *body,
                        struct wire_message *message)
{
    size_t len = message->head.size - sizeof(*body);
    detach(order);
    order->state = ORDER_ANSWERED;
    order->code = body->code < PROTO_ANSWER_CODES ? body->code : PROTO_ANSWER_REFUSED;
    order->fd = message->fd;
    message->fd = -1;
    memcpy(order->answer, message->payload + sizeof(*body), len);
    order->answer[len] = '\0';
    task_wake(order->task);
}

void pools_on_answer(struct runtime *runtime, struct wire_message *message)
{
    struct pools *pools = pools_find(runtime->L);
    struct proto_answer body;
    memcpy(&body, message->payload, sizeof(body));
    if (pools == NULL || !pools->is_under_way || body.number != pools->number) {
        return;
    }
    struct order *order = pools->sent;
    pools->is_under_way = false;
    pools->sent = NULL;
    if (body.code == PROTO_ANSWER_BUSY) {
        pools->is_pausing = true;
        loop_set_timer(&runtime->loop, &pools->pause, BUSY_MS, on_pause_over);
    }
    if (order != NULL && body.code == PROTO_ANSWER_BUSY) {
        enqueue(order, &pools->first);
    } else if (order != NULL) {
        take_answer(order, &body, message);
    }
    send_first(pools);
}

static const char *name_verb(const struct order *order)
{
    switch ((enum proto_ask_what)order->body.what) {
    case PROTO_ASK_START:
        return "start";
    case PROTO_ASK_STOP:
        return "stop";
    case PROTO_ASK_LIST:
        break;
    }
    return "list";
}

static _Noreturn void refuse(lua_State *L, const struct order *order, const char *code, int status,
                             const char *why)
{
    bool has_name = order->body.name[0] != '\0';
    error_raise(L, "PoolError", code, status, "cannot %s %s%s%s: %s", name_verb(order),
                has_name ? "pool \"" : "pools", order->body.name, has_name ? "\"" : "", why);
}

static int push_list(lua_State *L, struct order *order)
{
    const void *data = NULL;
    size_t len = 0;
    struct msgpack_reader reader;
    if (fd_map_sealed(order->fd, &data, &len) < 0) {
        refuse(L, order, "refused", 503, "its list cannot be read");
    }
    lua_pushlstring(L, data, len);
    fd_unmap(data, len);
    fd_close(&order->fd);
    data = lua_tolstring(L, -1, &len); /* which Lua frees, whatever is raised below */
    msgpack_reader_init(&reader, data, len);
    if (value_push(L, &reader) < 0) {
        refuse(L, order, "refused", 503, "its list cannot be read");
    }
    return 1;
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct order *order = H2O_STRUCT_FROM_MEMBER(struct order, wait, wait);
    if (order->state == ORDER_LATE) {
        refuse(L, order, "timeout", 504, "the daemon has not answered in time, it may come later");
    }
    if (order->code != PROTO_ANSWER_OK) {
        refuse(L, order, answers[order->code].code, answers[order->code].status, order->answer);
    }
    return order->fd >= 0 ? push_list(L, order) : 0;
}

static int order_gc(lua_State *L)
{
    struct order *order = luaL_checkudata(L, 1, order_metatable);
    fd_close(&order->fd);
    return 0;
}

static struct order *new_order(lua_State *L, enum proto_ask_what what)
{
    struct task *task = task_check(L);
    struct pools *pools = pools_of(L);
    struct order *order = lua_newuserdatauv(L, sizeof(*order), 0);
    order->pools = pools;
    order->task = task;
    order->wait = (struct task_wait){on_cancel, on_resume};
    order->timer = (struct timer){0};
    order->body = (struct proto_ask){.what = what};
    order->len = 0;
    order->fd = -1;
    if (luaL_newmetatable(L, order_metatable)) {
        lua_pushcfunction(L, order_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return order;
}

static int order_wait(lua_State *L, struct order *order, lua_Number seconds)
{
    struct pools *pools = order->pools;
    struct order **link = &pools->first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    enqueue(order, link);
    loop_set_timer(&pools->runtime->loop, &order->timer, (uint64_t)ceil(seconds * 1000), on_late);
    send_first(pools);
    return task_wait(L, &order->wait);
}

static const char *check_name(lua_State *L)
{
    size_t len = 0;
    const char *name = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && len < PROTO_NAME_MAX && strlen(name) == len, 1,
                  "a name of at most 63 bytes expected");
    return name;
}

static lua_Number check_timeout(lua_State *L, int index)
{
    lua_Number seconds = luaL_optnumber(L, index, timeout_s);
    luaL_argcheck(L, seconds > 0 && seconds <= timeout_max_s, index, "out of range");
    return seconds;
}

/* The JSON of the options, and the application's own name where they have none.  False: it is too long. */
static bool fill_text(struct order *order, const struct json_buf *buf, const char *app)
{
    size_t len = 0;
    if (app != NULL) {
        const char *comma = buf->len > 2 ? "," : "";
        int written = snprintf(order->text, sizeof(order->text), "{\"app\":\"%s\"%s", app, comma);
        len = written > 0 ? (size_t)written : 0;
    }
    size_t skipped = app != NULL; /* the brace */
    if (buf->len - skipped > sizeof(order->text) - len) {
        return false;
    }
    memcpy(order->text + len, buf->data + skipped, buf->len - skipped);
    order->len = len + buf->len - skipped;
    return true;
}

/* Nothing raises while the buffer is held. */
static void encode_options(lua_State *L, struct order *order, int index)
{
    struct json_buf buf;
    struct fsd_err err = {""};
    lua_pushliteral(L, "app");
    bool has_app = lua_rawget(L, index) != LUA_TNIL;
    json_buf_init(&buf);
    int error = json_encode(L, index, &buf, &err);
    bool is_map = error == 0 && buf.len > 0 && buf.data[0] == '{';
    bool fits =
        is_map && fill_text(order, &buf, has_app ? NULL : order->pools->runtime->config.app);
    json_buf_fini(&buf);
    luaL_argcheck(L, error == 0, index, lua_pushstring(L, err.text));
    luaL_argcheck(L, is_map, index, "a table with keys that are strings expected");
    luaL_argcheck(L, fits, index, "longer than 4096 bytes as JSON");
}

int pools_start(lua_State *L)
{
    const char *name = check_name(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Number seconds = check_timeout(L, 3);
    struct order *order = new_order(L, PROTO_ASK_START);
    (void)snprintf(order->body.name, sizeof(order->body.name), "%s", name);
    encode_options(L, order, 2);
    return order_wait(L, order, seconds);
}

int pools_stop(lua_State *L)
{
    const char *name = check_name(L);
    lua_Number seconds = check_timeout(L, 2);
    struct order *order = new_order(L, PROTO_ASK_STOP);
    (void)snprintf(order->body.name, sizeof(order->body.name), "%s", name);
    return order_wait(L, order, seconds);
}

int pools_list(lua_State *L)
{
    return order_wait(L, new_order(L, PROTO_ASK_LIST), timeout_s);
}
