/* upgrade_take.c - from a master that rests to what the next program must know of it.
 * Owns nothing.  Each part of the master becomes plain values; what can be made again from the configuration (names, limits, paths) is
 * not taken.  Descriptors are only named: they stay open, since the process stays the same.
 * Called by upgrade.c.  Must not change anything, nor know how the state travels. */
#include "daemon/upgrade/upgrade_take.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/blackbox.h"
#include "common/page.h"
#include "daemon/change/retired.h"
#include "daemon/conf/source.h"
#include "daemon/master.h"
#include "daemon/pool/pool_upgrade.h"
#include "daemon/shared/shared_set.h"
#include "daemon/state.h"
#include "daemon/upgrade/upgrade_state.h"

/* NULL: nothing as a whole is under way. */
static const char *find_obstacle(const struct master *master)
{
    if (master->phase == MASTER_STOPPING) {
        return "the daemon is stopping";
    }
    if (reload_is_running(master)) {
        return "a reload is running";
    }
    if (deploy_is_running(master)) {
        return "the configuration is changing";
    }
    if (master->phase == MASTER_LOADING || !loader_is_idle(&master->loader)) {
        return "the daemon is still loading its code";
    }
    if (!asks_is_empty(&master->orders.asks)) {
        return "a worker waits for a pool that it has ordered";
    }
    return retired_is_empty(master) ? NULL : "workers of an older configuration have not left yet";
}

bool upgrade_take_is_possible(const struct master *master, char *text, size_t size)
{
    const char *obstacle = find_obstacle(master);
    if (obstacle != NULL) {
        (void)snprintf(text, size, "%s", obstacle);
        return false;
    }
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        char what[POOL_TEXT_MAX];
        if (!pool_upgrade_is_resting(master->inventory.pools[i], what)) {
            (void)snprintf(text, size, "%s", what);
            return false;
        }
    }
    return true;
}

static int copy_text(char **ret, const char *text)
{
    *ret = strdup(text);
    return *ret == NULL ? -ENOMEM : 0;
}

static void copy_name(char name[PROTO_NAME_MAX], const char *from)
{
    (void)snprintf(name, PROTO_NAME_MAX, "%s", from);
}

static int take_options(const struct master_options *options, struct upgrade_options *ret)
{
    char address[PARSE_ADDRESS_TEXT_MAX] = "";
    if (options->address != NULL) {
        parse_address_format(options->address, address);
    }
    ret->workers = options->workers;
    ret->is_development = options->development != 0;
    ret->watches = options->watches != 0;
    int error = copy_text(&ret->worker_path, options->worker_path);
    if (error == 0) {
        error = copy_text(&ret->source, options->source);
    }
    if (error == 0) {
        error = copy_text(&ret->address, address);
    }
    if (error == 0) {
        error = copy_text(&ret->control, options->control == NULL ? "" : options->control);
    }
    return error == 0 ? copy_text(&ret->shared, options->shared == NULL ? "" : options->shared)
                      : error;
}

static int take_texts(const struct conf *conf, struct upgrade_state *ret)
{
    struct upgrade_text *texts =
        record_list_make(&ret->texts, &upgrade_text_type, conf->text_count);
    int error = texts == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < conf->text_count && error == 0; i++) {
        error = copy_text(&texts[i].path, conf->texts[i].path);
        if (error == 0) {
            error = copy_text(&texts[i].text, conf->texts[i].text);
        }
    }
    return error;
}

static int take_extras(const struct conf *conf, struct upgrade_state *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < conf->pool_count; i++) {
        count += conf->pools[i].source != NULL;
    }
    struct upgrade_extra *extra = record_list_make(&ret->extras, &upgrade_extra_type, count);
    int error = extra == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < conf->pool_count && error == 0; i++) {
        const struct conf_pool *pool = &conf->pools[i];
        if (pool->source != NULL) {
            copy_name(extra->name, pool->name);
            error = copy_text(&extra++->text, pool->source->text);
        }
    }
    return error;
}

static int take_overrides(const struct conf *conf, struct upgrade_state *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < conf->pool_count; i++) {
        count += conf->pools[i].is_count_override;
    }
    struct upgrade_override *override =
        record_list_make(&ret->overrides, &upgrade_override_type, count);
    for (size_t i = 0; i < conf->pool_count && override != NULL; i++) {
        if (conf->pools[i].is_count_override) {
            copy_name(override->pool, conf->pools[i].name);
            override++->count = conf->pools[i].count;
        }
    }
    return override == NULL ? -ENOMEM : 0;
}

static int take_kept_overrides(const struct configs *configs, struct upgrade_state *ret)
{
    struct upgrade_override *overrides =
        record_list_make(&ret->kept_overrides, &upgrade_override_type, configs->overrides.count);
    for (size_t i = 0; i < configs->overrides.count && overrides != NULL; i++) {
        copy_name(overrides[i].pool, configs->overrides.items[i].pool);
        overrides[i].count = configs->overrides.items[i].count;
    }
    return overrides == NULL ? -ENOMEM : 0;
}

static int take_conf(const struct master *master, struct upgrade_state *ret)
{
    const struct conf *conf = master->inventory.conf;
    (void)snprintf(ret->config_hash, sizeof(ret->config_hash), "%s", conf->hash);
    int error = take_options(master->options, &ret->options);
    if (error == 0) {
        error = take_texts(conf, ret);
    }
    if (error == 0) {
        error = take_extras(conf, ret);
    }
    if (error == 0) {
        error = take_overrides(conf, ret);
    }
    return error == 0 ? take_kept_overrides(&master->configs, ret) : error;
}

static struct upgrade_bundle take_bundle(const struct bundle *bundle)
{
    struct upgrade_bundle taken = {.number = bundle->number,
                                   .fd = bundle->fd,
                                   .files = bundle->files,
                                   .bytes = bundle->bytes,
                                   .committed_us = bundle->committed_us,
                                   .origin = bundle->origin};
    memcpy(taken.sha256, bundle->sha256, sizeof(taken.sha256));
    return taken;
}

/* There is no candidate: no change is under way. */
static int take_code(const struct app *app, struct upgrade_app *ret)
{
    const struct bundle *rows[BUNDLE_ROLES];
    const struct bundle_store *store = &app->store;
    size_t count = bundle_store_list(store, rows);
    size_t older = count > 0 ? count - 1 : 0;
    struct upgrade_bundle *kept = record_list_make(&ret->kept, &upgrade_bundle_type, older);
    for (size_t i = 0; i < older && kept != NULL; i++) {
        kept[i] = take_bundle(rows[i + 1]);
    }
    ret->last = store->last;
    ret->running = take_bundle(&store->running);
    ret->previous = store->previous.number;
    ret->confirmed = store->confirmed_number;
    ret->probation_of = app->probation.generation;
    ret->probation_since_ms = app->probation.since_ms;
    ret->setback_from = app->setback.from;
    ret->setback_to = app->setback.to;
    ret->setback_at_us = app->setback.at_us;
    _Static_assert((int)UPGRADE_WHY_MAX == (int)APP_WHY_MAX, "a sentence fits");
    memcpy(ret->setback_why, app->setback.why, sizeof(ret->setback_why));
    return kept == NULL ? -ENOMEM : 0;
}

static int take_apps(const struct inventory *inventory, struct upgrade_state *ret)
{
    size_t count = inventory->conf->app_count;
    struct upgrade_app *apps = record_list_make(&ret->apps, &upgrade_app_type, count);
    int error = apps == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        copy_name(apps[i].name, inventory->apps[i]->name);
        error = take_code(inventory->apps[i], &apps[i]);
    }
    return error;
}

static int take_listener(const struct listener *listener, struct upgrade_listener *ret)
{
    struct upgrade_socket *sockets =
        record_list_make(&ret->sockets, &upgrade_socket_type, listener->count);
    for (unsigned i = 0; i < listener->count && sockets != NULL; i++) {
        sockets[i].fd = listener->fds[i];
    }
    copy_name(ret->name, listener->name);
    ret->is_foreign = listener->is_foreign;
    ret->device = listener->file.device;
    ret->inode = listener->file.inode;
    ret->live = listener->live;
    ret->stored = listener->stored;
    return sockets == NULL ? -ENOMEM : 0;
}

static int take_listeners(const struct inventory *inventory, struct upgrade_state *ret)
{
    size_t count = inventory->conf->listener_count;
    struct upgrade_listener *listeners =
        record_list_make(&ret->listeners, &upgrade_listener_type, count);
    int error = listeners == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = take_listener(inventory->listeners[i], &listeners[i]);
    }
    return error;
}

static int take_pools(const struct inventory *inventory, struct upgrade_state *ret)
{
    size_t count = inventory->conf->pool_count;
    struct upgrade_pool *pools = record_list_make(&ret->pools, &upgrade_pool_type, count);
    int error = pools == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = pool_upgrade_take(inventory->pools[i], &pools[i]);
    }
    return error;
}

static int take_shared(const struct shared_set *set, struct upgrade_state *ret)
{
    struct upgrade_shared *shared =
        record_list_make(&ret->shared, &upgrade_shared_type, set->count);
    for (size_t i = 0; i < set->count && shared != NULL; i++) {
        const struct shared_memory *memory = &set->items[i];
        copy_name(shared[i].name, memory->body.name);
        shared[i].size = memory->body.size;
        shared[i].seed = memory->body.seed;
        shared[i].fd = memory->fd;
    }
    return shared == NULL ? -ENOMEM : 0;
}

struct claim_list {
    struct upgrade_claim *items; /* borrowed */
    size_t count;
};

static void take_claim(void *owner, const struct claim *claim, bool is_holder)
{
    struct claim_list *list = owner;
    struct upgrade_claim *item = &list->items[list->count++];
    *item = (struct upgrade_claim){.incarnation = claim->claimant->incarnation,
                                   .serial = claim->actor.serial,
                                   .index = claim->actor.index,
                                   .waits = claim->actor.waits,
                                   .is_holder = is_holder};
    (void)snprintf(item->name, sizeof(item->name), "%s", claim->name->text);
}

static int take_claims(const struct claims *claims, struct upgrade_state *ret)
{
    struct claim_list list = {
        .items = record_list_make(&ret->claims, &upgrade_claim_type, claims->count)};
    if (list.items == NULL) {
        return -ENOMEM;
    }
    claims_visit(claims, take_claim, &list);
    return 0;
}

static int take_master(const struct master *master, struct upgrade_state *ret)
{
    struct control_legacy control = control_get_legacy(master->control);
    *ret = (struct upgrade_state){
        .version = FSD_VERSION,
        .protocol = PROTO_VERSION,
        .page_version = PAGE_VERSION,
        .blackbox_version = BLACKBOX_VERSION,
        .pid = (uint64_t)getpid(),
        .is_drained = master->is_drained,
        .was_ready = master->was_ready,
        .started_us = master->started_us,
        .incarnations = master->incarnations,
        .config_number = master->inventory.number,
        .config_last = master->config_last,
        .auto_count = master->auto_count,
        .event_id = master->log.event_id,
        .log_dropped = master->log.dropped,
        .seen = develop_get_seen(&master->develop),
        .control = control.fd,
        .control_device = control.device,
        .control_inode = control.inode,
        .caller = {.fd = -1},
    };
    return copy_text(&ret->path, master->upgrade.path);
}

int upgrade_take(const struct master *master, const struct control_call *call,
                 struct upgrade_state *ret_state)
{
    const struct inventory *inventory = &master->inventory;
    int error = take_master(master, ret_state);
    if (error == 0) {
        error = take_conf(master, ret_state);
    }
    if (error == 0) {
        error = take_apps(inventory, ret_state);
    }
    if (error == 0) {
        error = take_listeners(inventory, ret_state);
    }
    if (error == 0) {
        error = take_shared(inventory->shared, ret_state);
    }
    if (error == 0) {
        error = take_pools(inventory, ret_state);
    }
    if (error == 0) {
        error = take_claims(&master->members.claims, ret_state);
    }
    if (error == 0 && call != NULL) {
        struct upgrade_caller *caller = &ret_state->caller;
        error = control_call_leave(call, &caller->fd, &caller->id);
        error = error == -ENOTCONN ? 0 : error; /* the log is told in any case */
    }
    return error;
}
