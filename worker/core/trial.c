/* trial.c - code that may take over: loaded in a task of its own, while all else goes on.
 * Owns the generation until somebody takes it.  The main file runs as at LOAD: it can't wait and can't start anything, because
 * what loads here must load in a new worker, too, and a trial that is dropped leaves nothing to undo.  Then the functions that
 * app:on_check was given run one after the other; these may wait.  The task is preempted like any other, so a load that does not
 * end costs the others only their share, until it is dropped.
 * Called by life_code.c.  Must not know what an application is, nor who decides. */
#include "worker/core/trial.h"

#include <assert.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/app_list.h"
#include "worker/core/error.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"

struct trial {
    struct runtime *runtime;       /* borrowed */
    struct generation *generation; /* owned */
    struct task *task;             /* borrowed; NULL: has ended */
    const struct trial_calls *calls;
    void *data; /* borrowed: the caller's */
    bool is_dropped;
    bool
        is_cut; /* it has had time enough; what it has caught of that it may have gone on without */
    bool is_ready;
    struct fsd_err err;
};

static const char late[] = "the code has not come to an end in its time";

/* Places on the stack of its task. */
enum { AT_TRIAL = 1, AT_TRACEBACK, AT_APP = 2, AT_CHECKS, AT_NEXT };

static int run_checks(lua_State *L, int status, lua_KContext context);

/* 1: the trial, 2: the application. */
static int begin_checks(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct trial *trial = lua_touserdata(L, AT_TRIAL);
    lua_settop(L, AT_APP);
    trial->calls->judge(L, trial->generation);
    trial->task->trial = TASK_TRIAL_CHECKS;
    app_list_find(L, APP_LIST_CHECKS, AT_APP);
    lua_pushinteger(L, 1);
    return run_checks(L, LUA_OK, 0);
}

/* 3: the list of functions or nil, 4: which of them is next. */
static int run_checks(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_Integer count = lua_isnil(L, AT_CHECKS) ? 0 : (lua_Integer)lua_rawlen(L, AT_CHECKS);
    for (lua_Integer next = lua_tointeger(L, AT_NEXT); next <= count; next++) {
        lua_settop(L, AT_CHECKS);
        lua_pushinteger(L, next + 1);
        lua_rawgeti(L, AT_CHECKS, next);
        lua_callk(L, 0, 0, 0, run_checks);
    }
    return 0;
}

/* Protected: the trial. */
static int load_and_check(lua_State *L)
{
    const struct trial *trial = lua_touserdata(L, AT_TRIAL);
    lua_pushcfunction(L, generation_run_main);
    lua_pushlightuserdata(L, trial->generation);
    lua_callk(L, 1, 1, 0, begin_checks);
    return begin_checks(L, LUA_OK, 0);
}

static int after_all(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    struct trial *trial = lua_touserdata(L, AT_TRIAL);
    bool has_failed = status != LUA_OK && status != LUA_YIELD;
    trial->is_ready = !has_failed && !trial->is_cut;
    if (has_failed) {
        (void)generation_fail(L, &trial->err);
    }
    if (trial->is_cut) {
        char text[FSD_ERR_MAX];
        const char *traceback = strchr(trial->err.text, '\n');
        (void)snprintf(text, sizeof(text), "%s%s", late, traceback == NULL ? "" : traceback);
        (void)fsd_err_set(&trial->err, ETIMEDOUT, "%s", text);
    }
    return 0;
}

static int run(lua_State *L)
{
    lua_pushcfunction(L, error_traceback);
    lua_pushcfunction(L, load_and_check);
    lua_pushvalue(L, AT_TRIAL);
    int status = lua_pcallk(L, 1, 0, AT_TRACEBACK, 0, after_all);
    return after_all(L, status, 0);
}

static void free_trial(struct trial *trial)
{
    generation_free(trial->runtime, trial->generation);
    free(trial);
}

static void on_task_done(struct task *task, int status)
{
    struct trial *trial = task->data;
    trial->task = NULL;
    if (trial->is_dropped) {
        free_trial(trial);
        return;
    }
    if (status != LUA_OK) {
        trial->is_ready = false;
        (void)fsd_err_set(&trial->err, EINVAL, "the code was ended by force while it loaded: %s",
                          status != TASK_CLOSED ? "it is out of memory"
                          : trial->is_cut       ? "it did not end when its time was over"
                                                : "it has waited where it can't, or was cancelled");
    }
    trial->calls->on_over(trial, trial->is_ready);
}

static void on_task_run(struct task *task)
{
    const struct trial *trial = task->data;
    const struct bundle *bundle = &trial->generation->bundle;
    recorder_run_load(&task->runtime->recorder, trial->generation->number, bundle->main,
                      bundle->main_len);
}

static const struct task_owner owner = {"load", on_task_done, NULL, on_task_run,
                                        NULL,   NULL,         NULL, NULL};

struct trial *trial_new(struct runtime *runtime, struct generation *generation,
                        const struct trial_calls *calls, void *data)
{
    struct trial *trial = calloc(1, sizeof(*trial));
    if (trial == NULL) {
        abort();
    }
    *trial =
        (struct trial){.runtime = runtime, .generation = generation, .calls = calls, .data = data};
    struct task *task = task_new(runtime, &owner, trial);
    task->trial = TASK_TRIAL_LOADS;
    trial->task = task;
    lua_pushcfunction(task->L, run);
    lua_pushlightuserdata(task->L, trial);
    return trial;
}

void trial_run(struct trial *trial)
{
    task_start(trial->task, 1);
}

void *trial_data(const struct trial *trial)
{
    return trial->data;
}

void trial_cut(struct trial *trial)
{
    assert(trial->task != NULL);
    trial->is_cut = true;
    task_cancel(trial->task, TASK_CANCEL_TIMEOUT);
}

const char *trial_reason(const struct trial *trial)
{
    return trial->err.text;
}

const struct generation *trial_generation(const struct task *task)
{
    const struct trial *trial = task->data;
    return trial->generation;
}

bool trial_is_ready(const struct trial *trial)
{
    return trial->is_ready && trial->task == NULL;
}

struct generation *trial_take(struct trial *trial)
{
    assert(trial_is_ready(trial));
    struct generation *generation = trial->generation;
    free(trial);
    return generation;
}

void trial_drop(struct trial *trial)
{
    if (trial == NULL) {
        return;
    }
    trial->is_dropped = true;
    if (trial->task == NULL) {
        free_trial(trial);
    } else {
        task_kill(trial->task);
    }
}
