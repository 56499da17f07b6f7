"""fsd.timer.send_after and send_every: messages that are sent later, and what becomes of them when nobody is there."""
import pytest

from actor_app import FILES, ActorApp


@pytest.fixture(scope="module")
def app(serve):
    return ActorApp(serve(FILES))


TIMER = "local timer = fsd.timer "

RUNS = [
    ("a_message_comes_later", 'local begin = fsd.now() timer.send_after(0.02, self(), {"late"}) send(self(), {"now"}) '
     'return receive()[1], receive()[1], fsd.now() - begin >= 0.02', ["now", "late", True]),
    ("the_earlier_one_comes_first", 'timer.send_after(0.02, self(), 2) timer.send_after(0.001, self(), 1) return receive(), receive()', [1, 2]),
    ("the_message_is_copied_at_once", 'local t = {1} timer.send_after(0, self(), t) t[1] = 2 return receive()[1]', [1]),
    ("nil_can_be_sent", 'timer.send_after(0, self(), nil) local m, from, kind = receive() return m == nil, kind == nil', [True, True]),
    ("a_name_counts_when_the_message_is_sent",
     'timer.send_after(0.01, "named later", 1) actor.register("named later") local m = receive() actor.unregister("named later") return m', [1]),
    ("read_says_how_long", 'local t = timer.send_after(60, self(), 1) local s = t:read() return s > 50 and s <= 60, t:cancel(), t:read() == nil, t:cancel()',
     [True, True, True, False]),
    ("read_is_nil_when_it_was_sent", 'local t = timer.send_after(0, self(), 1) receive() return t:read() == nil, t:cancel()', [True, False]),
    ("read_is_about_the_next_time_of_what_repeats", 'local t = timer.every(60, print) local s = t:read() t:cancel() return s > 50 and s <= 60', [True]),
    ("read_knows_wall_clocks", 'local t = timer.at(fsd.time() + 60, print) local s = t:read() t:cancel() return s > 50 and s <= 60', [True]),
    ("a_cancelled_message_does_not_come", 'local t = timer.send_after(0.001, self(), 1) timer.cancel(t) timer.send_after(0.01, self(), 2) return receive()', [2]),
    ("a_timer_ends_with_its_actor",
     'local p = spawn("receive()") local t, u, mine = timer.send_after(60, p, 1), timer.send_every(60, p, 1), timer.send_after(60, self(), 1) '
     'exit(p, "kill") wait_end(p) return t:read() == nil, u:read() == nil, mine:cancel()', [True, True, True]),
    ("those_that_were_cancelled_before_do_not_matter",
     'local p = spawn("receive()") local ts = {} for i = 1, 9 do ts[i] = timer.send_after(60, p, i) end '
     'for _, i in ipairs{ 1, 9, 5, 4 } do ts[i]:cancel() end exit(p, "kill") wait_end(p) '
     'local set = 0 for i = 1, 9 do if ts[i]:read() then set = set + 1 end end return set', [0]),
    ("one_for_an_actor_that_has_ended_reaches_nobody",
     'local p = spawn("") wait_end(p) timer.send_after(0, p, 1) timer.send_after(0.01, self(), 2) return receive()', [2]),
    ("what_repeats_for_an_actor_that_has_ended_stops",
     'local p = spawn("") wait_end(p) local t = timer.send_every(0.001, p, 1) while t:read() do fsd.task.sleep(0.001) end return t:cancel()', [False]),
    ("a_name_that_nobody_has_is_no_error", 'timer.send_after(0, "nobody", 1) timer.send_after(0.01, self(), 2) return receive()', [2]),
    ("messages_repeat_until_they_are_cancelled",
     'local t = timer.send_every(0.002, self(), {"tick"}) for i = 1, 3 do assert(receive()[1] == "tick") end return t:cancel(), t:read() == nil', [True, True]),
    ("what_has_no_room_is_lost",
     'local p = spawn("gate(\'full\'):get() local n = 0 while receive(0.05) do n = n + 1 end send(args[1], n)", { mailbox = 2 }, self()) '
     'for i = 1, 5 do timer.send_after(0, p, i) end timer.send_after(0.01, self(), 0) receive() gate("full"):put(true) return receive()', [2]),
    ("wrong_arguments_are_the_callers",
     'return try(timer.send_after, -1, self(), 1), try(timer.send_after, 1, nil, 1), try(timer.send_after, 1, io.stdout, 1), '
     'try(timer.send_every, 0, self(), 1), try(timer.send_after, 1, self(), print)',
     ["error: bad argument #1 to 'send_after' (must be a number of seconds, at least 0)",
      "error: bad argument #2 to 'send_after' (pid or name expected, got nil)",
      "error: bad argument #2 to 'send_after' (pid or name expected, got userdata)",
      "error: bad argument #1 to 'send_every' (must be a number of seconds, at least 0.001)",
      "error: cannot send a function"]),
    ("the_fault_has_the_callers_line", 'local _, err = fsd.try(function() timer.send_after(1, self(), print) end) return (err.message:match("^%S+ "))', ["test:1: "]),
]


@pytest.mark.parametrize("name, text, wanted", RUNS, ids=[row[0] for row in RUNS])
def test_run(app, name, text, wanted):
    assert app.run(TIMER + text) == wanted


def test_a_request_may_send_later(app):
    assert app.handle('local pid = actor.spawn("do", {text = "local m = receive() gate(\'told\'):put(m)"}) '
                      'fsd.timer.send_after(0.001, pid, "later") return require("gate")("told"):get()') == ["later"]


def test_timers_are_not_set_while_an_application_loads(serve_refused):
    log = serve_refused('local fsd = require "fsd"\nfsd.timer.send_after(1, "name", 1)\nreturn fsd.app()\n')
    assert "app.lua:2: cannot set a timer here" in log


@pytest.mark.parametrize("options", ['{ scope = "all" }', "{ scope = 5 }"])
def test_an_application_with_an_unknown_scope_does_not_load(serve_refused, options):
    log = serve_refused(f'local fsd = require "fsd"\nlocal app = fsd.app()\napp:every(1, print, {options})\nreturn app\n')
    assert "app.lua:3: bad argument #3 to 'every' (scope must be \"worker\" or \"node\")" in log
