/* OTP's supervisor rules, one case each; and what a supervisor must hold in random lives is in supervise_random_test.c. */
#include "test/unit/common/supervise_script.h"

static const struct script_case cases[] = {
    /* Start */
    {"children are started in order, each after the one before has started",
     "one_for_one 1/5000: a b c", "begin [start a] a.up [start b] b.up [start c] c.up [ready]"},
    {"the start order is the same for every strategy", "rest_for_one 1/5000: c a b",
     "begin [start c] c.up [start a] a.up [start b] b.up [ready]"},
    {"a supervisor without children has started at once",
     "one_for_all 1/5000:", "begin [ready] 0/0/0"},
    {"a child that fails in the first start ends those before it in reverse order, and the "
     "supervisor",
     "one_for_one 1/5000: a b c d",
     "begin [start a] a.up [start b] b.up [start c] c.failed [stop b 5000] b.shutdown [stop a "
     "5000] a.shutdown [end start_failed]"},
    {"a child that exits before it has started has failed to start", "one_for_one 1/5000: a b",
     "begin [start a] a.up [start b] b.normal [stop a 5000] a.shutdown [end start_failed]"},
    {"the first start is not tried again, whatever the intensity", "one_for_one 8/5000: a",
     "begin [start a] a.failed [end start_failed]"},
    {"a temporary child that fails in the first start fails the supervisor, too",
     "one_for_one 1/5000: a b:temporary",
     "begin [start a] a.up [start b] b.failed [stop a 5000] a.shutdown [end start_failed]"},
    {"a child that ignores its start is skipped and its specification kept",
     "one_for_one 1/5000: a b c",
     "begin [start a] a.up [start b] b.ignored [start c] c.up [ready] b?idle 2/3/0"},
    {"a temporary child that ignores its start is forgotten", "one_for_one 1/5000: a:temporary b",
     "begin [start a] a.ignored [forget a; start b] b.up [ready] a?absent 1/1/0"},
    {"a child that dies during the first start is restarted after it", "one_for_one 1/5000: a b",
     "begin [start a] a.up [start b] a.crash [] b.up [ready; start a] a.up []"},

    /* Restart types */
    {"a permanent child is restarted when it ends normally", "one_for_one 1/5000: a",
     "run a.normal [start a] a.up []"},
    {"a permanent child is restarted when it ends with shutdown", "one_for_one 1/5000: a",
     "run a.shutdown [start a] a.up []"},
    {"a permanent child is restarted when it ends abnormally", "one_for_one 1/5000: a",
     "run a.crash [start a] a.up []"},
    {"a transient child is restarted when it ends abnormally", "one_for_one 1/5000: a:transient",
     "run a.crash [start a] a.up []"},
    {"a transient child that ends normally is not restarted, and its specification kept",
     "one_for_one 1/5000: a:transient", "run a.normal [] a?idle 0/1/0"},
    {"a transient child that ends with shutdown is not restarted",
     "one_for_one 1/5000: a:transient", "run a.shutdown [] a?idle"},
    {"a temporary child that ends abnormally is not restarted but forgotten",
     "one_for_one 1/5000: a:temporary b", "run a.crash [forget a] a?absent 1/1/0"},
    {"a temporary child that ends normally is forgotten", "one_for_one 1/5000: a:temporary",
     "run a.normal [forget a] 0/0/0"},
    {"the end of a temporary child is no restart", "one_for_one 0/5000: a:temporary b",
     "run a.crash [forget a] b?running"},
    {"the end of a child that is not restarted leaves its siblings alone",
     "one_for_all 1/5000: a b:transient c", "run b.normal [] a?running c?running"},

    /* Strategies */
    {"one_for_one restarts the child that ended, and no other", "one_for_one 1/5000: a b c",
     "run b.crash [start b] b.up [] 3/3/0"},
    {"one_for_all ends the others in reverse order, then starts all in order",
     "one_for_all 1/5000: a b c",
     "run b.crash [stop c 5000] c.shutdown [stop a 5000] a.shutdown [start a] a.up [start b] b.up "
     "[start c] c.up []"},
    {"rest_for_one ends those started later in reverse order, then starts from the failed one",
     "rest_for_one 1/5000: a b c d",
     "run b.crash [stop d 5000] d.shutdown [stop c 5000] c.shutdown [start b] b.up [start c] c.up "
     "[start d] d.up [] a?running"},
    {"rest_for_one restarts only the last child when that one ends", "rest_for_one 1/5000: a b",
     "run b.crash [start b] b.up []"},
    {"rest_for_one restarts all when the first one ends", "rest_for_one 1/5000: a b",
     "run a.crash [stop b 5000] b.shutdown [start a] a.up [start b] b.up []"},
    {"one_for_all ends temporary siblings and does not restart them",
     "one_for_all 1/5000: a b:temporary c",
     "run c.crash [stop b 5000] b.shutdown [forget b; stop a 5000] a.shutdown [start a] a.up "
     "[start c] c.up [] b?absent 2/2/0"},
    {"rest_for_one ends later temporary siblings and does not restart them",
     "rest_for_one 1/5000: a b:temporary",
     "run a.crash [stop b 5000] b.shutdown [forget b; start a] a.up [] 1/1/0"},
    {"rest_for_one leaves earlier temporary siblings alone", "rest_for_one 1/5000: a:temporary b",
     "run b.crash [start b] b.up [] a?running"},
    {"one_for_all also starts a transient child that had ended normally",
     "one_for_all 1/5000: a b:transient",
     "run b.normal [] a.crash [start a] a.up [start b] b.up []"},
    {"one_for_all also starts a child that had been terminated", "one_for_all 1/5000: a b",
     "run terminate.b [stop b 5000] b.shutdown [] a.crash [start a] a.up [start b] b.up []"},
    {"rest_for_one also starts a later child that had ignored its start",
     "rest_for_one 1/5000: a b",
     "begin [start a] a.up [start b] b.ignored [ready] a.crash [start a] a.up [start b] b.up []"},
    {"a restart of several counts as one", "one_for_all 1/5000: a b c",
     "run a.crash [stop c 5000] c.shutdown [stop b 5000] b.shutdown [start a] a.up [start b] b.up "
     "[start c] c.up [] @6000 "
     "a.crash [stop c 5000] c.shutdown [stop b 5000]"},
    {"children that end while they wait to be ended are not looked at again",
     "one_for_all 1/5000: a b c",
     "run a.crash b.crash [stop c 5000] c.shutdown [start a] a.up [start b] b.up [start c] c.up "
     "[]"},
    {"a child that is ended may end as it likes", "one_for_all 1/5000: a b",
     "run a.crash [stop b 5000] b.crash [start a] a.up [start b] b.up []"},
    {"a child outside of a restart that dies meanwhile is dealt with after it",
     "rest_for_one 2/5000: a b c",
     "run b.crash [stop c 5000] a.crash [] c.shutdown [start b] b.up [start c] c.up [stop c 5000] "
     "c.shutdown [stop b 5000] "
     "b.shutdown [start a] a.up [start b] b.up [start c] c.up []"},
    {"children are restarted in the order of their ends", "one_for_one 3/5000: a b c",
     "run c.crash a.crash b.crash [start c] c.up [start a] a.up [start b] b.up []"},
    {"a child that dies again while another is restarted waits its turn", "one_for_one 3/5000: a b",
     "run a.crash b.crash [start a] a.up [start b] a.crash [] b.up [start a] a.up []"},

    /* Intensity */
    {"restarts up to the intensity are allowed", "one_for_one 2/5000: a",
     "run a.crash [start a] a.up [] a.crash [start a] a.up []"},
    {"one restart more than the intensity ends all children in reverse order, and the supervisor",
     "one_for_one 1/5000: a b c",
     "run b.crash [start b] b.up [] b.crash [stop c 5000] c.shutdown [stop a 5000] a.shutdown [end "
     "intensity]"},
    {"an intensity of 0 allows no restart", "one_for_one 0/5000: a b",
     "run a.crash [stop b 5000] b.shutdown [end intensity]"},
    {"restarts of different children count together", "one_for_one 1/5000: a b",
     "run a.crash [start a] a.up b.crash [stop a 5000] a.shutdown [end intensity]"},
    {"restarts before the period do not count", "one_for_one 1/5000: a",
     "run @1000 a.crash [start a] a.up [] @6001 a.crash [start a] a.up []"},
    {"a restart exactly one period ago still counts", "one_for_one 1/5000: a",
     "run @1000 a.crash [start a] a.up [] @6000 a.crash [end intensity]"},
    {"the period slides", "one_for_one 2/1000: a",
     "run a.crash [start a] a.up @900 a.crash [start a] a.up @1100 a.crash [start a] a.up [] @1500 "
     "a.crash [end intensity]"},
    {"a restart that fails is tried again, and each try counts", "one_for_one 2/5000: a b",
     "run a.crash [start a] a.failed [retry a] [start a] a.failed [retry a] [stop b 5000] "
     "b.shutdown [end intensity]"},
    {"a restart that succeeds at the second try is done", "one_for_one 2/5000: a",
     "run a.crash [start a] a.failed [retry a] [start a] a.up [] a?running"},
    {"a transient child that can't be restarted is tried again", "one_for_one 2/5000: a:transient",
     "run a.crash [start a] a.normal [retry a] a?retrying [start a] a.up []"},
    {"a child that waits for its next try lets others go first", "one_for_one 3/5000: a b",
     "run a.crash [start a] b.crash a.failed [retry a] [start b] a?retrying b.up [start a] a.up "
     "[]"},
    {"a restarted child that ignores its start stays idle", "one_for_one 1/5000: a",
     "run a.crash [start a] a.ignored [] a?idle 0/1/0"},
    {"one_for_all: a try that fails leaves the others started; the next one ends them first",
     "one_for_all 2/5000: a b c",
     "run a.crash [stop c 5000] c.shutdown [stop b 5000] b.shutdown [start a] a.up [start b] "
     "b.failed [retry b] a?running "
     "[stop a 5000] a.shutdown [start a] a.up [start b] b.up [start c] c.up []"},
    {"rest_for_one: the next try begins with the child that failed", "rest_for_one 2/5000: a b c",
     "run a.crash [stop c 5000] c.shutdown [stop b 5000] b.shutdown [start a] a.up [start b] "
     "b.failed [retry b] [start b] b.up "
     "[start c] c.up [] a?running"},
    {"tries of one_for_all count, too", "one_for_all 1/5000: a b",
     "run a.crash [stop b 5000] b.shutdown [start a] a.failed [retry a] [end intensity]"},
    {"the end by intensity also ends a sibling that waits for its next try",
     "one_for_one 2/5000: a b",
     "run a.crash [start a] b.crash a.failed [retry a] [start b] b.failed [retry b] [end "
     "intensity]"},

    /* Shutdown */
    {"a supervisor that is told to stop ends its children in reverse order, one after another",
     "one_for_one 1/5000: a b c",
     "run stop [stop c 5000] c.shutdown [stop b 5000] b.shutdown [stop a 5000] a.shutdown [end "
     "told]"},
    {"a child that does not end in time is killed, and waited for", "one_for_one 1/5000: a b:300",
     "run @1000 stop [stop b 300] @1299 [] @1300 [kill b] @9000 [] b.crash [stop a 5000] "
     "a.shutdown [end told]"},
    {"brutal_kill kills at once", "one_for_one 1/5000: a:kill b",
     "run stop [stop b 5000] b.shutdown [kill a] @9000 [] a.crash [end told]"},
    {"infinity waits for ever", "one_for_one 1/5000: a:supervisor,infinity",
     "run stop [stop a infinity] @99999999999 [] a.shutdown [end told]"},
    {"the time of a child begins with its own order", "one_for_one 1/5000: a:200 b:300",
     "run stop [stop b 300] @300 [kill b] b.crash [stop a 200] @499 [] @500 [kill a] a.crash [end "
     "told]"},
    {"children that are not running need no order to end", "one_for_one 1/5000: a b:transient c",
     "run b.normal [] stop [stop c 5000] c.shutdown [stop a 5000] a.shutdown [end told]"},
    {"siblings of a restart are given their own times to end", "one_for_all 1/5000: a b:kill c:100",
     "run a.crash [stop c 100] @100 [kill c] c.crash [kill b] b.crash [start a] a.up [start b] "
     "b.up [start c] c.up []"},
    {"an order to stop ends a restart that is under way", "rest_for_one 1/5000: a b c",
     "run b.crash [stop c 5000] stop [] c.shutdown [stop a 5000] a.shutdown [end told]"},
    {"an order to stop does not wait for a start", "one_for_one 1/5000: a b c",
     "begin [start a] a.up [start b] stop [stop b 5000] b.up [] b.shutdown [stop a 5000] "
     "a.shutdown [end told]"},
    {"a start that fails after the order to stop is an end", "one_for_one 1/5000: a",
     "begin [start a] stop [stop a 5000] a.failed [end told]"},
    {"a start that is ignored after the order to stop is an end", "one_for_one 1/5000: a:kill",
     "begin [start a] stop [kill a] a.ignored [end told]"},
    {"an order to stop ends the wait for the next try", "one_for_one 5/5000: a b",
     "run a.crash [start a] a.failed [retry a] stop [stop b 5000] b.shutdown [end told]"},
    {"an order to stop before the start ends the supervisor at once", "one_for_one 1/5000: a",
     "stop [end told]"},
    {"a second order to stop changes nothing", "one_for_one 1/5000: a",
     "run stop [stop a 5000] stop [] a.shutdown [end told] stop []"},
    {"the reason of the end is the first one", "one_for_one 0/5000: a b",
     "run a.crash [stop b 5000] stop [] b.shutdown [end intensity]"},

    /* Supervisors as children */
    {"a permanent supervisor that gave up (shutdown) is restarted",
     "one_for_one 1/5000: a:supervisor,infinity", "run a.shutdown [start a] a.up [] 1/0/1"},
    {"a transient supervisor that gave up (shutdown) is not restarted",
     "one_for_one 1/5000: a:supervisor,infinity,transient", "run a.shutdown [] a?idle 0/0/1"},
    {"a supervisor whose first start failed has failed to start",
     "one_for_one 2/5000: a:supervisor,infinity",
     "run a.shutdown [start a] a.failed [retry a] [start a] a.up []"},

    /* Significant children */
    {"any_significant: a significant transient child that ends normally ends the supervisor",
     "one_for_one 1/5000 any_significant: a b:transient,significant c",
     "run b.normal [stop c 5000] c.shutdown [stop a 5000] a.shutdown [end auto_shutdown]"},
    {"any_significant: a significant transient child that ends abnormally is restarted",
     "one_for_one 1/5000 any_significant: a:transient,significant",
     "run a.crash [start a] a.up []"},
    {"any_significant: a significant temporary child ends the supervisor even abnormally",
     "one_for_one 1/5000 any_significant: a b:temporary,significant",
     "run b.crash [forget b; stop a 5000] a.shutdown [end auto_shutdown]"},
    {"any_significant: other children don't matter",
     "one_for_one 1/5000 any_significant: a:transient b:transient,significant",
     "run a.normal [] b?running"},
    {"all_significant: the last significant child that ends ends the supervisor",
     "one_for_one 1/5000 all_significant: a b:transient,significant c:temporary,significant",
     "run b.normal [] c.normal [forget c; stop a 5000] a.shutdown [end auto_shutdown]"},
    {"all_significant: one that was terminated does not count as ended, nor as running",
     "one_for_one 1/5000 all_significant: a:transient,significant b:transient,significant",
     "run terminate.a [stop a 5000] a.shutdown [] b.normal [end auto_shutdown]"},
    {"all_significant: one that waits for its next try still counts",
     "one_for_one 5/5000 all_significant: a:transient,significant b:transient,significant",
     "run a.crash [start a] b.normal a.failed [retry a] [start a] a.up [] b?idle"},
    {"a significant child that is terminated ends nobody",
     "one_for_one 1/5000 any_significant: a b:temporary,significant",
     "run terminate.b [stop b 5000] b.shutdown [forget b] a?running"},
    {"a significant child that its siblings' restart ends ends nobody",
     "one_for_all 1/5000 any_significant: a b:transient,significant",
     "run a.crash [stop b 5000] b.normal [start a] a.up [start b] b.up []"},
    {"a significant child must not be permanent", "one_for_one 1/5000 any_significant: a",
     "run new.b:significant=invalid b?absent"},
    {"auto_shutdown never has no significant children", "one_for_one 1/5000: a",
     "run new.b:transient,significant=invalid"},

    /* Requests */
    {"start_child adds a child behind the others", "rest_for_one 1/5000: a b",
     "run new.c [start c] c.up [] b.crash [stop c 5000] c.shutdown [start b] b.up [start c] c.up "
     "[]"},
    {"start_child that fails forgets the specification, and is no restart", "one_for_one 0/5000: a",
     "run new.b [start b] b.failed [forget b] b?absent a?running"},
    {"start_child that is ignored keeps the specification", "one_for_one 1/5000: a",
     "run new.b [start b] b.ignored [] b?idle"},
    {"start_child of a temporary child that is ignored keeps nothing", "one_for_one 1/5000: a",
     "run new.b:temporary [start b] b.ignored [forget b]"},
    {"start_child of a child that runs says already_started", "one_for_one 1/5000: a",
     "run new.a=running"},
    {"start_child of a child that does not run says already_present",
     "one_for_one 1/5000: a:transient", "run a.normal [] new.a=already_present"},
    {"start_child of a child that is about to be restarted says already_present",
     "one_for_one 5/5000: a",
     "run a.crash [start a] a.failed [retry a] new.a=already_present [start a] a.up []"},
    {"terminate_child ends a child and keeps its specification, without a restart",
     "one_for_one 0/5000: a", "run terminate.a [stop a 5000] a.crash [] a?idle 0/1/0"},
    {"terminate_child forgets a temporary child", "one_for_one 1/5000: a:temporary",
     "run terminate.a [stop a 5000] a.shutdown [forget a]"},
    {"terminate_child kills after the shutdown time", "one_for_one 1/5000: a:100",
     "run terminate.a [stop a 100] @100 [kill a] a.crash [] a?idle"},
    {"terminate_child ends the wait for the next try", "one_for_one 5/5000: a",
     "run a.crash [start a] a.failed [retry a] terminate.a [] a?idle"},
    {"terminate_child of a child that does not run is fine", "one_for_one 1/5000: a",
     "run terminate.a [stop a 5000] a.shutdown [] terminate.a []"},
    {"terminate_child of a child that died unnoticed leaves no restart behind",
     "one_for_one 1/5000: a", "run a.crash terminate.a [] a?idle"},
    {"terminate_child of an unknown child says not_found", "one_for_one 1/5000: a",
     "run terminate.b=not_found"},
    {"terminate_child in rest_for_one leaves later siblings alone", "rest_for_one 1/5000: a b",
     "run terminate.a [stop a 5000] a.shutdown [] b?running"},
    {"an order to stop lets terminate_child finish first", "one_for_one 1/5000: a:100 b",
     "run terminate.a [stop a 100] stop [] @100 [kill a] a.crash [stop b 5000] b.shutdown [end "
     "told]"},
    {"restart_child starts a terminated child", "one_for_one 0/5000: a",
     "run terminate.a [stop a 5000] a.shutdown [] restart.a [start a] a.up []"},
    {"restart_child that fails leaves the child idle, and is no restart",
     "one_for_one 0/5000: a:transient", "run a.normal [] restart.a [start a] a.failed [] a?idle"},
    {"restart_child that is ignored leaves the child idle", "one_for_one 0/5000: a:transient",
     "run a.normal [] restart.a [start a] a.ignored [] a?idle"},
    {"restart_child of a child that runs says running", "one_for_one 1/5000: a",
     "run restart.a=running"},
    {"restart_child of a child that is about to be restarted says restarting",
     "one_for_one 5/5000: a",
     "run a.crash [start a] a.failed [retry a] restart.a=restarting delete.a=restarting [start a]"},
    {"restart_child of an unknown child says not_found", "one_for_one 1/5000: a:temporary",
     "run a.normal [forget a] restart.a=not_found"},
    {"delete_child forgets a child that does not run", "one_for_one 1/5000: a b",
     "run terminate.a [stop a 5000] a.shutdown [] delete.a [] a?absent 1/1/0"},
    {"delete_child of a child that runs says running", "one_for_one 1/5000: a",
     "run delete.a=running"},
    {"delete_child of an unknown child says not_found", "one_for_one 1/5000: a",
     "run delete.b=not_found"},
    {"a child that is being ended is active until it has ended", "one_for_one 1/5000: a b:100",
     "run terminate.b [stop b 100] 2/2/0 @100 [kill b] 2/2/0 b.crash [] 1/2/0"},
    {"a supervisor that is about to end takes no requests", "one_for_one 1/5000: a",
     "run stop terminate.a=ending"
     " [stop a 5000] a.shutdown [end told]"},
    {"a deleted child may be added again, at the end", "one_for_all 1/5000: a b",
     "run terminate.a [stop a 5000] a.shutdown [] delete.a new.a [start a] a.up [] b.crash [stop a "
     "5000] a.shutdown [start b] b.up [start a] a.up []"},
    {"requests wait until the supervisor has finished what it is at", "one_for_one 1/5000: a b",
     "begin [start a] new.c=later terminate.a=later restart.a=later delete.a=later a.up [start b] "
     "b.up [ready] terminate.a [stop a 5000] terminate.b=later"},
    {"a supervisor that ends takes no requests", "one_for_one 1/5000: a b",
     "run stop terminate.a=ending [stop b 5000] new.c=ending restart.a=ending delete.a=ending "
     "b.shutdown [stop a 5000] a.shutdown [end told] new.c=ending"},
    {"there may be no more children than there is memory for", "one_for_one 1/5000: a",
     "run new.#=no_room"},

    /* Beyond OTP: starts that take long */
    {"a delayed start is waited for", "rest_for_one 1/5000: a b c",
     "begin [start a] a.up [start b] b.delayed [] b.up [start c] c.up [ready]"},
    {"rest_for_one: a failure before a delayed start is dealt with first",
     "rest_for_one 2/5000: a b c",
     "begin [start a] a.up [start b] b.delayed a.crash [stop b 5000] b.shutdown [start a] a.up "
     "[start b] b.delayed [] b.up [start c] c.up [ready]"},
    {"one_for_all: a failure before a delayed start is dealt with first",
     "one_for_all 2/5000: a b c d",
     "run b.crash [stop d 5000] d.shutdown [stop c 5000] c.shutdown [stop a 5000] a.shutdown "
     "[start a] a.up [start b] b.up [start c] "
     "a.crash [] c.delayed [stop c 5000] c.delayed [] c.shutdown [stop b 5000] b.shutdown [start "
     "a] a.up [start b] b.up [start c] c.up [start d] d.up []"},
    {"one_for_one: a delayed start keeps failures waiting", "one_for_one 2/5000: a b c",
     "begin [start a] a.up [start b] b.delayed a.crash [] b.up [start c] c.up [ready; start a]"},
    {"a child that ends as it may does not disturb a delayed start",
     "rest_for_one 0/5000: a:transient b c:kill",
     "begin [start a] a.up [start b] b.delayed a.normal [] b.up [start c] c.delayed stop [kill c] "
     "c.delayed [] c.failed [stop b 5000]"},
    {"one restart too many ends a delayed start", "rest_for_one 0/5000: a b",
     "begin [start a] a.up [start b] b.delayed a.crash [stop b 5000] b.shutdown [end intensity]"},
    {"a delayed start may fail as any other", "rest_for_one 1/5000: a b",
     "begin [start a] a.up [start b] b.delayed b.failed [stop a 5000] a.shutdown [end "
     "start_failed]"},

    /* simple_one_for_one */
    {"simple: children come by start_child", "one_for_one 1/5000 simple:",
     "begin [ready] new.a [start a] a.up [] new.b [start b] b.up [] 2/2/0"},
    {"simple: a child that ends is restarted by its type", "one_for_one 1/5000 simple:",
     "run new.a:transient [start a] a.up [] a.crash [start a] a.up []"},
    {"simple: a child that is not restarted is forgotten, also a transient one",
     "one_for_one 1/5000 simple:", "run new.a:transient [start a] a.up [] a.normal [forget a]"},
    {"simple: a child that ignores its start is not added",
     "one_for_one 1/5000 simple:", "run new.a [start a] a.ignored [forget a]"},
    {"simple: terminate_child forgets the child", "one_for_one 1/5000 simple:",
     "run new.a [start a] a.up [] terminate.a [stop a 5000] a.shutdown [forget a]"},
    {"simple: restart_child and delete_child are invalid",
     "one_for_one 1/5000 simple:", "run new.a [start a] a.up [] restart.a=simple delete.a=simple"},
    {"simple: all children are ended at once, and killed at once", "one_for_one 1/5000 simple:",
     "run new.a [start a] a.up [] new.b [start b] b.up [] new.c [start c] c.up [] stop [stop c "
     "5000; stop b 5000; stop a 5000] "
     "b.shutdown [] @4999 [] @5000 [kill c; kill a] c.crash [] a.crash [end told]"},
    {"simple: brutal_kill kills all at once", "one_for_one 1/5000 simple:",
     "run new.a:kill [start a] a.up [] new.b:kill [start b] b.up [] stop [kill b; kill a] a.crash "
     "b.crash [end told]"},
    {"simple: one restart too many ends all", "one_for_one 1/5000 simple:",
     "run new.a [start a] a.up [] new.b [start b] b.up [] b.crash [start b] b.up [] b.crash "
     "[forget b; stop a 5000] a.shutdown [end intensity]"},
    {"simple: a child that waits for its next try needs no order to end",
     "one_for_one 5/5000 simple:",
     "run new.a [start a] a.up [] a.crash [start a] a.failed [retry a] stop [end told]"},
    {"simple: a child that is terminated already is waited for", "one_for_one 5/5000 simple:",
     "run new.a [start a] a.up [] new.b:100 [start b] b.up [] terminate.b [stop b 100] stop [] "
     "@100 [kill b] b.crash [forget b; stop a 5000] a.up [] a.shutdown [end told]"},
    {"simple: all_significant counts those that are left",
     "one_for_one 1/5000 simple all_significant:",
     "run new.a:temporary,significant [start a] a.up [] new.b:temporary,significant [start b] b.up "
     "[] a.crash [forget a] b.normal [forget b; end auto_shutdown]"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };
_Static_assert(CASES >= 60, "OTP has more rules than that");

static void a_specification_that_breaks_the_rules_is_refused(void **state)
{
    (void)state;
    struct supervise_child children[2] = {0};
    struct supervise supervise;
    struct supervise_flags flags = {.intensity = 0, .period_ms = 1};
    struct supervise_spec spec = {.restart = SUPERVISE_TRANSIENT};
    supervise_init(&supervise, &flags, children, 2, NULL);
    assert_int_equal(supervise_add(&supervise, 1, &spec), 0);
    assert_int_equal(supervise_add(&supervise, 1, &spec), -EEXIST);
    assert_int_equal(supervise_add(&supervise, 2, &spec), -ERANGE);
    spec.is_significant = true;
    assert_int_equal(supervise_add(&supervise, 0, &spec), -EINVAL);
    spec.is_significant = false;
    supervise_start(&supervise);
    assert_int_equal(supervise_add(&supervise, 0, &spec), -EBUSY);
    flags.is_simple = true;
    supervise_init(&supervise, &flags, children, 2, NULL);
    assert_int_equal(supervise_add(&supervise, 0, &spec), -EBUSY);
}

static void news_that_can_not_be_are_refused(void **state)
{
    (void)state;
    struct supervise_child children[1] = {0};
    struct supervise supervise;
    const struct supervise_flags flags = {.intensity = 0, .period_ms = 1};
    const struct supervise_spec spec = {0};
    supervise_init(&supervise, &flags, children, 1, NULL);
    assert_int_equal(supervise_on_started(&supervise, 0), -EPROTO);
    assert_int_equal(supervise_add(&supervise, 0, &spec), 0);
    assert_int_equal(supervise_on_failed(&supervise, 0), -EPROTO);
    assert_int_equal(supervise_on_ignored(&supervise, 0), -EPROTO);
    assert_int_equal(supervise_on_exited(&supervise, 0, SUPERVISE_NORMAL), -EPROTO);
    assert_int_equal(supervise_on_exited(&supervise, 1, SUPERVISE_NORMAL), -EPROTO);
    assert_int_equal(supervise_state(&supervise, 0), SUPERVISE_IDLE);
    assert_int_equal(supervise_state(&supervise, 1), SUPERVISE_ABSENT);
}

static void the_time_to_wake_up_is_the_deadline_of_the_child_that_stops(void **state)
{
    (void)state;
    struct supervise_child children[1] = {0};
    struct supervise supervise;
    struct supervise_flags flags = {.intensity = 0, .period_ms = 1};
    const struct supervise_spec spec = {.shutdown_ms = 250};
    supervise_init(&supervise, &flags, children, 1, NULL);
    assert_int_equal(supervise_add(&supervise, 0, &spec), 0);
    supervise_start(&supervise);
    struct supervise_action action;
    assert_true(supervise_next(&supervise, 0, &action));
    assert_int_equal(supervise_wake_ms(&supervise), UINT64_MAX);
    supervise_stop(&supervise);
    assert_true(supervise_next(&supervise, 1000, &action));
    assert_int_equal(supervise_wake_ms(&supervise), 1250);
    assert_true(supervise_next(&supervise, 1250, &action));
    assert_int_equal(action.kind, SUPERVISE_DO_KILL);
    assert_int_equal(supervise_wake_ms(&supervise), UINT64_MAX);

    flags.is_simple = true;
    supervise_init(&supervise, &flags, children, 1, NULL);
    supervise_start(&supervise);
    assert_true(supervise_next(&supervise, 0, &action));
    assert_int_equal(supervise_start_child(&supervise, 0, &spec), 0);
    assert_true(supervise_next(&supervise, 0, &action));
    supervise_stop(&supervise);
    assert_true(supervise_next(&supervise, 2000, &action));
    assert_false(supervise_next(&supervise, 2000, &action));
    assert_int_equal(supervise_wake_ms(&supervise), 2250);
}

static void children_are_listed_in_start_order(void **state)
{
    (void)state;
    const struct script_case test = {"", "one_for_one 1/5000: c a b", ""};
    struct script script;
    script_set_up(&script, &test);
    script_run(&script);
    char order[4] = {0};
    size_t count = 0;
    for (uint32_t id = supervise_first(&script.supervise); id != SUPERVISE_NONE;
         id = supervise_after(&script.supervise, id)) {
        order[count++] = (char)('a' + id);
    }
    assert_string_equal(order, "cab");
}

static void a_bigger_array_takes_over(void **state)
{
    (void)state;
    struct supervise_child small[1] = {0};
    struct supervise_child big[3] = {0};
    struct supervise supervise;
    const struct supervise_flags flags = {.intensity = SUPERVISE_UNLIMITED, .period_ms = 1};
    const struct supervise_spec spec = {0};
    supervise_init(&supervise, &flags, small, 1, NULL);
    assert_int_equal(supervise_add(&supervise, 0, &spec), 0);
    big[0] = small[0];
    supervise_move(&supervise, big, 3);
    assert_int_equal(supervise_add(&supervise, 2, &spec), 0);
    supervise_start(&supervise);
    struct supervise_action action;
    assert_true(supervise_next(&supervise, 0, &action));
    assert_int_equal(supervise_on_started(&supervise, 0), 0);
    assert_true(supervise_next(&supervise, 0, &action));
    assert_int_equal(action.id, 2);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_specification_that_breaks_the_rules_is_refused),
        cmocka_unit_test(news_that_can_not_be_are_refused),
        cmocka_unit_test(the_time_to_wake_up_is_the_deadline_of_the_child_that_stops),
        cmocka_unit_test(children_are_listed_in_start_order),
        cmocka_unit_test(a_bigger_array_takes_over),
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
