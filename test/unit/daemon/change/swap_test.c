/* A change of code in place, with processes that are nothing but their channels: who is asked when, and what follows from what. */
#include "daemon/change/swap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"
#include "common/wire.h"
#include "daemon/state.h"
#include "test/support/conf_folder.h"

#define POOLS                                                                                      \
    "listeners: { one: { listen: \"127.0.0.1:0\" }, two: { listen: \"127.0.0.1:0\" } }\n"          \
    "apps: { shop: { path: app.lua }, blog: { path: dir/app.lua } }\n"                             \
    "pools:\n"                                                                                     \
    "  web: { app: shop, listeners: [one], count: 3, boot: 100ms }\n"                              \
    "  news: { app: blog, listeners: [two], count: 1 }\n"

enum { WEB = 3, LOG_MAX = 65536 };

struct fixture {
    struct master master;
    void *folder;
    struct pool *web;
    int peers[WEB + 1]; /* the workers' ends; the last one is in reserve */
    char log[LOG_MAX];
};

static void on_news(struct pool *pool, unsigned slot, enum pool_news news, const struct proc *proc,
                    const char *why)
{
    (void)slot;
    swap_on_pool_news(pool->setting.owner, news, proc, why);
}

static void ignore(struct proc *proc, enum proc_news news)
{
    (void)proc;
    (void)news;
}

/* One that serves the code of the first generation; number WEB waits in reserve. */
static struct proc *make_proc(struct fixture *fixture, unsigned number)
{
    struct pool *pool = fixture->web;
    struct pool_proc *which = pool->procs[number];
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    fixture->peers[number] = pair[1];
    *which = (struct pool_proc){.pool = pool, .config = pool->conf.number};
    which->proc = (struct proc){.setting = &pool->proc_setting,
                                .on_news = ignore,
                                .state = INCARNATION_ACTIVE,
                                .number = number + 1,
                                .generation = 1,
                                .subject = {pool->name, number, 0},
                                .child = {.pidfd = -1, .error_fd = -1},
                                .channel = {.sock = pair[0]}};
    if (number < WEB) {
        which->slot = pool->slots[number];
        which->slot->state = SLOT_READY;
        which->slot->current = which;
    } else {
        which->proc.state = INCARNATION_LOADED;
    }
    return &which->proc;
}

static struct bundle make_bundle(void)
{
    return (struct bundle){.fd = memfd_create("bundle", MFD_CLOEXEC)};
}

static void add_running(struct app *app)
{
    struct bundle bundle = make_bundle();
    bundle_store_add(&app->store, &bundle);
    bundle_store_commit(&app->store);
}

static int begin(void **state)
{
    static const struct inventory none = {0};
    static struct fixture fixture;
    fixture = (struct fixture){.folder = NULL};
    struct master *master = &fixture.master;
    assert_int_equal(set_up(&fixture.folder), 0);
    write_text("fsd.yaml", POOLS);
    log_init(&master->log, memfd_create("log", MFD_CLOEXEC), CONF_LOG_TEXT, LOG_LEVEL_DEBUG);
    assert_true(sd_event_new(&master->loop) >= 0);
    master->phase = MASTER_RUNNING;
    master->was_ready = true;
    master->auto_count = 1;
    master->pool_setting = (struct pool_setting){
        .loop = master->loop, .log = &master->log, .on_news = on_news, .owner = master};
    struct inventory_need need = {&master->pool_setting, 1};
    assert_int_equal(inventory_make(&master->inventory, load(NULL), 7, &none, &need), 0);
    manager_init(&master->manager);
    fixture.web = inventory_find_pool(&master->inventory, "web");
    fixture.web->phase = POOL_RUNNING;
    for (unsigned i = 0; i <= WEB; i++) {
        (void)make_proc(&fixture, i);
    }
    for (size_t i = 0; i < 2; i++) {
        add_running(master->inventory.apps[i]);
    }
    *state = &fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    int log_fd = master->log.standard.fd;
    for (unsigned i = 0; i <= WEB; i++) {
        struct pool_proc *which = fixture->web->procs[i];
        which->proc.timer = sd_event_source_disable_unref(which->proc.timer);
        fd_close(&which->proc.channel.sock);
        fd_close(&fixture->peers[i]);
        *which = (struct pool_proc){.pool = NULL};
    }
    manager_close(&master->manager);
    inventory_free_without(&master->inventory, NULL);
    (void)sd_event_unref(master->loop);
    log_fini(&master->log);
    fd_close(&log_fd);
    return tear_down(&fixture->folder);
}

static struct proc *proc_of(const struct fixture *fixture, unsigned number)
{
    return &fixture->web->procs[number]->proc;
}

static struct app *app_of(const struct fixture *fixture, const char *name)
{
    const struct inventory *inventory = &fixture->master.inventory;
    size_t i = strcmp(inventory->apps[0]->name, name) == 0 ? 0 : 1;
    return inventory->apps[i];
}

/* What the worker was told: PROTO_PREPARE, _COMMIT, _ABORT; 0: nothing more. */
static int hear(const struct fixture *fixture, unsigned number,
                struct proto_transaction *ret_change)
{
    struct wire_message message;
    struct fsd_err err;
    if (wire_recv(fixture->peers[number], PROTO_TO_WORKER, &message, &err) <= 0) {
        return 0;
    }
    memcpy(ret_change, message.payload, sizeof(*ret_change));
    assert_true((message.fd >= 0) == (message.head.kind == PROTO_PREPARE));
    fd_close(&message.fd);
    return (int)message.head.kind;
}

static void expect(const struct fixture *fixture, unsigned number, int kind)
{
    struct proto_transaction change = {0};
    assert_int_equal(hear(fixture, number, &change), kind);
    if (kind == PROTO_PREPARE) {
        assert_int_equal(change.what, PROTO_CHANGE_CODE);
        assert_int_equal(change.generation, 2);
    }
    if (kind != 0) {
        assert_int_equal(change.number, fixture->master.swap.number);
    }
}

static void say(struct fixture *fixture, unsigned number, enum pool_news news)
{
    struct proc *proc = proc_of(fixture, number);
    if (news == POOL_CODE_COMMITTED) {
        proc->generation = proc_get_generation(proc);
        proc->is_committing = false;
    }
    swap_on_pool_news(&fixture->master, news, proc, "no luck");
}

static void say_all(struct fixture *fixture, enum pool_news news)
{
    for (unsigned i = 0; i <= WEB; i++) {
        say(fixture, i, news);
    }
}

/* Something has happened that the change is not told in so many words. */
static void stir(struct fixture *fixture)
{
    swap_on_pool_news(&fixture->master, POOL_SLOT_READY, NULL, NULL);
}

static void start(struct fixture *fixture)
{
    struct bundle bundle = make_bundle();
    bundle_store_add(&app_of(fixture, "shop")->store, &bundle);
    reload_from_store(&fixture->master, NULL, NULL);
}

static const char *read_log(struct fixture *fixture)
{
    ssize_t len = pread(fixture->master.log.standard.fd, fixture->log, LOG_MAX - 1, 0);
    assert_true(len >= 0);
    fixture->log[len] = '\0';
    return fixture->log;
}

static void expect_done(struct fixture *fixture)
{
    assert_false(swap_is_running(&fixture->master));
    assert_false(fixture->web->is_frozen);
    assert_int_equal(app_of(fixture, "shop")->store.running.number, 2);
    assert_non_null(strstr(read_log(fixture), "reload is done app=shop generation=2"));
}

static void expect_failed(struct fixture *fixture, const char *why)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "reload failed, nothing is changed: %s", why);
    assert_false(swap_is_running(&fixture->master));
    assert_false(fixture->web->is_frozen);
    assert_int_equal(app_of(fixture, "shop")->store.running.number, 1);
    assert_int_equal(app_of(fixture, "shop")->store.candidate.number, 0);
    if (strstr(read_log(fixture), line) == NULL) {
        fail_msg("%s: not in %s", line, fixture->log);
    }
}

static void some_prepare_at_a_time_and_all_change_when_all_have(void **state)
{
    struct fixture *fixture = *state;
    const struct bundle_store *store = &app_of(fixture, "shop")->store;
    start(fixture);
    for (unsigned i = 0; i <= WEB; i++) {
        assert_true(fixture->web->is_frozen);
        assert_int_equal(store->running.number, 1);
        expect(fixture, i, PROTO_PREPARE);
        expect(fixture, i + 1 <= WEB ? i + 1 : 0, 0);
        say(fixture, i, POOL_CODE_PREPARED);
    }
    assert_int_equal(store->running.number, 2);
    assert_false(fixture->web->is_frozen);
    assert_true(swap_is_running(&fixture->master));
    for (unsigned i = 0; i <= WEB; i++) {
        expect(fixture, i, PROTO_COMMIT);
        assert_int_equal(proc_of(fixture, i)->generation, 1);
        assert_int_equal(proc_get_generation(proc_of(fixture, i)), 2);
        say(fixture, i, POOL_CODE_COMMITTED);
    }
    expect_done(fixture);
    assert_non_null(
        strstr(fixture->log, "worker has prepared the code generation=2 event=reload.prepared"));
    assert_non_null(strstr(fixture->log, "event=reload.committed"));
}

static void an_app_without_a_candidate_takes_no_part(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_false(inventory_find_pool(&fixture->master.inventory, "news")->is_frozen);
    say_all(fixture, POOL_CODE_PREPARED);
    say_all(fixture, POOL_CODE_COMMITTED);
    expect_done(fixture);
    assert_int_equal(app_of(fixture, "blog")->store.running.number, 1);
    assert_null(strstr(fixture->log, "app=blog"));
}

static void where_nobody_runs_code_it_is_done_at_once(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i <= WEB; i++) {
        proc_of(fixture, i)->state = INCARNATION_DYING;
    }
    start(fixture);
    expect_done(fixture);
}

static void one_no_drops_it_for_those_that_were_asked(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say(fixture, 0, POOL_CODE_PREPARED);
    say(fixture, 1, POOL_CODE_REJECTED);
    expect(fixture, 0, PROTO_PREPARE);
    expect(fixture, 0, PROTO_ABORT);
    expect(fixture, 1, PROTO_PREPARE);
    expect(fixture, 1, PROTO_ABORT);
    expect(fixture, 2, 0);
    expect_failed(fixture, "no luck (worker web/1)");
    assert_non_null(strstr(fixture->log, "event=reload.rejected"));
}

static void a_loss_drops_it_and_who_is_lost_is_told_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct proc *lost = proc_of(fixture, 1);
    start(fixture);
    say(fixture, 0, POOL_CODE_PREPARED);
    lost->state = INCARNATION_DYING;
    (void)fsd_err_set(&lost->why, 0, "killed");
    stir(fixture);
    expect(fixture, 1, PROTO_PREPARE);
    expect(fixture, 1, 0);
    expect_failed(fixture, "killed (worker web/1)");
}

static void the_reserve_may_say_no_as_well(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    for (unsigned i = 0; i < WEB; i++) {
        say(fixture, i, POOL_CODE_PREPARED);
    }
    say(fixture, WEB, POOL_CODE_REJECTED);
    expect_failed(fixture, "no luck (worker web/-)");
}

static void another_process_in_the_same_place_is_not_the_one_that_was_asked(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    proc_of(fixture, 0)->number = 99;
    say(fixture, 0, POOL_CODE_PREPARED);
    assert_false(swap_is_running(&fixture->master));
    assert_int_equal(app_of(fixture, "shop")->store.running.number, 1);
}

static void no_number_is_used_twice_even_if_another_daemon_has_chosen_it(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t foreign = (UINT64_C(1) << 62) + 7;
    proc_of(fixture, 2)->change = foreign;
    start(fixture);
    assert_int_equal(fixture->master.swap.number, foreign + 1);
    say(fixture, 0, POOL_CODE_REJECTED);
    start(fixture);
    assert_int_equal(fixture->master.swap.number, foreign + 2);
    swap_stop(&fixture->master);
}

static void the_answer_to_an_older_change_means_nothing(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    proc_of(fixture, 0)->change--;
    say(fixture, 0, POOL_CODE_PREPARED);
    say(fixture, 0, POOL_CODE_REJECTED);
    assert_true(swap_is_running(&fixture->master));
    assert_int_equal(fixture->master.swap.phase.prepared, 0);
    swap_stop(&fixture->master);
}

static void one_that_just_begins_to_serve_is_asked_when_it_does(void **state)
{
    struct fixture *fixture = *state;
    proc_of(fixture, 0)->state = INCARNATION_ACTIVATING;
    start(fixture);
    stir(fixture);
    expect(fixture, 0, 0);
    proc_of(fixture, 0)->state = INCARNATION_ACTIVE;
    stir(fixture);
    expect(fixture, 0, PROTO_PREPARE);
    stir(fixture);
    expect(fixture, 0, 0);
    say_all(fixture, POOL_CODE_PREPARED);
    say_all(fixture, POOL_CODE_COMMITTED);
    expect_done(fixture);
}

static void one_that_is_told_to_leave_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    proc_of(fixture, 0)->was_told = true;
    stir(fixture);
    proc_of(fixture, 2)->was_told = true; /* before it was asked */
    say(fixture, 1, POOL_CODE_PREPARED);
    expect(fixture, 2, 0);
    say(fixture, WEB, POOL_CODE_PREPARED);
    expect(fixture, 0, PROTO_PREPARE);
    expect(fixture, 0, 0);
    proc_of(fixture, 1)->was_told = true; /* between COMMIT and its answer */
    say(fixture, WEB, POOL_CODE_COMMITTED);
    expect_done(fixture);
}

static void a_loss_after_the_decision_does_not_undo_it(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say_all(fixture, POOL_CODE_PREPARED);
    proc_of(fixture, 1)->state = INCARNATION_DYING;
    say(fixture, 0, POOL_CODE_COMMITTED);
    say(fixture, 2, POOL_CODE_COMMITTED);
    assert_true(swap_is_running(&fixture->master));
    say(fixture, WEB, POOL_CODE_COMMITTED);
    expect_done(fixture);
    assert_null(strstr(fixture->log, "event=reload.killed"));
}

static void a_no_after_the_decision_ends_the_worker(void **state)
{
    struct fixture *fixture = *state;
    struct pool_slot *slot = fixture->web->slots[1];
    start(fixture);
    say_all(fixture, POOL_CODE_PREPARED);
    say(fixture, 1, POOL_CODE_REJECTED);
    assert_int_equal(proc_of(fixture, 1)->state, INCARNATION_KILLED);
    assert_null(slot->current);
    assert_int_equal(slot->wanted, 2);
    say(fixture, 0, POOL_CODE_COMMITTED);
    say(fixture, 2, POOL_CODE_COMMITTED);
    say(fixture, WEB, POOL_CODE_COMMITTED);
    expect_done(fixture);
    assert_non_null(strstr(fixture->log, "event=reload.killed"));
}

static void turn(struct fixture *fixture)
{
    (void)sd_event_source_set_enabled(fixture->web->settle, SD_EVENT_OFF); /* starts workers */
    assert_true(sd_event_run(fixture->master.loop, UINT64_MAX) >= 0);
}

static void who_prepares_too_long_may_say_where_it_stands(void **state)
{
    struct fixture *fixture = *state;
    struct proto_transaction change = {0};
    start(fixture);
    say(fixture, 0, POOL_CODE_PREPARED);
    expect(fixture, 1, PROTO_PREPARE);
    while (hear(fixture, 1, &change) == 0) {
        turn(fixture);
    }
    assert_true(swap_is_running(&fixture->master));
    assert_int_equal(change.what, PROTO_ABORT_LATE);
    say(fixture, 1, POOL_CODE_REJECTED);
    expect_failed(fixture, "no luck (worker web/1)");
}

static void who_prepares_too_long_and_says_nothing_is_named(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say(fixture, 0, POOL_CODE_PREPARED);
    while (swap_is_running(&fixture->master)) {
        turn(fixture);
    }
    expect(fixture, 1, PROTO_PREPARE);
    expect(fixture, 1, PROTO_ABORT);
    expect(fixture, 1, PROTO_ABORT);
    expect_failed(fixture, "not prepared within 100 ms (worker web/1)");
}

/* A turn of the loop that takes long: its clock is behind when the workers are asked. */
static int start_late(sd_event_source *source, void *userdata)
{
    (void)source;
    uint64_t until_ms = clock_monotonic_ms() + 50;
    while (clock_monotonic_ms() < until_ms) {
    }
    start(userdata);
    return 0;
}

static void a_timer_that_comes_early_ends_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    assert_true(sd_event_add_defer(master->loop, NULL, start_late, fixture) >= 0);
    do {
        (void)sd_event_source_set_enabled(fixture->web->settle, SD_EVENT_OFF); /* starts workers */
        assert_true(sd_event_run(master->loop, UINT64_MAX) >= 0);
    } while (swap_is_running(master) || app_of(fixture, "shop")->store.last == 1);
    expect_failed(fixture, "not prepared within 100 ms (worker web/0)");
}

static void a_stop_drops_what_is_not_decided(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    reload_keep_reason(&fixture->master, "stopping");
    swap_stop(&fixture->master);
    expect(fixture, 0, PROTO_PREPARE);
    expect(fixture, 0, PROTO_ABORT);
    expect_failed(fixture, "stopping");
    swap_stop(&fixture->master); /* of nothing */
}

static void a_stop_does_not_undo_what_is_decided(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    say_all(fixture, POOL_CODE_PREPARED);
    swap_stop(&fixture->master);
    expect_done(fixture);
}

static void one_that_has_hung_up_is_lost_when_its_end_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct proc *lost = proc_of(fixture, 1);
    start(fixture);
    fd_close(&fixture->peers[1]);
    say(fixture, 0, POOL_CODE_PREPARED); /* PREPARE can't be sent to the next one */
    assert_int_equal(lost->state, INCARNATION_HUNG_UP);
    assert_true(swap_is_running(&fixture->master));
    lost->state = INCARNATION_GONE;
    (void)fsd_err_set(&lost->why, 0, "exited with code 3");
    stir(fixture);
    expect_failed(fixture, "exited with code 3 (worker web/1)");
}

static unsigned ends;
static const char *end_why;

static void note_end(struct master *master, const char *why)
{
    assert_false(swap_is_running(master));
    ends++;
    end_why = why;
}

static void whoever_started_it_hears_of_its_end_once(void **state)
{
    struct fixture *fixture = *state;
    struct bundle_store *store = &app_of(fixture, "shop")->store;
    ends = 0;
    for (unsigned round = 0; round < 2; round++) {
        struct bundle bundle = make_bundle();
        bundle_store_add(store, &bundle);
        reload_from_store(&fixture->master, NULL, note_end);
        assert_int_equal(ends, round);
        say(fixture, 0, POOL_CODE_REJECTED);
        assert_int_equal(ends, round + 1);
        assert_string_equal(end_why, "no luck (worker web/0)");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(some_prepare_at_a_time_and_all_change_when_all_have),
        TEST(an_app_without_a_candidate_takes_no_part),
        TEST(where_nobody_runs_code_it_is_done_at_once),
        TEST(one_no_drops_it_for_those_that_were_asked),
        TEST(a_loss_drops_it_and_who_is_lost_is_told_nothing),
        TEST(the_reserve_may_say_no_as_well),
        TEST(another_process_in_the_same_place_is_not_the_one_that_was_asked),
        TEST(no_number_is_used_twice_even_if_another_daemon_has_chosen_it),
        TEST(the_answer_to_an_older_change_means_nothing),
        TEST(one_that_just_begins_to_serve_is_asked_when_it_does),
        TEST(one_that_is_told_to_leave_is_not_waited_for),
        TEST(a_loss_after_the_decision_does_not_undo_it),
        TEST(a_no_after_the_decision_ends_the_worker),
        TEST(who_prepares_too_long_may_say_where_it_stands),
        TEST(who_prepares_too_long_and_says_nothing_is_named),
        TEST(a_timer_that_comes_early_ends_nothing),
        TEST(a_stop_drops_what_is_not_decided),
        TEST(a_stop_does_not_undo_what_is_decided),
        TEST(one_that_has_hung_up_is_lost_when_its_end_says_why),
        TEST(whoever_started_it_hears_of_its_end_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
