/* life.c - a worker's life, told by the master's messages: configuration, code, listeners, start, changes, end.
 * Owns struct life.  One row a message kind says which function obeys; the order of messages is the master's business, and one
 * that comes out of order is answered by leaving with FSD_EXIT_INTERNAL, because two programs that disagree about the
 * contract can't serve.  Loading declares, activation starts: LOAD runs the application's top level and has the HTTP area
 * look at the result; only ACTIVATE opens the listeners.
 * Called by main.c.  Must not know how any of it is done (core/, http/). */
#include "worker/life.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/page.h"
#include "worker/actor/actors.h"
#include "worker/actor/node/server.h"
#include "worker/core/generation.h"
#include "worker/http/server.h"
#include "worker/lib/declared.h"
#include "worker/lib/occasion.h"
#include "worker/lib/pools.h"
#include "worker/life_code.h"
#include "worker/life_end.h"
#include "worker/shared/shared.h"

static struct life *life_of(struct link *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct life, link, link);
}

static void fail(struct life *life, const char *what)
{
    logger_write(&life->runtime.logger, LOG_LEVEL_ERROR, "%s", what);
    life_leave(life, FSD_EXIT_INTERNAL);
}

static void on_log(struct life *life, struct wire_message *message)
{
    fd_close(&life->runtime.logger.fd);
    life->runtime.logger.fd = message->fd;
    message->fd = -1;
}

static void on_access(struct life *life, struct wire_message *message)
{
    if (life->runtime.http == NULL) {
        fail(life, "ACCESS came before CONFIG");
        return;
    }
    http_server_take_access_log(life->runtime.http, message->fd);
    message->fd = -1;
}

/* A master that says nothing of it leaves it unlimited. */
static void limit_memory(struct runtime *runtime)
{
    uint64_t bytes = runtime->config.memory_bytes;
    heap_set_limit(&runtime->heap, bytes == 0 ? SIZE_MAX : bytes);
}

static void on_config(struct life *life, struct wire_message *message)
{
    struct fsd_err err;
    struct config *config = &life->runtime.config;
    if (life->runtime.http != NULL) {
        fail(life, "CONFIG came for the second time");
        return;
    }
    if (config_read(config, message->fd, &err) != 0) {
        fail(life, err.text);
        return;
    }
    life->runtime.logger.level = config->log_level;
    limit_memory(&life->runtime);
    if (config_export_env(config) != 0) {
        fail(life, "cannot take over the environment that the configuration lists");
        return;
    }
    life->runtime.http = http_server_new(&life->runtime);
}

static void on_listener(struct life *life, struct wire_message *message)
{
    struct proto_listener body;
    memcpy(&body, message->payload, sizeof(body));
    if (life->runtime.http == NULL) {
        fail(life, "LISTENER came before CONFIG");
        return;
    }
    int error = http_server_add_listener(life->runtime.http, message->fd, body.slot);
    if (error == 0) {
        message->fd = -1;
    } else if (error == -ENOSPC && life->is_active) {
        logger_write(&life->runtime.logger, LOG_LEVEL_WARNING,
                     "cannot accept from a listener that slot %" PRIu64
                     " lends: there are too many",
                     body.slot);
    } else if (error == -ENOSPC) {
        fail(life, "more listeners than a pool can have");
    } /* else nothing is accepted any more, and the master will see that */
}

static void on_return(struct life *life, struct wire_message *message)
{
    struct proto_return body;
    memcpy(&body, message->payload, sizeof(body));
    if (life->runtime.http != NULL) { /* else there is nothing to give back */
        http_server_remove_listeners(life->runtime.http, body.slot);
    }
}

static struct proto_generation read_generation(const struct wire_message *message)
{
    struct proto_generation body;
    memcpy(&body, message->payload, sizeof(body));
    return body;
}

/* LOADED was said: there is an application, or it is known that there is none. */
static bool is_loaded(const struct life *life)
{
    return life->runtime.generation != NULL || life->is_unavailable;
}

static void on_load(struct life *life, struct wire_message *message)
{
    struct proto_generation body = read_generation(message);
    struct runtime *runtime = &life->runtime;
    if (runtime->http == NULL || is_loaded(life)) {
        fail(life, "LOAD came before CONFIG or for the second time");
        return;
    }
    struct fsd_err err;
    struct generation *generation = NULL;
    int error = generation_load(runtime, message->fd, body.generation, &generation, &err);
    if (error == 0) {
        error = http_server_adopt(runtime->http, generation, &err);
    }
    if (error != 0) {
        generation_free(runtime, generation);
        link_send_text(&life->link, PROTO_REFUSED, &body, sizeof(body), err.text);
        return;
    }
    runtime->generation = generation;
    link_send(&life->link, PROTO_LOADED, &body, sizeof(body));
}

static void on_unavailable(struct life *life, struct wire_message *message)
{
    struct proto_unavailable body;
    struct proto_generation none = {0};
    memcpy(&body, message->payload, sizeof(body));
    if (life->runtime.http == NULL || is_loaded(life)) {
        fail(life, "UNAVAILABLE came before CONFIG, or behind LOAD");
        return;
    }
    life->is_unavailable = true;
    http_server_refuse_all(life->runtime.http, body.retry_after_s);
    link_send(&life->link, PROTO_LOADED, &none, sizeof(none));
}

/* What is supervised runs: all else may begin. */
static void on_children_started(struct runtime *runtime)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime);
    const struct generation *generation = runtime->generation;
    struct proto_generation done = {generation == NULL ? 0 : generation->number};
    if (life->is_draining) {
        return;
    }
    life->is_serving = true;
    http_server_activate(runtime->http);
    leisure_start(runtime);
    occasion_tell(runtime, generation, OCCASION_WORKER_START, 0);
    declared_start(runtime);
    occasion_tell(runtime, generation, OCCASION_READY, 0);
    page_set(&runtime->page->generation, done.generation);
    link_send(&life->link, PROTO_ACTIVE, &done, sizeof(done));
}

static void on_activate(struct life *life, struct wire_message *message)
{
    struct proto_activate body;
    memcpy(&body, message->payload, sizeof(body));
    struct runtime *runtime = &life->runtime;
    uint64_t loaded = runtime->generation == NULL ? 0 : runtime->generation->number;
    if (!is_loaded(life) || loaded != body.generation || life->is_active) {
        fail(life, "ACTIVATE names a generation that is not loaded, or is active already");
        return;
    }
    life->is_active = true;
    runtime->slot = (int64_t)body.slot;
    server_start(runtime);
    children_start(runtime, (struct children_calls){on_children_started, life_lose_children, NULL});
}

static struct proto_transaction read_transaction(const struct wire_message *message)
{
    struct proto_transaction body;
    memcpy(&body, message->payload, sizeof(body));
    return body;
}

static void on_prepare(struct life *life, struct wire_message *message)
{
    struct proto_transaction body = read_transaction(message);
    struct proto_transaction done = {.number = body.number};
    struct fsd_err err;
    if (life->runtime.http == NULL) {
        fail(life, "PREPARE came before CONFIG");
        return;
    }
    life_code_drop(life);
    if (body.what == PROTO_CHANGE_CODE) {
        change_fini(&life->change);
        life_code_prepare(life, &body, message->fd);
    } else if (change_prepare(&life->change, &life->runtime.config, &body, message->fd, &err) ==
               0) {
        link_send(&life->link, PROTO_PREPARED, &done, sizeof(done));
    } else {
        link_send_text(&life->link, PROTO_REJECTED, &done, sizeof(done), err.text);
    }
}

static void on_commit(struct life *life, struct wire_message *message)
{
    struct proto_transaction done = {.number = read_transaction(message).number};
    struct runtime *runtime = &life->runtime;
    if (change_commit(&life->change, done.number, &runtime->config)) {
        runtime->logger.level = runtime->config.log_level;
        limit_memory(runtime);
        http_server_apply_limits(runtime->http);
        done.generation = runtime->generation == NULL ? 0 : runtime->generation->number;
        link_send(&life->link, PROTO_COMMITTED, &done, sizeof(done));
    } else {
        (void)life_code_commit(life, done.number);
    }
}

static void on_abort(struct life *life, struct wire_message *message)
{
    struct proto_transaction body = read_transaction(message);
    change_abort(&life->change, body.number);
    life_code_abort(life, body.number, body.what == PROTO_ABORT_LATE);
}

static void on_shared(struct life *life, struct wire_message *message)
{
    struct proto_shared body;
    struct fsd_err err;
    memcpy(&body, message->payload, sizeof(body));
    if (shared_add(life->runtime.shared, &body, message->fd, &err) < 0) {
        logger_write(&life->runtime.logger, LOG_LEVEL_ERROR, "%s", err.text);
    }
}

static void on_unshared(struct life *life, struct wire_message *message)
{
    struct proto_shared body;
    memcpy(&body, message->payload, sizeof(body));
    shared_remove(life->runtime.shared, &body);
}

/* Only workers that have joined are told of others, and these have actors. */
static void on_others(struct life *life, struct wire_message *message)
{
    if (life->runtime.actors == NULL) {
        fail(life, "the master tells of other workers, but this one has not joined");
        return;
    }
    remotes_on_message(&life->runtime.actors->remotes, message);
}

static void on_answer(struct life *life, struct wire_message *message)
{
    pools_on_answer(&life->runtime, message);
}

static const struct row {
    enum proto_kind kind;
    void (*obey)(struct life *life, struct wire_message *message);
} rows[] = {
    {PROTO_LOG, on_log},
    {PROTO_CONFIG, on_config},
    {PROTO_ACCESS, on_access},
    {PROTO_LISTENER, on_listener},
    {PROTO_LOAD, on_load},
    {PROTO_ACTIVATE, on_activate},
    {PROTO_DRAIN, life_drain},
    {PROTO_RETURN, on_return},
    {PROTO_UNAVAILABLE, on_unavailable},
    {PROTO_PREPARE, on_prepare},
    {PROTO_COMMIT, on_commit},
    {PROTO_ABORT, on_abort},
    {PROTO_SHARED, on_shared},
    {PROTO_UNSHARED, on_unshared},
    {PROTO_MEMBER, on_others},
    {PROTO_PEER, on_others},
    {PROTO_GONE, on_others},
    {PROTO_NAMES, on_others},
    {PROTO_NAMED, on_others},
    {PROTO_UNNAMED, on_others},
    {PROTO_TAKEN, on_others},
    {PROTO_ANSWER, on_answer},
    {PROTO_POOLS, on_answer},
};

static void on_message(struct link *link, struct wire_message *message)
{
    struct life *life = life_of(link);
    bool obeys =
        !life->runtime.loop.stopping; /* a burst may hold more than the message that ends us */
    for (size_t i = 0; obeys && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].kind == message->head.kind) {
            rows[i].obey(life, message);
        }
    }
    fd_close(&message->fd);
}

/* Without a master nobody may keep a worker: it leaves at once, whatever is under way. */
static void on_gone(struct link *link, const char *why)
{
    logger_write(&life_of(link)->runtime.logger, LOG_LEVEL_ERROR, "leaving at once: %s", why);
    _exit(FSD_EXIT_INTERNAL);
}

/* Somebody else than the master wants us to go: it shall replace us first. */
static void on_terminate(struct terminate *terminate)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, terminate, terminate);
    logger_write(&life->runtime.logger, LOG_LEVEL_NOTICE, "SIGTERM: asking to be replaced");
    link_send(&life->link, PROTO_LEAVE, NULL, 0);
}

static void on_exhausted(struct runtime *runtime)
{
    struct life *life = H2O_STRUCT_FROM_MEMBER(struct life, runtime, runtime);
    if (!life->has_asked_to_leave) {
        life->has_asked_to_leave = true;
        logger_write(&runtime->logger, LOG_LEVEL_ERROR,
                     "the memory is used up: asking to be replaced");
        link_send(&life->link, PROTO_LEAVE, NULL, 0);
    }
}

static void say_hello(struct life *life)
{
    struct proto_hello hello = {.protocol = PROTO_VERSION};
    memcpy(hello.build, FSD_VERSION, sizeof(FSD_VERSION));
    link_send(&life->link, PROTO_HELLO, &hello, sizeof(hello));
}

int life_run(struct life *life)
{
    struct runtime *runtime = &life->runtime;
    if (link_open(&life->link, &runtime->loop, PROTO_FD_CONTROL, on_message, on_gone) != 0 ||
        terminate_open(&life->terminate, &runtime->loop, on_terminate) != 0) {
        return FSD_EXIT_INTERNAL;
    }
    runtime->link = &life->link;
    runtime->shared = shared_new();
    runtime->on_exhausted = on_exhausted;
    say_hello(life);
    loop_run(&runtime->loop, runtime->page);
    life_free(life);
    return life->exit_code;
}
