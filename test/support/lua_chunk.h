#ifndef FSD_TEST_SUPPORT_LUA_CHUNK_H
#define FSD_TEST_SUPPORT_LUA_CHUNK_H

/* Lua code that runs in tasks of a whole runtime, without a master.  To be included behind cmocka.h; tests are run from the root of the
 * tree.  A chunk says what happens by tell(word), and its test compares the words, so that time decides nothing. */

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "test/support/log_packet.h"
#include "worker/core/runtime.h"
#include "worker/lib/background.h"
#include "worker/lib/spawned.h"
#include "worker/lib/spawned_report.h"
#include "worker/modules.h"

enum { CHUNK_LIMIT_MS = 30000, CHUNK_TOLD_MAX = 4096 };

static struct runtime runtime;
static char told[CHUNK_TOLD_MAX];
static struct timer chunk_limit; /* a test that hangs fails */
static struct log_packet packet; /* that was read last */
static int log_reader;

static inline int chunk_tell(lua_State *L)
{
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%s ", luaL_tolstring(L, 1, NULL));
    return 0;
}

/* kill([handle]): that task, or the one that calls as soon as it waits, is closed where it stands. */
static inline int chunk_kill(lua_State *L)
{
    const struct spawned *spawn = luaL_testudata(L, 1, SPAWNED_METATABLE);
    task_kill(spawn != NULL ? spawn->task : runtime_of(L)->tasks.running);
    return 0;
}

static inline int set_up(void **state)
{
    (void)state;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        return -1;
    }
    runtime_init(&runtime);
    runtime.slice.limit_ticks = UINT_MAX; /* no slice ends, but in a test that says so */
    runtime.logger.fd = pair[0];
    log_reader = pair[1];
    modules_register(runtime.L, "lua");
    lua_register(runtime.L, "tell", chunk_tell);
    lua_register(runtime.L, "kill", chunk_kill);
    assert_false(luaL_dostring(runtime.L, "fsd = require 'fsd'\n"
                                          "task, timer = fsd.task, fsd.timer\n"
                                          "spawn, try = task.spawn, fsd.try"));
    told[0] = '\0';
    chunk_limit = (struct timer){0};
    return 0;
}

static inline void assert_nothing_is_left(void)
{
    timer_clear(&runtime.loop.timers, &chunk_limit);
    assert_int_equal(runtime.tasks.live, 0);
    assert_int_equal(runtime.loop.timers.count, 0);
    assert_null(runtime.loop.jobs);
}

static inline int tear_down(void **state)
{
    (void)state;
    assert_nothing_is_left();
    assert_false(log_packet_read(log_reader, &packet)); /* the test has read all */
    fd_close(&log_reader);
    runtime_fini(&runtime);
    return 0;
}

static inline void on_chunk_done(struct task *task, int status)
{
    if (status != LUA_OK) {
        (void)snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s",
                       status == TASK_CLOSED ? "closed" : luaL_tolstring(task->L, -1, NULL));
    }
}

static const struct task_owner chunk_owner = {.kind = "test", .on_done = on_chunk_done};

static inline struct task *start(const char *chunk)
{
    struct task *task = task_new(&runtime, &chunk_owner, NULL);
    if (luaL_loadbuffer(task->L, chunk, strlen(chunk), "=t") != LUA_OK) {
        fail_msg("%s", lua_tostring(task->L, -1));
    }
    task_start(task, 0);
    return task;
}

static inline void on_chunk_limit(struct timer *timer)
{
    (void)timer;
    loop_stop(&runtime.loop);
}

static inline void on_chunk_look(struct loop_job *job);

/* Looks again each turn, by a timer: jobs are run until none is left. */
static inline void on_chunk_turn(struct timer *timer)
{
    static struct loop_job look;
    (void)timer;
    loop_defer(&runtime.loop, &look, on_chunk_look);
}

static struct timer chunk_turn;

static inline void on_chunk_look(struct loop_job *job)
{
    (void)job;
    if (runtime.tasks.live == 0) {
        loop_stop(&runtime.loop);
    } else {
        loop_set_timer(&runtime.loop, &chunk_turn, 1, on_chunk_turn);
    }
}

/* Until all tasks have ended. */
static inline void run_tasks(void)
{
    runtime.loop.stopping = false;
    chunk_turn = (struct timer){0};
    timer_set(&runtime.loop.timers, &chunk_limit, clock_monotonic_ms() + CHUNK_LIMIT_MS,
              on_chunk_limit);
    loop_set_timer(&runtime.loop, &chunk_turn, 0, on_chunk_turn);
    loop_run(&runtime.loop, NULL);
    timer_clear(&runtime.loop.timers, &chunk_turn);
    if (!timer_is_set(&chunk_limit)) {
        fail_msg("tasks that have not ended; told: %s", told);
    }
    timer_clear(&runtime.loop.timers, &chunk_limit);
    spawned_report_all(&background_of(runtime.L)->spawns); /* not a second later */
}

/* Runs a chunk in a task until all tasks have ended, and compares what was told. */
static inline void assert_tells(const char *chunk, const char *expected)
{
    told[0] = '\0';
    (void)start(chunk);
    run_tasks();
    assert_string_equal(told, expected);
}

static inline void assert_logged(enum log_level level, const char *message)
{
    assert_true(log_packet_read(log_reader, &packet));
    assert_string_equal(packet.message, message);
    assert_int_equal(packet.level, level);
}

#endif
