#include "worker/core/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"
#include "worker/core/generation.h"

enum { MANY = 40 };

static struct generation generations[2] = {{.number = 1}, {.number = 2}};
static struct handover handovers[MANY];
static unsigned told_ends; /* tasks that have ended after they were told */

/* rest(seconds): with nothing under way */
static int lua_rest(lua_State *L)
{
    task_mark_idle(task_check(L));
    return tasks_sleep(L);
}

static void on_done(struct task *task, int status)
{
    told_ends += task->is_told ? 1 : 0;
    handover_remove(task->runtime, task->data);
    tasks_on_done(task, status);
}

static void on_wait(struct task *task)
{
    tasks_on_wait(task);
    const struct handover *handover = task->data;
    if (handover->is_listed) {
        handover_offer(handover);
    }
}

static const struct task_owner owner = {.kind = "serves", .on_done = on_done, .on_wait = on_wait};

static int set_up(void **state)
{
    (void)tasks_set_up(state);
    tasks.runtime.generation = &generations[0];
    lua_register(tasks.runtime.L, "rest", lua_rest);
    memset(handovers, 0, sizeof(handovers));
    told_ends = 0;
    return 0;
}

static int tear_down(void **state)
{
    assert_null(tasks.runtime.handovers.first);
    assert_null(tasks.runtime.handovers.next);
    tasks.runtime.generation = NULL;
    return tasks_tear_down(state);
}

/* A task that serves the connection of that index, until it first waits. */
static struct task *serve(size_t index, const char *chunk)
{
    struct task *task = task_new(&tasks.runtime, &owner, &handovers[index]);
    assert_int_equal(luaL_loadstring(task->L, chunk), LUA_OK);
    handover_add(&tasks.runtime, &handovers[index], task);
    tasks.started++;
    task_start(task, 0);
    return task;
}

static void replace_code(void)
{
    tasks.runtime.generation = &generations[1];
    handovers_begin(&tasks.runtime);
}

static void whoever_rests_on_replaced_code_is_told_by_an_error(void **state)
{
    (void)state;
    serve(0, "local ok, err = pcall(rest, 60) tell(ok) tell(err.name) tell(err.code)");
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "false;CancelError;reload;");
    assert_int_equal(told_ends, 1);
}

static void whoever_runs_on_the_running_code_is_left_alone(void **state)
{
    (void)state;
    serve(0, "rest(0.01) tell('rested')");
    handovers_begin(&tasks.runtime);
    tasks_run();
    assert_string_equal(tasks.told, "rested;");
    assert_int_equal(told_ends, 0);
}

static void whoever_has_something_under_way_is_told_when_it_next_rests(void **state)
{
    (void)state;
    serve(0, "sleep(0.01) tell('slept') tell(pcall(rest, 60))");
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "slept;false;");
    assert_int_equal(told_ends, 1);
}

static void whoever_goes_on_is_not_told_again(void **state)
{
    (void)state;
    serve(0, "tell(pcall(rest, 60)) tell(pcall(rest, 0.001)) tell(pcall(rest, 0.001))");
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "false;true;true;");
}

static void whoever_is_woken_just_then_takes_what_it_has_waited_for(void **state)
{
    (void)state;
    struct task *task = serve(0, "tell(pcall(rest, 60)) tell(pcall(rest, 60))");
    timer_clear(&tasks.runtime.loop.timers, &task->timing->wait);
    task_wake(task);
    assert_false(task_tell(task));
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "true;false;");
}

static void nobody_is_told_who_is_cancelled(void **state)
{
    (void)state;
    struct task *task =
        serve(0, "local _, err = pcall(rest, 60) tell(err.code) pcall(rest, 0.001)");
    task_cancel(task, TASK_CANCEL_SHUTDOWN);
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "shutdown;");
    assert_int_equal(told_ends, 0);
}

static void who_is_cancelled_while_it_is_told_hears_that_instead(void **state)
{
    (void)state;
    struct task *task = serve(0, "local _, err = pcall(rest, 60) tell(err.code)");
    assert_true(task_tell(task));
    task_cancel(task, TASK_CANCEL_ABORTED);
    tasks_run();
    assert_string_equal(tasks.told, "aborted;");
}

static void the_end_of_its_time_counts_as_told(void **state)
{
    (void)state;
    struct task *task = serve(0, "local _, err = pcall(sleep, 60) tell(err.code)");
    task_cancel(task, TASK_CANCEL_REPLACED);
    tasks_run();
    assert_string_equal(tasks.told, "replaced;");
    assert_int_equal(told_ends, 1);
}

static void all_of_many_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        serve(i, "pcall(rest, 60)");
    }
    replace_code();
    tasks_run();
    assert_int_equal(told_ends, MANY);
}

static void connections_may_end_and_come_while_others_are_told(void **state)
{
    (void)state;
    struct task *served[MANY];
    for (size_t i = 0; i < MANY; i++) {
        served[i] = serve(i, "pcall(rest, 60)");
    }
    replace_code();
    assert_ptr_equal(tasks.runtime.handovers.next, &handovers[MANY - 1]);
    task_kill(served[MANY - 1]);
    handover_remove(&tasks.runtime, &handovers[MANY - 1]);
    handover_remove(&tasks.runtime, &handovers[MANY - 1]);
    handover_remove(&tasks.runtime, &handovers[0]);
    handover_remove(&tasks.runtime, &handovers[7]);
    handover_add(&tasks.runtime, &handovers[7], served[7]);
    task_cancel(served[0], TASK_CANCEL_ABORTED);
    assert_ptr_equal(tasks.runtime.handovers.next, &handovers[MANY - 2]);
    handovers_begin(&tasks.runtime); /* once more, from the beginning */
    tasks_run();
    assert_int_equal(told_ends, MANY - 2);
}

static void a_connection_is_passed_to_another_task(void **state)
{
    (void)state;
    static struct handover passed;
    serve(0, "sleep(0.01)");
    struct task *next = task_new(&tasks.runtime, &owner, &passed);
    assert_int_equal(luaL_loadstring(next->L, "tell(pcall(rest, 60))"), LUA_OK);
    tasks.started++;
    handover_pass(&handovers[0], next);
    task_start(next, 0);
    replace_code();
    tasks_run();
    assert_string_equal(tasks.told, "false;");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(whoever_rests_on_replaced_code_is_told_by_an_error),
        TEST(whoever_runs_on_the_running_code_is_left_alone),
        TEST(whoever_has_something_under_way_is_told_when_it_next_rests),
        TEST(whoever_goes_on_is_not_told_again),
        TEST(whoever_is_woken_just_then_takes_what_it_has_waited_for),
        TEST(nobody_is_told_who_is_cancelled),
        TEST(who_is_cancelled_while_it_is_told_hears_that_instead),
        TEST(the_end_of_its_time_counts_as_told),
        TEST(all_of_many_are_told),
        TEST(connections_may_end_and_come_while_others_are_told),
        TEST(a_connection_is_passed_to_another_task),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
