"""fsd.actor: spawning, sending, receiving, calling."""
import pytest

from actor_app import FILES, ActorApp


@pytest.fixture(scope="module")
def app(serve):
    files = {
        **FILES,
        "tabled.lua": 'local M = {} function M:run(args) require("fsd.actor").reply(select(2, require("fsd.actor").receive()), {self == M, args}) end return M',
        "wrong.lua": "return 5",
        "empty.lua": "return {}",
        "failing.lua": 'error("top level")',
        "args.lua": 'local a = require "fsd.actor" return function(args) local _, from = a.receive() a.reply(from, args) end',
    }
    return ActorApp(serve(files))


RUNS = [
    ("a_message_arrives", 'send(self(), {"a", 1}) return receive()', [["a", 1]]),
    ("a_message_is_a_copy", 'local t = {1} send(self(), t) t[1] = 2 return receive()[1], t[1]', [1, 2]),
    ("messages_keep_their_order", 'for i = 1, 5 do send(self(), i) end return receive(), receive(), receive(), receive(), receive()',
     [1, 2, 3, 4, 5]),
    ("nil_false_and_null_can_be_sent", 'send(self(), nil) send(self(), false) send(self(), json.null) '
     'local a, b, c = receive(), receive(), receive() return a == nil, b == false, c == json.null', [True] * 3),
    ("receive_waits", 'spawn("fsd.task.sleep(0.02) send(args[1], \'late\')", nil, self()) return receive()', ["late"]),
    ("receive_gives_nil_after_its_time", 'local t = fsd.now() local m = receive(0.02) return m == nil, fsd.now() - t >= 0.02', [True, True]),
    ("receive_0_does_not_wait", 'send(self(), 1) return receive(0), receive(0) == nil', [1, True]),
    ("a_message_ends_the_time_of_receive",
     'spawn("send(args[1], 1) fsd.task.sleep(0.05) send(args[1], 2)", nil, self()) return receive(60), receive(60)', [1, 2]),
    ("a_pid_in_a_message_is_the_same_value", 'send(self(), {self()}) local t = {} t[self()] = "me" return receive()[1] == self(), t[self()]',
     [True, "me"]),
    ("a_pid_has_a_text", 'return (tostring(self()):gsub("%d+", "N"))', ["<N.N.N.N>"]),
    ("arguments_are_copied", 'return call(actor.spawn("args", {1, {2}}), "x")', [[1, [2]]]),
    ("a_module_may_be_a_table_with_run", 'return table.unpack(call(actor.spawn("tabled", 7), "x"))', [True, 7]),
    ("a_send_to_an_actor_that_has_ended_is_lost_quietly", 'local p = spawn("") wait_end(p) send(p, 1) return actor.alive(p)', [False]),
    ("try_send_says_what_became_of_it", 'local p = spawn("") wait_end(p) return {actor.try_send(self(), 1)}, {actor.try_send(p, 1)}, {actor.try_send("nobody", 1)}',
     [[True], [False, "noproc"], [False, "noproc"]]),
    ("receive_can_choose_by_the_first_element",
     'send(self(), {"b", 1}) send(self(), {"a", 2}) return receive{ a = function(m) return m[2], "a" end }, receive()[1]', [2, "b"]),
    ("receive_can_choose_by_the_type", 'send(self(), {type = "x", v = 1}) send(self(), {type = "y", v = 2}) return receive{ y = function(m) return m.v end }', [2]),
    ("receive_can_choose_by_the_message_itself", 'send(self(), "x") send(self(), 7) return receive{ [7] = function(m) return m end }, receive()', [7, "x"]),
    ("receive_can_choose_by_a_predicate", 'for i = 1, 4 do send(self(), i) end '
     'return receive(function(m) return m > 2 end), receive(), receive(), receive()', [3, 1, 2, 4]),
    ("what_does_not_match_stays_in_order", 'for i = 1, 3 do send(self(), {"n", i}) end send(self(), {"go"}) '
     'receive{ go = function() end } return receive()[2], receive()[2], receive()[2]', [1, 2, 3]),
    ("receive_waits_for_a_match", 'spawn("for i = 1, 3 do send(args[1], {\'no\', i}) fsd.task.sleep(0) end send(args[1], {\'yes\', 9})", nil, self()) '
     'return receive{ yes = function(m) return m[2] end }, receive()[2]', [9, 1]),
    ("after_ends_a_choice", 'send(self(), {"no"}) return receive{ yes = print, after = {0.01, function() return "late" end} }, receive()[1]', ["late", "no"]),
    ("a_choice_may_have_a_time_of_its_own", 'return receive({ yes = print }, 0.01) == nil', [True]),
    ("after_counts_from_the_begin", 'spawn("for i = 1, 1000 do send(args[1], {\'no\'}) fsd.task.sleep(0.005) end", {link = true}, self()) '
     'local t = fsd.now() receive({ yes = print }, 0.05) local d = fsd.now() - t return d >= 0.05 and d < 4', [True]),
    ("a_matched_function_may_wait", 'send(self(), {"a"}) return receive{ a = function() fsd.task.sleep(0.001) return "waited" end }', ["waited"]),
    ("a_matched_function_may_receive", 'send(self(), {"b"}) send(self(), {"a"}) return receive{ a = function() return receive()[1] end }', ["b"]),
    ("a_failing_predicate_raises", 'send(self(), 1) local e = try(receive, function(m) return m.x.y end) return e ~= nil, receive()', [True, 1]),
    ("a_predicate_must_not_receive", 'send(self(), 1) return try(receive, function(m) receive() end)',
     ["error: cannot receive inside of a function that receive calls to match"]),
    ("cast_is_told_from_send", 'actor.cast(self(), 5) local m, from, kind = receive() return m, from == nil, kind', [5, True, "cast"]),
    ("the_table_of_functions_gets_from", 'local p = spawn("receive{ get = function(m, from) actor.reply(from, m[2] + 1) end }") return call(p, {"get", 4})', [5]),
    ("call_returns_the_answer", 'local p = spawn("local m, from, kind = receive() actor.reply(from, {m, kind})") return call(p, {"q"})', [[["q"], "call"]]),
    ("an_answer_may_be_nil", 'local p = spawn("local _, from = receive() actor.reply(from, nil)") return call(p, 1) == nil', [True]),
    ("an_answer_may_come_from_another_actor", 'local p = spawn("local _, from = receive() spawn(\'actor.reply(args[1], 8)\', nil, from) receive()") return call(p, 1)', [8]),
    ("call_has_a_deadline", 'local p = spawn("receive() receive()") return try(call, p, 1, 0.02)', ["timeout: cannot call: the actor has not answered in time"]),
    ("a_late_answer_is_dropped", 'local p = spawn("local _, from = receive() fsd.task.sleep(0.03) send(args[1], actor.reply(from, 1))", nil, self()) '
     'local e = try(call, p, 1, 0.01) return e:sub(1, 7), receive(), receive(0) == nil', ["timeout", False, True]),
    ("a_second_answer_is_dropped", 'local p = spawn("local _, from = receive() send(args[1], {actor.reply(from, 1), actor.reply(from, 2)})", nil, self()) '
     'return call(p, 1), receive()', [1, [True, False]]),
    ("a_question_that_is_too_late_is_not_received", 'local p = spawn("fsd.task.sleep(0.04) send(args[1], receive())", nil, self()) '
     'try(call, p, "old", 0.01) send(p, "new") return receive()', ["new"]),
    ("a_call_of_nobody_is_refused", 'local p = spawn("") wait_end(p) return try(call, p, 1), try(call, "nobody", 1)',
     ["noproc: cannot call: there is no such actor"] * 2),
    ("a_call_of_oneself_is_refused", "return try(call, self(), 1)", ["calling_self: cannot call: an actor cannot call itself"]),
    ("a_call_ends_with_the_actor", 'local p = spawn("receive() exit({\'shutdown\', 3})") local _, e = fsd.try(call, p, 1) return e.name, e.code, e.reason',
     ["CallError", "exit", ["shutdown", 3]]),
    ("many_calls_at_a_time", 'local p = spawn("while true do local m, from = receive() actor.reply(from, m * 2) end") '
     'for i = 1, 200 do spawn("send(args[1], call(args[2], args[3]))", nil, self(), p, i) end '
     'local sum = 0 for i = 1, 200 do sum = sum + receive() end exit(p, "kill") return sum', [200 * 201]),
    ("a_name_stands_for_its_actor", 'local p = spawn("local _, from = receive() actor.reply(from, 3)", {name = "n1"}) '
     'return actor.whereis("n1") == p, call("n1", 1), wait_end(p), actor.whereis("n1") == nil', [True, 3, "noproc", True]),
    ("a_name_can_be_taken_and_given_back", 'actor.register("n2") local a = actor.whereis("n2") == self() local t = actor.registered().n2 == self() '
     'actor.unregister("n2") return a, t, actor.whereis("n2") == nil', [True] * 3),
    ("a_name_is_taken_once", 'actor.register("n3") local p = spawn("receive()") return try(actor.register, "n3", p), try(spawn, "", {name = "n3"})',
     ['exists: cannot register "n3": another actor has the name'] * 2),
    ("an_actor_has_one_name", 'actor.register("n4") return try(actor.register, "n5")', ['error: cannot register "n5": the actor is "n4" already']),
    ("a_name_is_free_when_its_actor_has_ended", 'local p = spawn("", {name = "n6"}) wait_end(p) actor.register("n6") return actor.whereis("n6") == self()', [True]),
    ("a_name_that_nobody_has_is_a_mistake", 'return try(send, "nobody", 1), try(actor.cast, "nobody", 1)',
     ['noproc: cannot reach "nobody": no actor has the name'] * 2),
    ("the_dead_get_no_name", 'local p = spawn("") wait_end(p) return try(actor.register, "n7", p)', ['noproc: cannot register "n7": the actor has ended']),
    ("info_describes_an_actor", 'local p = spawn("receive{ x = print }", {mailbox = 7, overflow = "raise", name = "n8"}) actor.link(p) send(p, 1) send(p, 2) fsd.task.sleep(0) '
     'local i = actor.info(p) exit(p, "kill") return {i.module, i.name, i.mailbox, i.overflow, i.trap_exit, #i.links, i.links[1] == self(), i.dropped, i.state, i.messages}',
     [["do", "n8", 7, "raise", False, 1, True, 0, "waiting", 2]]),
    ("info_of_nobody_is_nil", 'local p = spawn("") wait_end(p) return actor.info(p) == nil, actor.info("nobody") == nil', [True, True]),
    ("list_knows_no_other_filter", 'return try(actor.list, {modul = "args"})', ['error: unknown option "modul"']),
    ("list_finds_actors_by_module", 'local p = actor.spawn("args") local l = actor.list{module = "args"} local found = l[#l] == p exit(p, "kill") return found, #actor.list() >= 1',
     [True, True]),
    ("receive_works_in_a_coroutine_of_ones_own", 'spawn("fsd.task.sleep(0) send(args[1], 5) send(args[1], {\'x\', 6})", nil, self()) '
     'local next = coroutine.wrap(function() coroutine.yield(receive()) coroutine.yield(receive{ x = function(m) return m[2] end }) end) return next(), next()', [5, 6]),
    ("call_works_in_a_coroutine_of_ones_own", 'local p = spawn("local m, from = receive() fsd.task.sleep(0) actor.reply(from, m + 1)") '
     'return coroutine.wrap(function() return call(p, 1) end)()', [2]),
    ("a_wait_for_room_works_in_a_coroutine_of_ones_own", 'local p = spawn("fsd.task.sleep(0.01) receive() send(args[1], (receive()))", {mailbox = 1}, self()) '
     'coroutine.wrap(function() send(p, 1) send(p, 2) end)() return receive()', [2]),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in RUNS], ids=[row[0] for row in RUNS])
def test_actor(app, text, expected):
    assert app.run(text) == expected


SPAWNS = [
    ("no module", "spawn(nil)", "string expected"),
    ("empty name", 'actor.spawn("")', "not the name of a module"),
    ("unknown option", 'spawn("", {nme = 1})', 'unknown option "nme"'),
    ("bad name", 'spawn("", {name = 5})', "bad name: a string of 1 to 255 bytes expected"),
    ("bad overflow", 'spawn("", {overflow = "block"})', 'bad option "overflow": "suspend", "drop_new", "drop_old" or "raise" expected'),
    ("bad mailbox", 'spawn("", {mailbox = 0})', 'bad option "mailbox": an integer from 1 expected'),
    ("bad cpu", 'spawn("", {cpu = 0})', 'bad option "cpu": seconds expected, up to a year'),
    ("bad deadline", 'spawn("", {deadline = "x"})', 'bad option "deadline": seconds expected, up to a year'),
    ("endless deadline", 'spawn("", {deadline = math.huge})', 'bad option "deadline": seconds expected, up to a year'),
    ("bad memory", 'spawn("", {memory = 0})', 'bad option "memory": an integer from 1 expected'),
    ("bad link", 'spawn("", {link = 1})', 'bad option "link": true or false expected'),
    ("bad place", 'spawn("", {on = "moon"})', 'bad option "on": "local", "any", a slot or an entry of worker.list() expected'),
    ("function as argument", 'actor.spawn("do", {text = print})', 'cannot send a function at "text"'),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in SPAWNS], ids=[row[0] for row in SPAWNS])
def test_spawn_refuses(app, text, message):
    before, error, after = app.run(f"local n = #actor.list() local e = try(function() {text.replace('spawn(nil)', 'actor.spawn(nil)')} end) return n, e, #actor.list()")
    assert message in error
    assert before == after


ENDS = [
    ("a module that does not exist", "nonesuch", "module 'nonesuch' not found"),
    ("a module whose top level fails", "failing", "failing.lua:1: top level"),
    ("a module that returns a number", "wrong", 'cannot run "wrong" as an actor: the module must return a function, or a table with a function `run`'),
    ("a module that returns a table without run", "empty", 'cannot run "empty" as an actor'),
]


@pytest.mark.parametrize("module, message", [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_code_that_cannot_run_ends_the_actor(app, module, message):
    name, text = app.run(f'local _, ref = actor.spawn_monitor("{module}") local r = receive()[4] return r.name, r.message')
    assert name == "Error"
    assert message in text


SENDS = [
    ("a function", "send(self(), {cb = print})", 'cannot send a function at "cb"'),
    ("a cycle", "local t = {} t[1] = t send(self(), t)", "cannot send more than 100 levels of tables (a cycle?)"),
    ("too much", 'send(self(), ("x"):rep(1 << 20))', "cannot send more than 1 MiB in one message"),
    ("a call with a function", "call(actor.spawn('args'), print)", "cannot send a function"),
    ("an answer with a function", "actor.reply(actor.monitor(self()), print)", "cannot send a function"),
    ("an exit with a function", "exit(self(), print)", "cannot send a function"),
    ("nothing", "send(self())", "value expected"),
    ("to a number", "send(5, 1)", "pid or name expected, got number"),
    ("a negative time", "send(self(), 1, -1)", "must not be negative"),
    ("a wrong after", "receive{after = 5}", "after must be {seconds, function}"),
    ("a wrong from", "actor.reply(self(), 1)", "from expected, got fsd.Pid"),
]


@pytest.mark.parametrize("text, message", [row[1:] for row in SENDS], ids=[row[0] for row in SENDS])
def test_what_cannot_be_sent_is_a_mistake_of_the_sender(app, text, message):
    assert message in app.run(f"return try(function() {text} end)")[0]


HANDLERS = [
    ("may_send_and_call", 'local p = actor.spawn("args", 4) return actor.call(p, 1)', 4),
    ("may_try_and_cast", 'local p = actor.spawn("args", 4) actor.cast(p, 1) return {actor.try_send(p, 1)}', [True]),
    ("may_end_actors", 'local p = actor.spawn("args") actor.exit(p, "shutdown") return actor.alive(p)', False),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in HANDLERS], ids=[row[0] for row in HANDLERS])
def test_a_handler(app, text, expected):
    assert app.handle(text) == [expected]


@pytest.mark.parametrize("text, message", [
    ("actor.receive()", "cannot receive here: only an actor has a mailbox, not a request or a task"),
    ("actor.self()", "cannot ask for self here: only an actor can"),
    ('actor.spawn_link("args")', "cannot link or monitor here: only an actor can, not a request or a task"),
    ('actor.monitor(actor.spawn("args"))', "cannot monitor here"),
    ('actor.register("h")', "cannot register without a pid here"),
    ("actor.exit()", "cannot exit here"),
    ("actor.trap_exit(true)", "cannot trap exits here"),
])
def test_a_handler_has_no_mailbox(app, text, message):
    assert message in app.handle(f"local _, e = fsd.try(function() {text} end) return e.message")[0]


def test_actors_are_not_spawned_while_the_application_loads(serve_refused):
    assert "cannot spawn an actor here: only a request, a task or an actor can" in serve_refused('require("fsd.actor").spawn("x")')


def test_many_actors_at_a_time(app):
    """More than one growth of every table."""
    assert app.run("""
      local pids, before = {}, #actor.list()
      for i = 1, 3000 do pids[i] = spawn("local m = receive() send(m, args[1])", nil, i) end
      for i = 1, 3000 do send(pids[i], self()) end
      local sum = 0
      for i = 1, 3000 do sum = sum + receive() end
      while #actor.list() > before do fsd.task.sleep(0) end -- the last may have been preempted behind its send
      return sum, #actor.list() - before
    """) == [3000 * 3001 // 2, 0]


def test_an_actor_that_spins_by_messages_lets_requests_through(app):
    pid = 'spawn("local other = receive() send(other, 1) while true do send(other, receive()) end")'
    app.run(f"local a, b = {pid}, {pid} actor.register('spin', a) send(a, b) send(b, a) return 1")
    try:
        assert app.handle("return actor.alive(actor.whereis('spin'))") == [True]
    finally:
        app.handle("for _, pid in ipairs(actor.list{module = 'do'}) do actor.exit(pid, 'kill') end return 1")
