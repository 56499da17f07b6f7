/* Random lives of supervisors, with a model of the processes: what holds whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/supervise.h"

enum { CHILDREN = 9, STEPS = 400, LIVES = 2000, INTENSITY = 3, PERIOD_MS = 50 };

enum process { NONE, STARTING, UP, TOLD, KILLED };

struct model {
    struct supervise supervise;
    struct supervise_child children[CHILDREN];
    uint64_t times[2][INTENSITY];
    unsigned times_used; /* which of the two */
    enum process processes[CHILDREN];
    bool is_ended;
    uint64_t now_ms;
    unsigned random;
};

static unsigned draw(struct model *model, unsigned limit)
{
    model->random = model->random * 1103515245U + 12345U;
    return model->random / 65536 % limit;
}

static struct supervise_spec draw_spec(struct model *model)
{
    static const uint32_t shutdowns[] = {SUPERVISE_BRUTAL_KILL, 10, 1000, SUPERVISE_INFINITY};
    struct supervise_spec spec = {
        .restart = (enum supervise_restart)draw(model, 3),
        .shutdown_ms = shutdowns[model->supervise.flags.is_simple ? 2 : draw(model, 4)],
        .is_supervisor = draw(model, 2) != 0,
    };
    spec.is_significant = model->supervise.flags.auto_shutdown != SUPERVISE_NEVER &&
                          spec.restart != SUPERVISE_PERMANENT && draw(model, 3) == 0;
    return spec;
}

static unsigned count_moving(const struct model *model)
{
    unsigned moving = 0;
    for (uint32_t id = 0; id < CHILDREN; id++) {
        moving += model->processes[id] != NONE && model->processes[id] != UP;
    }
    return moving;
}

static void carry_out(struct model *model, const struct supervise_action *action)
{
    uint32_t id = action->id;
    switch (action->kind) {
    case SUPERVISE_DO_START:
        assert_int_equal(model->processes[id], NONE);
        assert_int_equal(count_moving(model), 0); /* one thing at a time */
        model->processes[id] = STARTING;
        break;
    case SUPERVISE_DO_STOP:
        assert_true(model->processes[id] == STARTING || model->processes[id] == UP);
        model->processes[id] = TOLD;
        break;
    case SUPERVISE_DO_KILL:
        assert_true(model->processes[id] != NONE && model->processes[id] != KILLED);
        assert_true(model->processes[id] == TOLD ||
                    model->children[id].spec.shutdown_ms == SUPERVISE_BRUTAL_KILL);
        model->processes[id] = KILLED;
        break;
    case SUPERVISE_DO_FORGET:
        assert_int_equal(model->processes[id], NONE);
        assert_int_equal(supervise_state(&model->supervise, id), SUPERVISE_ABSENT);
        break;
    case SUPERVISE_DO_RETRY:
        assert_int_equal(model->processes[id], NONE);
        break;
    case SUPERVISE_DO_READY:
        break;
    case SUPERVISE_DO_END:
        for (uint32_t i = 0; i < CHILDREN; i++) {
            assert_int_equal(model->processes[i], NONE);
        }
        assert_false(model->is_ended);
        model->is_ended = true;
        break;
    }
    if (!model->supervise.flags.is_simple) {
        assert_true(count_moving(model) <= 1 || action->kind == SUPERVISE_DO_STOP ||
                    action->kind == SUPERVISE_DO_KILL);
    }
}

static void pull(struct model *model)
{
    struct supervise_action action;
    for (unsigned i = 0; supervise_next(&model->supervise, model->now_ms, &action); i++) {
        assert_true(i < 10 * CHILDREN);
        carry_out(model, &action);
    }
    /* Whoever waits waits for a process or for news, never for nothing. */
    assert_true(model->is_ended || supervise_is_idle(&model->supervise) || count_moving(model) > 0);
}

static void happen(struct model *model, uint32_t id)
{
    struct supervise *supervise = &model->supervise;
    enum process process = model->processes[id];
    if (process == NONE) {
        return;
    }
    unsigned what = draw(model, 7);
    if (process != UP && what == 0) {
        assert_int_equal(supervise_on_ignored(supervise, id), 0);
        model->processes[id] = NONE;
    } else if (process != UP && what == 1) {
        assert_int_equal(supervise_on_failed(supervise, id), 0);
        model->processes[id] = NONE;
    } else if (process != UP && what == 2) {
        assert_int_equal(supervise_on_delayed(supervise, id), 0);
    } else if (process != UP && what <= 4) {
        assert_int_equal(supervise_on_started(supervise, id), 0);
        model->processes[id] = process == STARTING ? UP : process;
    } else {
        enum supervise_reason reason = (enum supervise_reason)draw(model, 4);
        assert_int_equal(supervise_on_exited(supervise, id, reason), 0);
        model->processes[id] = NONE;
    }
}

static void change_flags(struct model *model)
{
    struct supervise_flags flags = model->supervise.flags;
    flags.intensity = 1 + draw(model, INTENSITY);
    flags.auto_shutdown = (enum supervise_auto_shutdown)draw(model, 3);
    if (!flags.is_simple) {
        flags.strategy = (enum supervise_strategy)draw(model, 3);
    }
    uint64_t *times = model->times[model->times_used ^ 1];
    if (supervise_change_flags(&model->supervise, &flags, times) == 0) {
        model->times_used ^= 1;
    }
}

static void ask(struct model *model, uint32_t id)
{
    struct supervise *supervise = &model->supervise;
    struct supervise_spec spec = draw_spec(model);
    switch (draw(model, 9)) {
    case 0:
        (void)supervise_start_child(supervise, id, &spec);
        break;
    case 4:
        (void)supervise_include_child(supervise, id, &spec);
        break;
    case 5:
        (void)supervise_recover_child(supervise, id);
        break;
    case 6:
        (void)supervise_change_child(supervise, id, &spec);
        break;
    case 7:
        (void)supervise_put_last(supervise, id);
        break;
    case 8:
        change_flags(model);
        break;
    case 1:
        (void)supervise_terminate_child(supervise, id);
        break;
    case 2:
        (void)supervise_restart_child(supervise, id);
        break;
    default:
        (void)supervise_delete_child(supervise, id);
        break;
    }
}

static void begin_life(struct model *model, unsigned seed)
{
    *model = (struct model){.random = seed};
    struct supervise_flags flags = {
        .strategy = (enum supervise_strategy)draw(model, 3),
        .intensity = draw(model, 2) == 0 ? INTENSITY : SUPERVISE_UNLIMITED,
        .period_ms = PERIOD_MS,
        .auto_shutdown = (enum supervise_auto_shutdown)draw(model, 3),
    };
    flags.is_simple = flags.strategy == SUPERVISE_ONE_FOR_ONE && draw(model, 2) == 0;
    supervise_init(&model->supervise, &flags, model->children, CHILDREN, model->times[0]);
    for (uint32_t id = 0; id < CHILDREN && !flags.is_simple; id += 1 + draw(model, 2)) {
        struct supervise_spec spec = draw_spec(model);
        assert_int_equal(supervise_add(&model->supervise, id, &spec), 0);
    }
    supervise_start(&model->supervise);
}

/* Everybody obeys, sooner or later. */
static void end_life(struct model *model)
{
    supervise_stop(&model->supervise);
    for (unsigned i = 0; !model->is_ended; i++) {
        assert_true(i < 10 * CHILDREN);
        pull(model);
        for (uint32_t id = 0; id < CHILDREN; id++) {
            if (model->processes[id] == TOLD || model->processes[id] == KILLED) {
                model->processes[id] = NONE;
                assert_int_equal(supervise_on_exited(&model->supervise, id, SUPERVISE_SHUTDOWN), 0);
            }
        }
    }
}

static void random_lives_keep_the_rules(void **state)
{
    (void)state;
    unsigned ended_early = 0;
    for (unsigned life = 0; life < LIVES; life++) {
        struct model model;
        begin_life(&model, life);
        for (unsigned i = 0; i < STEPS && !model.is_ended; i++) {
            model.now_ms += draw(&model, 30);
            if (draw(&model, 4) == 0) {
                ask(&model, draw(&model, CHILDREN));
            } else {
                happen(&model, draw(&model, CHILDREN));
            }
            if (draw(&model, 3) > 0) {
                pull(&model);
            }
        }
        ended_early += model.is_ended;
        if (!model.is_ended) {
            end_life(&model);
        }
        assert_int_equal(model.supervise.active, 0);
        assert_int_equal(model.supervise.significant, 0);
        assert_int_equal(model.supervise.queue.first, SUPERVISE_NONE);
    }
    assert_in_range(ended_early, 1, LIVES - 1);
}

/* A child of a one_for_one supervisor that dies whenever it can. */
static void a_crash_loop_is_restarted_no_more_than_allowed(void **state)
{
    (void)state;
    for (uint32_t intensity = 0; intensity <= INTENSITY; intensity++) {
        struct model model = {0};
        const struct supervise_flags flags = {.intensity = intensity, .period_ms = PERIOD_MS};
        const struct supervise_spec spec = {.shutdown_ms = 10};
        supervise_init(&model.supervise, &flags, model.children, CHILDREN, model.times[0]);
        assert_int_equal(supervise_add(&model.supervise, 0, &spec), 0);
        supervise_start(&model.supervise);
        struct supervise_action action;
        unsigned starts = 0;
        while (supervise_next(&model.supervise, 0, &action)) {
            if (action.kind == SUPERVISE_DO_START) {
                starts++;
                assert_int_equal(supervise_on_started(&model.supervise, 0), 0);
                assert_int_equal(supervise_on_exited(&model.supervise, 0, SUPERVISE_NORMAL), 0);
            }
        }
        assert_int_equal(action.kind, SUPERVISE_DO_END);
        assert_int_equal(action.end, SUPERVISE_END_INTENSITY);
        assert_int_equal(starts, intensity + 1);
    }
}

static void thousands_of_children_come_and_go(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static struct supervise_child children[MANY];
    struct supervise supervise;
    const struct supervise_flags flags = {
        .is_simple = true, .intensity = SUPERVISE_UNLIMITED, .period_ms = 1};
    const struct supervise_spec spec = {.restart = SUPERVISE_PERMANENT, .shutdown_ms = 10};
    supervise_init(&supervise, &flags, children, MANY, NULL);
    supervise_start(&supervise);
    struct supervise_action action;
    assert_true(supervise_next(&supervise, 0, &action));
    for (uint32_t id = 0; id < MANY; id++) {
        assert_int_equal(supervise_start_child(&supervise, id, &spec), 0);
        assert_true(supervise_next(&supervise, 0, &action));
        assert_int_equal(supervise_on_started(&supervise, id), 0);
        assert_false(supervise_next(&supervise, 0, &action));
    }
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t id = i * 7919U % MANY;
        assert_int_equal(supervise_on_exited(&supervise, id, SUPERVISE_ABNORMAL), 0);
        assert_true(supervise_next(&supervise, i, &action));
        assert_int_equal(action.kind, SUPERVISE_DO_START);
        assert_int_equal(supervise_on_started(&supervise, id), 0);
        assert_false(supervise_next(&supervise, i, &action));
    }
    assert_int_equal(supervise_count(&supervise).active, MANY);
    supervise_stop(&supervise);
    unsigned stopped = 0;
    while (supervise_next(&supervise, 0, &action) && action.kind == SUPERVISE_DO_STOP) {
        stopped++;
        assert_int_equal(supervise_on_exited(&supervise, action.id, SUPERVISE_SHUTDOWN), 0);
    }
    assert_int_equal(stopped, MANY);
    assert_int_equal(action.kind, SUPERVISE_DO_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_keep_the_rules),
        cmocka_unit_test(a_crash_loop_is_restarted_no_more_than_allowed),
        cmocka_unit_test(thousands_of_children_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
