"""fsd.server: the callbacks of a server, what they may return, how it starts and ends."""
import pytest

from actor_app import FILES, ActorApp

# A server whose callbacks run what they are sent: each test says in Lua what is to happen inside.
SCRIPTED = '''
local server = require "fsd.server"
local actor = require "fsd.actor"
local S = server{}
local function run(self, text, ...)
  return load("local self, server, actor, arg, from = ... " .. text, "=script", "t")(self, server, actor, ...)
end
function S:init(args)
  self.log = {}
  self.to = args and args.to
  if args and args.trap then actor.trap_exit(true) end
  if args and args.init then return run(self, args.init, args) end
end
function S:handle_call(msg, from) return run(self, msg, nil, from) end
function S:handle_cast(msg) return run(self, msg) end
function S:handle_info(msg)
  if type(msg) == "table" and msg[1] == "run" then return run(self, msg[2]) end
  self.log[#self.log + 1] = type(msg) == "table" and msg[1] or msg
end
function S:handle_continue(x) self.log[#self.log + 1] = { "continue", x } end
function S:terminate(reason) if self.to then actor.send(self.to, { "terminate", type(reason) == "table" and reason.message or reason }) end end
return S
'''

COUNTER = '''
local server = require "fsd.server"
local Counter = server{}
Counter.api = { "add", "get", "both", "fail", "bye" }
function Counter:init(n) self.n = n or 0 end
function Counter:add(by) self.n = self.n + by; return self:get() end
function Counter:get() return self.n end
function Counter:both(a, b, c) return { a == nil, b, c == nil } end
function Counter:fail() error("no luck") end
function Counter:bye() return server.stop("normal", "bye") end
function Counter:hidden() return "secret" end
return Counter
'''

CHANGING = '''
local S = require "fsd.server"{}
function S:init() self.n = 1 end
function S:handle_call() return self.n end
function S:code_change(old, generation) if generation == 13 then error("unlucky") end self.n = old.n + generation end
return S
'''

HEAD = '''local server = require "fsd.server" local S, Counter = require "scripted", require "counter"
local function start(args, how) return S[how or "start"]{ args = args } end
local function down(pid) local r = wait_end(pid) return type(r) == "table" and (r.message or r) or r end
local function failing(f, ...) local _, e = fsd.try(f, ...) return e and { e.name, e.code, e.message, e.reason } end
'''


@pytest.fixture(scope="module")
def app(serve):
    files = {
        **FILES, "scripted.lua": SCRIPTED, "counter.lua": COUNTER, "changing.lua": CHANGING,
        "bare.lua": 'return require "fsd.server"{}',
        "inner/made.lua": 'local function make() return require "fsd.server"{} end local S = make() function S:handle_call(m) return m end return S',
        "crashing.lua": 'local S = require "fsd.server"{} function S:init() error("bad start") end return S',
        "slow.lua": 'local S = require "fsd.server"{} function S:init(s) require("fsd.task").sleep(s) end function S:handle_call() return 1 end return S',
    }
    return ActorApp(serve(files))


RUNS = [
    ("what_handle_call_returns_is_the_answer", 'local p = start() return server.call(p, "return 5")', [5]),
    ("the_answer_may_be_nil", 'local p = start() return server.call(p, "return") == nil', [True]),
    ("the_answer_may_be_a_table_of_the_callers_own_kind", 'local p = start() return server.call(p, "return {kind = \'stop\'}"), actor.alive(p)', [{"kind": "stop"}, True]),
    ("init_gets_the_arguments", 'local p = start{init = "self.x = arg.y", y = 4} return server.call(p, "return self.x")', [4]),
    ("start_waits_for_init", 'local t = fsd.now() local p = require("slow").start{args = 0.03} return fsd.now() - t >= 0.03, call(p, 1)', [True, 1]),
    ("start_may_have_a_deadline", 'local e = failing(require("slow").start, {args = 60, timeout = 0.02, name = "slow1"}) return e[1], e[2], e[3]',
     ["StartError", "timeout", 'cannot start "slow": its init takes too long']),
    ("who_starts_too_slowly_is_killed", 'failing(require("slow").start, {args = 60, timeout = 0.01, name = "slow2"}) fsd.task.sleep(0) return actor.whereis("slow2") == nil', [True]),
    ("start_gives_it_a_name", 'local p = S.start{name = "s1"} return actor.whereis("s1") == p, server.call("s1", "return 1")', [True, 1]),
    ("start_takes_a_place", 'return server.call(S.start{on = "any"}, "return 1"), server.call(S.start{on = 0}, "return 2")', [1, 2]),
    ("a_name_that_is_taken_fails_the_start", 'S.start{name = "s2"} return try(S.start, {name = "s2"})', ['exists: cannot register "s2": another actor has the name']),
    ("an_error_in_init_fails_the_start", 'local e = failing(require("crashing").start) return e[1], e[2], e[3], e[4].message',
     ["StartError", "start", 'cannot start "crashing": crashing.lua:1: bad start', "crashing.lua:1: bad start"]),
    ("stop_in_init_fails_the_start", 'local e = failing(start, {init = "return server.stop{\'busy\', 3}"}) return e[1], e[4]', ["StartError", ["busy", 3]]),
    ("ignore_in_init_gives_nil", 'return start{init = "return server.ignore"} == nil', [True]),
    ("start_link_links", 'actor.trap_exit(true) local p = start(nil, "start_link") exit(p, "kill") return receive()[3]', ["killed"]),
    ("start_monitor_gives_a_ref", 'local p, ref = start(nil, "start_monitor") exit(p, "kill") local m = receive() return m[1], m[2] == ref, m[4]', ["$down", True, "killed"]),
    ("it_can_be_spawned_as_any_actor", 'local p = actor.spawn("counter", 3) return Counter.get(p)', [3]),
    ("noreply_leaves_the_answer_for_later", 'local p = start() spawn("send(args[1], call(args[2], \'self.from = from return server.noreply\'))", nil, self(), p) '
     'fsd.task.sleep(0.005) server.cast(p, "server.reply(self.from, 9)") return receive()', [9]),
    ("another_actor_may_answer", 'local p = start() return server.call(p, "actor.spawn(\'do\', {text = \'actor.reply(args, 8)\', args = from}) return server.noreply")', [8]),
    ("cast_reaches_handle_cast", 'local p = start() server.cast(p, "self.x = 3") return server.call(p, "return self.x")', [3]),
    ("a_message_reaches_handle_info", 'local p = start() send(p, {"hello"}) return server.call(p, "return self.log")', [["hello"]]),
    ("an_exit_signal_of_another_reaches_handle_info", 'local p = start{trap = true} exit(p, "x") return server.call(p, "return self.log")', [["$exit"]]),
    ("a_monitor_reaches_handle_info", 'local p = start() '
     'server.cast(p, "self.m = actor.monitor(actor.spawn(\'do\', {text = \'\'}))") fsd.task.sleep(0.005) return server.call(p, "return self.log")', [["$down"]]),
    ("continue_comes_before_the_next_message", 'local p = start{init = "return server.continue(1)"} send(p, {"later"}) return server.call(p, "return self.log")',
     [[["continue", 1], "later"]]),
    ("continue_goes_with_an_answer", 'local p = start() return server.call(p, "return 5, server.continue(2)"), server.call(p, "return self.log")', [5, [["continue", 2]]]),
    ("continue_goes_with_noreply", 'local p = start() server.cast(p, "return server.noreply, server.continue(3)") return server.call(p, "return self.log")', [[["continue", 3]]]),
    ("a_timeout_is_a_message", 'local p = start{init = "return server.timeout(0.01)"} fsd.task.sleep(0.03) return server.call(p, "return self.log")', [["timeout"]]),
    ("a_message_ends_a_timeout", 'local p = start() server.call(p, "return 1, server.timeout(0.2)") send(p, {"a"}) fsd.task.sleep(0.3) return server.call(p, "return self.log")', [["a"]]),
    ("a_timeout_of_0_comes_when_nothing_waits", 'local p = start() server.cast(p, "return server.timeout(0)") send(p, {"a"}) server.cast(p, "return server.timeout(0)") '
     'fsd.task.sleep(0.005) return server.call(p, "return self.log")', [["a", "timeout"]]),
    ("a_message_nil_is_no_timeout", 'local p = start{init = "return server.timeout(60)"} send(p, nil) return server.call(p, "return #self.log")', [0]),
    ("stop_ends_it_with_its_reason", 'local p = start{to = self()} actor.monitor(p) server.cast(p, "return server.stop({\'shutdown\', 1})") return receive(), receive()[4]',
     [["terminate", ["shutdown", 1]], ["shutdown", 1]]),
    ("stop_may_answer_first", 'local p = start{to = self()} return server.call(p, "return server.stop(\'normal\', 7)"), receive()', [7, ["terminate", "normal"]]),
    ("stop_without_an_answer_fails_the_call", 'local p = start() local e = failing(server.call, p, "return server.stop(\'shutdown\')") return e[1], e[2], e[4]', ["CallError", "exit", "shutdown"]),
    ("stop_may_answer_nil", 'local p = start() return server.call(p, "return server.stop(\'normal\', nil)") == nil', [True]),
    ("an_error_ends_it_after_terminate", 'local p = start{to = self()} local ref = actor.monitor(p) server.cast(p, "error(\'oops\', 0)") return receive(), receive()[4].message',
     [["terminate", "oops"], "oops"]),
    ("an_error_fails_the_call", 'local p = start() local e = failing(server.call, p, "error(\'oops\', 0)") return e[1], e[2], e[4].message', ["CallError", "exit", "oops"]),
    ("exit_in_a_callback_ends_it_after_terminate", 'local p = start{to = self()} local ref = actor.monitor(p) server.cast(p, "actor.exit(\'gone\')") return receive(), receive()[4]',
     [["terminate", "gone"], "gone"]),
    ("terminate_is_not_called_by_a_signal", 'local p = start{to = self()} exit(p, "shutdown") down(p) return receive(0.01) == nil', [True]),
    ("terminate_is_called_when_its_parent_ends_and_it_traps",
     'local q = spawn("send(args[1], require(\'scripted\').start_link{args = {to = args[1], trap = true}}) receive()", nil, self()) '
     'local p = receive() actor.monitor(p) exit(q, "over") return receive(), receive()[4]', [["terminate", "over"], "over"]),
    ("terminate_is_not_called_when_its_parent_ends_and_it_does_not_trap",
     'local q = spawn("send(args[1], require(\'scripted\').start_link{args = {to = args[1]}}) receive()", nil, self()) '
     'local p = receive() exit(q, "over") down(p) return receive(0.01) == nil', [True]),
    ("kill_cannot_be_trapped", 'local p = start{to = self(), trap = true} exit(p, "kill") down(p) return receive(0.01) == nil', [True]),
    ("a_call_has_a_deadline", 'local p = start() return failing(server.call, p, "return server.noreply", 0.01)[2]', ["timeout"]),
    ("a_late_answer_is_dropped", 'local p = start() failing(server.call, p, "self.from = from return server.noreply", 0.01) '
     'return server.call(p, "return server.reply(self.from, 1)"), receive(0) == nil', [False, True]),
    ("api_makes_functions_of_methods", 'local p = Counter.start{args = 5} return Counter.add(p, 2), Counter.get(p)', [7, 7]),
    ("api_reaches_names", 'Counter.start{name = "c1"} return Counter.add("c1", 1)', [1]),
    ("api_keeps_nils", 'return Counter.both(Counter.start(), nil, 2, nil)', [[True, 2, True]]),
    ("api_methods_may_stop", 'local p = Counter.start() actor.monitor(p) return Counter.bye(p), receive()[4]', ["bye", "normal"]),
    ("api_methods_fail_as_calls_do", 'return failing(Counter.fail, Counter.start())[2]', ["exit"]),
    ("only_what_is_in_api_can_be_called", 'local p = Counter.start() return failing(call, p, {"$api", "hidden", {n = 0}})[4].message', ['the server "counter" has no handle_call']),
    ("a_server_made_by_a_function_knows_its_module", 'return call(require("inner.made").start(), 3)', [3]),
    ("get_state_gives_a_copy", 'return server.get_state(Counter.start{args = 5})', [{"n": 5}]),
    ("a_state_that_cannot_be_copied_is_a_reason", 'local p = start() server.cast(p, "self.f = print") return try(server.get_state, p):find("cannot send a function", 1, true) ~= nil, actor.alive(p)',
     [True, True]),
    ("change_code_runs_code_change", 'local p = require("changing").start() server.change_code(p, 10) return call(p, 1)', [11]),
    ("a_code_change_that_fails_changes_nothing", 'local p = require("changing").start() return try(server.change_code, p, 13), call(p, 1)', ["error: changing.lua:5: unlucky", 1]),
    ("change_code_without_code_change_keeps_the_state", 'local p = Counter.start{args = 3} server.change_code(p) return Counter.add(p, 1)', [4]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RUNS], ids=[row[0] for row in RUNS])
def test_server(app, text, expected):
    assert app.run(HEAD.replace("\n", " ") + text) == expected


MISTAKES = [
    ("an order in front of no answer", 'server.call(start(), "return server.continue(1)")', "handle_call must return the answer, or server.noreply, in front of server.continue"),
    ("no handle_call", 'call(require("bare").start(), 1)', 'the server "bare" has no handle_call'),
    ("bad seconds", "server.timeout(-1)", "server.timeout expects seconds, 0 or more"),
    ("unknown option of start", "S.start{nme = 1}", 'unknown option "nme"'),
    ("unknown option of server", "server{nme = 1}", 'unknown option "nme"'),
    ("bad option of server", "server{timeout = 'x'}", 'bad option "timeout": a number expected'),
    ("no module", "server{}.start()", "no module has this server as its value"),
    ("callback in api", 'server{}.api = {"init"}', 'api cannot have "init": it has a meaning of its own'),
    ("start in api", 'server{}.api = {"start"}', 'api cannot have "start": it has a meaning of its own'),
    ("api that is no list", "server{}.api = 1", "api must be a list of names of methods"),
    ("a method called start", "server{}.start = print", '"start" is the server\'s own'),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes_raise(app, text, message):
    assert message in app.run(HEAD.replace("\n", " ") + f"return try(function() {text} end)")[0]


def test_a_request_can_start_and_call_a_server(app):
    assert app.handle('local p = require("counter").start{args = 1} return require("counter").add(p, 4)') == [5]


def test_start_link_is_for_actors(app):
    assert "only an actor can" in app.handle('local _, e = fsd.try(require("counter").start_link) return e.message')[0]


def test_a_server_that_stops_abnormally_says_so(app):
    app.run(HEAD.replace("\n", " ") + 'local p = start() server.cast(p, "return server.stop(\'disk full\')") return down(p)')
    record = app.process.wait_record(msg="server stopped: disk full")
    assert (record["level"], record["module"]) == ("error", "scripted")


def test_an_error_is_logged_once_with_its_place(app):
    app.run(HEAD.replace("\n", " ") + 'local p = Counter.start() fsd.try(Counter.fail, p) return 1')
    record = app.process.wait_record(msg="actor crashed: counter.lua:9: no luck")
    assert "counter.lua:9" in record["traceback"] and record["module"] == "counter"


def test_a_message_that_nobody_handles_is_a_warning(app):
    app.run('local p = require("bare").start() send(p, {"what"}) return 1')
    record = app.process.wait_record(msg="a server got a message that it has no handle_info for")
    assert (record["level"], record["module"], record["type"]) == ("warning", "bare", "what")
