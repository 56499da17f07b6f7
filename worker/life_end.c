/* life_end.c - how a worker leaves: requests first, then tasks and timers, then actors, and at last what is left of it.
 * Owns nothing but the order.  DRAIN begins it; each part says when it is through, or has had its time, and the next one begins.
 * Called by life.c for DRAIN, when something is wrong, and behind the loop.  Must not know how a part ends. */
#include "worker/life_end.h"

#include <string.h>

#include "worker/actor/actors.h"
#include "worker/core/generation.h"
#include "worker/http/server.h"
#include "worker/lib/background.h"
#include "worker/lib/occasion.h"
#include "worker/life.h"
#include "worker/life_code.h"
#include "worker/shared/shared.h"

void life_leave(struct life *life, int exit_code)
{
    life->exit_code = exit_code;
    loop_stop(&life->runtime.loop);
}

void life_lose_children(struct runtime *runtime)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime);
    logger_write(&runtime->logger, LOG_LEVEL_ERROR,
                 "leaving at once: what the application declares to be supervised has failed");
    life_leave(life, FSD_EXIT_FAILED);
}

static void on_draining(struct runtime *runtime)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime);
    link_send(&life->link, PROTO_DRAINING, NULL, 0);
}

static void on_actors_stopped(struct runtime *runtime)
{
    life_leave(H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime), FSD_EXIT_OK);
}

static void on_children_stopped(struct runtime *runtime)
{
    actors_stop(runtime, on_actors_stopped);
}

/* Actors end last: requests and tasks may still have needed them.  First of them those that end in an order. */
static void on_background_over(struct runtime *runtime)
{
    children_stop(runtime, on_children_stopped);
}

static void on_drained(struct runtime *runtime)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime);
    if (life->is_serving) {
        occasion_tell(runtime, runtime->generation, OCCASION_STOP, 0);
        occasion_tell(runtime, runtime->generation, OCCASION_WORKER_STOP, 0);
    }
    background_drain(runtime, life->phase_ms, on_background_over);
}

void life_drain(struct life *life, struct wire_message *message)
{
    struct proto_drain body;
    memcpy(&body, message->payload, sizeof(body));
    if (life->runtime.http == NULL) {
        life_leave(life, FSD_EXIT_OK);
        return;
    }
    struct http_server_drain_calls calls = {on_draining, on_drained};
    life->phase_ms = body.idle_ms;
    life->is_draining = true;
    life_code_drop(life);
    background_end(&life->runtime);
    if (life->is_serving) {
        occasion_tell(&life->runtime, life->runtime.generation, OCCASION_DRAIN, 0);
    }
    http_server_drain(life->runtime.http, body.idle_ms, body.empties_queues != 0, calls);
}

/* Frees everything, unless requests, tasks, actors or connections are left: then the worker leaves in a hurry, because something is wrong,
 * and the kernel closes them. */
void life_free(struct life *life)
{
    struct runtime *runtime = &life->runtime;
    struct generation *generation = runtime->generation;
    link_fini(&life->link);
    terminate_close(&life->terminate, &runtime->loop);
    change_fini(&life->change);
    life_code_drop(life);
    generations_fini(runtime);
    runtime->link = NULL;
    if (runtime->actors != NULL) {
        remotes_finish(&runtime->actors->remotes);
    }
    bool is_idle = runtime->http == NULL || http_server_is_idle(runtime->http);
    if (!is_idle || runtime->tasks.live > 0 || !actors_are_idle(runtime->actors)) {
        return;
    }
    http_server_free(runtime->http);
    runtime->http = NULL;
    runtime->generation = NULL; /* finalizers run below and may ask for it */
    generation_free(runtime, generation);
    struct actors *actors = runtime->actors;
    runtime_fini(runtime);
    actors_free(actors);          /* finalizers may have sent to them */
    shared_free(runtime->shared); /* finalizers may have used it */
}
