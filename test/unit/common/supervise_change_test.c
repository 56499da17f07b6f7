/* A supervisor that goes on by other rules: what is asked of it when other code takes over. */
#include "test/unit/common/supervise_script.h"

static const struct script_case cases[] = {
    /* Ends for other code */
    {"a child that ends for other code is restarted, and that is no restart that counts",
     "one_for_one 0/5000: a", "run a.replaced [start a] a.up [] a.replaced [start a] a.up []"},
    {"so is a transient one", "one_for_one 0/5000: a:transient",
     "run a.replaced [start a] a.up []"},
    {"a temporary one is forgotten", "one_for_one 0/5000: a:temporary b",
     "run a.replaced [forget a] 1/1/0"},
    {"the strategy has its way with the others", "one_for_all 0/5000: a b",
     "run a.replaced [stop b 5000] b.shutdown [start a] a.up [start b] b.up []"},
    {"all end for other code at once: they are restarted once", "one_for_all 0/5000: a b",
     "run a.replaced b.replaced [start a] a.up [start b] b.up []"},
    {"a restart for other code that fails counts", "one_for_one 1/5000: a",
     "run a.replaced [start a] a.failed [retry a] [start a] a.failed [retry a] [end intensity]"},

    /* Children more */
    {"a child more does not run before it is wanted", "one_for_one 1/5000: a",
     "run include.b [] b?idle recover.b [start b] b.up [] 2/2/0"},
    {"its start is tried again, and counted, when it fails", "one_for_one 1/5000: a",
     "run include.b recover.b [start b] b.failed [retry b] [start b] b.failed [retry b] "
     "[stop a 5000] a.shutdown [end intensity]"},
    {"one_for_all deals with such a failure, too", "one_for_all 1/5000: a",
     "run include.b recover.b [start b] b.failed [retry b] [stop a 5000] a.shutdown [start a] a.up "
     "[start b] b.up []"},
    {"one that ignores its start stays idle", "one_for_one 1/5000: a",
     "run include.b recover.b [start b] b.ignored [] b?idle"},
    {"one that runs already is left alone", "one_for_one 1/5000: a", "run recover.a [] a?running"},
    {"there is no second one with its id", "one_for_one 1/5000: a",
     "run include.a=already_present include.#=no_room include.b:significant=invalid"},
    {"a simple supervisor takes none so", "one_for_one 1/5000 simple:", "run include.a=simple"},

    /* Other specifications */
    {"another restart type counts from the next end on", "one_for_one 1/5000: a",
     "run change.a:transient a.normal [] a?idle"},
    {"another time to end counts from the next order on", "one_for_one 1/5000: a",
     "run change.a:70 stop [stop a 70] a.shutdown [end told]"},
    {"one that runs may become significant", "one_for_one 1/5000 any_significant: a b",
     "run change.a:transient,significant a.normal [stop b 5000] b.shutdown [end auto_shutdown]"},
    {"the last significant one may cease to be so",
     "one_for_one 1/5000 all_significant: "
     "a:transient,significant b:transient,significant",
     "run change.a:transient b.normal [stop a 5000] a.shutdown [end auto_shutdown]"},
    {"one that is idle counts when it runs",
     "one_for_one 1/5000 all_significant: "
     "a:transient,significant b:transient",
     "run b.normal [] change.b:transient,significant restart.b [start b] b.up [] a.normal [] "
     "b.normal [end auto_shutdown]"},
    {"who is not there has no specification", "one_for_one 1/5000: a",
     "run change.b=not_found recover.b=not_found last.b=not_found change.a:significant=invalid"},

    /* The order */
    {"children end in the reverse of the new order", "one_for_one 1/5000: a b c",
     "run last.a stop [stop a 5000] a.shutdown [stop c 5000] c.shutdown [stop b 5000] b.shutdown "
     "[end told]"},

    /* When */
    {"a supervisor at work takes nothing", "one_for_one 1/5000: a",
     "begin [start a] include.b=later change.a=later recover.a=later last.a=later a.up [ready]"},
    {"nor does one that ends", "one_for_one 1/5000: a",
     "run stop include.b=ending change.a=ending recover.a=ending last.a=ending [stop a 5000] "
     "a.normal [end told] include.b=ending"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void other_flags_hold_at_once_and_restarts_are_remembered(void **state)
{
    (void)state;
    const struct script_case test = {"", "one_for_one 1/5000: a b", ""};
    struct script script;
    script_set_up(&script, &test);
    script_run(&script);
    assert_int_equal(script_tell(&script, 0, "crash"), 0);
    script_pull(&script);
    assert_int_equal(script_tell(&script, 0, "up"), 0);
    script_pull(&script);
    assert_string_equal(script.orders, "start a");
    uint64_t times[2];
    struct supervise_flags flags = {
        .strategy = SUPERVISE_ONE_FOR_ALL, .intensity = 2, .period_ms = 5000};
    assert_int_equal(supervise_change_flags(&script.supervise, &flags, times), 0);
    script.orders[0] = '\0';
    assert_int_equal(script_tell(&script, 0, "crash"), 0);
    script_pull(&script);
    assert_string_equal(script.orders, "stop b 5000");
    assert_int_equal(supervise_window_count(&script.supervise.window, 0), 2);
    assert_int_equal(supervise_change_flags(&script.supervise, &flags, times), -EAGAIN);
}

static void flags_of_another_kind_are_refused(void **state)
{
    (void)state;
    const struct script_case test = {"", "one_for_one 1/5000: a", ""};
    struct script script;
    script_set_up(&script, &test);
    script_run(&script);
    struct supervise_flags flags = {.is_simple = true, .period_ms = 1};
    assert_int_equal(supervise_change_flags(&script.supervise, &flags, NULL), -EINVAL);
    flags = (struct supervise_flags){.period_ms = 0};
    assert_int_equal(supervise_change_flags(&script.supervise, &flags, NULL), -EINVAL);
}

static void without_auto_shutdown_nobody_is_significant(void **state)
{
    (void)state;
    const struct script_case test = {
        "", "one_for_one 1/5000 any_significant: a:transient,significant b", ""};
    struct script script;
    script_set_up(&script, &test);
    script_run(&script);
    const struct supervise_flags flags = {.period_ms = 1};
    assert_int_equal(supervise_change_flags(&script.supervise, &flags, NULL), 0);
    assert_int_equal(script_tell(&script, 0, "normal"), 0);
    script_pull(&script);
    assert_string_equal(script.orders, "");
    assert_true(supervise_is_idle(&script.supervise));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(other_flags_hold_at_once_and_restarts_are_remembered),
        cmocka_unit_test(flags_of_another_kind_are_refused),
        cmocka_unit_test(without_auto_shutdown_nobody_is_significant),
    };
    struct CMUnitTest rules[CASES];
    struct script_case copies[CASES]; /* a test's state is not const */
    memcpy(copies, cases, sizeof(cases));
    for (size_t i = 0; i < CASES; i++) {
        rules[i] = (struct CMUnitTest){
            .name = copies[i].rule, .test_func = script_play, .initial_state = &copies[i]};
    }
    int failed = cmocka_run_group_tests_name("rules", rules, NULL, NULL);
    return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
