/* The verdict on a dead worker, and its words. */
#include "daemon/crash/crash_class.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { EXITED = 0, SIGNALED = 1 };

static struct crash_facts make(int is_signal, int value, enum crash_deed deed)
{
    return (struct crash_facts){.is_reaped = true,
                                .cause = {is_signal == SIGNALED, value},
                                .deed = deed,
                                .state = CRASH_SERVING};
}

static void what_fsd_did_explains_only_the_end_that_follows_from_it(void **state)
{
    (void)state;
    static const struct {
        enum crash_deed deed;
        int is_signal;
        int value;
        enum crash_class class;
    } cases[] = {
        {CRASH_DEED_NONE, EXITED, 0, CRASH_EXIT},
        {CRASH_DEED_NONE, EXITED, 3, CRASH_EXIT},
        {CRASH_DEED_NONE, SIGNALED, SIGSEGV, CRASH_SIGNAL},
        {CRASH_DEED_NONE, SIGNALED, SIGABRT, CRASH_SIGNAL},
        {CRASH_DEED_NONE, SIGNALED, SIGKILL, CRASH_SIGNAL},
        {CRASH_DEED_TOLD, EXITED, 0, CRASH_REQUESTED},
        {CRASH_DEED_TOLD, EXITED, 70, CRASH_EXIT},
        {CRASH_DEED_TOLD, SIGNALED, SIGSEGV, CRASH_SIGNAL},
        {CRASH_DEED_TOLD, SIGNALED, SIGKILL, CRASH_SIGNAL}, /* told, but not killed by us */
        {CRASH_DEED_STOPPED, EXITED, 0, CRASH_REQUESTED},
        {CRASH_DEED_STOPPED, SIGNALED, SIGKILL, CRASH_REQUESTED},
        {CRASH_DEED_STOPPED, SIGNALED, SIGABRT, CRASH_SIGNAL},
        {CRASH_DEED_HANG, SIGNALED, SIGABRT, CRASH_HANG},
        {CRASH_DEED_HANG, SIGNALED, SIGKILL, CRASH_HANG},
        {CRASH_DEED_HANG, SIGNALED, SIGBUS, CRASH_SIGNAL},
        {CRASH_DEED_HANG, EXITED, 0, CRASH_EXIT},
        {CRASH_DEED_BOOT_TIMEOUT, SIGNALED, SIGABRT, CRASH_BOOT_TIMEOUT},
        {CRASH_DEED_BOOT_TIMEOUT, SIGNALED, SIGKILL, CRASH_BOOT_TIMEOUT},
        {CRASH_DEED_SHUTDOWN_TIMEOUT, SIGNALED, SIGABRT, CRASH_SHUTDOWN_TIMEOUT},
        {CRASH_DEED_SHUTDOWN_TIMEOUT, SIGNALED, SIGKILL, CRASH_SHUTDOWN_TIMEOUT},
        {CRASH_DEED_SHUTDOWN_TIMEOUT, EXITED, 0, CRASH_REQUESTED}, /* just before the kill */
        {CRASH_DEED_SHUTDOWN_TIMEOUT, EXITED, 1, CRASH_EXIT},
        {CRASH_DEED_PROTOCOL, SIGNALED, SIGKILL, CRASH_PROTOCOL},
        {CRASH_DEED_PROTOCOL, SIGNALED, SIGABRT, CRASH_PROTOCOL},
        {CRASH_DEED_PROTOCOL, EXITED, 76, CRASH_EXIT},
        {CRASH_DEED_REFUSED, EXITED, 0, CRASH_BOOT},
        {CRASH_DEED_REFUSED, EXITED, 65, CRASH_BOOT},
        {CRASH_DEED_REFUSED, SIGNALED, SIGKILL, CRASH_BOOT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crash_facts facts = make(cases[i].is_signal, cases[i].value, cases[i].deed);
        assert_int_equal(crash_class_get(&facts), cases[i].class);
    }
}

static void a_foreign_kill_is_the_kernels_as_far_as_its_count_goes(void **state)
{
    (void)state;
    static const struct {
        bool is_counted;
        uint64_t oom_kills;
        unsigned unexplained;
        enum crash_class class;
    } cases[] = {
        {false, 0, 1, CRASH_SIGNAL}, /* nobody counts */
        {false, 1, 1, CRASH_SIGNAL},
        {true, 0, 1, CRASH_SIGNAL},
        {true, 1, 1, CRASH_OOM},
        {true, 2, 1, CRASH_OOM}, /* another process of the cgroup was killed as well */
        {true, 2, 2, CRASH_OOM},
        {true, 1, 2, CRASH_OOM_POSSIBLE},
        {true, 3, 4, CRASH_OOM_POSSIBLE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crash_facts facts = make(SIGNALED, SIGKILL, CRASH_DEED_NONE);
        facts.is_oom_counted = cases[i].is_counted;
        facts.oom_kills = cases[i].oom_kills;
        facts.unexplained = cases[i].unexplained;
        assert_int_equal(crash_class_get(&facts), cases[i].class);
        facts.state = CRASH_DRAINING;
        facts.deed = CRASH_DEED_TOLD;
        assert_int_equal(crash_class_get(&facts), cases[i].class);
    }
}

static void the_kernels_count_explains_nothing_else(void **state)
{
    (void)state;
    struct crash_facts facts = make(SIGNALED, SIGSEGV, CRASH_DEED_NONE);
    facts.is_oom_counted = true;
    facts.oom_kills = 5;
    facts.unexplained = 1;
    assert_int_equal(crash_class_get(&facts), CRASH_SIGNAL);
    facts.cause = (struct cause){true, SIGKILL};
    facts.deed = CRASH_DEED_HANG;
    assert_int_equal(crash_class_get(&facts), CRASH_HANG);
    facts.cause = (struct cause){false, 9};
    facts.deed = CRASH_DEED_NONE;
    assert_int_equal(crash_class_get(&facts), CRASH_EXIT);
}

static void only_a_sigkill_that_is_not_ours_is_unexplained(void **state)
{
    (void)state;
    for (int deed = 0; deed < CRASH_DEEDS; deed++) {
        struct crash_facts facts = make(SIGNALED, SIGKILL, (enum crash_deed)deed);
        bool is_foreign = deed == CRASH_DEED_NONE || deed == CRASH_DEED_TOLD;
        assert_int_equal(crash_class_is_unexplained(&facts), is_foreign);
        facts.cause.value = SIGTERM;
        assert_false(crash_class_is_unexplained(&facts));
        facts.cause = (struct cause){false, SIGKILL};
        assert_false(crash_class_is_unexplained(&facts));
        facts.cause = (struct cause){true, SIGKILL};
        facts.is_reaped = false;
        assert_false(crash_class_is_unexplained(&facts));
    }
}

static void dying_before_it_was_ready_is_a_class_of_its_own(void **state)
{
    (void)state;
    struct crash_facts facts = make(EXITED, 1, CRASH_DEED_NONE);
    facts.state = CRASH_BOOTING;
    assert_int_equal(crash_class_get(&facts), CRASH_BOOT);
    facts.cause = (struct cause){true, SIGSEGV};
    assert_int_equal(crash_class_get(&facts), CRASH_BOOT);
    facts.cause = (struct cause){true, SIGKILL};
    facts.is_oom_counted = true;
    facts.oom_kills = 1;
    facts.unexplained = 1;
    assert_int_equal(crash_class_get(&facts), CRASH_OOM); /* says more */
    facts.deed = CRASH_DEED_BOOT_TIMEOUT;
    assert_int_equal(crash_class_get(&facts), CRASH_BOOT_TIMEOUT);
    facts = make(EXITED, 1, CRASH_DEED_NONE);
    facts.state = CRASH_STANDBY; /* it had booted */
    assert_int_equal(crash_class_get(&facts), CRASH_EXIT);
}

static void without_a_status_it_is_lost(void **state)
{
    (void)state;
    struct crash_facts facts = {.deed = CRASH_DEED_HANG};
    assert_int_equal(crash_class_get(&facts), CRASH_LOST);
    char text[CRASH_CLASS_TEXT_MAX];
    crash_class_format(&facts, text);
    assert_string_equal(text, "gone; the system could not say how it ended");
}

static void every_verdict_has_its_words(void **state)
{
    (void)state;
    static const struct {
        struct crash_facts facts;
        const char *words;
    } cases[] = {
        {{true, {false, 3}, CRASH_DEED_NONE, CRASH_SERVING, true, 0, 0}, "exited with code 3"},
        {{true, {false, 0}, CRASH_DEED_NONE, CRASH_SERVING, true, 0, 0},
         "exited with code 0 without being asked to"},
        {{true, {false, 1}, CRASH_DEED_NONE, CRASH_BOOTING, true, 0, 0},
         "exited with code 1 before it was ready"},
        {{true, {true, 11}, CRASH_DEED_NONE, CRASH_SERVING, true, 0, 0},
         "killed by signal 11 (Segmentation fault)"},
        {{true, {true, 9}, CRASH_DEED_NONE, CRASH_SERVING, true, 1, 1},
         "killed by the kernel: out of memory (oom_kill of the cgroup rose by 1)"},
        {{true, {true, 9}, CRASH_DEED_NONE, CRASH_BOOTING, true, 1, 1},
         "killed by the kernel: out of memory (oom_kill of the cgroup rose by 1) before it was "
         "ready"},
        {{true, {true, 9}, CRASH_DEED_NONE, CRASH_SERVING, true, 1, 3},
         "killed by signal 9 (Killed), possibly by the kernel for lack of memory "
         "(oom_kill of the cgroup rose by 1, 3 workers died so at once)"},
        {{true, {true, 9}, CRASH_DEED_NONE, CRASH_SERVING, true, 0, 1},
         "killed by signal 9 (Killed), not by fsd; the cgroup counted no kill "
         "for lack of memory that explains it"},
        {{true, {true, 9}, CRASH_DEED_NONE, CRASH_SERVING, false, 0, 1},
         "killed by signal 9 (Killed), not by fsd; whether for lack of memory is unknown, "
         "no cgroup counts that"},
        {{true, {true, 6}, CRASH_DEED_HANG, CRASH_SERVING, true, 0, 0},
         "killed by fsd: it hung, its heartbeat had stopped"},
        {{true, {true, 9}, CRASH_DEED_BOOT_TIMEOUT, CRASH_BOOTING, true, 0, 0},
         "killed by fsd: it was not ready in time"},
        {{true, {true, 9}, CRASH_DEED_SHUTDOWN_TIMEOUT, CRASH_DRAINING, true, 0, 0},
         "killed by fsd: it did not leave in time"},
        {{true, {false, 0}, CRASH_DEED_TOLD, CRASH_DRAINING, true, 0, 0}, "left as it was told"},
        {{true, {true, 9}, CRASH_DEED_STOPPED, CRASH_SERVING, true, 0, 0},
         "killed by fsd, which was told to stop it"},
        {{true, {false, 65}, CRASH_DEED_REFUSED, CRASH_BOOTING, true, 0, 0},
         "could not load the code"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CRASH_CLASS_TEXT_MAX];
        crash_class_format(&cases[i].facts, text);
        assert_string_equal(text, cases[i].words);
    }
}

static void the_words_always_fit(void **state)
{
    (void)state;
    struct crash_facts facts = make(SIGNALED, SIGKILL, CRASH_DEED_NONE);
    facts.state = CRASH_BOOTING;
    facts.is_oom_counted = true;
    facts.oom_kills = UINT32_MAX - 1;
    facts.unexplained = UINT32_MAX;
    char text[CRASH_CLASS_TEXT_MAX];
    crash_class_format(&facts, text);
    assert_non_null(strstr(text, " before it was ready"));
}

static void the_names_are_those_of_the_interface(void **state)
{
    (void)state;
    assert_string_equal(crash_class_name(CRASH_EXIT), "exit");
    assert_string_equal(crash_class_name(CRASH_OOM_POSSIBLE), "oom_possible");
    assert_string_equal(crash_class_name(CRASH_SHUTDOWN_TIMEOUT), "shutdown_timeout");
    assert_string_equal(crash_class_name(CRASH_LOST), "lost");
    assert_string_equal(crash_class_state_name(CRASH_BOOTING), "booting");
    assert_string_equal(crash_class_state_name(CRASH_DRAINING), "draining");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fsd_did_explains_only_the_end_that_follows_from_it),
        cmocka_unit_test(a_foreign_kill_is_the_kernels_as_far_as_its_count_goes),
        cmocka_unit_test(the_kernels_count_explains_nothing_else),
        cmocka_unit_test(only_a_sigkill_that_is_not_ours_is_unexplained),
        cmocka_unit_test(dying_before_it_was_ready_is_a_class_of_its_own),
        cmocka_unit_test(without_a_status_it_is_lost),
        cmocka_unit_test(every_verdict_has_its_words),
        cmocka_unit_test(the_words_always_fit),
        cmocka_unit_test(the_names_are_those_of_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
