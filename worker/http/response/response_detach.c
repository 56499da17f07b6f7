/* response_detach.c - res:detach(): another task will answer; the handler may return before.
 * Owns nothing but the wait of the request's own task, which stands on that task's stack.  The task stays, and with it everything that
 * ends a request early: its deadline, the client that hangs up, the worker that leaves.
 * Called by dispatch.c when the handlers have returned, and by exchange.c when there is an answer.  Must not know who gives it. */
#include "worker/http/response/response_detach.h"

#include <lauxlib.h>

#include "worker/core/task.h"
#include "worker/http/exchange.h"
#include "worker/http/response/response.h"

struct detached {
    struct task_wait wait;
    struct exchange *exchange; /* borrowed */
};

int response_detach(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    exchange->is_detached = true;
    lua_settop(L, 1);
    return 1;
}

static void on_cancel(struct task_wait *wait)
{
    H2O_STRUCT_FROM_MEMBER(struct detached, wait, wait)->exchange->awaits_answer = false;
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    (void)L;
    return 0;
}

int response_detach_wait(lua_State *L, struct exchange *exchange)
{
    bool is_given = exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_SENT;
    if (!exchange->is_detached || is_given) {
        return 0;
    }
    struct detached *detached = lua_newuserdatauv(L, sizeof(*detached), 0);
    *detached = (struct detached){{on_cancel, on_resume}, exchange};
    exchange->awaits_answer = true;
    return task_wait(L, &detached->wait);
}

void response_detach_end(struct exchange *exchange)
{
    if (exchange->awaits_answer) {
        exchange->awaits_answer = false;
        task_wake(exchange->task);
    }
}
