/* What systemd hears of a daemon, whatever state that is in. */
#include "daemon/host/manager.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/err.h"
#include "daemon/pool/pool.h"
#include "daemon/state.h"
#include "test/support/conf_folder.h"
#include "test/support/service_manager.h"

#define TWO_POOLS                                                                                  \
    "listeners: { one: { listen: \"127.0.0.1:0\" }, two: { listen: \"127.0.0.1:0\" } }\n"          \
    "apps: { shop: { path: app.lua } }\n"                                                          \
    "pools:\n"                                                                                     \
    "  web: { app: shop, listeners: [one], count: 2, boot: 1s, shutdown: 1s }\n"                   \
    "  jobs: { app: shop, listeners: [two], count: 1, boot: 1s, shutdown: 2s }\n"
#define EXTEND "EXTEND_TIMEOUT_USEC=10000000"

struct fixture {
    struct service_manager systemd;
    struct master master;
    void *folder;
};

static void on_news(struct pool *pool, unsigned slot, enum pool_news news, const struct proc *proc,
                    const char *why)
{
    (void)pool;
    (void)slot;
    (void)news;
    (void)proc;
    (void)why;
}

static int begin(void **state)
{
    static const struct inventory none = {0};
    static struct fixture fixture;
    fixture = (struct fixture){.folder = NULL};
    struct master *master = &fixture.master;
    assert_int_equal(set_up(&fixture.folder), 0);
    write_text("fsd.yaml", TWO_POOLS);
    service_manager_open(&fixture.systemd, "manager");
    (void)setenv("NOTIFY_SOCKET", fixture.systemd.name, 1);
    log_init(&master->log, memfd_create("log", MFD_CLOEXEC), CONF_LOG_TEXT, LOG_LEVEL_DEBUG);
    assert_true(sd_event_new(&master->loop) >= 0);
    master->pool_setting = (struct pool_setting){
        .loop = master->loop, .log = &master->log, .on_news = on_news, .owner = master};
    struct inventory_need need = {&master->pool_setting, 1};
    assert_int_equal(inventory_make(&master->inventory, load(NULL), 7, &none, &need), 0);
    manager_init(&master->manager);
    assert_int_equal(manager_open(&master->manager, master->inventory.conf, &master->log, NULL), 0);
    *state = &fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    int log_fd = master->log.standard.fd;
    manager_close(&master->manager);
    inventory_free_without(&master->inventory, NULL);
    (void)sd_event_unref(master->loop);
    log_fini(&master->log);
    fd_close(&log_fd);
    service_manager_close(&fixture->systemd);
    (void)unsetenv("NOTIFY_SOCKET");
    return tear_down(&fixture->folder);
}

static void set_slots(struct pool *pool, enum slot_state state)
{
    pool->phase = POOL_RUNNING;
    for (unsigned i = 0; i < pool->count; i++) {
        pool->slots[i]->state = state;
    }
}

/* Both pools serve, and systemd was told. */
static void bring_up(struct fixture *fixture)
{
    struct master *master = &fixture->master;
    master->phase = MASTER_RUNNING;
    set_slots(master->inventory.pools[0], SLOT_READY);
    set_slots(master->inventory.pools[1], SLOT_READY);
    master->was_ready = true;
    manager_update(master);
    service_manager_expect(&fixture->systemd,
                           "READY=1\nSTATUS=running: web 2/2, jobs 1/1; config 7");
    assert_null(service_manager_read(&fixture->systemd));
}

static void a_start_shows_how_far_it_is_and_asks_for_time(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    manager_tick(master);
    service_manager_expect(&fixture->systemd, "STATUS=starting: web 0/2, jobs 0/1; config 7");
    service_manager_expect(&fixture->systemd, EXTEND);
    set_slots(master->inventory.pools[0], SLOT_READY);
    manager_update(master);
    service_manager_expect(&fixture->systemd, "STATUS=starting: web 2/2, jobs 0/1; config 7");
    bring_up(fixture);
}

static void a_start_that_takes_longer_than_all_its_limits_is_systemds_to_judge(void **state)
{
    struct fixture *fixture = *state;
    fixture->master.manager.since_ms =
        clock_monotonic_ms() - 62000; /* code, and each pool's boot */
    manager_tick(&fixture->master);
    service_manager_expect(&fixture->systemd, "STATUS=starting: web 0/2, jobs 0/1; config 7");
    assert_null(service_manager_read(&fixture->systemd));
}

static void what_runs_is_told_when_it_changes_and_not_else(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    bring_up(fixture);
    manager_tick(master);
    assert_null(service_manager_read(&fixture->systemd));
    master->inventory.pools[0]->slots[1]->state = SLOT_BACKOFF;
    manager_update(master);
    service_manager_expect(&fixture->systemd, "STATUS=degraded: web 1/2, jobs 1/1; config 7");
    set_slots(master->inventory.pools[0], SLOT_READY);
    set_slots(master->inventory.pools[1], SLOT_BACKOFF);
    master->inventory.pools[1]->phase = POOL_HELD;
    manager_update(master);
    service_manager_expect(&fixture->systemd, "STATUS=degraded: web 2/2, jobs 0/1 held; config 7");
    assert_null(service_manager_read(&fixture->systemd));
}

static void a_drained_daemon_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    bring_up(fixture);
    master->is_drained = true;
    for (size_t i = 0; i < 2; i++) {
        set_slots(master->inventory.pools[i], SLOT_EMPTY);
        master->inventory.pools[i]->phase = POOL_DRAINED;
    }
    manager_update(master);
    service_manager_expect(&fixture->systemd,
                           "STATUS=drained: web 0/2 drained, jobs 0/1 drained; config 7");
}

static void expect_reloading(struct fixture *fixture, const char *status)
{
    const char *text = service_manager_read(&fixture->systemd);
    assert_non_null(text);
    assert_ptr_equal(strstr(text, "RELOADING=1\nMONOTONIC_USEC="), text);
    assert_non_null(strstr(text, status));
    service_manager_expect(&fixture->systemd, EXTEND);
    assert_null(service_manager_read(&fixture->systemd));
}

static void a_reload_and_a_deploy_are_told_from_beginning_to_end(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    bring_up(fixture);
    master->restart.rolling.state = ROLLING_MOVING;
    manager_update(master);
    expect_reloading(fixture, "\nSTATUS=reloading: web 2/2, jobs 1/1; config 7");
    master->manager.since_ms -= 3600000; /* each step of it has its own limit */
    manager_tick(master);
    service_manager_expect(&fixture->systemd, EXTEND);
    master->restart.rolling.state = ROLLING_IDLE;
    manager_update(master);
    service_manager_expect(&fixture->systemd,
                           "READY=1\nSTATUS=running: web 2/2, jobs 1/1; config 7");
    master->deploy.is_running = true;
    manager_update(master);
    expect_reloading(fixture, "\nSTATUS=reloading: ");
    master->deploy.is_running = false;
    master->inventory.number = 8;
    manager_update(master);
    service_manager_expect(&fixture->systemd,
                           "READY=1\nSTATUS=running: web 2/2, jobs 1/1; config 8");
    master->upgrade.is_running = true;
    manager_update(master);
    expect_reloading(fixture, "\nSTATUS=reloading: ");
}

static void a_reload_before_the_daemon_was_ready_does_not_make_it_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->master.phase = MASTER_RUNNING;
    fixture->master.deploy.is_running = true;
    manager_update(&fixture->master);
    service_manager_expect(&fixture->systemd, "STATUS=starting: web 0/2, jobs 0/1; config 7");
    fixture->master.deploy.is_running = false;
    manager_update(&fixture->master);
    assert_null(service_manager_read(&fixture->systemd));
}

static void a_stop_asks_for_time_as_long_as_all_pools_may_take_one_after_another(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    bring_up(fixture);
    master->phase = MASTER_STOPPING;
    manager_update(master);
    service_manager_expect(&fixture->systemd,
                           "STOPPING=1\nSTATUS=stopping: web 2/2, jobs 1/1; config 7");
    service_manager_expect(&fixture->systemd, EXTEND);
    master->manager.since_ms = clock_monotonic_ms() - 7500; /* of 1 s and 2 s, and 5 s to reap */
    manager_tick(master);
    service_manager_expect(&fixture->systemd, EXTEND);
    master->manager.since_ms = clock_monotonic_ms() - 8000;
    manager_tick(master);
    assert_null(service_manager_read(&fixture->systemd));
    master->inventory.conf->pools[0].shutdown_ms = SUPERVISE_INFINITY;
    manager_tick(master);
    service_manager_expect(&fixture->systemd, EXTEND);
}

static void open_listeners(struct master *master)
{
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(listener_open(master->inventory.listeners[i],
                                       &master->inventory.conf->listeners[i], 1, NULL, NULL),
                         0);
    }
}

static void sockets_are_stored_when_the_daemon_is_ready_and_as_they_come(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    open_listeners(master);
    master->was_ready = true;
    manager_update(master);
    assert_non_null(service_manager_read(&fixture->systemd));
    service_manager_expect(&fixture->systemd, "FDSTORE=1\nFDNAME=one/0");
    service_manager_expect(&fixture->systemd, "FDSTORE=1\nFDNAME=two/0");
    assert_int_equal(listener_grow(master->inventory.listeners[1], 2, NULL), 0);
    manager_tick(master);
    service_manager_expect(&fixture->systemd, "FDSTORE=1\nFDNAME=two/1");
    master->phase = MASTER_STOPPING;
    assert_int_equal(listener_grow(master->inventory.listeners[0], 2, NULL), 0);
    manager_update(master);
    assert_non_null(service_manager_read(&fixture->systemd));
    service_manager_expect(&fixture->systemd, EXTEND);
    assert_null(service_manager_read(&fixture->systemd));
}

static void listeners_that_swap_their_names_leave_no_old_name_behind(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    open_listeners(master);
    master->was_ready = true;
    manager_update(master);
    for (int i = 0; i < 3; i++) {
        assert_non_null(service_manager_read(&fixture->systemd));
    }
    listener_rename(master->inventory.listeners[0], "two");
    listener_rename(master->inventory.listeners[1], "one");
    manager_tick(master);
    service_manager_expect(&fixture->systemd, "FDSTOREREMOVE=1\nFDNAME=one/0");
    service_manager_expect(&fixture->systemd, "FDSTOREREMOVE=1\nFDNAME=two/0");
    service_manager_expect(&fixture->systemd, "FDSTORE=1\nFDNAME=two/0");
    service_manager_expect(&fixture->systemd, "FDSTORE=1\nFDNAME=one/0");
    manager_tick(master);
    assert_null(service_manager_read(&fixture->systemd));
}

static void a_status_that_was_not_taken_is_said_by_the_next_tick(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    enum { MANY = 100000 };
    int sent = 0;
    while (sent < MANY && notify_unstore(&master->manager.notify, "x") == 0) {
        sent++;
    }
    assert_true(sent < MANY); /* its queue is full */
    master->was_ready = true;
    manager_update(master);
    while (sent > 0) {
        assert_non_null(service_manager_read(&fixture->systemd));
        sent--;
    }
    assert_null(service_manager_read(&fixture->systemd));
    manager_tick(master);
    service_manager_expect(&fixture->systemd,
                           "READY=1\nSTATUS=degraded: web 0/2, jobs 0/1; config 7");
}

static void the_watchdog_is_fed_at_half_its_interval_while_the_loop_turns(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    (void)setenv("WATCHDOG_USEC", "20000", 1);
    assert_int_equal(manager_watch(&master->manager, master->loop), 0);
    (void)unsetenv("WATCHDOG_USEC");
    assert_int_equal(master->manager.watchdog_us, 10000);
    for (int i = 0; i < 3; i++) {
        assert_null(service_manager_read(&fixture->systemd));
        assert_true(sd_event_run(master->loop, UINT64_MAX) > 0);
        service_manager_expect(&fixture->systemd, "WATCHDOG=1");
    }
}

static void without_a_watchdog_the_loop_has_nothing_to_do(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(manager_watch(&fixture->master.manager, fixture->master.loop), 0);
    assert_null(fixture->master.manager.watchdog);
}

static void a_notify_socket_that_makes_no_sense_is_a_warning(void **state)
{
    struct fixture *fixture = *state;
    struct master *master = &fixture->master;
    char text[512] = "";
    manager_close(&master->manager);
    (void)setenv("NOTIFY_SOCKET", "relative", 1);
    manager_init(&master->manager);
    assert_int_equal(manager_open(&master->manager, master->inventory.conf, &master->log, NULL), 0);
    assert_true(pread(master->log.standard.fd, text, sizeof(text) - 1, 0) > 0);
    assert_non_null(strstr(text, "cannot notify \"relative\""));
    manager_tick(master); /* to nobody */
}

static void sockets_that_make_no_sense_are_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct fsd_err err = {""};
    char pid[16];
    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    (void)setenv("LISTEN_PID", pid, 1);
    (void)setenv("LISTEN_FDS", "nonsense", 1);
    manager_close(&fixture->master.manager);
    manager_init(&fixture->master.manager);
    assert_true(manager_open(&fixture->master.manager, fixture->master.inventory.conf,
                             &fixture->master.log, &err) < 0);
    assert_non_null(strstr(err.text, "LISTEN_FDS"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_start_shows_how_far_it_is_and_asks_for_time),
        TEST(a_start_that_takes_longer_than_all_its_limits_is_systemds_to_judge),
        TEST(what_runs_is_told_when_it_changes_and_not_else),
        TEST(a_drained_daemon_says_so),
        TEST(a_reload_and_a_deploy_are_told_from_beginning_to_end),
        TEST(a_reload_before_the_daemon_was_ready_does_not_make_it_so),
        TEST(a_stop_asks_for_time_as_long_as_all_pools_may_take_one_after_another),
        TEST(sockets_are_stored_when_the_daemon_is_ready_and_as_they_come),
        TEST(listeners_that_swap_their_names_leave_no_old_name_behind),
        TEST(a_status_that_was_not_taken_is_said_by_the_next_tick),
        TEST(the_watchdog_is_fed_at_half_its_interval_while_the_loop_turns),
        TEST(without_a_watchdog_the_loop_has_nothing_to_do),
        TEST(a_notify_socket_that_makes_no_sense_is_a_warning),
        TEST(sockets_that_make_no_sense_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
