/* life_code.c - other code in a worker that runs: prepared beside traffic, put in place by one assignment, or forgotten.
 * Owns the order.  PREPARE starts a trial (core/trial.c) and the answer comes when it is over; ABORT drops it, also in the middle.
 * COMMIT makes its generation the one that new requests, timers and actors use; what runs already keeps to its own, which Lua collects
 * behind the last of it.  A worker in reserve takes part: what ACTIVATE starts is then the new code.
 * Called by life.c.  Must not know how code is loaded (core/), nor what is declared (lib/declared.c). */
#include "worker/life_code.h"

#include <inttypes.h>

#include "common/err.h"
#include "common/page.h"
#include "worker/actor/actors.h"
#include "worker/actor/code.h"
#include "worker/actor/renewal.h"
#include "worker/core/generation.h"
#include "worker/core/trial.h"
#include "worker/http/edition.h"
#include "worker/http/server.h"
#include "worker/lib/declared.h"
#include "worker/lib/occasion.h"
#include "worker/lib/state.h"
#include "worker/life.h"
#include "worker/life_end.h"

static void reject(struct life *life, uint64_t number, const char *why)
{
    struct proto_transaction body = {.number = number};
    link_send_text(&life->link, PROTO_REJECTED, &body, sizeof(body), why);
}

static void judge(lua_State *L, const struct generation *generation)
{
    struct fsd_err err;
    const struct bundle *bundle = &generation->bundle;
    if (edition_judge(L, bundle->main, bundle->main_len, &err) != 0) {
        lua_pushstring(L, err.text);
        (void)lua_error(L);
    }
}

static void on_over(struct trial *trial, bool is_ready)
{
    struct life *life = trial_data(trial);
    struct proto_transaction done = {.number = life->trial_number};
    if (is_ready) {
        link_send(&life->link, PROTO_PREPARED, &done, sizeof(done));
    } else {
        reject(life, done.number, trial_reason(trial));
        life_code_drop(life);
    }
}

static const struct trial_calls calls = {judge, on_over};

/* What else than the code stands in the way; NULL: nothing. */
static const char *find_obstacle(const struct life *life, const struct proto_transaction *wanted)
{
    const struct generation *running = life->runtime.generation;
    if (life->is_draining) {
        return "the worker is leaving";
    }
    if (running == NULL) {
        return "the worker has no code that could be changed";
    }
    return wanted->generation <= running->number
               ? "the generation is not newer than the running one"
               : NULL;
}

void life_code_prepare(struct life *life, const struct proto_transaction *wanted, int fd)
{
    struct fsd_err err;
    struct generation *generation = NULL;
    life_code_drop(life);
    const char *obstacle = find_obstacle(life, wanted);
    if (obstacle != NULL) {
        reject(life, wanted->number, obstacle);
    } else if (generation_new(&life->runtime, fd, wanted->generation, &generation, &err) != 0) {
        reject(life, wanted->number, err.text);
    } else {
        life->trial_number = wanted->number;
        life->trial = trial_new(&life->runtime, generation, &calls, life);
        trial_run(life->trial);
    }
}

bool life_code_commit(struct life *life, uint64_t number)
{
    struct runtime *runtime = &life->runtime;
    struct fsd_err err;
    if (life->trial == NULL || life->trial_number != number || !trial_is_ready(life->trial)) {
        return false;
    }
    struct generation *old = runtime->generation;
    struct generation *generation = trial_take(life->trial);
    life->trial = NULL;
    (void)http_server_adopt(runtime->http, generation, &err); /* it was judged */
    runtime->generation = generation;
    state_keep_tried(runtime->L);
    if (life->is_serving) {
        occasion_tell(runtime, old, OCCASION_STOP, generation->number);
        declared_replace(runtime, old);
        occasion_tell(runtime, generation, OCCASION_RELOAD, old->number);
        occasion_tell(runtime, generation, OCCASION_READY, old->number);
        page_set(&runtime->page->generation, generation->number);
    }
    generations_replace(runtime, old->number);
    code_forget(runtime->actors);
    renewal_tell(runtime->actors);
    generations_hold(runtime, old);
    generation_free(runtime, old); /* the struct is Lua's from here on */
    if (life->is_active) {
        children_replace(runtime, life_lose_children);
    }
    handovers_begin(runtime);
    struct proto_transaction done = {.number = number, .generation = generation->number};
    link_send(&life->link, PROTO_COMMITTED, &done, sizeof(done));
    return true;
}

void life_code_drop(struct life *life)
{
    if (life->trial != NULL) {
        trial_drop(life->trial);
        life->trial = NULL;
        state_drop_tried(life->runtime.L);
    }
}

void life_code_abort(struct life *life, uint64_t number, bool is_late)
{
    if (life->trial_number != number || life->trial == NULL) {
        return;
    }
    if (!is_late) {
        life_code_drop(life);
    } else if (!trial_is_ready(life->trial)) {
        trial_cut(life->trial);
    }
}
