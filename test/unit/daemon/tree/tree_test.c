/* The supervision tree: which pools are started, stopped and held, and in which order. */
#include "test/unit/daemon/tree/tree_script.h"

static const struct script_case cases[] = {
    /* Root */
    {"the root starts all pools at once", "abc",
     "begin [start a; start b; start c] b.up a.up tree?between c.up [] tree?up", NULL},
    {"a pool that gives up at the root is held, and nobody else is touched", "ab",
     "begin [start a; start b] a.up b.up a.gave_up [] a?held b?up", NULL},
    {"the root never gives up", "a",
     "begin [start a] a.up a.gave_up [] a.up a.gave_up [] a.up a.gave_up [] a.up a.gave_up [] a.up "
     "a?up",
     NULL},
    {"a pool that never came up at the root is held", "ab",
     "begin [start a; start b] a.gave_up [] a?held b.up [] a.up [] tree?up", NULL},
    {"a probe that fails is no news", "a", "begin [start a] a.gave_up a.gave_up [] a?held", NULL},
    {"the root stops all pools at once, in reverse order", "abc",
     "begin [start a; start b; start c] a.up b.gave_up stop [stop c; stop b; stop a] b.down c.down "
     "tree?between a.down [] tree?down",
     NULL},
    {"a tree that is down may be started again", "ab",
     "begin [start a; start b] a.up b.up stop [stop b; stop a] a.down b.down [] begin [start a; "
     "start b] a.up b.up tree?up",
     NULL},
    {"a tree that was not started has nothing to stop", "a", "stop [] tree?down begin [start a]",
     NULL},

    /* Order */
    {"a supervisor starts its pools in order, each after the one before is up",
     "abc; S one_for_one 1/1000 abc",
     "begin [start a] [] a.up [start b] b.up [start c] c.up [] tree?up", NULL},
    {"a supervisor stops its pools in reverse order, one after another",
     "abc; S rest_for_one 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up stop [stop c] c.down [stop b] b.down "
     "[stop a] a.down [] tree?down",
     NULL},
    {"a child comes behind the sibling that it names in after",
     "abc; S rest_for_one 1/1000 abc; a>c",
     "begin [start b] b.up [start c] c.up [start a] a.up stop [stop a] a.down [stop c]", NULL},
    {"a child comes behind the sibling in which that is what it names",
     "abc; S one_for_one 1/1000 bc; T one_for_all 1/1000 aS; a>c",
     "begin [start b] b.up [start c] c.up [start a]", NULL},
    {"a supervisor is a child as any other",
     "abcd; S one_for_one 1/1000 bc; T rest_for_one 1/1000 aSd",
     "begin [start a] a.up [start b] b.up [start c] c.up [start d] d.up [] tree?up stop [stop d] "
     "d.down [stop c] c.down [stop b] "
     "b.down [stop a]",
     NULL},
    {"after at the root waits until the pool is up", "ab; a>b",
     "begin [start b] [] a?waiting b.up [start a] a.up [] tree?up", NULL},
    {"after waits for all pools of a supervisor", "abc; S one_for_one 1/1000 ab; c>S",
     "begin [start a] a.up [start b] [] c?waiting b.up [start c]", NULL},
    {"a supervisor waits for what it names, with all its pools",
     "abc; S one_for_one 1/1000 ab; S>c", "begin [start c] [] c.up [start a] a.up [start b]", NULL},
    {"after waits for a held pool until its probe succeeds", "ab; b>a",
     "begin [start a] a.gave_up [] b?waiting a.up [start b]", NULL},
    {"a pool that fails later stops nobody that named it in after", "ab; b>a",
     "begin [start a] a.up [start b] b.up a.gave_up [] b?up", NULL},
    {"at the end of the daemon what is named stops after those that named it", "abc; b>a; c>b",
     "begin [start a] a.up [start b] b.up [start c] c.up stop [stop c] c.down [stop b] b.down "
     "[stop a] a.down [] tree?down",
     NULL},
    {"what waits when the daemon ends needs no order", "ab; b>a",
     "begin [start a] stop [stop a] a.down [] tree?down b?down", NULL},
    {"one that waits keeps no one_for_one sibling waiting", "abc; S one_for_one 1/1000 ab; a>c",
     "begin [start c; start b] b.up [] a?waiting c.up [start a]", NULL},
    {"one that waits keeps a rest_for_one sibling waiting", "abc; S rest_for_one 1/1000 ab; a>c",
     "begin [start c] [] c.up [start a] a.up [start b]", NULL},
    {"after that could never come true is not obeyed: a supervisor that the pool is in",
     "ab; S rest_for_one 1/1000 ab; a>S", "begin [start a] a.up [start b]", NULL},
    {"after that could never come true is not obeyed: a circle across supervisors",
     "abcd; S rest_for_one 1/1000 ab; T rest_for_one 1/1000 cd; a>d; c>b",
     "begin [start c] c.up [start d] d.up [start a] a.up [start b] b.up tree?up stop [stop b] "
     "b.down [stop a] a.down [stop d] d.down [stop c]",
     NULL},
    {"after that could never come true is not obeyed: a circle of pools", "ab; a>b; b>a",
     "begin [start b] b.up [start a]", NULL},
    {"siblings that name each other are started as listed", "ab; S one_for_all 1/1000 ab; a>b; b>a",
     "begin [start a] a.up [start b]", NULL},

    /* Held pools below supervisors */
    {"one_for_one: a pool that gives up is held, its siblings stay",
     "abc; S one_for_one 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up b.gave_up [] b?held b.up [] tree?up",
     NULL},
    {"one_for_one: a pool that does not come up keeps nobody waiting",
     "abc; S one_for_one 1/1000 abc",
     "begin [start a] a.gave_up [start b] b.up [start c] c.up a.up [] tree?up", NULL},
    {"rest_for_one: those behind a held pool are stopped, and started when it is up again",
     "abcd; S rest_for_one 1/1000 abcd",
     "begin [start a] a.up [start b] b.up [start c] c.up [start d] d.up b.gave_up [stop d] d.down "
     "[stop c] c.down [] b?held a?up "
     "b.up [start c] c.up [start d] d.up [] tree?up",
     NULL},
    {"rest_for_one: a probe that succeeds while the others are still being stopped is enough",
     "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] a.up [] b.down [start b] b.up tree?up",
     NULL},
    {"one_for_all: all others are stopped, then started in order, and a held one is waited for in "
     "its place",
     "abc; S one_for_all 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up b.gave_up [stop c] c.down [stop a] a.down "
     "[start a] a.up [] b?held b.up "
     "[start c] c.up [] tree?up",
     NULL},
    {"one_for_all: a pool that fails although the others depend on it is probed first",
     "ab; S one_for_all 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] b.down [] a?held b?down a.up [start "
     "b]",
     NULL},
    {"a pool that does not come up keeps those behind it waiting, and stops nobody",
     "abc; S rest_for_one 0/1000 abc",
     "begin [start a] a.up [start b] b.gave_up [] a?up c?down b.up [start c]", NULL},
    {"a pool that does not come up again after it was stopped is held in its place",
     "abc; S rest_for_one 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up a.gave_up [stop c] c.down [stop b] b.down "
     "a.up [start b] b.gave_up [] c?down "
     "b.up [start c]",
     NULL},
    {"two pools that give up together are both held", "abc; S rest_for_one 2/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up a.gave_up b.gave_up [stop c] c.down [] "
     "a.up [] b?held b.up [start c]",
     NULL},
    {"a pool that gives up while it is being stopped is held when its turn comes",
     "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] b.gave_up b.down a.up [hold b] b.up "
     "[] tree?up",
     NULL},
    {"a pool that comes up while it is being stopped is stopped all the same",
     "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] a.gave_up [] b.up [stop b] b.up b.down a.up [start b]", NULL},
    {"a pool before the one that is waited for may fail meanwhile: it comes first",
     "abc; S rest_for_one 3/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up b.gave_up [stop c] c.down a.gave_up [stop "
     "b] b.down [] a?held a.up [hold b] b.up [start c] c.up tree?up",
     NULL},
    {"a held pool deep below keeps the one_for_one supervisors above from waiting",
     "abc; S rest_for_one 1/1000 ab; T one_for_one 1/1000 Sc",
     "begin [start a] a.gave_up [start c] c.up [] b?down a.up [start b]", NULL},
    {"a held pool deep below keeps others waiting",
     "abc; S one_for_one 1/1000 ab; T rest_for_one 1/1000 Sc",
     "begin [start a] a.gave_up [start b] b.up [start c]", NULL},
    {"a held pool below two supervisors keeps the strict ones waiting",
     "abc; S rest_for_one 1/1000 ab; T rest_for_one 1/1000 Sc",
     "begin [start a] a.gave_up [] a.up [start b] b.up [start c]", NULL},

    /* Supervisors that give up */
    {"a supervisor at the root that gives up is stopped, then its first pool is probed and the "
     "others follow",
     "abc; S one_for_one 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up b.gave_up [] b.up b.gave_up [stop c] "
     "c.down [stop a] a.down [stop b] b.down "
     "[hold a] a?held [] a.up [start b] b.up [start c] c.up [] tree?up",
     NULL},
    {"an intensity of 0 gives up at the first failure", "ab; S one_for_one 0/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] b.down [stop a] a.down [hold a]",
     NULL},
    {"failures long ago do not count", "a; S one_for_one 1/1000 a",
     "begin [start a] a.up @10 a.gave_up [] a.up @1011 a.gave_up [] a?held a.up @1500 a.gave_up "
     "[stop a] a.down [hold a]",
     NULL},
    {"a supervisor that gave up begins to count anew", "a; S one_for_one 1/1000 a",
     "begin [start a] a.up a.gave_up [] a.up a.gave_up [stop a] a.down [hold a] a.up a.gave_up [] "
     "a?held",
     NULL},
    {"the first pool of a supervisor that gave up may be in another supervisor",
     "abc; S one_for_one 1/1000 ab; T one_for_all 0/1000 Sc",
     "begin [start a] a.up [start b] b.up [start c] c.up c.gave_up [stop b] b.down [stop a] a.down "
     "[stop c] c.down [hold a] b?down a.up [start b] b.up [start c]",
     NULL},
    {"a supervisor that gives up is a child that failed: rest_for_one stops what comes behind it",
     "abc; S one_for_one 0/1000 ab; T rest_for_one 1/1000 Sc",
     "begin [start a] a.up [start b] b.up [start c] c.up a.gave_up [stop b] b.down [stop a] a.down "
     "[stop c] c.down [hold a] a.up [start b] b.up [start c] c.up [] tree?up",
     NULL},
    {"... one_for_one leaves the others alone",
     "abc; S one_for_one 0/1000 ab; T one_for_one 1/1000 Sc",
     "begin [start a] a.up [start b] b.up [start c] c.up a.gave_up [stop b] b.down [stop a] a.down "
     "[hold a] b?down c?up",
     NULL},
    {"failures of supervisors escalate further",
     "ab; S one_for_one 0/1000 a; T one_for_one 0/1000 Sb",
     "begin [start a] a.up [start b] b.up a.gave_up [stop a] a.down [stop b] b.down [hold a] a.up "
     "[start b] b.up tree?up",
     NULL},
    {"a supervisor on probation keeps no one_for_one sibling waiting",
     "abc; S one_for_one 0/1000 ab; T one_for_one 9/1000 Sc",
     "begin [start a] a.up [start b] b.up [start c] a.gave_up c.gave_up [stop b] b.down [stop a] "
     "a.down [hold a] c.up c.gave_up [] c?held",
     NULL},
    {"a probation ends with the first pool: the next one is held in its place",
     "ab; S one_for_one 0/1000 ab",
     "begin [start a] a.up [start b] b.up b.gave_up [stop a] a.down [stop b] b.down [hold a] a.up "
     "[start b] b.gave_up [] tree?between a?up b?held",
     NULL},
    {"a failure right after the probation costs another probe", "ab; S one_for_one 0/1000 ab",
     "begin [start a] a.up [start b] b.up b.gave_up [stop a] a.down [stop b] b.down [hold a] a.up "
     "[start b] b.up b.gave_up [stop a] a.down [stop b] b.down [hold a]",
     NULL},
    {"the first pool on probation may have to wait", "abc; S one_for_one 0/1000 ab; a>c",
     "begin [start c; start b] b.up c.up [start a] a.up c.gave_up [] b.gave_up [stop a] a.down "
     "[stop b] b.down [] a?waiting b?down c.up [hold a] a.up [start b]",
     NULL},
    {"a supervisor on probation that is stopped is probed when it starts again",
     "abc; S one_for_one 0/1000 ab; T rest_for_one 9/1000 cS",
     "begin [start c] c.up [start a] a.up [start b] b.up a.gave_up [stop b] b.down [stop a] a.down "
     "[hold a] c.gave_up [stop a] a.down c.up [hold a] a.up [start b]",
     NULL},
    {"a supervisor that gives up is started again although those behind it are waited for",
     "abc; S one_for_one 0/1000 ab; T rest_for_one 1/1000 Sc",
     "begin [start a] a.up [start b] b.up [start c] c.gave_up [] a.gave_up [stop b] b.down [stop "
     "a] a.down [stop c] c.down [hold a] a.up [start b] b.up [hold c]",
     NULL},
    {"a supervisor that gives up before it was up is held in its place",
     "abc; S rest_for_one 0/1000 ab; T one_for_all 0/1000 cS",
     "begin [start c] c.up [start a] a.up [start b] b.gave_up [] a.gave_up [stop b] b.down [stop "
     "a] a.down [hold a] c?up a.up [start b] b.up [] tree?up",
     NULL},
    {"others at the root are not touched by any of that",
     "abz; S one_for_one 0/1000 a; T one_for_one 0/1000 Sb",
     "begin [start z; start a] a.up [start b] b.up z.up a.gave_up [stop a] a.down [stop b] b.down "
     "[hold a] z?up",
     NULL},
    {"a supervisor that gives up while the daemon ends is not started again",
     "ab; S one_for_one 0/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] stop [stop a] b.down a.down [] "
     "tree?down",
     NULL},
    {"a held pool is stopped with its supervisor", "ab; S rest_for_one 5/1000 ab",
     "begin [start a] a.up [start b] b.up b.gave_up [] stop [stop b] b.down [stop a] a.down [] "
     "tree?down",
     NULL},
    {"a pool whose failure nobody has read of is stopped with its supervisor",
     "abc; S rest_for_one 5/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up b.gave_up [stop c] a.gave_up stop [stop "
     "b] c.down [stop a] b.down a.down [] tree?down",
     NULL},
    {"a supervisor that waits needs no order to end",
     "abc; S one_for_one 1/1000 ab; T rest_for_one 1/1000 S; S>c",
     "begin [start c] stop [stop c] c.down [] tree?down", NULL},
    {"a waiting supervisor is not begun after the tree was stopped",
     "abc; S one_for_one 1/1000 ab; S>c", "begin [start c] stop [stop c] c.up c.down [] tree?down",
     NULL},
    {"a supervisor is stopped by its sibling's failure, and started again",
     "abc; S rest_for_one 1/1000 bc; T rest_for_one 1/1000 aS",
     "begin [start a] a.up [start b] b.up [start c] c.up a.gave_up [stop c] c.down [stop b] b.down "
     "[] a.up [start b] b.up [start c]",
     NULL},
    {"a supervisor that waits is stopped by its sibling's failure",
     "abcd; S rest_for_one 1/1000 bc; T rest_for_one 1/1000 aS; S>d",
     "begin [start d; start a] d.gave_up a.up [] a.gave_up [] d.up a.up [start b] b.up [start c]",
     NULL},

    /* News that can't be */
    {"a pool that is down has no news", "ab; b>a",
     "begin b.up=no b.gave_up=no b.down=no [start a] b.up=no b.down=no", NULL},
    {"a pool goes down only when it was told to", "a",
     "begin [start a] a.down=no a.up a.down=no a.gave_up a.down=no []", NULL},

    /* Another configuration */
    {"pools that stay keep their state, new ones are started", "ab",
     "begin [start a; start b] a.up b.gave_up deploy [start c] a?up b?held c.up b.up [] tree?up",
     "abc"},
    {"pools that are gone are not touched", "ab",
     "begin [start a; start b] a.up b.up deploy [] tree?up a.gave_up [] a?held", "a"},
    {"a pool that starts goes on starting", "a",
     "begin [start a] deploy [start b] a?starting a.up b.up [] tree?up", "ab"},
    {"a supervisor finds its pools running", "abc; S rest_for_one 1/1000 abc",
     "begin [start a] a.up [start b] b.up [start c] c.up deploy [] tree?up b.gave_up [stop c]",
     "abc; S rest_for_one 2/1000 abc"},
    {"pools may get a supervisor", "abc",
     "begin [start a; start b; start c] a.up b.up c.up deploy [] b.gave_up [stop c] c.down [] b.up "
     "[start c]",
     "abc; S rest_for_one 2/1000 abc"},
    {"pools may lose their supervisor", "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] b.down deploy [start b] a?held", "ab"},
    {"a new pool is started in its place", "ac; S rest_for_one 1/1000 ac",
     "begin [start a] a.up [start c] c.up deploy [start b] c?up b.up [] tree?up",
     "abc; S rest_for_one 1/1000 abc"},
    {"what waits for a held pool goes on waiting", "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] b.down deploy [] b?down a.up [start "
     "b]",
     "ab; S rest_for_one 1/1000 ab"},
    {"what waited for others waits for what is said now", "abc; c>a",
     "begin [start a; start b] b.up deploy [start c] a?starting", "abc; c>b"},
    {"a pool that is being stopped is started when it is down", "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] a.up deploy [] b.down [start b]",
     "ab; S one_for_one 1/1000 ab"},
    {"supervisors remember their restarts", "a; S one_for_one 1/1000 a",
     "begin [start a] a.up a.gave_up [] a.up deploy [] a.gave_up [stop a] a.down [hold a]",
     "a; S one_for_one 1/1000 a"},
    {"supervisors with a higher intensity may fail more often", "a; S one_for_one 1/1000 a",
     "begin [start a] a.up a.gave_up [] a.up deploy [] a.gave_up [] a.up a.gave_up [stop a]",
     "a; S one_for_one 2/1000 a"},
    {"a tree that was not started is not started by another configuration", "a",
     "deploy [] begin [start a; start b]", "ab"},
    {"pools that run although their supervisor still waits are stopped at the end", "ab",
     "begin [start a; start b] a.up b.up deploy [start c] stop [stop b; stop a] a.down b.down "
     "[stop c] c.down [] tree?down",
     "abc; S rest_for_one 1/1000 ab; S>c"},
    {"the daemon may end before another configuration was gone through", "ab",
     "begin [start a; start b] a.up b.up deploy stop [stop b; stop a] a.down b.down [] tree?down",
     "ab; S rest_for_one 1/1000 ab; T rest_for_one 1/1000 S"},
    {"the daemon may end while a pool of the old configuration is being stopped",
     "ab; S rest_for_one 1/1000 ab",
     "begin [start a] a.up [start b] b.up a.gave_up [stop b] a.up deploy [] stop [] b.down [stop "
     "a] a.down [] tree?down",
     "ab; S one_for_one 1/1000 ab"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void play(void **state)
{
    struct script script;
    script_set_up(&script, *state);
    script_go(&script, script.test->script);
    tree_free(script.tree);
}

int main(void)
{
    struct script_case copies[CASES]; /* a test's state is not const */
    memcpy(copies, cases, sizeof(cases));
    struct CMUnitTest tests[CASES];
    for (size_t i = 0; i < CASES; i++) {
        tests[i] = (struct CMUnitTest){
            .name = copies[i].rule, .test_func = play, .initial_state = &copies[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
