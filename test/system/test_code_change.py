"""Other code in a worker that runs, from the master's side: PREPARE, COMMIT and ABORT of a bundle."""
import re
import struct
import time

import pytest
from as_master import ABORT, ABORT_LATE, CHANGE_CODE, COMMIT, PREPARE, PREPARED, REJECTED
from code_site import Site, laggards, source
from fsd_process import wait_for


@pytest.fixture
def site(tmp_path):
    one = Site(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def test_code_is_replaced_at_its_commit_and_connections_go_on(site):
    client = site.serve(source(1)).client()
    assert client.ask() == {"version": 1, "generation": 7}
    site.prepare(source(2), 8)
    assert client.ask() == {"version": 1, "generation": 7}
    site.commit(8)
    assert client.ask() == {"version": 2, "generation": 8}
    assert site.client().ask() == {"version": 2, "generation": 8}


def test_what_is_aborted_leaves_nothing(site):
    client = site.serve(source(1)).client()
    site.prepare(source(2), 8)
    assert client.ask("/alive") == [1, 2]
    site.tell(ABORT)
    assert client.ask() == {"version": 1, "generation": 7}
    assert client.ask("/alive") == [1]
    site.tell(COMMIT)  # ignored
    site.put(source(3), 9)
    assert client.ask()["version"] == 3


def test_a_running_request_finishes_on_its_own_code_which_is_then_collected(site):
    client = site.serve(source(1, late='require "late"'), late="return 'one'").client()
    waiting = site.client().send("/wait")
    wait_for(lambda: client.ask("/waits")[0], "the request to wait")
    site.put(source(2, late='require "late"'), 8, late="return 'two'")
    assert client.ask("/alive") == [1, 2]
    client.ask("/open")
    assert waiting.receive() == {"version": 1, "late": "one"}
    wait_for(lambda: client.ask("/alive") == [2], "the old code to be collected")
    again = waiting.send("/wait")
    client.ask("/open")
    assert again.receive() == {"version": 2, "late": "two"}


def test_a_hundred_changes_leave_one_version(site):
    client = site.serve(source(1)).client()
    for number in range(2, 102):
        site.put(source(number), 6 + number)
        assert client.ask()["version"] == number
    assert client.ask("/alive") == [101]


def test_a_worker_in_reserve_takes_part(site):
    site.load(source(1))
    site.put(source(2), 8)
    site.listener = site.worker.lend(0)
    site.worker.activate(8, 0)
    assert site.client().ask() == {"version": 2, "generation": 8}


BROKEN = [
    ("an error at load", "\nerror('boom')", "app.lua:2: boom\nstack traceback:"),
    ("no application", "return 5", "app.lua must end with `return app` (what fsd.app() gave), it returned number"),
    ("a missing module", "\n\nrequire 'no.such'", "app.lua:3: module 'no.such' not found:"),
    ("a task", "\nrequire('fsd').task.spawn(print)", "app.lua:2: cannot spawn a task here"),
    ("a timer", "\nrequire('fsd').timer.after(0, print)", "app.lua:2: cannot set a timer here"),
    ("an actor", "\nrequire('fsd').actor.spawn('x')", "app.lua:2: cannot spawn an actor here"),
    ("a message", "\nrequire('fsd').actor.send('store', 1)", "app.lua:2: cannot send here"),
    ("a message that is tried", "\nrequire('fsd').actor.try_send('store', 1)", "app.lua:2: cannot send here"),
    ("a signal", "\nrequire('fsd').actor.exit('store', 1)", "app.lua:2: cannot end an actor here"),
    ("a name", "\nrequire('fsd').actor.register('store', 1)", "app.lua:2: cannot register here"),
    ("news", "\nrequire('fsd.pubsub').publish('news', 1)", "cannot publish here"),
    ("an exit", "\nos.exit(3)", "app.lua:2: cannot exit here"),
    ("a wait", "\nrequire('fsd').task.sleep(0)", "app.lua:2: cannot wait here"),
    ("a check that raises", "local app = require('fsd').app()\napp:on_check(function() require('fsd').task.sleep(0.001) error('no database') end)\n"
     "return app", "app.lua:2: no database"),
    ("a check that starts something", "local app = require('fsd').app()\napp:on_check(function() require('fsd').task.spawn(print) end)\n"
     "return app", "app.lua:2: cannot spawn a task here"),
    ("a check that sends", "local app = require('fsd').app()\napp:on_check(function() require('fsd').actor.send('store', 1) end)\n"
     "return app", "app.lua:2: cannot send here"),
    ("a check that exits", "local app = require('fsd').app()\napp:on_check(os.exit) return app", "cannot exit here"),
]


@pytest.mark.parametrize("code, message", [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_broken_code_is_rejected_with_its_place(site, code, message):
    client = site.serve(source(1)).client()
    site.begin(code, 8)
    assert message in site.expect(REJECTED)
    assert client.ask() == {"version": 1, "generation": 7}
    site.put(source(2), 9)
    assert client.ask()["version"] == 2


def test_checks_run_in_their_order_and_may_wait(site):
    client = site.serve(source(1)).client()
    more = '''
      app:on_check(function() fsd.task.sleep(0.01) table.insert(kept.said, "one") end)
      app:on_check(function() table.insert(kept.said, "two") end)'''
    site.prepare(source(2, more), 8)
    assert client.ask("/kept")["said"] == ["one", "two"]
    site.commit(8)


def test_a_load_that_does_not_end_is_cut_by_abort_while_requests_are_answered(site):
    client = site.serve(source(1)).client()
    site.begin("while true do end", 8)
    assert client.ask()["version"] == 1
    assert client.ask()["version"] == 1
    site.tell(ABORT)
    site.put(source(2), 9)
    assert client.ask()["version"] == 2


def test_code_whose_time_is_over_says_where_it_stands(site):
    client = site.serve(source(1)).client()
    for code, line in (("\nwhile true do end", 2), ("local app = require('fsd').app()\n\napp:on_check(function() require('fsd').task.sleep(60) end)\n"
                                                   "return app", 3)):
        site.begin(code, 8)
        assert client.ask()["version"] == 1
        site.tell(ABORT, ABORT_LATE)
        assert re.match(rf"the code has not come to an end in its time\nstack traceback:\n(\t\[C\].*\n)?\tapp.lua:{line}: in ", site.expect(REJECTED))
    site.prepare(source(2), 9)
    site.tell(ABORT, ABORT_LATE)  # it was ready, and has said so
    site.commit(9)
    assert client.ask()["version"] == 2


def test_a_check_that_waits_for_ever_is_cut_by_abort(site):
    client = site.serve(source(1)).client()
    site.begin(source(2, "app:on_check(function() kept.waiting = true kept.gate:get() end)"), 8)
    assert client.ask()["version"] == 1
    site.tell(ABORT)
    wait_for(lambda: client.ask("/alive") == [1], "the tried code to be collected")


def test_a_later_prepare_takes_the_place_of_one_that_is_not_over(site):
    client = site.serve(source(1)).client()
    site.begin("while true do end", 8)
    site.put(source(2), 9)
    assert client.ask() == {"version": 2, "generation": 9}


def test_an_older_generation_is_rejected(site):
    site.serve(source(1))
    site.begin(source(2), 7)
    assert site.expect(REJECTED) == "the generation is not newer than the running one"


def test_declared_timers_are_replaced_and_those_of_a_start_are_cancelled(site):
    tick = 'app:every(0.01, function() kept.ticks["%s"] = (kept.ticks["%s"] or 0) + 1 end)'
    start = '''app:on("start", function()
      local closed <close> = setmetatable({}, { __close = function() table.insert(kept.said, "closed") end })
      table.insert(kept.said, "started") kept.gate:get() end)'''
    client = site.serve(source(1, tick % ("one", "one") + start)).client()
    wait_for(lambda: "one" in client.ask("/kept")["ticks"], "the first timer")
    site.put(source(2, tick % ("two", "two")), 8)
    wait_for(lambda: "two" in client.ask("/kept")["ticks"], "the second timer")
    wait_for(lambda: client.ask("/kept")["said"] == ["started", "closed"], "the end of the old start")
    before = client.ask("/kept")["ticks"]
    wait_for(lambda: client.ask("/kept")["ticks"]["two"] > before["two"] + 3, "more ticks")
    assert client.ask("/kept")["ticks"]["one"] == before["one"]
    wait_for(lambda: client.ask("/alive") == [2], "the old code to be collected")


def test_a_worker_that_drains_rejects(site):
    site.serve(source(1))
    client = site.client()
    waiting = client.send("/wait")
    wait_for(lambda: site.client().ask("/waits")[0], "the request to wait")
    site.worker.drain()
    site.begin(source(2), 8)
    assert site.expect(REJECTED) == "the worker is leaving"
    assert waiting is client


BACKGROUND = """
app:get("/spawn", function() fsd.task.spawn(function() kept.waiting = true
  local closed <close> = setmetatable({}, { __close = function() table.insert(kept.said, "closed") end })
  local _, err = fsd.try(kept.gate.get, kept.gate) table.insert(kept.said, err and err.code or "taken")
end) return {} end)
app:get("/later", function() fsd.timer.after(0.2, function() table.insert(kept.said, fsd.worker.self().generation) end) return {} end)
app:get("/actor", function() fsd.actor.spawn("waits") return {} end)"""


def test_the_master_hears_what_still_runs_on_replaced_code(site):
    client = site.serve(source(1, BACKGROUND)).client()
    waiting = site.client().send("/wait")
    client.ask("/spawn")
    wait_for(lambda: client.ask("/waits")[0], "both to wait")
    site.put(source(2), 8)
    generation, count, lines = laggards(site)
    assert (generation, count) == (7, 2)
    assert sorted(line.split(" since ")[0] for line in lines) == ["request GET /wait", "task app.lua:20"]
    assert all(line.split(" at ")[1].startswith("app.lua:") for line in lines)
    client.ask("/open")
    client.ask("/open")
    waiting.receive()
    assert laggards(site) == (0, 0, [])
    assert client.ask("/alive") == [2]


def test_what_runs_on_replaced_code_when_its_time_is_over_is_cancelled(site):
    site.limits = {"replaced_ms": 500, "request_timeout_ms": 60000}
    client = site.serve(source(1, BACKGROUND)).client()
    client.ask("/spawn")
    wait_for(lambda: client.ask("/waits")[0], "the task to wait")
    site.put(source(2), 8)
    wait_for(lambda: client.ask("/kept")["said"] == ["replaced", "closed"], "the end of the task")
    wait_for(lambda: client.ask("/alive") == [2], "the old code to be collected")


def test_a_timer_runs_on_the_code_that_has_set_it(site):
    client = site.serve(source(1, BACKGROUND)).client()
    client.ask("/later")
    site.put(source(2), 8)
    wait_for(lambda: client.ask("/kept")["said"] == [7], "the timer")


def test_actors_stay_on_their_code_and_new_ones_run_the_new(site):
    actor = "local kept = require('fsd').state('kept') return function() table.insert(kept.said, '%s') require('fsd.actor').receive() end"
    site.limits = {"replaced_ms": 100}
    site.serve(source(1, BACKGROUND), waits=actor % "one")
    client = site.client()
    client.ask("/actor")
    wait_for(lambda: client.ask("/kept")["said"] == ["one"], "the first actor")
    site.change += 1
    bundle = site.bundle(source(2, BACKGROUND), waits=actor % "two")
    site.worker.tell_memfd(PREPARE, bundle, struct.pack("=QQQ", site.change, CHANGE_CODE, 8))
    assert site.worker.expect_behind_join(PREPARED)
    site.commit(8)
    client.ask("/actor")
    wait_for(lambda: client.ask("/kept")["said"] == ["one", "two"], "the second actor")
    generation, count, lines = laggards(site)
    assert (generation, count) == (7, 1) and lines[0].startswith("actor waits since ")


SERVER = """local Counter = require("fsd.server") {}
local mark = { code = VERSION }
require("fsd").state("kept").alive[mark] = 10 + VERSION
function Counter:init() self.n = 0 end
function Counter:handle_call(msg) self.n = self.n + 1 return { n = self.n, code = mark.code, changed = self.changed } end
CHANGE
return Counter"""
CALLS = """
app:get("/server", function() kept.server = require("counter").start{} return {} end)
app:get("/call", function() return fsd.actor.call(kept.server, "x") end)"""


def server(version, change=""):
    return SERVER.replace("VERSION", str(version)).replace("CHANGE", change)


def put_server(site, generation, text, counter):
    site.change += 1
    site.worker.tell_memfd(PREPARE, site.bundle(text, counter=counter), struct.pack("=QQQ", site.change, CHANGE_CODE, generation))
    assert site.worker.expect_behind_join(PREPARED)
    site.commit(generation)


def test_an_idle_server_moves_to_the_new_code_and_keeps_its_state(site):
    client = site.serve(source(1, CALLS), counter=server(1)).client()
    client.ask("/server")
    assert client.ask("/call") == {"n": 1, "code": 1}
    change = "function Counter:code_change(old, generation) self.n, self.changed = old.n + 100, generation end"
    put_server(site, 8, source(2, CALLS), server(2, change))
    assert laggards(site) == (0, 0, [])
    assert client.ask("/call") == {"n": 102, "code": 2, "changed": 7}
    wait_for(lambda: client.ask("/alive") == [2, 12], "the old code to be collected")


def test_a_server_whose_code_change_fails_stays_on_its_code(site):
    client = site.serve(source(1, CALLS), counter=server(1)).client()
    client.ask("/server")
    put_server(site, 8, source(2, CALLS), server(2, "function Counter:code_change() error('no') end"))
    assert laggards(site)[:2] == (7, 1)
    assert client.ask("/call") == {"n": 1, "code": 1}
    put_server(site, 9, source(3, CALLS), server(3))
    assert laggards(site)[:2] == (0, 0)
    assert client.ask("/call") == {"n": 2, "code": 3}


STATES = """
local made = fsd.state("made", { by = VERSION })
app:get("/made", function() return { by = fsd.state("made").by or "nobody", tried = fsd.state("tried").by or "nobody", same = made == fsd.state("made") } end)
app:get("/peek", function() return { fsd.state("tried").by or "nobody" } end)
app:on_check(function() fsd.state("tried", { by = VERSION }) kept.color = VERSION GATE end)
app:get("/color", function() return { kept.color } end)
"""


def states(version, gate=""):
    return source(version, STATES.replace("GATE", gate).replace("VERSION", str(version)))


def test_state_that_rejected_code_has_made_goes_with_it(site):
    client = site.serve(source(1, 'app:get("/peek", function() local f = fsd.state return { f("made").by or "nobody", f("tried").by or "nobody" } end)\n'
                               'app:get("/color", function() return { kept.color } end)')).client()
    site.begin(states(2, "error('no')"), 8)
    site.expect(REJECTED)
    assert client.ask("/color") == [2]  # what it has changed stays so
    assert client.ask("/peek") == ["nobody", "nobody"]


def test_state_that_aborted_code_has_made_goes_with_it_too(site):
    client = site.serve(source(1)).client()
    site.prepare(states(2), 8)
    site.tell(ABORT)
    site.put(states(3), 9)
    assert client.ask("/made") == {"by": 3, "tried": 3, "same": True}
    site.put(states(4), 10)
    assert client.ask("/made") == {"by": 3, "tried": 3, "same": True}


def test_state_of_tried_code_that_running_code_asks_for_stays(site):
    client = site.serve(states(1)).client()
    site.prepare(states(2), 8)
    assert client.ask("/peek") == [2]
    site.tell(ABORT)
    assert client.ask("/peek") == [2]


def test_what_runs_at_the_start_runs_for_each_version_and_is_told_what_was_before(site):
    start = 'app:on("start", function(before) table.insert(kept.said, (before or "nothing") .. " to " .. fsd.worker.self().generation) end)'
    client = site.serve(source(1, start)).client()
    wait_for(lambda: client.ask("/kept")["said"] == ["nothing to 7"], "the first start")
    site.put(source(2, start), 9)
    wait_for(lambda: client.ask("/kept")["said"] == ["nothing to 7", "7 to 9"], "both starts")


def test_timers_of_the_same_id_and_times_go_on_by_the_same_clock(site):
    """The code changes all the time: a timer that was counted anew each time would never go off."""
    def timers(version, seconds):
        return source(version, f'app:every({seconds}, function() table.insert(kept.said, "{version}") end, {{ id = "one" }})')

    client = site.serve(timers(1, 0.5)).client()
    version, end = 1, time.monotonic() + 30
    while not client.ask("/kept")["said"] and time.monotonic() < end:
        version += 1
        site.put(timers(version, 0.5), 6 + version)
    said = client.ask("/kept")["said"]
    assert said and int(said[0]) > 1
    site.put(timers(version + 1, 3600), 7 + version)
    wait_for(lambda: client.ask("/alive") == [version + 1], "the old ones to be gone")
