#include "worker/lib/wait_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

static void waiting_ends_when_all_are_done(void **state)
{
    (void)state;
    assert_tells("local group = task.wait_group()\n"
                 "group:wait() group:add(2)\n"
                 "for i = 1, 2 do spawn(function() group:wait() tell('waited' .. i) end) end\n"
                 "task.yield() tell('first') group:done() task.yield() tell('second') group:done()",
                 "first second waited1 waited2 ");
}

static void a_limit_raises(void **state)
{
    (void)state;
    assert_tells(
        "local group = task.wait_group()\n"
        "group:add() tell(select(2, try(group.wait, group, 0.001))) group:done() group:wait()",
        "TimeoutError: wait_group:wait took too long (timeout) ");
}

static void more_cannot_be_done_than_was_added(void **state)
{
    (void)state;
    assert_tells("local group = task.wait_group()\n"
                 "tell(select(2, try(group.done, group)).message)\n"
                 "tell(try(group.add, group, -1))",
                 "done was called more often than add nil ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(waiting_ends_when_all_are_done),
        T(a_limit_raises),
        T(more_cannot_be_done_than_was_added),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
