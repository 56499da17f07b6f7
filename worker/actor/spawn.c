/* spawn.c - spawn(module[, args[, options]]): reads the options and makes an actor of them.
 * Owns nothing.  All arguments are read and judged before anything is made, so that a mistake leaves nothing behind.  An actor
 * that shall run in another worker is a matter of lua/fsd/node/spawn.lua, one with a name for all workers of spawn_named.c.
 * Called by mod_actor.c. */
#include "worker/actor/spawn.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/names.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/register.h"
#include "worker/actor/send.h"
#include "worker/actor/spawn_named.h"
#include "worker/core/error.h"

#define ELSEWHERE_MODULE "fsd.node.spawn"

enum {
    MODULE = 1, /* stack slots of the arguments */
    ARGS,
    OPTIONS,
    DEFAULT_COUNT = 10000,
    DEFAULT_BYTES = 16 << 20,
    MODULE_LEN_MAX = 255,
    SECONDS_MAX = 366 * 24 * 60 * 60, /* keeps the conversion to milliseconds exact */
};

struct order {
    struct actor_options options;
    bool link;
    bool monitor;
    bool has_name; /* which is on the stack behind the arguments */
    bool is_node;  /* its scope */
};

static void read_bool(lua_State *L, bool *ret_value, const char *key)
{
    if (lua_type(L, -1) != LUA_TBOOLEAN) {
        luaL_error(L, "bad option \"%s\": true or false expected", key);
    }
    *ret_value = *ret_value || lua_toboolean(L, -1);
}

static lua_Integer read_integer(lua_State *L, const char *key, lua_Integer most)
{
    int is_integer = 0;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 1 || value > most) {
        luaL_error(L, "bad option \"%s\": an integer from 1 expected", key);
    }
    return value;
}

static void read_overflow(lua_State *L, struct order *order)
{
    static const char *const words[] = {
        [ACTOR_OVERFLOW_SUSPEND] = "suspend",
        [ACTOR_OVERFLOW_DROP_NEW] = "drop_new",
        [ACTOR_OVERFLOW_DROP_OLD] = "drop_old",
        [ACTOR_OVERFLOW_RAISE] = "raise",
    };
    for (size_t i = 0; lua_type(L, -1) == LUA_TSTRING && i < sizeof(words) / sizeof(words[0]);
         i++) {
        if (strcmp(lua_tostring(L, -1), words[i]) == 0) {
            order->options.overflow = (enum actor_overflow)i;
            return;
        }
    }
    luaL_error(
        L,
        "bad option \"overflow\": \"suspend\", \"drop_new\", \"drop_old\" or \"raise\" expected");
}

static void read_link(lua_State *L, struct order *order)
{
    read_bool(L, &order->link, "link");
}

static void read_monitor(lua_State *L, struct order *order)
{
    read_bool(L, &order->monitor, "monitor");
}

static void read_count(lua_State *L, struct order *order)
{
    order->options.mailbox_count = (uint32_t)read_integer(L, "mailbox", INT32_MAX);
}

static void read_bytes(lua_State *L, struct order *order)
{
    order->options.mailbox_bytes = (uint32_t)read_integer(L, "mailbox_bytes", INT32_MAX);
}

/* What the configuration allows each of them stays the most. */
static void read_memory(lua_State *L, struct order *order)
{
    size_t bytes = (size_t)read_integer(L, "memory", INT64_MAX);
    size_t allowed = order->options.memory_bytes;
    order->options.memory_bytes = allowed == 0 || bytes < allowed ? bytes : allowed;
}

/* Milliseconds, at least one. */
static uint64_t read_seconds(lua_State *L, const char *key)
{
    int is_number = 0;
    double seconds = lua_tonumberx(L, -1, &is_number);
    if (!is_number || !(seconds > 0 && seconds <= SECONDS_MAX)) {
        luaL_error(L, "bad option \"%s\": seconds expected, up to a year", key);
    }
    return (uint64_t)ceil(seconds * 1000);
}

static void read_cpu(lua_State *L, struct order *order)
{
    order->options.cpu_ms = read_seconds(L, "cpu");
}

static void read_deadline(lua_State *L, struct order *order)
{
    order->options.deadline_ms = read_seconds(L, "deadline");
}

static void read_name(lua_State *L, struct order *order)
{
    names_check(L, -1);
    order->has_name = true;
}

static void read_scope(lua_State *L, struct order *order)
{
    order->is_node = register_is_node(L);
}

/* What is not here has gone another way (is_elsewhere). */
static void read_on(lua_State *L, struct order *order)
{
    (void)L;
    (void)order;
}

static const struct option {
    const char *key;
    void (*read)(lua_State *L, struct order *order); /* the value is on the top */
} options[] = {
    {"cpu", read_cpu},           {"deadline", read_deadline},   {"link", read_link},
    {"mailbox", read_count},     {"mailbox_bytes", read_bytes}, {"memory", read_memory},
    {"monitor", read_monitor},   {"name", read_name},           {"on", read_on},
    {"overflow", read_overflow}, {"scope", read_scope},
};

/* The pair is on the top. */
static void read_option(lua_State *L, struct order *order)
{
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].key, key) == 0) {
            options[i].read(L, order);
            return;
        }
    }
    luaL_error(L, "unknown option \"%s\"", luaL_tolstring(L, -2, NULL));
}

static void read_options(lua_State *L, struct order *order)
{
    if (lua_isnil(L, OPTIONS)) {
        return;
    }
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, OPTIONS) != 0) {
        read_option(L, order);
        lua_pop(L, 1);
    }
}

static void check_module(lua_State *L)
{
    size_t len = 0;
    const char *module = luaL_checklstring(L, MODULE, &len);
    luaL_argcheck(L, len > 0 && len <= MODULE_LEN_MAX && strlen(module) == len, MODULE,
                  "not the name of a module");
}

static void check_running(lua_State *L)
{
    if (task_acting(L) == NULL) {
        luaL_error(L, "cannot spawn an actor here: only a request, a task or an actor can, not "
                      "code that is being loaded, collected or closed; what shall run from the "
                      "start is declared with app:supervisor{...}");
    }
}

/* Whether there may be one more, here and now. */
static void check_place(lua_State *L, const struct order *order)
{
    const struct actors *actors = actors_of(L);
    check_running(L);
    if ((order->link || order->monitor) && actor_running(L) == NULL) {
        luaL_error(L, "cannot link or monitor here: only an actor can, not a request or a task");
    }
    if (actors->is_stopping) {
        error_raise(L, "ActorError", "shutdown", 503,
                    "cannot spawn an actor: the worker is leaving");
    }
    if (actors->live >= ACTORS_MAX) {
        error_raise(L, "ActorError", "limit", 503, "cannot spawn an actor: there are %d already",
                    ACTORS_MAX);
    }
}

/* Whether the option `on` says something else than "local". */
static bool is_elsewhere(lua_State *L)
{
    if (lua_type(L, OPTIONS) != LUA_TTABLE) {
        return false;
    }
    int type = lua_getfield(L, OPTIONS, "on");
    bool is_local =
        type == LUA_TNIL || (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "local") == 0);
    lua_pop(L, 1);
    return !is_local;
}

static int on_spawned_elsewhere(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - OPTIONS;
}

/* The module in Lua knows the other workers, and asks one. */
static int spawn_elsewhere(lua_State *L, bool link, bool monitor)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, ELSEWHERE_MODULE);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "at");
    lua_replace(L, -2);
    for (int i = MODULE; i <= OPTIONS; i++) {
        lua_pushvalue(L, i);
    }
    lua_pushboolean(L, link);
    lua_pushboolean(L, monitor);
    lua_callk(L, OPTIONS + 2, LUA_MULTRET, 0, on_spawned_elsewhere);
    return on_spawned_elsewhere(L, LUA_OK, 0);
}

int spawn_finish(lua_State *L, struct actor *actor, bool links, bool monitors)
{
    struct actor *self = actor_running(L);
    if (links) {
        bond_link(self, actor);
    }
    actor_push_pid(L, actor);
    if (monitors) {
        bond_monitor(L, self, actor, NULL);
        return 2;
    }
    return 1;
}

static void check_name(lua_State *L, const struct order *order)
{
    if (order->is_node && !order->has_name) {
        luaL_error(L, "scope \"node\" is of a name, and there is none");
    }
    if (order->is_node) {
        claim_check(L, NULL, false);
    }
    if (order->has_name) {
        lua_getfield(L, OPTIONS, "name");
    }
    if (order->has_name && !order->is_node) {
        names_check_free(L, -1);
    }
}

/* What the configuration allows an actor; the library's own serve all others, and have no such limit. */
static uint64_t find_memory(lua_State *L)
{
    static const char library[] = "fsd.";
    bool is_library = strncmp(lua_tostring(L, MODULE), library, sizeof(library) - 1) == 0;
    return is_library ? 0 : runtime_of(L)->config.actor_memory_bytes;
}

int spawn_lua(lua_State *L, bool link, bool monitor)
{
    struct order order = {
        .link = link,
        .monitor = monitor,
        .options = {.mailbox_count = DEFAULT_COUNT, .mailbox_bytes = DEFAULT_BYTES}};
    lua_settop(L, OPTIONS);
    check_module(L);
    if (is_elsewhere(L)) {
        check_running(L);
        return spawn_elsewhere(L, link, monitor);
    }
    order.options.memory_bytes = find_memory(L);
    read_options(L, &order);
    check_place(L, &order);
    check_name(L, &order);
    (void)send_copy(L, ARGS);
    order.options.is_held = order.is_node;
    struct actor *actor = actor_spawn(L, lua_tostring(L, MODULE), &order.options);
    if (order.is_node) {
        return spawn_named_await(L, actor, order.link, order.monitor);
    }
    if (order.has_name) {
        names_add(L, -1, actor);
    }
    return spawn_finish(L, actor, order.link, order.monitor);
}
