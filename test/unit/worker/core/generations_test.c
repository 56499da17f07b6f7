#include "worker/core/generations.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/lua_tasks.h"
#include "worker/core/generation.h"
#include "worker/core/link.h"

static struct generation running;
static struct link channel;
static int master;
static struct wire_message message; /* the last one to the master */
static unsigned told_so;            /* times that on_replaced was called */

static void on_message(struct link *link, struct wire_message *unexpected)
{
    (void)link;
    (void)unexpected;
    fail();
}

static void on_gone(struct link *link, const char *why)
{
    (void)link;
    fail_msg("%s", why);
}

static void describe(const struct task *task, char *text, size_t room)
{
    (void)task;
    (void)snprintf(text, room, "GET /");
}

/* Of those that are not simply cancelled. */
static void on_replaced(struct task *task)
{
    (void)task;
    told_so++;
}

static const struct task_owner owner = {
    .kind = "request", .on_done = tasks_on_done, .on_describe = describe};
static const struct task_owner lasting = {
    .kind = "actor", .on_done = tasks_on_done, .on_replaced = on_replaced};

static int set_up(void **state)
{
    int pair[2];
    (void)tasks_set_up(state);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    master = pair[1];
    running = (struct generation){.number = 7};
    tasks.runtime.generation = &running;
    tasks.runtime.link = &channel;
    told_so = 0;
    return link_open(&channel, &tasks.runtime.loop, pair[0], on_message, on_gone);
}

static void on_stop(struct loop_job *job)
{
    (void)job;
    loop_stop(&tasks.runtime.loop);
}

static void turn(void)
{
    struct loop_job stop = {0};
    tasks.runtime.loop.stopping = false;
    loop_defer(&tasks.runtime.loop, &stop, on_stop);
    loop_run(&tasks.runtime.loop, NULL);
}

static int tear_down(void **state)
{
    generations_fini(&tasks.runtime);
    int worker = channel.watch.fd;
    watch_remove(&tasks.runtime.loop, &channel.watch);
    link_fini(&channel);
    (void)close(worker);
    (void)close(master);
    while (tasks.runtime.loop.later != NULL) { /* what is swept */
        turn();
    }
    tasks.runtime.generation = NULL;
    tasks.runtime.link = NULL;
    return tasks_tear_down(state);
}

static void replace_by(uint64_t number)
{
    uint64_t old = running.number;
    running.number = number;
    generations_replace(&tasks.runtime, old);
}

/* The look of once a second, now. */
static void look(void)
{
    struct timer *timer = &tasks.runtime.generations.look;
    assert_true(timer_is_set(timer));
    void (*on_fire)(struct timer *) = timer->on_fire;
    timer_clear(&tasks.runtime.loop.timers, timer);
    on_fire(timer);
}

/* Whether the master was told; then message says what. */
static bool was_told(void)
{
    struct fsd_err err;
    if (wire_recv(master, PROTO_TO_MASTER, &message, &err) != 1) {
        return false;
    }
    assert_int_equal(message.head.kind, PROTO_LAGGARDS);
    return true;
}

/* The number of those that are left, and of one of them what it is and where; NULL: there is none. */
static void assert_told(uint64_t generation, uint64_t count, const char *what, const char *where)
{
    struct proto_laggards body;
    assert_true(was_told());
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.generation, generation);
    assert_int_equal(body.count, count);
    message.payload[message.head.size] = '\0';
    const char *text = (const char *)message.payload + sizeof(body);
    const char *at = strstr(text, " at ");
    if (what == NULL) {
        assert_string_equal(text, "");
    } else {
        assert_memory_equal(text, what, strlen(what));
        assert_memory_equal(text + strlen(what), " since ", 7);
        assert_non_null(at);
        assert_string_equal(at + 4, where);
    }
    assert_false(was_told());
}

static void a_task_belongs_to_the_generation_it_was_started_in(void **state)
{
    static const uint64_t numbers[] = {8, 9, 0x10007, 0x1ffff, 0x20000};
    (void)state;
    struct task *task = tasks_start("sleep(60)");
    assert_int_equal(generations_of(&tasks.runtime, task), 7);
    running.number = 8;
    assert_int_equal(generations_of(&tasks.runtime, task), 7);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        running.number = numbers[i];
        generations_assign(task, numbers[i]);
        assert_int_equal(generations_of(&tasks.runtime, task), numbers[i]);
        running.number = numbers[i] + 0xffff;
        assert_int_equal(generations_of(&tasks.runtime, task), numbers[i]);
    }
    task_kill(task);
    tasks_run();
}

static void a_task_that_another_one_starts_runs_on_the_code_of_that_one(void **state)
{
    (void)state;
    struct task *first = tasks_start("sleep(60)");
    running.number = 8;
    tasks.runtime.tasks.running = first;
    struct task *second = task_new(&tasks.runtime, &tasks_owner, NULL);
    tasks.runtime.tasks.running = NULL;
    tasks.started++;
    assert_int_equal(generations_of(&tasks.runtime, second), 7);
    assert_int_equal(luaL_loadstring(second->L, ""), LUA_OK);
    task_start(second, 0);
    task_kill(first);
    tasks_run();
}

static void what_is_left_is_told_with_its_place_and_again_when_that_changes(void **state)
{
    (void)state;
    struct task *task = tasks_start_of(&owner, "sleep(60)\nsleep(60)", 0);
    replace_by(8);
    look();
    assert_told(7, 1, "request GET /", "t:1");
    look();
    assert_false(was_told());
    timer_clear(&tasks.runtime.loop.timers, &task->timing->wait);
    task_wake(task);
    struct task *other = tasks_start("sleep(0.001)"); /* on the new code */
    assert_int_equal(generations_of(&tasks.runtime, other), 8);
    tasks.started--;
    tasks_run(); /* until that one has ended */
    tasks.started++;
    look();
    assert_told(7, 1, "request GET /", "t:2");
    task_kill(task);
    tasks_run();
    look();
    assert_told(0, 0, NULL, NULL);
    assert_false(timer_is_set(&tasks.runtime.generations.look));
}

static void the_oldest_generation_is_named_and_all_are_counted(void **state)
{
    (void)state;
    struct task *first = tasks_start("sleep(60)");
    replace_by(8);
    struct task *second = tasks_start("sleep(60)");
    replace_by(9);
    look();
    struct proto_laggards body;
    assert_true(was_told());
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.generation, 7);
    assert_int_equal(body.count, 2);
    task_kill(first);
    task_kill(second);
    tasks_run();
}

static void more_than_fit_are_counted_though_not_all_are_named(void **state)
{
    enum { MANY = 200 };
    static struct task *many[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = tasks_start("sleep(60)");
    }
    replace_by(8);
    look();
    struct proto_laggards body;
    assert_true(was_told());
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        task_kill(many[i]);
    }
    tasks_run();
}

static void code_that_is_tried_is_not_left_over(void **state)
{
    (void)state;
    struct task *task = tasks_start("sleep(60)");
    task->trial = TASK_TRIAL_CHECKS;
    replace_by(8);
    look();
    assert_told(0, 0, NULL, NULL);
    task_kill(task);
    tasks_run();
}

static void what_is_left_when_its_time_is_over_is_cancelled_or_its_owner_is_told(void **state)
{
    (void)state;
    tasks.runtime.config.replaced_ms = 1;
    struct task *actor = tasks_start_of(&lasting, "sleep(60)", 0);
    (void)tasks_start_of(&owner, "local _, err = pcall(sleep, 60) tell(err.code)", 0);
    replace_by(8);
    uint64_t replaced_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() < replaced_ms + 1) { /* its time is over */
    }
    look();
    tasks.started--;
    tasks_run();
    tasks.started++;
    assert_string_equal(tasks.told, "replaced;");
    assert_int_equal(actor->state, TASK_WAITING);
    assert_int_equal(told_so, 1);
    assert_true(was_told());
    look();
    assert_told(7, 1, "actor -", "t:1");
    assert_int_equal(told_so, 2); /* again each second */
    task_kill(actor);
    tasks_run();
}

static void a_thousand_are_told_in_one_look_and_the_next_goes_on_there(void **state)
{
    (void)state;
    enum { ALL = 1500, IN_ONE_LOOK = 1000 };
    static struct task *all[ALL];
    tasks.runtime.config.replaced_ms = 1;
    for (size_t i = 0; i < ALL; i++) {
        all[i] = tasks_start_of(&lasting, "sleep(60)", 0);
    }
    replace_by(8);
    uint64_t replaced_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() < replaced_ms + 1) { /* its time is over */
    }
    told_so = 0;
    look();
    assert_int_equal(told_so, IN_ONE_LOOK);
    look();
    assert_int_equal(told_so, ALL);
    look(); /* again from the first on */
    assert_int_equal(told_so, ALL + IN_ONE_LOOK);
    for (size_t i = 0; i < ALL; i++) {
        task_kill(all[i]);
    }
    tasks_run();
}

static void what_has_time_left_is_not_cancelled(void **state)
{
    (void)state;
    struct task *task = tasks_start_of(&owner, "sleep(60)", 0);
    replace_by(8);
    look();
    look();
    assert_false(task->cancelling);
    task_kill(task);
    tasks_run();
}

static void more_generations_than_are_known_by_their_age_do_no_harm(void **state)
{
    (void)state;
    struct task *task = tasks_start_of(&owner, "sleep(60)", 0);
    for (uint64_t number = 8; number < 8 + 2 * GENERATIONS_REPLACED_MAX; number++) {
        replace_by(number);
    }
    struct task *last = tasks_start_of(&owner, "sleep(60)", 0);
    replace_by(running.number + 1);
    look();
    struct proto_laggards body;
    assert_true(was_told());
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.generation, 7);
    assert_int_equal(body.count, 2);
    task_kill(task);
    task_kill(last);
    tasks_run();
    look();
    assert_int_equal(tasks.runtime.generations.count, 0);
}

static void one_that_there_was_no_room_for_has_an_end_too(void **state)
{
    (void)state;
    static struct task *tracked[GENERATIONS_REPLACED_MAX];
    tasks.runtime.config.replaced_ms = 1;
    for (size_t i = 0; i < GENERATIONS_REPLACED_MAX; i++) {
        tracked[i] = tasks_start_of(&owner, "sleep(60)", 0);
        replace_by(running.number + 1);
    }
    struct task *last = tasks_start_of(&lasting, "sleep(60)", 0);
    replace_by(running.number + 1);
    for (size_t i = 0; i < GENERATIONS_REPLACED_MAX; i++) {
        task_kill(tracked[i]);
    }
    tasks.started--;
    tasks_run();
    tasks.started++;
    uint64_t replaced_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() < replaced_ms + 1) { /* its time is over */
    }
    told_so = 0;
    look();
    look();
    assert_int_equal(tasks.runtime.generations.count, 0);
    assert_int_equal(told_so, 2);
    task_kill(last);
    tasks_run();
}

static void what_nothing_runs_on_any_more_is_swept_out(void **state)
{
    (void)state;
    struct task *task = tasks_start_of(&owner, "sleep(60)", 0);
    replace_by(8);
    look();
    assert_int_equal(tasks.runtime.generations.count, 1);
    assert_int_equal(tasks.runtime.sweep.left, 0);
    task_kill(task);
    tasks_run();
    look();
    assert_int_equal(tasks.runtime.generations.count, 0);
    assert_true(tasks.runtime.sweep.left > 0);
}

/* Gives a generation a require, which is a number here. */
static void make_require(struct generation *generation, int number)
{
    lua_pushinteger(tasks.runtime.L, number);
    generation->require_ref = luaL_ref(tasks.runtime.L, LUA_REGISTRYINDEX);
}

static int find_require(uint64_t number)
{
    lua_State *L = tasks.runtime.L;
    generations_push_require(L, number);
    int found = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return found;
}

static void the_require_of_replaced_code_is_held_while_something_runs_on_it(void **state)
{
    (void)state;
    make_require(&running, 70);
    struct generation old = running;
    struct task *task = tasks_start_of(&owner, "sleep(60)", 0);
    replace_by(8);
    make_require(&running, 80);
    generations_hold(&tasks.runtime, &old);
    luaL_unref(tasks.runtime.L, LUA_REGISTRYINDEX, old.require_ref);
    assert_int_equal(find_require(7), 70);
    assert_int_equal(find_require(8), 80);
    assert_int_equal(find_require(6), 80); /* nothing is left of it */
    task_kill(task);
    tasks_run();
    look();
    assert_int_equal(find_require(7), 80);
    tasks.runtime.generation = NULL;
    assert_int_equal(find_require(7), 0); /* the state's own, a function */
}

static void code_that_nothing_runs_on_is_not_held(void **state)
{
    (void)state;
    make_require(&running, 70);
    struct generation old = running;
    replace_by(8);
    make_require(&running, 80);
    generations_hold(&tasks.runtime, &old);
    assert_int_equal(find_require(7), 80);
    assert_int_equal(tasks.runtime.generations.count, 0);
}

static bool meets_are_over; /* what generations_meet said last */

static void on_look_meet(struct runtime *runtime)
{
    assert_false(generations_meet(runtime, (uint16_t)runtime->generation->number, "timer", "t:9"));
    meets_are_over = generations_meet(runtime, 7, "timer", "t:1");
}

static void what_is_no_task_may_keep_code_alive_too(void **state)
{
    (void)state;
    tasks.runtime.generations.on_look = on_look_meet;
    replace_by(8);
    look();
    assert_false(meets_are_over);
    assert_told(7, 1, "timer t:1", "t:1");
    tasks.runtime.generations.on_look = NULL;
    look();
    assert_told(0, 0, NULL, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_task_belongs_to_the_generation_it_was_started_in),
        TEST(a_task_that_another_one_starts_runs_on_the_code_of_that_one),
        TEST(what_is_left_is_told_with_its_place_and_again_when_that_changes),
        TEST(the_oldest_generation_is_named_and_all_are_counted),
        TEST(more_than_fit_are_counted_though_not_all_are_named),
        TEST(code_that_is_tried_is_not_left_over),
        TEST(what_is_left_when_its_time_is_over_is_cancelled_or_its_owner_is_told),
        TEST(a_thousand_are_told_in_one_look_and_the_next_goes_on_there),
        TEST(what_has_time_left_is_not_cancelled),
        TEST(more_generations_than_are_known_by_their_age_do_no_harm),
        TEST(one_that_there_was_no_room_for_has_an_end_too),
        TEST(what_nothing_runs_on_any_more_is_swept_out),
        TEST(the_require_of_replaced_code_is_held_while_something_runs_on_it),
        TEST(code_that_nothing_runs_on_is_not_held),
        TEST(what_is_no_task_may_keep_code_alive_too),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
