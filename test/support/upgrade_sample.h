#ifndef FSD_TEST_SUPPORT_UPGRADE_SAMPLE_H
#define FSD_TEST_SUPPORT_UPGRADE_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blackbox.h"
#include "common/page.h"
#include "daemon/pool/pool.h"
#include "daemon/upgrade/upgrade_state.h"

/* A state that fits together: one app with three generations, one listener with two sockets, one shared dictionary, one extra pool's text, one pool with two slots (one
 * READY, one in BACKOFF, whose socket the first one's worker has borrowed), a standby, and who asked.  Descriptors are the
 * numbers from 20 on.  Freed with upgrade_state_fini. */

static inline void upgrade_sample_name(char name[PROTO_NAME_MAX], const char *text)
{
    (void)snprintf(name, PROTO_NAME_MAX, "%s", text);
}

static inline void upgrade_sample_pool(struct upgrade_pool *pool)
{
    upgrade_sample_name(pool->name, "web");
    pool->config = 3;
    pool->count = 2;
    pool->phase = POOL_RUNNING;
    pool->was_up = true;
    struct upgrade_time *restarts = record_list_make(&pool->restarts, &upgrade_time_type, 2);
    restarts[0].at_ms = 1000;
    restarts[1].at_ms = 2000;
    struct upgrade_slot *slots = record_list_make(&pool->slots, &upgrade_slot_type, 2);
    slots[0].state = SLOT_READY;
    slots[0].requests_total = 12;
    slots[1] = (struct upgrade_slot){.state = SLOT_BACKOFF,
                                     .failures = 4,
                                     .retry_at_ms = 5000,
                                     .vacant_since_ms = 4000,
                                     .borrower = 7,
                                     .restarts = 9,
                                     .last_exit = "exited with code 3"};
    struct upgrade_proc *procs = record_list_make(&pool->procs, &upgrade_proc_type, 2);
    procs[0] = (struct upgrade_proc){.pid = 4711,
                                     .number = 7,
                                     .role = UPGRADE_IN_SLOT,
                                     .generation = 2,
                                     .config = 3,
                                     .is_active = true,
                                     .has_joined = true,
                                     .laggards = 2,
                                     .laggards_generation = 1,
                                     .laggards_told_ms = 3000,
                                     .laggards_text = strdup("task t since 1 at a:1"),
                                     .channel = 20,
                                     .page = 21,
                                     .blackbox = 22,
                                     .log = 23};
    procs[1] = (struct upgrade_proc){.pid = 4712,
                                     .number = 8,
                                     .role = UPGRADE_STANDBY,
                                     .shown = LOG_SLOT_NONE,
                                     .generation = 2,
                                     .config = 3,
                                     .laggards_text = strdup(""),
                                     .channel = 24,
                                     .page = 25,
                                     .blackbox = 26,
                                     .log = -1};
}

static inline struct upgrade_state upgrade_sample_make(void)
{
    struct upgrade_state state = {.version = "0.1.0",
                                  .protocol = PROTO_VERSION,
                                  .page_version = PAGE_VERSION,
                                  .blackbox_version = BLACKBOX_VERSION,
                                  .pid = 4000,
                                  .was_ready = true,
                                  .incarnations = 8,
                                  .config_number = 3,
                                  .config_last = 3,
                                  .config_hash = "0123456789abcdef",
                                  .auto_count = 2,
                                  .control = 30,
                                  .control_device = 5,
                                  .control_inode = UINT64_MAX,
                                  .caller = {.fd = 31, .id = strdup("17")}};
    state.path = strdup("/usr/sbin/fsd");
    state.options = (struct upgrade_options){.worker_path = strdup("/usr/lib/fsd/fsd-worker"),
                                             .source = strdup("/etc/fsd/fsd.yaml"),
                                             .address = strdup(""),
                                             .control = strdup(""),
                                             .shared = strdup("")};
    struct upgrade_text *texts = record_list_make(&state.texts, &upgrade_text_type, 1);
    texts[0] = (struct upgrade_text){strdup("/etc/fsd/fsd.yaml"), strdup("version: 1\n")};
    struct upgrade_override *override =
        record_list_make(&state.overrides, &upgrade_override_type, 1);
    upgrade_sample_name(override->pool, "web");
    override->count = 2;
    (void)record_list_make(&state.kept_overrides, &upgrade_override_type, 0);
    struct upgrade_app *app = record_list_make(&state.apps, &upgrade_app_type, 1);
    upgrade_sample_name(app->name, "shop");
    app->last = 6;
    app->running = (struct upgrade_bundle){
        .number = 5, .fd = 27, .files = 1, .bytes = 100, .committed_us = 70, .origin = 3};
    app->previous = 4;
    app->confirmed = 2;
    app->setback_from = 4;
    app->setback_to = 5;
    (void)snprintf(app->setback_why, sizeof(app->setback_why), "too many restarts");
    struct upgrade_bundle *kept = record_list_make(&app->kept, &upgrade_bundle_type, 2);
    kept[0] = (struct upgrade_bundle){.number = 4, .fd = 33};
    kept[1] = (struct upgrade_bundle){.number = 2, .fd = 34};
    struct upgrade_listener *listener =
        record_list_make(&state.listeners, &upgrade_listener_type, 1);
    upgrade_sample_name(listener->name, "web");
    listener->live = 2;
    struct upgrade_socket *sockets = record_list_make(&listener->sockets, &upgrade_socket_type, 2);
    sockets[0].fd = 28;
    sockets[1].fd = 29;
    struct upgrade_shared *shared = record_list_make(&state.shared, &upgrade_shared_type, 1);
    upgrade_sample_name(shared->name, "cache");
    shared->size = 65536;
    shared->seed = UINT64_MAX;
    shared->fd = 32;
    struct upgrade_claim *claim = record_list_make(&state.claims, &upgrade_claim_type, 1);
    *claim = (struct upgrade_claim){
        .name = "lobby", .incarnation = 7, .serial = UINT64_MAX, .index = 1, .is_holder = true};
    struct upgrade_extra *extra = record_list_make(&state.extras, &upgrade_extra_type, 1);
    upgrade_sample_name(extra->name, "jobs");
    extra->text = strdup("{\"app\":\"shop\"}");
    upgrade_sample_pool(record_list_make(&state.pools, &upgrade_pool_type, 1));
    return state;
}

#endif
