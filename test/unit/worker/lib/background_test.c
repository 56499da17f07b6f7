#include "worker/lib/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

static void on_over(struct runtime *which)
{
    (void)which;
    (void)strcat(told, "over ");
}

/* Until the worker might leave. */
static void drain(uint64_t phase_ms)
{
    background_drain(&runtime, phase_ms, on_over);
    background_drain(&runtime, phase_ms, on_over); /* twice is once */
    run_tasks();
}

static void where_nothing_runs_it_is_over_at_once(void **state)
{
    (void)state;
    drain(5000);
    assert_string_equal(told, "over ");
}

static void tasks_may_end_first_and_spawn_others_for_that(void **state)
{
    (void)state;
    (void)start("spawn(function() task.sleep(0.002) tell('a') spawn(function() task.yield() "
                "tell('b') end) end)");
    drain(5000);
    assert_string_equal(told, "a b over ");
}

static void those_that_do_not_end_are_cancelled(void **state)
{
    (void)state;
    (void)start("spawn(function()\n"
                "  local _, err = try(task.sleep, 60) tell(err)\n"
                "  _, err = try(spawn, print) tell(err.code)\n"
                "  task.yield() tell('unwound') err:rethrow()\n"
                "end)");
    drain(1);
    assert_string_equal(told,
                        "CancelError: the worker is leaving (shutdown) shutdown unwound over ");
    assert_logged(LOG_LEVEL_WARNING,
                  "cancelling 1 tasks that have not ended: the worker is leaving");
}

static void those_that_wait_on_are_closed_by_force(void **state)
{
    (void)state;
    (void)start("spawn(function() while true do pcall(task.sleep, 60) end end)");
    drain(1);
    assert_string_equal(told, "over ");
    assert_logged(LOG_LEVEL_WARNING,
                  "cancelling 1 tasks that have not ended: the worker is leaving");
    assert_logged(
        LOG_LEVEL_ERROR,
        "error in task: the task was ended by force: it still waited 1 s after it was cancelled");
}

static void errors_that_nobody_has_taken_are_logged(void **state)
{
    (void)state;
    (void)start("spawn(function() error('lost', 0) end)");
    background_drain(&runtime, 5000, on_over);
    run_tasks();
    assert_logged(LOG_LEVEL_ERROR, "error in task: lost");
}

static void timers_that_repeat_end_while_there_are_requests(void **state)
{
    (void)state;
    assert_tells("timer.every(60, print) timer.cron('* * * * *', print) timer.after(60, print)",
                 "");
    struct alarm_set *alarms = &background_of(runtime.L)->alarms;
    background_end(&runtime);
    assert_int_equal(alarms->count, 1);
    assert_tells("tell(timer.every(60, print):cancel()) tell(timer.after(60, print) ~= nil)",
                 "false true ");
    assert_int_equal(alarms->count, 2);
    told[0] = '\0';
    drain(5000); /* what is set still is called off */
    assert_string_equal(told, "over ");
    assert_int_equal(alarms->count, 0);
}

static void a_worker_that_has_loaded_no_code_has_no_background(void **state)
{
    (void)state;
    runtime.background = NULL;
    background_end(&runtime);
    assert_null(runtime.background);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(where_nothing_runs_it_is_over_at_once),
        T(tasks_may_end_first_and_spawn_others_for_that),
        T(those_that_do_not_end_are_cancelled),
        T(those_that_wait_on_are_closed_by_force),
        T(errors_that_nobody_has_taken_are_logged),
        T(timers_that_repeat_end_while_there_are_requests),
        T(a_worker_that_has_loaded_no_code_has_no_background),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
