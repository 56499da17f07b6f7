"""fsd.actor: links, monitors and exit signals follow OTP's rules; each test is named after one."""
import pytest

from actor_app import FILES, ActorApp


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(FILES))


# Texts of actors: one that lives until it is told otherwise, and one that traps exits and tells args[1] what it gets.
IDLE = '"while true do receive() end"'
TELLING = '"actor.trap_exit(true) send(args[1], {\'ready\'}) while true do local m = receive() send(args[1], m) end"'

RULES = [
    # exit(pid, reason)
    ("exit_normal_from_another_is_ignored", f'local p = spawn({IDLE}) exit(p, "normal") fsd.task.sleep(0) return actor.alive(p), exit(p, "kill")', [True]),
    ("exit_normal_from_another_is_a_message_for_who_traps",
     f'local p = spawn({TELLING}, nil, self()) receive() exit(p, "normal") local m = receive() exit(p, "kill") return m[1], m[2] == self(), m[3]',
     ["$exit", True, "normal"]),
    ("exit_normal_of_oneself_ends", 'local p = spawn("receive() exit(self(), \'normal\') send(args[1], \'alive\')", nil, self()) '
     'local r = actor.monitor(p) send(p, 1) return receive()[4], receive(0) == nil', ["normal", True]),
    ("exit_normal_of_oneself_is_a_message_for_who_traps", 'actor.trap_exit(true) exit(self(), "normal") local m = receive(0) return m[1], m[2] == self(), m[3]',
     ["$exit", True, "normal"]),
    ("exit_kill_cannot_be_trapped_and_links_see_killed",
     f'actor.trap_exit(true) local p = spawn({TELLING}, {{link = true}}, self()) receive() exit(p, "kill") local m = receive() return m[1], m[2] == p, m[3]',
     ["$exit", True, "killed"]),
    ("exit_kill_of_oneself_cannot_be_trapped", 'local p, r = actor.spawn_monitor("do", {text = "actor.trap_exit(true) exit(self(), \'kill\')"}) return receive()[4]', ["killed"]),
    ("a_kill_raised_by_oneself_is_told_as_kill", 'actor.trap_exit(true) local p = spawn("exit(\'kill\')", {link = true}) return receive()[3]', ["kill"]),
    ("a_kill_raised_by_oneself_ends_links_with_kill",
     'local p, r = actor.spawn_monitor("do", {text = "spawn(\'exit([[kill]])\', {link = true}) receive()"}) return receive()[4]', ["kill"]),
    ("any_other_reason_ends_who_does_not_trap", f'local p = spawn({IDLE}) local r = actor.monitor(p) exit(p, {{"bad", 5}}) return receive()[4]', [["bad", 5]]),
    ("any_other_reason_is_a_message_for_who_traps",
     f'local p = spawn({TELLING}, nil, self()) receive() exit(p, {{"bad", 5}}) local m = receive() exit(p, "kill") return m[3]', [["bad", 5]]),
    ("who_is_told_to_exit_is_dead_at_once", f'local p = spawn({IDLE}, {{name = "dead"}}) exit(p, "x") '
     'return actor.alive(p), actor.whereis("dead") == nil, actor.info(p) == nil, (actor.try_send(p, 1))', [False, True, True, False]),
    ("only_close_variables_of_the_dead_run",
     'local me = self() local p = spawn("local c <close> = setmetatable({}, {__close = function() actor.try_send(args[1], \'closed\') end}) '
     'pcall(receive) send(args[1], \'went on\')", nil, me) fsd.task.sleep(0) exit(p, "x") wait_end(p) return receive(), receive(0) == nil', ["closed", True]),
    ("nothing_of_who_is_ended_before_it_began_runs", 'local p = spawn("send(args[1], 1)", nil, self()) local r = actor.monitor(p) exit(p, "early") '
     'return receive()[4], receive(0.01) == nil', ["early", True]),
    ("who_sleeps_is_ended", 'local p = spawn("fsd.task.sleep(60)") fsd.task.sleep(0) exit(p, "x") local r = wait_end(p) return r == "x" or r == "noproc"', [True]),
    ("who_calls_is_ended", f'local q = spawn({IDLE}) local p = spawn("call(args[1], 1, 60)", nil, q) fsd.task.sleep(0) local r = actor.monitor(p) exit(p, "x") '
     'local why = receive()[4] exit(q, "kill") return why', ["x"]),
    ("who_spins_is_ended", 'local p = spawn("while true do pcall(function() while true do end end) end") fsd.task.sleep(0.01) local r = actor.monitor(p) exit(p, "kill") return receive()[4]',
     ["killed"]),
    ("who_waits_in_a_coroutine_of_its_own_is_ended_with_it",
     'local p = spawn("coroutine.wrap(function() local c <close> = setmetatable({}, {__close = function() actor.try_send(args[1], [[closed]]) end}) receive() end)()", nil, self()) '
     'fsd.task.sleep(0) local r = actor.monitor(p) exit(p, "x") return receive(), receive()[4]', ["closed", "x"]),
    ("an_exit_signal_to_oneself_ends_at_once_inside_of_pcall", 'local p, r = actor.spawn_monitor("do", {text = "pcall(exit, self(), [[x]]) send(args[1], 1)", args = {self()}}) '
     'return receive()[4], receive(0) == nil', ["x", True]),
    ("what_closes_when_an_actor_has_failed_has_no_actor", 'local p, r = actor.spawn_monitor("do", {text = "local c <close> = setmetatable({}, {__close = function() '
     'actor.try_send(args[1], {pcall(self)}) end}) error(1)", args = {self()}}) return receive()[1]', ["$down"]),
    ("the_first_reason_counts", f'local p = spawn({IDLE}) local r = actor.monitor(p) exit(p, "one") exit(p, "two") return receive()[4]', ["one"]),
    ("exit_of_the_dead_does_nothing", 'local p = spawn("") wait_end(p) return exit(p, "x") == nil', [True]),
    ("exit_ends_oneself_with_the_reason", 'local p, r = actor.spawn_monitor("do", {text = "local t = {1} exit(t)"}) return receive()[4]', [[1]]),
    ("exit_alone_is_normal", 'local p, r = actor.spawn_monitor("do", {text = "exit()"}) return receive()[4]', ["normal"]),
    ("exit_of_oneself_can_be_caught_as_any_error", 'local ok, e = pcall(exit, "x") return ok, e.name, e.reason', [False, "ExitError", "x"]),
    ("exit_of_another_cannot_be_caught",
     'local p = spawn("while true do pcall(receive) end") fsd.task.sleep(0) local r = actor.monitor(p) exit(p, "x") return receive()[4]', ["x"]),
    ("trap_exit_returns_what_was_before", 'return actor.trap_exit(true), actor.trap_exit(true), actor.trap_exit(false), actor.trap_exit(false)', [False, True, True, False]),
    # reasons
    ("the_end_of_the_body_is_normal", 'local p, r = actor.spawn_monitor("do", {text = "return 5"}) return receive()[4]', ["normal"]),
    ("an_error_is_told_with_code_and_message", 'local p, r = actor.spawn_monitor("do", {text = "error(fsd.error{code = [[c]], message = [[m]], status = 409})"}) '
     'local e = receive()[4] return e.code, e.message, e.status, tostring(e), e.traceback == nil', ["c", "m", 409, "Error: m (c)", True]),
    ("a_string_that_was_raised_is_told_as_an_error", 'local p, r = actor.spawn_monitor("do", {text = "error([[oops]], 0)"}) local e = receive()[4] return e.code, e.message', ["error", "oops"]),
    ("a_reason_that_cannot_be_sent_is_told_in_words", 'local p, r = actor.spawn_monitor("do", {text = "error({print})"}) return receive()[4].message:match("^table: ") ~= nil', [True]),
    ("each_one_who_is_told_has_a_copy_of_the_reason", 'local p = spawn("receive() exit({1})") local a, b = actor.monitor(p), actor.monitor(p) send(p, 1) '
     'local x, y = receive()[4], receive()[4] return x ~= y, x[1] == y[1]', [True, True]),
    # links
    ("a_link_ends_both_whichever_ends_first",
     f'local r = {{}} for i = 1, 2 do local p = spawn({IDLE}) local q = spawn("actor.link(args[1]) send(args[2], 1) receive()", nil, p, self()) receive() '
     'local m = actor.monitor(i == 1 and p or q) exit(i == 1 and q or p, "x") r[i] = receive()[4] end return r', [["x", "x"]]),
    ("there_is_one_link_per_pair", f'local p = spawn({IDLE}) actor.link(p) actor.link(p) actor.unlink(p) exit(p, "x") fsd.task.sleep(0) return "alive"', ["alive"]),
    ("a_link_passes_on", f'local p, r = actor.spawn_monitor("do", {{text = "spawn(\'spawn([[exit(1)]], {{link = true}}) receive()\', {{link = true}}) receive()"}}) return receive()[4]', [1]),
    ("the_normal_end_of_a_link_is_ignored", 'local p = spawn("", {link = true}) wait_end(p) return receive(0) == nil', [True]),
    ("the_normal_end_of_a_link_is_a_message_for_who_traps", 'actor.trap_exit(true) local p = spawn("", {link = true}) local m, from, kind = receive() return m[2] == p, m[3], kind',
     [True, "normal", "system"]),
    ("a_link_tells_the_error", 'actor.trap_exit(true) spawn("error(fsd.error{code = [[c]], message = [[m]]})", {link = true}) return receive()[3].code', ["c"]),
    ("shutdown_ends_links", 'local p, r = actor.spawn_monitor("do", {text = "spawn([[exit(\'shutdown\')]], {link = true}) receive()"}) return receive()[4]', ["shutdown"]),
    ("a_link_to_the_dead_raises", 'local p = spawn("") wait_end(p) return try(actor.link, p)', ["noproc: cannot link: the actor has ended"]),
    ("a_link_to_the_dead_is_a_message_for_who_traps", 'local p = spawn("") wait_end(p) actor.trap_exit(true) actor.link(p) local m = receive(0) return m[1], m[2] == p, m[3]',
     ["$exit", True, "noproc"]),
    ("a_link_to_oneself_does_nothing", "actor.link(self()) return #actor.info(self()).links", [0]),
    ("unlink_takes_it_away_for_both", f'local p = spawn({IDLE}, {{link = true}}) actor.unlink(p) local n = #actor.info(p).links exit(p, "x") fsd.task.sleep(0) return n', [0]),
    ("unlink_of_a_stranger_does_nothing", f'local p = spawn({IDLE}) actor.unlink(p) exit(p, "kill") return 1', [1]),
    ("spawn_link_links", 'actor.trap_exit(true) local p = actor.spawn_link("do", {text = ""}) return receive()[2] == p', [True]),
    # monitors
    ("a_monitor_tells_the_end_once", f'local p = spawn({IDLE}) local r = actor.monitor(p) exit(p, "x") local m, from, kind = receive() '
     'return m[1], m[2] == r, m[3] == p, m[4], kind, receive(0) == nil', ["$down", True, True, "x", "system", True]),
    ("the_ref_of_a_monitor_is_the_same_value", f'local p = spawn({IDLE}) local t = {{}} t[actor.monitor(p)] = "mine" exit(p, "x") return t[receive()[2]]', ["mine"]),
    ("a_monitor_has_one_direction", f'local p = spawn({IDLE}) spawn("actor.monitor(args[1]) exit([[x]])", nil, p) fsd.task.sleep(0) local a = actor.alive(p) '
     'local n = #actor.info(p).monitored_by exit(p, "kill") return a, n', [True, 0]),
    ("monitors_stack", f'local p = spawn({IDLE}) local a, b = actor.monitor(p), actor.monitor(p) exit(p, "x") local m, n = receive(), receive() '
     'return a ~= b, (m[2] == a and n[2] == b) or (m[2] == b and n[2] == a)', [True, True]),
    ("a_monitor_of_the_dead_tells_noproc", 'local p = spawn("") wait_end(p) local r = actor.monitor(p) local m = receive(0) return m[2] == r, m[3] == p, m[4]', [True, True, "noproc"]),
    ("a_monitor_by_name_tells_the_name", f'local p = spawn({IDLE}, {{name = "watched"}}) actor.monitor("watched") exit(p, "x") local m = receive() return m[3], m[4]', ["watched", "x"]),
    ("a_monitor_of_an_unknown_name_tells_noproc", 'actor.monitor("nobody") local m = receive(0) return m[3], m[4]', ["nobody", "noproc"]),
    ("a_monitor_does_not_need_a_trap", 'local p, r = actor.spawn_monitor("do", {text = "error(1)"}) return receive()[1]', ["$down"]),
    ("demonitor_takes_it_away", f'local p = spawn({IDLE}) local r = actor.monitor(p) actor.demonitor(r) exit(p, "x") fsd.task.sleep(0) return receive(0) == nil', [True]),
    ("demonitor_leaves_the_other_monitors", f'local p = spawn({IDLE}) local a, b = actor.monitor(p), actor.monitor(p) actor.demonitor(a) exit(p, "x") return receive()[2] == b, receive(0) == nil',
     [True, True]),
    ("demonitor_leaves_a_message_that_came", f'local p = spawn({IDLE}) local r = actor.monitor(p) exit(p, "x") fsd.task.sleep(0) actor.demonitor(r) return receive(0)[2] == r', [True]),
    ("demonitor_with_flush_takes_the_message_too",
     f'local p = spawn({IDLE}) local r, s = actor.monitor(p), actor.monitor(p) send(self(), "a") exit(p, "x") fsd.task.sleep(0) actor.demonitor(r, {{flush = true}}) '
     'return receive(0), receive(0)[2] == s, receive(0) == nil', ["a", True, True]),
    ("demonitor_twice_does_nothing", f'local p = spawn({IDLE}) local r = actor.monitor(p) actor.demonitor(r) actor.demonitor(r, {{flush = true}}) exit(p, "kill") return 1', [1]),
    ("a_monitor_belongs_to_who_made_it", f'local p = spawn({IDLE}) local r = actor.monitor(p) local q, m = actor.spawn_monitor("do", {{text = "actor.demonitor(args[1])", args = {{r}}}}) '
     'local why = receive()[4].message exit(p, "kill") return why:match("another actor.s monitor") ~= nil', [True]),
    ("a_monitor_of_oneself_is_never_told", "local p, r = actor.spawn_monitor('do', {text = 'actor.monitor(self())'}) return receive()[4]", ["normal"]),
    ("spawn_monitor_returns_pid_and_ref", 'local p, r = actor.spawn_monitor("do", {text = ""}) local m = receive() return m[3] == p, m[2] == r', [True, True]),
    # order
    ("what_was_sent_before_the_end_arrives_before_it", 'local p = spawn("receive() for i = 1, 3 do send(args[1], i) end exit([[x]])", nil, self()) actor.monitor(p) send(p, 1) '
     'return receive(), receive(), receive(), receive()[4]', [1, 2, 3, "x"]),
    ("signals_of_a_pair_keep_their_order", f'local p = spawn({TELLING}, nil, self()) receive() send(p, 1) exit(p, "a") send(p, 2) exit(p, "b") '
     'local r = {receive(), receive()[3], receive(), receive()[3]} exit(p, "kill") return r', [[1, "a", 2, "b"]]),
    ("many_links_of_one_actor", 'actor.trap_exit(true) local pids = {} for i = 1, 500 do pids[i] = spawn("receive()", {link = true}) end '
     'for i = 1, 500 do exit(pids[i], i) end local sum = 0 for i = 1, 500 do sum = sum + receive()[3] end return sum, #actor.info(self()).links', [500 * 501 // 2, 0]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rule(app, text, expected):
    assert app.run(text) == expected


def test_a_crash_is_logged_once_with_its_stack(app):
    app.run('local p, r = actor.spawn_monitor("do", {text = "local function inner() error([[lost it]]) end inner() return 1"}, {name = "crasher"}) receive() return 1')
    record = app.process.wait_record(name="crasher")
    assert (record["level"], record["module"], record["code"]) == ("error", "do", "error")
    assert record["msg"].startswith("actor crashed: ") and record["msg"].endswith("lost it")
    assert "in upvalue 'inner'" in record["traceback"] or "in local 'inner'" in record["traceback"]
    assert record["actor"].startswith("<0.")
    assert sum(found.get("name") == "crasher" for found in app.process.records()) == 1


def test_exits_are_not_logged(app):
    before = len(app.process.records())
    app.run('for _, r in ipairs{"x", "shutdown", "kill"} do wait_end(spawn("exit(args[1])", nil, r)) end return 1')
    assert not [record for record in app.process.records()[before:] if record["level"] == "error"]


def test_a_crash_does_not_hurt_the_worker(app):
    pid = app.process.status()["pools"][0]["workers"][0]["pid"] if "workers" in app.process.status()["pools"][0] else None
    app.run('for i = 1, 100 do spawn("error(setmetatable({}, {__tostring = function() error(1) end}))") end fsd.task.sleep(0.01) return 1')
    assert app.handle("return 1") == [1]
    assert pid is None or app.process.status()["pools"][0]["workers"][0]["pid"] == pid
