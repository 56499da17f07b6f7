/* orders.c - pools that applications start and stop from Lua.
 * Owns the order that is under way.  A pool more or less is a change of configuration like any other: a copy of the running one, with the
 * pool or without it, is deployed, so that the pool is prepared, committed, supervised and carried over as those of the files are.  It
 * gets no number and no place in the history, because the files stay as they are.  Orders wait until no other change runs.
 * Called by asks.c, by the loop, and by deploy_answer.c at the end.  Must not know how a change is deployed (deploy.c), nor what an
 * extra pool may have (conf_extra.c). */
#include "daemon/change/orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/msgpack.h"
#include "daemon/conf/conf_extra.h"
#include "daemon/conf/problem.h"
#include "daemon/owner.h"
#include "daemon/state.h"

enum { LIST_MAX = 1 << 20, LIST_KEYS = 5 };

static const char stopping[] = "the daemon is stopping";

static void write_pool(struct msgpack_writer *writer, const struct master *master, size_t index)
{
    const struct pool *pool = master->inventory.pools[index];
    msgpack_write_map(writer, LIST_KEYS);
    msgpack_write_text(writer, "name");
    msgpack_write_text(writer, pool->name);
    msgpack_write_text(writer, "app");
    msgpack_write_text(writer, pool->conf.app->name);
    msgpack_write_text(writer, "count");
    msgpack_write_int(writer, pool->count);
    msgpack_write_text(writer, "state");
    msgpack_write_text(writer, status_name_pool_state(master, pool));
    msgpack_write_text(writer, "origin");
    msgpack_write_text(writer, status_name_origin(pool));
}

static void list(const struct master *master, struct ask *ask)
{
    struct msgpack_writer writer;
    unsigned char *data = NULL;
    size_t len = 0;
    msgpack_writer_init(&writer, LIST_MAX);
    msgpack_write_array(&writer, (uint32_t)master->inventory.conf->pool_count);
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        write_pool(&writer, master, i);
    }
    int fd = msgpack_writer_take(&writer, &data, &len);
    if (fd == 0) {
        fd = fd_sealed_from("fsd-pools", data, len);
    }
    free(data);
    if (fd < 0) {
        asks_answer(ask, PROTO_ANSWER_REFUSED, strerror(-fd));
        return;
    }
    asks_answer_list(ask, fd);
    fd_close(&fd);
}

static const struct conf_pool *find_pool(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (strcmp(conf->pools[i].name, name) == 0) {
            return &conf->pools[i];
        }
    }
    return NULL;
}

static enum proto_answer_code name_error(int error)
{
    return error == -EEXIST   ? PROTO_ANSWER_EXISTS
           : error == -EINVAL ? PROTO_ANSWER_INVALID
           : error == -ENOSPC ? PROTO_ANSWER_OVERLOAD
           : error == -ENOENT ? PROTO_ANSWER_UNKNOWN
                              : PROTO_ANSWER_REFUSED;
}

static int add_pool(const struct master *master, struct conf *conf, const struct ask *ask,
                    struct fsd_err *err)
{
    struct conf_extra extra = {ask->body.name, ask->text, ask->len};
    int error = conf_extra_carry(conf, master->inventory.conf, NULL, NULL);
    return error < 0 ? fsd_err_set(err, -error, "%s", strerror(-error))
                     : conf_extra_add(conf, &extra, master->auto_count, err);
}

/* Another one may be there only `after` it. */
static int remove_pool(const struct master *master, struct conf *conf, const struct ask *ask,
                       struct fsd_err *err)
{
    struct problem_list problems;
    const struct conf_pool *pool = find_pool(master->inventory.conf, ask->body.name);
    if (pool == NULL || pool->source == NULL) {
        return fsd_err_set(err, ENOENT, "there is no pool of that name that was started from Lua");
    }
    problem_list_init(&problems);
    int error = conf_extra_carry(conf, master->inventory.conf, ask->body.name, &problems);
    if (error < 0) {
        error = fsd_err_set(err, -error, "%s", strerror(-error));
    } else if (problems.count > 0) {
        error = fsd_err_set(err, EBUSY, "another pool needs it: %s", problems.items[0].message);
    }
    problem_list_fini(&problems);
    return error;
}

/* The running configuration with the change in it.  NULL: the ask is answered. */
static struct conf *make_conf(struct master *master, struct ask *ask)
{
    struct fsd_err err = {"out of memory"};
    struct conf *conf = conf_copy(master->inventory.conf);
    int error = conf == NULL                        ? -ENOMEM
                : ask->body.what == PROTO_ASK_START ? add_pool(master, conf, ask, &err)
                                                    : remove_pool(master, conf, ask, &err);
    if (error < 0) {
        conf_free(conf);
        asks_answer(ask, name_error(error), err.text);
        return NULL;
    }
    configs_override(master, conf);
    return conf;
}

static void begin(struct master *master, struct ask *ask)
{
    struct orders *orders = &master->orders;
    struct conf *conf = make_conf(master, ask);
    if (conf == NULL) {
        return;
    }
    orders->is_start = ask->body.what == PROTO_ASK_START;
    (void)snprintf(orders->name, sizeof(orders->name), "%s", ask->body.name);
    (void)snprintf(orders->asker, sizeof(orders->asker), "%s", ask->pool);
    deploy_start(master, conf, DEPLOY_BY_WORKER, false, NULL);
}

/* Whoever starts it in each worker gets this answer even while its worker is started for a change that is under way, and that
 * may wait for it. */
static bool is_there(const struct master *master, const struct ask *ask)
{
    return ask->body.what == PROTO_ASK_START &&
           find_pool(master->inventory.conf, ask->body.name) != NULL;
}

/* What can be said without a change.  False: there has to be one. */
static bool answer_now(const struct master *master, struct ask *ask)
{
    if (ask->body.what == PROTO_ASK_LIST) {
        list(master, ask);
    } else if (ask->body.what != PROTO_ASK_START && ask->body.what != PROTO_ASK_STOP) {
        asks_answer(ask, PROTO_ANSWER_INVALID, "this is not known here");
    } else if (master->phase == MASTER_STOPPING) {
        asks_answer(ask, PROTO_ANSWER_REFUSED, stopping);
    } else if (is_there(master, ask)) {
        char text[PROTO_NAME_MAX + 64];
        (void)snprintf(text, sizeof(text), "there is a pool \"%s\" already", ask->body.name);
        asks_answer(ask, PROTO_ANSWER_EXISTS, text);
    } else if (upgrade_is_running(master)) {
        asks_answer(ask, PROTO_ANSWER_BUSY,
                    ""); /* the next program answers, when it is asked again */
    } else {
        return false;
    }
    return true;
}

static int on_turn(sd_event_source *source, void *userdata)
{
    (void)source;
    struct master *master = userdata;
    struct asks *asks = &master->orders.asks;
    if (!deploy_is_running(master)) {
        deferred_run(master);
    }
    while (asks->first != NULL) {
        if (answer_now(master, asks->first)) {
            continue;
        }
        if (master_find_obstacle(master) != NULL) {
            break; /* its end comes back here */
        }
        begin(master, asks_next(asks));
    }
    return 0;
}

static void on_asked(struct asks *asks, struct ask *ask)
{
    struct orders *orders = OWNER_OF(asks, struct orders, asks);
    struct master *master = OWNER_OF(orders, struct master, orders);
    if (!answer_now(master, ask)) {
        orders_touch(master);
    }
}

void orders_open(struct master *master)
{
    master->orders.asks.on_asked = on_asked;
}

void orders_close(struct master *master)
{
    master->orders.turn = sd_event_source_disable_unref(master->orders.turn);
    deferred_fini(&master->orders.deferred);
}

void orders_touch(struct master *master)
{
    struct orders *orders = &master->orders;
    if (orders->asks.first == NULL && orders->deferred.count == 0) {
        return;
    }
    if (orders->turn == NULL &&
        sd_event_add_defer(master->loop, &orders->turn, on_turn, master) < 0) {
        return; /* the watch comes by once a second */
    }
    (void)sd_event_source_set_enabled(orders->turn, SD_EVENT_ONESHOT); /* of a live source */
}

static void log_done(struct master *master, const char *why)
{
    const struct orders *orders = &master->orders;
    if (why != NULL) {
        log_event(&master->log, LOG_LEVEL_ERROR, LOG_POOL(orders->name), "pool.refused",
                  orders->is_start ? "pool is not started, nothing is changed"
                                   : "pool is not stopped, nothing is changed",
                  LOG_FIELDS(log_text("asked_by", orders->asker), log_text("because", why)));
        return;
    }
    log_event(&master->log, LOG_LEVEL_NOTICE, LOG_POOL(orders->name),
              orders->is_start ? "pool.added" : "pool.removed",
              orders->is_start ? "pool was started from Lua" : "pool was stopped from Lua",
              LOG_FIELDS(log_text("asked_by", orders->asker)));
}

void orders_on_deployed(struct master *master, const char *why)
{
    struct ask *ask = master->orders.asks.current;
    log_done(master, why);
    if (ask != NULL) {
        asks_answer(ask, why == NULL ? PROTO_ANSWER_OK : PROTO_ANSWER_REFUSED,
                    why == NULL ? "" : why);
    }
    orders_touch(master);
}
