#include "worker/actor/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct rule {
    enum signal_kind kind;
    const char *reason;
    enum signal_action plain;
    enum signal_action trapping;
} rules[] = {
    /* exit(P, normal) from another one is ignored unless trapping */
    {SIGNAL_EXIT, "normal", SIGNAL_IGNORE, SIGNAL_DELIVER},
    /* exit(P, kill) can't be trapped, and links see `killed` */
    {SIGNAL_EXIT, "kill", SIGNAL_KILL, SIGNAL_KILL},
    {SIGNAL_EXIT, "shutdown", SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_EXIT, NULL, SIGNAL_END, SIGNAL_DELIVER},
    /* exit(self(), normal) ends the actor itself */
    {SIGNAL_SELF, "normal", SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_SELF, "kill", SIGNAL_KILL, SIGNAL_KILL},
    {SIGNAL_SELF, "killed", SIGNAL_END, SIGNAL_DELIVER},
    /* a linked actor that ended well does no harm */
    {SIGNAL_LINK, "normal", SIGNAL_IGNORE, SIGNAL_DELIVER},
    /* one that ended itself with `kill` is like any other: that is not a signal somebody sent */
    {SIGNAL_LINK, "kill", SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_LINK, "killed", SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_LINK, "noconnection", SIGNAL_END, SIGNAL_DELIVER},
    {SIGNAL_LINK, "", SIGNAL_END, SIGNAL_DELIVER},
};

static void each_signal_does_what_otp_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        enum signal_reason reason = signal_classify(rule->reason);
        assert_int_equal(signal_decide(rule->kind, reason, false), rule->plain);
        assert_int_equal(signal_decide(rule->kind, reason, true), rule->trapping);
    }
}

static void only_a_sent_kill_goes_past_a_trap(void **state)
{
    (void)state;
    for (int kind = 0; kind < SIGNAL_KIND_COUNT; kind++) {
        for (int reason = 0; reason < SIGNAL_REASON_COUNT; reason++) {
            bool is_sent_kill = reason == SIGNAL_REASON_KILL && kind != SIGNAL_LINK;
            enum signal_action action =
                signal_decide((enum signal_kind)kind, (enum signal_reason)reason, true);
            assert_int_equal(action, is_sent_kill ? SIGNAL_KILL : SIGNAL_DELIVER);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_does_what_otp_says),
        cmocka_unit_test(only_a_sent_kill_goes_past_a_trap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
