/* sweep.c - collects what is left of replaced code, soon and beside traffic.
 * Owns a job.  Lua's collector lets the heap double before it begins, and so would keep a version or two that nobody needs: a worker that
 * gets new code again and again would grow up to what its peaks are.  A collection that is under way has marked what was alive when it
 * began, and what finalizers can reach goes only with the next one; so three of them find everything.  They are made in steps of about a
 * millisecond, one in each turn.
 * Called by generations.c; overdraft.c uses the steps.  Must not know what there is to collect. */
#include "worker/core/sweep.h"

#include "worker/core/runtime.h"

enum {
    STEPS = 4, /* of the collector in a turn: about 0.3 ms each */
    COLLECTIONS = 3,
};

bool sweep_step(lua_State *L)
{
    if (lua_gc(L, LUA_GCINC, 0, 0, 0) == LUA_GCGEN) {
        (void)lua_gc(L, LUA_GCGEN, 0, 0); /* collects everything */
        return true;
    }
    bool is_over = false;
    for (int i = 0; i < STEPS && !is_over; i++) {
        is_over = lua_gc(L, LUA_GCSTEP, 0) != 0;
    }
    return is_over;
}

static void on_share(struct loop_job *job)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, sweep.job, job);
    struct sweep *sweep = &runtime->sweep;
    sweep->left -= sweep_step(runtime->L) ? 1 : 0;
    if (sweep->left > 0) {
        loop_defer_share(&runtime->loop, job, on_share);
    }
}

void sweep_begin(struct runtime *runtime)
{
    runtime->sweep.left = COLLECTIONS;
    loop_defer_share(&runtime->loop, &runtime->sweep.job, on_share);
}
