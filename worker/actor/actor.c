/* actor.c - one actor: made around a task, found again as the one that runs.
 * Owns struct actor from spawn until exit.c frees it.  Spawning takes a task from the pool and puts the code and its
 * argument on that task's stack; it begins at the end of the turn.
 * Called by mod_actor.c.  Must not know mailboxes' contents, links or names. */
#include "worker/actor/actor.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actors.h"
#include "worker/actor/code.h"
#include "worker/actor/exit.h"
#include "worker/actor/renewal.h"
#include "worker/core/runtime.h"

/* Of the modules of the server and its helpers. */
#define SYSTEM_PREFIX  "fsd.node."
#define LIBRARY_PREFIX "fsd."

/* There are a hundred thousand of them: what few need is made when it is needed. */
_Static_assert(sizeof(struct actor) <= 200, "malloc would take the next 16 bytes");

static void on_run(struct task *task)
{
    const struct actor *actor = task->data;
    struct runtime *runtime = task->runtime;
    recorder_run_place(&runtime->recorder, actor->code->place, runtime->loop.now_us);
}

static void describe(const struct task *task, char *text, size_t room)
{
    const struct actor *actor = task->data;
    (void)snprintf(text, room, "%s%s", actor->code->name,
                   actor->renewal == ACTOR_REFUSED_CODE ? " (code_change failed)" : "");
}

static const struct task_owner owner = {"actor",     exit_finish, NULL,     on_run,
                                        exit_excess, NULL,        describe, renewal_end};

bool actor_is_library(const char *module)
{
    return strncmp(module, LIBRARY_PREFIX, sizeof(LIBRARY_PREFIX) - 1) == 0;
}

/* Code that was replaced starts actors that run the same; what serves all code runs on the current one, and so does what that starts. */
static uint64_t choose_generation(lua_State *L, const char *module)
{
    const struct actor *self = actor_running(L);
    bool is_library =
        actor_is_library(module) || (self != NULL && actor_is_library(self->code->name));
    return is_library ? generations_current(runtime_of(L)) : generations_here(L);
}

static void limit(struct task *task, const struct actor_options *options)
{
    task_set_memory_limit(task, options->memory_bytes);
    if (options->cpu_ms > 0) {
        task_set_cpu_limit(task, options->cpu_ms);
    }
    if (options->deadline_ms > 0) {
        task_set_deadline(task, options->deadline_ms);
    }
}

struct actor *actor_spawn(lua_State *L, const char *module, const struct actor_options *options)
{
    struct actors *actors = actors_of(L);
    struct actor *actor = calloc(1, sizeof(*actor));
    if (actor == NULL) {
        abort();
    }
    actor->actors = actors;
    actor->code = code_acquire(actors, module, choose_generation(L, module));
    actor->is_system = strncmp(module, SYSTEM_PREFIX, sizeof(SYSTEM_PREFIX) - 1) == 0;
    actor->overflow = options->overflow;
    actor->reason_ref = LUA_NOREF;
    mailbox_init(&actor->mailbox, options->mailbox_count, options->mailbox_bytes);
    actor->task = task_new(actors->runtime, &owner, actor);
    generations_assign(actor->task, actor->code->generation); /* its module is of that */
    limit(actor->task, options);
    actors_add(actors, actor);
    code_push(actor->code, L, actor->task->L);
    if (!options->is_held) {
        actors_start(actors, actor);
    }
    return actor;
}

struct actor *actor_running(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    return task != NULL && task->owner == &owner ? task->data : NULL;
}

struct actor *actor_check(lua_State *L, const char *what)
{
    struct actor *actor = actor_running(L);
    if (actor == NULL) {
        luaL_error(L, "cannot %s here: only an actor can, not a request or a task", what);
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    return actor;
}

struct pid actor_pid(const struct actor *actor)
{
    return (struct pid){.incarnation = actor->actors->runtime->incarnation,
                        .serial = actor->serial,
                        .index = actor->index};
}

void actor_push_pid(lua_State *L, const struct actor *actor)
{
    struct pid pid = actor_pid(actor);
    pid_push_present(L, &pid);
}
