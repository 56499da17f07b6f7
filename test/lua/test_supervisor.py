"""fsd.supervisor: OTP's rules, with real actors."""
import pytest

from actor_app import ActorApp
from supervised_app import HEAD, SUPERVISED


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(SUPERVISED))


ABC = 'kid("a"), kid("b"), kid("c")'
LONG = "intensity = 10"

RULES = [
    # Starting and stopping.
    ("children_start_in_order", f'sup.start(flags({{}}, {ABC})) return events(3)', ["+a +b +c"]),
    ("children_end_in_reverse_order", f'local s = sup.start(flags({{}}, {ABC})) events(3) sup.stop(s) return events(3)', ["-c -b -a"]),
    ("start_waits_for_the_init_of_each", 'local s = sup.start(flags({}, kid("a", {init = "fsd.task.sleep(0.02)"}), kid("b"))) return actor.info(self()).messages, events(2)', [2, "+a +b"]),
    ("a_slow_init_keeps_the_next_one_waiting", 'spawn("require(\'fsd.supervisor\').start{children = args[1]}", nil, {kid("a", {init = "fsd.task.sleep(0.03)"}), kid("b")}) '
     'local first = events(1) return first, receive(0.01) == nil, events(1)', ["+a", True, "+b"]),
    ("a_first_start_that_fails_ends_those_before_it", 'local e = failing(sup.start, flags({}, kid("a"), kid("b", {init = "error(\'no\', 0)"}), kid("c"))) '
     'return e[1], e[2], events(3), quiet()', ["StartError", "start", "+a +b -a", True]),
    ("a_module_that_does_not_load_fails_the_start", 'local _, e = fsd.try(sup.start, {children = {{id = "x", start = {"broken"}}}}) return e.reason[1], e.reason[2], e.reason[3].message',
     ["failed_to_start_child", "x", "broken.lua:1: top level"]),
    ("a_plain_actor_has_started_at_once", 'local s = sup.start{children = {{id = "p", start = {"plain", self()}}}} return child(s, "p").state, events(1)', ["running", "+plain"]),
    ("ignore_leaves_the_child_out", 'local s = sup.start(flags({}, kid("a", {init = "return server.ignore"}), kid("b"))) return events(2), child(s, "a").state, child(s, "a").pid == nil',
     ["+a +b", "stopped", True]),
    ("no_children_are_allowed", "return sup.count_children(sup.start{})", [{"specs": 0, "active": 0, "supervisors": 0, "workers": 0}]),
    ("the_name_is_the_supervisors", 'local s = sup.start(flags({name = "sup1"}, kid("a"))) return actor.whereis("sup1") == s, sup.count_children("sup1").active', [True, 1]),
    ("children_have_names", 'local s = sup.start(flags({}, kid("a", {name = "kid1"}))) return actor.whereis("kid1") == pid(s, "a")', [True]),
    ("a_restarted_child_has_its_name_again", 'local s = sup.start(flags({}, kid("a", {name = "kid2"}))) local p = pid(s, "a") events(1) crash(s, "a") events(1) '
     'return actor.whereis("kid2") == pid(s, "a"), pid(s, "a") ~= p', [True, True]),

    # Strategies.
    ("one_for_one_restarts_that_one", f'local s = sup.start(flags({{}}, {ABC})) events(3) crash(s, "b") return events(1), quiet()', ["+b", True]),
    ("one_for_all_restarts_all", f'local s = sup.start(flags({{strategy = "one_for_all"}}, {ABC})) events(3) crash(s, "b") return events(5), quiet()', ["-c -a +a +b +c", True]),
    ("rest_for_one_restarts_the_rest", f'local s = sup.start(flags({{strategy = "rest_for_one"}}, {ABC})) events(3) crash(s, "b") return events(3), quiet()', ["-c +b +c", True]),
    ("rest_for_one_with_the_first_restarts_all", f'local s = sup.start(flags({{strategy = "rest_for_one"}}, {ABC})) events(3) crash(s, "a") return events(5)', ["-c -b +a +b +c"]),
    ("one_for_all_does_not_start_temporary_ones_again", 'local s = sup.start(flags({strategy = "one_for_all"}, kid("a"), kid("b", {restart = "temporary"}))) events(2) crash(s, "a") '
     'return events(2), quiet(), sup.count_children(s).specs', ["-b +a", True, 1]),
    ("one_for_all_starts_what_was_terminated", 'local s = sup.start(flags({strategy = "one_for_all"}, kid("a"), kid("b"))) events(2) sup.terminate_child(s, "a") crash(s, "b") return events(3)',
     ["-a +a +b"]),

    # Restart types.
    ("permanent_is_restarted_when_it_ends_normally", 'local s = sup.start(flags({}, kid("a"))) events(1) server = actor.cast(pid(s, "a"), "return server.stop()") return events(2)', ["-a +a"]),
    ("transient_is_not_restarted_when_it_ends_normally", 'local s = sup.start(flags({}, kid("a", {restart = "transient"}))) events(1) actor.cast(pid(s, "a"), "return server.stop()") '
     'return events(1), quiet(), child(s, "a").state', ["-a", True, "stopped"]),
    ("transient_is_not_restarted_on_shutdown", 'local s = sup.start(flags({}, kid("a", {restart = "transient"}))) events(1) actor.cast(pid(s, "a"), "return server.stop(\'shutdown\')") return events(1), quiet()',
     ["-a", True]),
    ("transient_is_not_restarted_on_shutdown_with_a_word", 'local s = sup.start(flags({}, kid("a", {restart = "transient"}))) events(1) '
     'actor.cast(pid(s, "a"), "return server.stop({\'shutdown\', 1})") return events(1), quiet()', ["-a", True]),
    ("transient_is_restarted_on_a_crash", 'local s = sup.start(flags({}, kid("a", {restart = "transient"}))) events(1) actor.cast(pid(s, "a"), "error(\'x\', 0)") return events(2)', ["-a +a"]),
    ("temporary_is_never_restarted_and_forgotten", 'local s = sup.start(flags({}, kid("a", {restart = "temporary"}), kid("b"))) events(2) crash(s, "a") return quiet(), sup.count_children(s).specs', [True, 1]),
    ("a_permanent_child_is_restarted_after_shutdown", 'local s = sup.start(flags({}, kid("a"))) events(1) exit(pid(s, "a"), {"shutdown", 1}) return quiet(), child(s, "a").state', [True, "running"]),

    # Intensity.
    ("one_restart_in_5_s_by_default", 'local s = sup.start(flags({}, kid("a"))) local w = watch(s) events(1) crash(s, "a") events(1) crash(s, "a") return w(), quiet()', ["shutdown", True]),
    ("more_restarts_when_told", 'local s = sup.start(flags({intensity = 3}, kid("a"))) local w = watch(s) events(1) for i = 1, 3 do crash(s, "a") events(1) end local alive = actor.alive(s) '
     'crash(s, "a") return alive, w()', [True, "shutdown"]),
    ("intensity_0_allows_none", 'local s = sup.start(flags({intensity = 0}, kid("a"))) local w = watch(s) events(1) crash(s, "a") return w()', ["shutdown"]),
    ("restarts_before_the_period_are_forgotten", 'local s = sup.start(flags({period = 0.02}, kid("a"))) events(1) for i = 1, 3 do crash(s, "a") events(1) fsd.task.sleep(0.04) end return actor.alive(s)', [True]),
    ("giving_up_ends_the_others_in_reverse", f'local s = sup.start(flags({{intensity = 0}}, {ABC})) events(3) crash(s, "b") return events(2)', ["-c -a"]),
    ("a_restart_that_fails_is_tried_again", 'local s = sup.start(flags({intensity = 5}, kid("a", {init = "if require(\'tally\').count(\'t1\') % 4 > 1 then error(\'again\', 0) end"}))) '
     'events(1) crash(s, "a") local e = events(3) repeat local state = child(s, "a").state until state == "running" return e, "running"', ["+a +a +a", "running"]),
    ("restarts_that_fail_count", 'local s = sup.start(flags({intensity = 2}, kid("a", {init = "if require(\'tally\').count(\'t2\') > 1 then error(\'never\', 0) end"}))) local w = watch(s) '
     'events(1) crash(s, "a") return w(), events(2), quiet()', ["shutdown", "+a +a", True]),

    # Shutdown.
    ("a_child_that_does_not_end_is_killed", 'local s = sup.start(flags({}, kid("a", {shutdown = 0.03}))) events(1) local p = pid(s, "a") local w = watch(p) '
     'actor.cast(p, "fsd.task.sleep(60)") sup.stop(s) return w()', ["killed"]),
    ("brutal_kill_does_not_ask", 'local s = sup.start(flags({}, kid("a", {shutdown = "brutal_kill"}))) events(1) local w = watch(pid(s, "a")) sup.stop(s) return w(), quiet()', ["killed", True]),
    ("infinity_waits", 'local s = sup.start(flags({}, kid("a", {shutdown = "infinity"}))) events(1) local w = watch(pid(s, "a")) actor.cast(pid(s, "a"), "fsd.task.sleep(0.05)") sup.stop(s) return w(), events(1)',
     ["shutdown", "-a"]),
    ("a_child_that_has_unlinked_itself_is_waited_for", 'local s = sup.start(flags({name = "sup9"}, kid("a", {trap = false, shutdown = 1}))) events(1) call(pid(s, "a"), "actor.unlink(\'sup9\')") local w = watch(pid(s, "a")) sup.stop(s) return w()', ["shutdown"]),
    ("the_end_of_its_parent_is_the_supervisors", 'local p = spawn("require(\'fsd.supervisor\').start_link{name = \'sup2\', children = args[1]} send(args[2], \'up\') receive()", nil, {kid("a"), kid("b")}, self()) '
     'events(3) local w = watch("sup2") exit(p, "over") return events(2), w()', ["-b -a", "over"]),
    ("a_supervisor_can_be_stopped_while_a_child_starts", 'spawn("require(\'fsd.supervisor\').start{name = \'sup3\', children = args[1]}", nil, {kid("a"), kid("b", {init = "fsd.task.sleep(60)", shutdown = 0.02})}) '
     'events(2) local w = watch("sup3") sup.stop("sup3") return w(), events(1)', ["shutdown", "-a"]),

    # Escalation.
    ("a_supervisor_that_gives_up_is_restarted_by_its_own",
     'local inner = {id = "in", type = "supervisor", start = {"fsd.supervisor", {intensity = 0, children = {kid("a")}}}} '
     'local s = sup.start(flags({}, inner, kid("b"))) events(2) local i = pid(s, "in") exit(pid(i, "a"), "kill") return events(1), pid(s, "in") ~= i, child(s, "in").type', ["+a", True, "supervisor"]),
    ("failure_escalates_to_the_top",
     'local inner = {id = "in", type = "supervisor", start = {"fsd.supervisor", {intensity = 0, children = {kid("a")}}}} '
     'local s = sup.start(flags({intensity = 0}, kid("b"), inner)) events(2) local w = watch(s) exit(pid(pid(s, "in"), "a"), "kill") return w(), events(1)', ["shutdown", "-b"]),
    ("a_transient_supervisor_that_gives_up_is_left",
     'local inner = {id = "in", type = "supervisor", restart = "transient", start = {"fsd.supervisor", {intensity = 0, children = {kid("a")}}}} '
     'local s = sup.start(flags({}, inner)) events(1) exit(pid(pid(s, "in"), "a"), "kill") return quiet(), child(s, "in").state', [True, "stopped"]),
    ("a_tree_ends_from_its_leaves",
     'local inner = {id = "in", type = "supervisor", start = {"fsd.supervisor", {children = {kid("a"), kid("b")}}}} '
     'local s = sup.start(flags({}, inner, kid("c"))) events(3) sup.stop(s) return events(3)', ["-c -b -a"]),

    # Significant children.
    ("any_significant_ends_the_supervisor", 'local s = sup.start(flags({auto_shutdown = "any_significant"}, kid("a", {restart = "transient", significant = true}), kid("b"))) local w = watch(s) events(2) '
     'actor.cast(pid(s, "a"), "return server.stop()") return w(), events(2)', ["shutdown", "-a -b"]),
    ("all_significant_waits_for_the_last", 'local k = {restart = "temporary", significant = true} local s = sup.start(flags({auto_shutdown = "all_significant"}, kid("a", k), kid("b", k), kid("c"))) '
     'local w = watch(s) events(3) crash(s, "a") local alive = quiet() and actor.alive(s) crash(s, "b") return alive, w(), events(1)', [True, "shutdown", "-c"]),
    ("a_significant_child_that_crashes_is_restarted", 'local s = sup.start(flags({auto_shutdown = "any_significant"}, kid("a", {restart = "transient", significant = true}))) events(1) crash(s, "a") return events(1), actor.alive(s)',
     ["+a", True]),

    # Requests.
    ("start_child_adds_one_at_the_end", 'local s = sup.start(flags({}, kid("a"))) local p = sup.start_child(s, kid("b")) sup.stop(s) return events(4), p ~= nil', ["+a +b -b -a", True]),
    ("start_child_gives_the_pid", 'local s = sup.start{} local p = sup.start_child(s, kid("a")) return pid(s, "a") == p', [True]),
    ("start_child_that_fails_says_why", 'local s = sup.start{} local e = failing(sup.start_child, s, kid("a", {init = "error(\'no\', 0)"})) return e, sup.count_children(s).specs',
     [["SupervisorError", "start_failed", "cannot start child: the child did not start: no"], 0]),
    ("start_that_fails_says_which_child_and_why", 'local e = failing(sup.start, flags({}, kid("a", {init = "error(\'no\', 0)"}))) return e',
     [["StartError", "start", 'cannot start "fsd.supervisor": child "a": no']]),
    ("start_child_that_ignores_gives_nil", 'local s = sup.start{} return sup.start_child(s, kid("a", {init = "return server.ignore"})) == nil, sup.count_children(s).specs', [True, 1]),
    ("an_id_is_taken_once", 'local s = sup.start(flags({}, kid("a"))) local e = failing(sup.start_child, s, kid("a")) sup.terminate_child(s, "a") return e[2], failing(sup.start_child, s, kid("a"))[2]',
     ["already_started", "already_present"]),
    ("terminate_child_keeps_the_child", 'local s = sup.start(flags({}, kid("a"))) events(1) sup.terminate_child(s, "a") return events(1), child(s, "a").state', ["-a", "stopped"]),
    ("terminate_child_twice_is_fine", 'local s = sup.start(flags({}, kid("a"))) sup.terminate_child(s, "a") sup.terminate_child(s, "a") return child(s, "a").state', ["stopped"]),
    ("restart_child_starts_it_again", 'local s = sup.start(flags({}, kid("a"))) sup.terminate_child(s, "a") local p = sup.restart_child(s, "a") return events(3), pid(s, "a") == p', ["+a -a +a", True]),
    ("restart_child_of_one_that_runs_is_refused", 'local s = sup.start(flags({}, kid("a"))) return failing(sup.restart_child, s, "a")', [["SupervisorError", "running", "cannot restart child: the child is running"]]),
    ("delete_child_forgets_it", 'local s = sup.start(flags({}, kid("a"))) local e = failing(sup.delete_child, s, "a")[2] sup.terminate_child(s, "a") sup.delete_child(s, "a") return e, sup.count_children(s).specs',
     ["running", 0]),
    ("nobody_knows_another_id", 'local s = sup.start{} return failing(sup.terminate_child, s, "x")[2], failing(sup.restart_child, s, "x")[2], failing(sup.delete_child, s, "x")[2]', ["not_found"] * 3),
    ("count_children_counts", 'local s = sup.start(flags({}, kid("a"), kid("b", {type = "supervisor"}), kid("c"))) sup.terminate_child(s, "c") return sup.count_children(s)',
     [{"specs": 3, "active": 2, "supervisors": 1, "workers": 2}]),
    ("which_children_lists_them_in_order", f'local s = sup.start(flags({{}}, {ABC})) local t = {{}} for i, c in ipairs(sup.which_children(s)) do t[i] = {{c.id, c.type, c.module, c.state, actor.alive(c.pid)}} end return t',
     [[[i, "worker", "kid", "running", True] for i in "abc"]]),
    ("requests_wait_for_a_start", 'local s = sup.start{} for i = 1, 3 do spawn("send(args[1], {require(\'fsd.supervisor\').start_child(args[2], args[3]) ~= nil})", nil, self(), s, '
     'kid("k" .. i, {init = "fsd.task.sleep(0.005)"})) end local n = 0 for i = 1, 6 do n = n + (type(receive()) == "table" and 1 or 0) end return n, sup.count_children(s).active', [3, 3]),
    ("a_child_that_restarts_for_ever_can_be_terminated", 'local s = sup.start(flags({intensity = math.huge}, kid("a", {init = "if require(\'tally\').count(\'t3\') > 1 then error(\'never\', 0) end"}))) '
     'exit(pid(s, "a"), "kill") for i = 1, 20 do receive() end sup.terminate_child(s, "a") return child(s, "a").state', ["stopped"]),

    # Dynamic supervisors.
    ("dynamic_starts_children_with_arguments", 'local s = sup.dynamic{child = {start = {"kid"}}} sup.start_child(s, {to = self(), id = "x"}) sup.start_child(s, {to = self(), id = "y"}) return events(2), sup.count_children(s).active', ["+x +y", 2]),
    ("dynamic_children_have_arguments_by_default", 'local s = sup.dynamic{child = {start = {"kid", {to = self(), id = "z"}}}} sup.start_child(s) return events(1)', ["+z"]),
    ("dynamic_children_are_restarted_with_their_arguments", 'local s = sup.dynamic{child = {start = {"kid"}}} local p = sup.start_child(s, {to = self(), id = "x"}) exit(p, "kill") return events(2)', ["+x +x"]),
    ("dynamic_children_are_terminated_by_pid", 'local s = sup.dynamic{child = {start = {"kid"}}} local p = sup.start_child(s, {to = self(), id = "x", trap = true}) sup.terminate_child(s, p) '
     'return events(2), sup.count_children(s).specs, failing(sup.terminate_child, s, p)[2]', ["+x -x", 0, "not_found"]),
    ("dynamic_keeps_nothing_that_has_ended", 'local s = sup.dynamic{child = {start = {"kid"}, restart = "transient"}} local p = sup.start_child(s, {to = self(), id = "x", trap = true}) '
     'actor.cast(p, "return server.stop()") return events(2), quiet(), #sup.which_children(s)', ["+x -x", True, 0]),
    ("dynamic_does_not_know_restart_child", 'local s = sup.dynamic{child = {start = {"kid"}}} local p = sup.start_child(s, {to = self(), id = "x"}) return failing(sup.restart_child, s, p)[2], failing(sup.delete_child, s, p)[2]',
     ["not_supported"] * 2),
    ("dynamic_may_have_a_limit", 'local s = sup.dynamic{child = {start = {"kid"}}, max_children = 1} local p = sup.start_child(s, {to = self(), id = "x"}) local e = failing(sup.start_child, s, {to = self(), id = "y"})[2] '
     'sup.terminate_child(s, p) return e, sup.start_child(s, {to = self(), id = "y"}) ~= nil', ["max_children", True]),
    ("dynamic_ends_all_at_once", 'local s = sup.dynamic{child = {start = {"kid"}, shutdown = 0.2}} for i = 1, 20 do local p = sup.start_child(s, {to = self(), id = "k"}) actor.cast(p, "fsd.task.sleep(60)") end '
     'local t = fsd.now() sup.stop(s) return fsd.now() - t < 3, #actor.list{module = "kid"} >= 0', [True, True]),
    ("a_thousand_dynamic_children", 'local s = sup.dynamic{child = {start = {"kid"}, restart = "temporary"}} for i = 1, 1000 do sup.start_child(s, {to = self(), id = "k"}) receive() end local n = sup.count_children(s).active '
     'for i, c in ipairs(sup.which_children(s)) do exit(c.pid, "kill") end fsd.task.sleep(0.01) return n, sup.count_children(s).specs', [1000, 0]),
    ("dynamic_link_links", 'actor.trap_exit(true) local s = sup.dynamic_link{child = {start = {"kid"}}} exit(s, "shutdown") return receive()[3]', ["shutdown"]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rule(app, text, expected):
    assert app.run(HEAD + text) == expected


MISTAKES = [
    ("no table", "sup.start()", "the supervisor must be a table"),
    ("unknown option", "sup.start{nme = 1}", 'the supervisor has an unknown option "nme"'),
    ("bad strategy", 'sup.start{strategy = "x"}', 'the supervisor has a bad option "strategy": "one_for_one", "one_for_all" or "rest_for_one" expected'),
    ("bad intensity", "sup.start{intensity = 1.5}", 'bad option "intensity": a number of restarts expected'),
    ("bad period", "sup.start{period = 0}", 'bad option "period": seconds expected'),
    ("no module", 'sup.start{children = {{id = "a"}}}', "child 1 must have start = { module, arguments }"),
    ("unknown option of a child", 'sup.start{children = {{start = {"kid"}, x = 1}}}', 'child 1 has an unknown option "x"'),
    ("bad restart", 'sup.start{children = {{start = {"kid"}, restart = "always"}}}', 'child 1 has a bad option "restart"'),
    ("bad shutdown", 'sup.start{children = {{start = {"kid"}, shutdown = "soon"}}}', 'child 1 has a bad option "shutdown": seconds, "brutal_kill" or "infinity" expected'),
    ("one id twice", 'sup.start{children = {{start = {"kid"}}, {start = {"kid"}}}}', 'child 2 has the id "kid" of another one'),
    ("significant and permanent", 'sup.start{auto_shutdown = "any_significant", children = {{start = {"kid"}, significant = true}}}', "child 1 is significant, so it can't be permanent"),
    ("significant for nobody", 'sup.start{children = {{start = {"kid"}, restart = "transient", significant = true}}}', "child 1 is significant, so its supervisor needs auto_shutdown"),
    ("scope node", 'sup.start{children = {{start = {"kid"}, scope = "node"}}}', 'child 1 has scope "node", so its supervisor needs a name, and children with ids'),
    ("a function", 'sup.start{children = {{start = {"kid", print}}}}', "cannot send a function"),
    ("bad start_child", "sup.start_child(sup.start{}, {start = {}})", "the child must have start = { module, arguments }"),
    ("no child", "sup.dynamic{}", "child must be a table"),
    ("a name for many", 'sup.dynamic{child = {start = {"kid"}, name = "x"}}', "child can't have a name: there may be many of them"),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes_raise(app, text, message):
    assert message in app.run(HEAD + f"return try(function() {text} end)")[0]


def test_a_request_can_start_a_supervisor(app):
    assert app.handle('local s = require("fsd.supervisor").start{children = {{id = "c", start = {"do", {text = "receive()"}}}}} return require("fsd.supervisor").count_children(s).active') == [1]


def test_giving_up_is_logged_with_the_last_reason(app):
    app.run(HEAD + 'local s = sup.start(flags({name = "sup5", intensity = 0}, kid("a"))) local w = watch(s) crash(s, "a") return w()')
    record = app.process.wait_record(msg='supervisor gives up: more than 0 restarts in 5 s; the last one to end was "a": killed', supervisor="sup5")
    assert record["level"] == "error"


def test_a_child_that_must_be_killed_is_logged(app):
    app.run(HEAD + 'local s = sup.start(flags({name = "sup6"}, kid("a", {shutdown = 0.01}))) actor.cast(pid(s, "a"), "fsd.task.sleep(60)") sup.stop(s) return 1')
    assert app.process.wait_record(msg='child "a" was killed: it did not end within 0.01 s', supervisor="sup6")["level"] == "warning"
