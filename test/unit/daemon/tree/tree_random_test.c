/* Random trees and random news: nothing is stuck without a probe, and everything comes up in the end.  And what scripts can't say. */
#include "test/unit/daemon/tree/tree_script.h"

enum { LIVES = 3000, STEPS = 60, ROUNDS = 200 };

struct model {
    struct script_conf confs[2];
    unsigned conf; /* the one in force */
    struct tree *tree;
    unsigned random;
    uint64_t now_ms;
};

static unsigned draw(struct model *model, unsigned limit)
{
    model->random = model->random * 1103515245U + 12345U;
    return model->random / 65536 % limit;
}

static void draw_after(struct model *model, const struct script_conf *conf,
                       struct conf_children *after)
{
    while (draw(model, 4) == 0) {
        bool is_supervisor = conf->conf.supervisor_count > 0 && draw(model, 3) == 0;
        size_t limit = is_supervisor ? conf->conf.supervisor_count : conf->conf.pool_count;
        after->items[after->count++] = (struct conf_child){.is_supervisor = is_supervisor,
                                                           .index = draw(model, (unsigned)limit)};
    }
}

/* A supervisor's parent is one before it; `after` may be as foolish as it likes. */
static void draw_conf(struct model *model, struct script_conf *conf)
{
    *conf = (struct script_conf){0};
    conf->conf.pools = conf->pools;
    conf->conf.supervisors = conf->supervisors;
    conf->conf.supervisor_count = draw(model, SCRIPT_SUPERVISORS + 1);
    conf->conf.pool_count = SCRIPT_SUPERVISORS + draw(model, SCRIPT_SUPERVISORS + 1);
    for (size_t i = 0; i < conf->conf.supervisor_count; i++) {
        struct conf_supervisor *supervisor = &conf->supervisors[i];
        script_name(conf, SCRIPT_POOLS + i, (char)('A' + i), &supervisor->name);
        supervisor->strategy = (enum supervise_strategy)draw(model, 3);
        supervisor->intensity = draw(model, 3);
        supervisor->period_ms = 100;
        draw_after(model, conf, &supervisor->after);
        size_t parent = draw(model, SCRIPT_SUPERVISORS);
        if (parent < i) {
            struct conf_children *children = &conf->supervisors[parent].children;
            children->items[children->count++] =
                (struct conf_child){.is_supervisor = true, .index = i};
        }
    }
    for (size_t i = 0; i < conf->conf.pool_count; i++) {
        script_name(conf, i, (char)('a' + i), &conf->pools[i].name);
        draw_after(model, conf, &conf->pools[i].after);
        /* No supervisor is empty. */
        size_t parent = i < SCRIPT_SUPERVISORS ? i : draw(model, SCRIPT_SUPERVISORS + 1);
        if (parent < conf->conf.supervisor_count) {
            struct conf_children *children = &conf->supervisors[parent].children;
            children->items[children->count++] = (struct conf_child){.index = i};
        }
    }
}

static size_t count_pools(const struct model *model)
{
    return model->confs[model->conf].conf.pool_count;
}

/* No order is given twice, and nobody waits for a time that never comes. */
static void pull(struct model *model)
{
    struct tree_order order;
    for (unsigned i = 0; tree_next(model->tree, model->now_ms, &order); i++) {
        assert_true(i < 10 * SCRIPT_POOLS);
        assert_true(order.pool < count_pools(model));
        enum tree_pool_state state = tree_state(model->tree, order.pool);
        assert_int_equal(state, order.kind == TREE_START  ? TREE_POOL_STARTING
                                : order.kind == TREE_STOP ? TREE_POOL_STOPPING
                                                          : TREE_POOL_HELD);
    }
    bool is_moving = tree_is_up(model->tree) || tree_is_down(model->tree);
    for (size_t pool = 0; pool < count_pools(model); pool++) {
        enum tree_pool_state state = tree_state(model->tree, pool);
        is_moving = is_moving || state == TREE_POOL_STARTING || state == TREE_POOL_HELD ||
                    state == TREE_POOL_STOPPING;
    }
    assert_true(is_moving);
}

static void happen(struct model *model, size_t pool)
{
    switch (draw(model, 4)) {
    case 0:
        (void)tree_on_gave_up(model->tree, pool);
        break;
    case 1:
        (void)tree_on_down(model->tree, pool);
        break;
    default:
        (void)tree_on_up(model->tree, pool);
        break;
    }
}

/* From now on every pool does what it is asked for. */
static void settle(struct model *model)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t pool = 0; pool < count_pools(model); pool++) {
            (void)tree_on_up(model->tree, pool);
            (void)tree_on_down(model->tree, pool);
            pull(model);
        }
    }
}

static void live(struct model *model)
{
    for (unsigned i = 0; i < STEPS; i++) {
        happen(model, draw(model, (unsigned)count_pools(model)));
        model->now_ms += draw(model, 60);
        if (draw(model, 3) != 0) {
            pull(model);
        }
    }
    pull(model);
}

static void whatever_happens_all_pools_come_up_in_the_end(void **state)
{
    (void)state;
    for (unsigned life = 0; life < LIVES; life++) {
        struct model model = {.random = life};
        draw_conf(&model, &model.confs[0]);
        model.tree = tree_new(&model.confs[0].conf);
        assert_non_null(model.tree);
        tree_start(model.tree);
        pull(&model);
        live(&model);
        if (draw(&model, 2) == 0) {
            draw_conf(&model, &model.confs[1]);
            model.conf = 1;
            struct tree *next = tree_new(&model.confs[1].conf);
            assert_non_null(next);
            tree_rebuild(model.tree, next);
            pull(&model);
            live(&model);
        }
        if (draw(&model, 3) > 0) {
            settle(&model);
            assert_true(tree_is_up(model.tree));
        }
        tree_stop(model.tree);
        settle(&model);
        assert_true(tree_is_down(model.tree));
        tree_free(model.tree);
    }
}

static void explained(const struct script *script, char pool, const char *expected)
{
    char text[64];
    tree_explain(script->tree, script_find(script->conf, pool), text, sizeof(text));
    assert_string_equal(text, expected);
}

static void a_pool_that_does_not_run_has_a_reason(void **state)
{
    (void)state;
    const struct script_case test = {
        "", "abcdef; S rest_for_one 1/1000 bc; T rest_for_one 1/1000 aSd; e>S; f>a", "", NULL};
    struct script script;
    script_set_up(&script, &test);
    explained(&script, 'a', "");
    script_go(&script, "begin [start a]");
    explained(&script, 'a', "");
    explained(&script, 'd', "waits for its turn");
    explained(&script, 'f', "waits for pool \"a\"");
    script_go(&script, "a.up [start f; start b] b.gave_up []");
    explained(&script, 'c', "waits for pool \"b\"");
    explained(&script, 'd', "waits for pool \"b\"");
    explained(&script, 'e', "waits for supervisor \"S\"");
    explained(&script, 'b', "");
    tree_free(script.tree);
}

static void a_pool_of_a_supervisor_that_waits_has_the_same_reason(void **state)
{
    (void)state;
    const struct script_case test = {"", "ab; S rest_for_one 1/1000 a; S>b", "", NULL};
    struct script script;
    script_set_up(&script, &test);
    script_go(&script, "begin [start b]");
    explained(&script, 'a', "waits for pool \"b\"");
    tree_free(script.tree);
}

static void a_tree_that_ends_knows_no_other_pool(void **state)
{
    (void)state;
    const struct script_case test = {"", "a", "", NULL};
    struct script script;
    script_set_up(&script, &test);
    script_go(&script, "begin [start a] stop [stop a]");
    assert_int_equal(tree_on_up(script.tree, 1), -EPROTO);
    tree_free(script.tree);
    tree_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_all_pools_come_up_in_the_end),
        cmocka_unit_test(a_pool_that_does_not_run_has_a_reason),
        cmocka_unit_test(a_pool_of_a_supervisor_that_waits_has_the_same_reason),
        cmocka_unit_test(a_tree_that_ends_knows_no_other_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
