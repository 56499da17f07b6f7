/* mod_supervise.c - fsd.supervisor.core: common/supervise for the supervisors in Lua.
 *   core.new(flags) -> machine      flags: strategy, intensity, period, auto_shutdown, simple
 *   machine:add(index, spec)        before start; spec: restart, shutdown, supervisor, significant
 *   machine:start()  machine:stop()
 *   machine:tell(index, "started" | "ignored" | "failed" | "normal" | "shutdown" | "abnormal" | "replaced") -> bool
 *   machine:next() -> "start" | "stop" | "kill" | "retry" | "forget", index; "ready"; "end", why; nothing
 *   machine:wake() -> seconds | nil
 *   machine:request("start" | "terminate" | "restart" | "delete", index[, spec]) -> nil | why not
 *   machine:request("include" | "recover" | "specify" | "put_last", index[, spec]), machine:change(flags): other code has taken over
 *   machine:is_idle() -> bool   machine:state(index) -> word   machine:list() -> indexes   machine:counts() -> four numbers
 * Owns the memory that the machine works on: the array of children, which grows, and the times of restarts.  Numbers are
 * seconds here and milliseconds there.  Its callers are the project's own, which have judged what an application gave them.
 * Called by lua/fsd/supervisor/actor.lua.  Must not know what a child is. */
#include "worker/actor/mod_supervise.h"

#include <assert.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/supervise.h"
#include "worker/actor/supervise_options.h"

#define MACHINE "fsd.supervisor.Machine"

enum {
    FIRST_CHILDREN = 8,
    CHILDREN_MAX = 1 << 20,
};

struct machine {
    struct supervise supervise;
    struct supervise_child *children; /* owned */
    uint64_t *times;                  /* owned */
    uint32_t capacity;
};

static struct machine *check_machine(lua_State *L)
{
    return luaL_checkudata(L, 1, MACHINE);
}

static int machine_gc(lua_State *L)
{
    struct machine *machine = check_machine(L);
    free(machine->children);
    free(machine->times);
    machine->children = NULL;
    machine->times = NULL;
    return 0;
}

static uint32_t check_index(lua_State *L)
{
    lua_Integer index = luaL_checkinteger(L, 2);
    luaL_argcheck(L, index >= 0 && index < CHILDREN_MAX, 2, "no index of a child");
    return (uint32_t)index;
}

/* NULL: none are needed. */
static uint64_t *new_times(const struct supervise_flags *flags)
{
    if (flags->intensity == 0 || flags->intensity == SUPERVISE_UNLIMITED) {
        return NULL;
    }
    uint64_t *times = calloc(flags->intensity, sizeof(*times));
    if (times == NULL) {
        abort();
    }
    return times;
}

static int core_new(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct supervise_flags flags = supervise_options_flags(L, 1);
    struct machine *machine = lua_newuserdatauv(L, sizeof(*machine), 0);
    memset(machine, 0, sizeof(*machine));
    luaL_setmetatable(L, MACHINE);
    machine->times = new_times(&flags);
    machine->children = calloc(FIRST_CHILDREN, sizeof(*machine->children));
    machine->capacity = FIRST_CHILDREN;
    if (machine->children == NULL) {
        abort();
    }
    supervise_init(&machine->supervise, &flags, machine->children, machine->capacity,
                   machine->times);
    return 1;
}

/* Makes room for a child of that index. */
static void reserve(struct machine *machine, uint32_t index)
{
    uint32_t capacity = machine->capacity;
    while (capacity <= index) {
        capacity *= 2;
    }
    if (capacity == machine->capacity) {
        return;
    }
    struct supervise_child *children = realloc(machine->children, capacity * sizeof(*children));
    if (children == NULL) {
        abort();
    }
    memset(children + machine->capacity, 0, (capacity - machine->capacity) * sizeof(*children));
    supervise_move(&machine->supervise, children, capacity);
    machine->children = children;
    machine->capacity = capacity;
}

static const struct word {
    int error;
    const char *text;
} words[] = {
    {-EAGAIN, "busy"},      {-ESHUTDOWN, "shutdown"},
    {-ENOENT, "not_found"}, {-EOPNOTSUPP, "not_supported"},
    {-EINVAL, "bad_child"}, {-EALREADY, "running"},
    {-EEXIST, "present"},   {-EINPROGRESS, "restarting"},
    {-EBUSY, "started"},    {-EPROTO, "unexpected"},
};

static const char *word_of(int error)
{
    const struct word *word = words;
    while (word->error != error) {
        word++;
        assert(word < words + sizeof(words) / sizeof(words[0]));
    }
    return word->text;
}

static int push_result(lua_State *L, int result)
{
    if (result == 0) {
        return 0;
    }
    lua_pushstring(L, word_of(result));
    return 1;
}

static int machine_add(lua_State *L)
{
    struct machine *machine = check_machine(L);
    uint32_t index = check_index(L);
    struct supervise_spec spec = supervise_options_spec(L, 3);
    reserve(machine, index);
    return push_result(L, supervise_add(&machine->supervise, index, &spec));
}

static int machine_start(lua_State *L)
{
    supervise_start(&check_machine(L)->supervise);
    return 0;
}

static int machine_stop(lua_State *L)
{
    supervise_stop(&check_machine(L)->supervise);
    return 0;
}

static int machine_tell(lua_State *L)
{
    static const char *const options[] = {"normal",  "shutdown", "abnormal", "replaced",
                                          "started", "ignored",  "failed",   NULL};
    enum { STARTED = SUPERVISE_REPLACED + 1, IGNORED, FAILED };
    struct supervise *supervise = &check_machine(L)->supervise;
    uint32_t index = check_index(L);
    int news = luaL_checkoption(L, 3, NULL, options);
    int result = 0;
    if (news == STARTED) {
        result = supervise_on_started(supervise, index);
    } else if (news == IGNORED) {
        result = supervise_on_ignored(supervise, index);
    } else if (news == FAILED) {
        result = supervise_on_failed(supervise, index);
    } else {
        result = supervise_on_exited(supervise, index, (enum supervise_reason)news);
    }
    lua_pushboolean(L, result == 0);
    return 1;
}

static int machine_next(lua_State *L)
{
    static const char *const kinds[] = {
        [SUPERVISE_DO_START] = "start",   [SUPERVISE_DO_STOP] = "stop",
        [SUPERVISE_DO_KILL] = "kill",     [SUPERVISE_DO_RETRY] = "retry",
        [SUPERVISE_DO_FORGET] = "forget", [SUPERVISE_DO_READY] = "ready",
        [SUPERVISE_DO_END] = "end",
    };
    static const char *const ends[] = {
        [SUPERVISE_END_TOLD] = "told",
        [SUPERVISE_END_START_FAILED] = "start_failed",
        [SUPERVISE_END_INTENSITY] = "intensity",
        [SUPERVISE_END_AUTO_SHUTDOWN] = "auto_shutdown",
    };
    struct supervise_action action;
    if (!supervise_next(&check_machine(L)->supervise, clock_monotonic_ms(), &action)) {
        return 0;
    }
    lua_pushstring(L, kinds[action.kind]);
    if (action.kind == SUPERVISE_DO_END) {
        lua_pushstring(L, ends[action.end]);
    } else if (action.kind == SUPERVISE_DO_READY) {
        return 1;
    } else {
        lua_pushinteger(L, action.id);
    }
    return 2;
}

static int machine_wake(lua_State *L)
{
    uint64_t at_ms = supervise_wake_ms(&check_machine(L)->supervise);
    uint64_t now_ms = clock_monotonic_ms();
    if (at_ms == UINT64_MAX) {
        return 0;
    }
    lua_pushnumber(L, at_ms > now_ms ? (double)(at_ms - now_ms) / 1000 : 0);
    return 1;
}

/* Those of one child; with a specification or without. */
static const struct request {
    const char *name;
    int (*with)(struct supervise *supervise, uint32_t id, const struct supervise_spec *spec);
    int (*without)(struct supervise *supervise, uint32_t id);
} requests[] = {
    {"start", supervise_start_child, NULL},     {"terminate", NULL, supervise_terminate_child},
    {"restart", NULL, supervise_restart_child}, {"delete", NULL, supervise_delete_child},
    {"include", supervise_include_child, NULL}, {"recover", NULL, supervise_recover_child},
    {"specify", supervise_change_child, NULL},  {"put_last", NULL, supervise_put_last},
};

static int machine_request(lua_State *L)
{
    struct machine *machine = check_machine(L);
    const char *name = luaL_checkstring(L, 2);
    const struct request *request = requests;
    while (strcmp(request->name, name) != 0) {
        request++;
        assert(request < requests + sizeof(requests) / sizeof(requests[0]));
    }
    lua_remove(L, 2);
    uint32_t index = check_index(L);
    if (request->with == NULL) {
        return push_result(L, request->without(&machine->supervise, index));
    }
    struct supervise_spec spec = supervise_options_spec(L, 3);
    reserve(machine, index);
    return push_result(L, request->with(&machine->supervise, index, &spec));
}

static int machine_change(lua_State *L)
{
    struct machine *machine = check_machine(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct supervise_flags flags = supervise_options_flags(L, 2);
    uint64_t *times = new_times(&flags);
    int result = supervise_change_flags(&machine->supervise, &flags, times);
    if (result == 0) {
        uint64_t *old = machine->times;
        machine->times = times;
        times = old;
    }
    free(times);
    return push_result(L, result);
}

static int machine_is_idle(lua_State *L)
{
    lua_pushboolean(L, supervise_is_idle(&check_machine(L)->supervise));
    return 1;
}

static int machine_state(lua_State *L)
{
    const struct machine *machine = check_machine(L);
    enum supervise_state state = supervise_state(&machine->supervise, check_index(L));
    lua_pushstring(L, supervise_child_state_name(state));
    return 1;
}

static int machine_list(lua_State *L)
{
    const struct supervise *supervise = &check_machine(L)->supervise;
    lua_newtable(L);
    lua_Integer count = 0;
    for (uint32_t id = supervise_first(supervise); id != SUPERVISE_NONE;
         id = supervise_after(supervise, id)) {
        lua_pushinteger(L, id);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

static int machine_counts(lua_State *L)
{
    struct supervise_counts counts = supervise_count(&check_machine(L)->supervise);
    lua_pushinteger(L, counts.specs);
    lua_pushinteger(L, counts.active);
    lua_pushinteger(L, counts.supervisors);
    lua_pushinteger(L, counts.workers);
    return 4;
}

static const luaL_Reg functions[] = {
    {"new", core_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"add", machine_add},
    {"change", machine_change},
    {"counts", machine_counts},
    {"is_idle", machine_is_idle},
    {"list", machine_list},
    {"next", machine_next},
    {"request", machine_request},
    {"start", machine_start},
    {"state", machine_state},
    {"stop", machine_stop},
    {"tell", machine_tell},
    {"wake", machine_wake},
    {NULL, NULL},
};

int luaopen_fsd_supervisor_core(lua_State *L)
{
    luaL_newmetatable(L, MACHINE);
    lua_pushcfunction(L, machine_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
