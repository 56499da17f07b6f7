"""Actors and timers on replaced code: which code they run, and what becomes of them when its time is over."""
import struct

import pytest
from as_master import CHANGE_CODE, PREPARE, PREPARED
from code_site import Site, laggards, source
from fsd_process import wait_for

# Plain actors, of which each notes the version that it runs and what it gets.
LOOP = """
local fsd = require "fsd"
local kept, actor = fsd.state "kept", fsd.actor
return function(args)
  args = args or {}
  if args.traps then actor.trap_exit(true) end
  table.insert(kept.said, "loop" .. VERSION)
  if args.ends then return end
  repeat
    local msg, _, kind = actor.receive()
    table.insert(kept.said, kind == "system" and msg[1] .. " " .. tostring(msg[3]) or tostring(msg))
  until args.traps == "well" and kind == "system"
end
"""
COUNTER = """
local Counter, fsd = require "fsd.server" {}, require "fsd"
local kept = fsd.state "kept"
function Counter:init() self.n, self.first = 0, VERSION end
function Counter:handle_call(msg)
  if msg == "long" then kept.gate:get() end
  self.n = self.n + 1
  return { n = self.n, code = VERSION, first = self.first, changed = self.changed }
end
CHANGE
return Counter
"""
WATCHER = """
local fsd = require "fsd"
local kept = fsd.state "kept"
local Watcher = require "fsd.server" {}
function Watcher:handle_call(what) fsd.actor.monitor(what) return true end
function Watcher:handle_info(msg) table.insert(kept.said, "down " .. (type(msg[4]) == "table" and msg[4].code or msg[4])) end
return Watcher
"""
ROUTES = """
local actor = fsd.actor
app:get("/spawn", function(req) kept.actor = actor.spawn("loop", { traps = req.query.traps }) return {} end)
app:get("/server", function() kept.server = require("counter").start{} return {} end)
app:get("/call", function() return actor.call(kept.server, "x") end)
app:get("/long", function() kept.waiting = true return actor.call(kept.server, "long", 60) end)
app:get("/watch/:what", function(req) actor.call("watcher", kept[req.params.what]) return {} end)
app:get("/later/:what", function(req)
  kept.waiting = true
  kept.gate:get()
  if req.params.what == "spawn" then actor.spawn("loop", { ends = true }) else kept.server = require("counter").start{} end
  return {}
end)
app:get("/after", function() fsd.timer.after(REST, function() table.insert(kept.said, "after" .. VERSION) end) return {} end)
app:get("/every", function() fsd.timer.every(0.01, function() kept.ticks.vVERSION = (kept.ticks.vVERSION or 0) + 1 end) return {} end)
app:supervisor { name = "watchers", children = { { start = { "watcher" }, name = "watcher" } } }
"""


class Cast(Site):
    def __init__(self, tmp_path):
        super().__init__(tmp_path)
        self.version = 0

    def texts(self, more="", change="", rest=60, **files):
        self.version += 1
        version = str(self.version)
        own = {"loop": LOOP, "counter": COUNTER.replace("CHANGE", change), "watcher": WATCHER, **files}
        own = {name: text.replace("VERSION", version) for name, text in own.items() if text is not None}
        routes = (ROUTES + more).replace("VERSION", version).replace("REST", str(rest))
        return source(version, routes), own

    def begin_with(self, *, replaced_ms=0, **what):
        self.limits = {"replaced_ms": replaced_ms, "request_timeout_ms": 60000}
        text, files = self.texts(**what)
        self.serve(text, **files)
        self.asker = self.client()
        return self

    def change_to(self, **what):
        text, files = self.texts(**what)
        for name in ("loop", "counter", "watcher"):
            (self.folder / f"{name}.lua").unlink()
        self.change += 1
        generation = 6 + self.version
        self.worker.tell_memfd(PREPARE, self.bundle(text, **files), struct.pack("=QQQ", self.change, CHANGE_CODE, generation))
        assert self.worker.expect_behind_join(PREPARED)
        self.commit(generation)

    def ask(self, path):
        return self.asker.ask(path)

    def said(self):
        return self.ask("/kept")["said"]

    def wait_said(self, said):
        wait_for(lambda: self.said() == said, f"{said}, it is {self.said()}")

    def wait_waiting(self):
        wait_for(lambda: self.ask("/waits")[0], "the request to wait")

    def wait_alone(self, version):
        wait_for(lambda: self.ask("/alive") == [version], "the old code to be collected")

    def wait_log(self, text):
        self.worker.log.settimeout(30)
        while text.encode() not in (packet := self.worker.log.recv(65536)):
            assert packet, "the log has ended"
        return packet


@pytest.fixture
def cast(tmp_path):
    one = Cast(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def test_a_plain_actor_ends_when_the_time_of_its_code_is_over(cast):
    cast.begin_with(replaced_ms=300)
    cast.ask("/spawn")
    cast.ask("/watch/actor")
    cast.change_to()
    cast.wait_said(["loop1", "down replaced"])
    cast.wait_alone(2)


def test_one_that_traps_exits_may_end_by_itself(cast):
    cast.begin_with(replaced_ms=300)
    cast.ask("/spawn?traps=well")
    cast.ask("/watch/actor")
    cast.change_to()
    cast.wait_said(["loop1", "$exit replaced", "down normal"])


def test_one_that_does_not_is_killed(cast):
    cast.begin_with(replaced_ms=300)
    cast.ask("/spawn?traps=badly")
    cast.ask("/watch/actor")
    cast.change_to()
    cast.wait_said(["loop1", "$exit replaced", "down killed"])
    cast.wait_alone(2)


SUPERVISED = 'app:supervisor { name = "loops", intensity = 0, %s children = { { id = 1, start = { "loop" }, restart = "%s" }, ' \
    '{ id = 2, start = { "loop" }, restart = "transient" } } }'


@pytest.mark.parametrize("strategy", ["", 'strategy = "one_for_all",'], ids=["one_for_one", "one_for_all"])
def test_a_supervised_plain_actor_is_restarted_with_the_new_code_and_that_does_not_count(cast, strategy):
    cast.begin_with(replaced_ms=300, more=SUPERVISED % (strategy, "permanent"))
    cast.change_to(more=SUPERVISED % (strategy, "permanent"))
    cast.wait_said(["loop1", "loop1", "loop2", "loop2"])
    cast.wait_alone(2)
    cast.change_to(more=SUPERVISED % (strategy, "permanent"))
    cast.wait_said(["loop1", "loop1", "loop2", "loop2", "loop3", "loop3"])
    assert cast.ask("/")["version"] == 3


def test_a_temporary_one_is_not(cast):
    cast.begin_with(replaced_ms=300, more=SUPERVISED % ("", "temporary"))
    cast.change_to(more=SUPERVISED % ("", "temporary"))
    cast.wait_said(["loop1", "loop1", "loop2"])
    cast.wait_alone(2)


def test_who_says_so_itself_is_like_any_that_fails(cast):
    liar = 'local kept = require("fsd").state("kept") return function() require("fsd.actor").exit("replaced") end'
    cast.begin_with()
    cast.change_to(liar=liar, more='app:supervisor { name = "liars", intensity = 3, children = { { id = 1, start = { "liar" } } } }')
    assert cast.worker.wait_exit() == 1


HANGS = [("waits", "fsd.task.sleep(1000)"), ("loops", "while true do end")]


@pytest.mark.parametrize("body", [row[1] for row in HANGS], ids=[row[0] for row in HANGS])
def test_a_code_change_that_hangs_is_cut_and_the_server_goes_on_as_it_was(cast, body):
    cast.begin_with(replaced_ms=300)
    cast.ask("/server")
    cast.ask("/call")
    cast.change_to(change="\nfunction Counter:code_change()\n" + body + "\nend")
    log = cast.wait_log("a server stays on its old code: ")
    assert b"code_change has not ended in time, at counter.lua:" in log
    assert cast.ask("/call") == {"n": 2, "code": 1, "first": 1}
    while True:
        generation, count, lines = laggards(cast)
        if "failed" in lines[0]:
            break
    assert (generation, count) == (7, 1) and lines[0].startswith("actor counter (code_change failed) since ")
    cast.change_to(change="function Counter:code_change(old, generation) self.n, self.changed, self.first = old.n, generation, old.first end")
    wait_for(lambda: cast.ask("/call")["code"] == 3, "the code after that")
    answer = cast.ask("/call")
    assert (answer["changed"], answer["first"]) == (7, 1) and answer["n"] >= 4
    cast.wait_alone(3)


def test_a_server_that_is_told_of_many_changes_while_its_code_change_hangs_answers_when_each_was_cut(cast):
    hangs = "\nfunction Counter:code_change() table.insert(kept.said, 'begins') fsd.task.sleep(1000) end"
    cast.begin_with(replaced_ms=300)
    cast.ask("/server")
    cast.ask("/call")
    cast.change_to(change=hangs)
    cast.wait_said(["begins"])
    for _ in range(3):
        cast.change_to(change=hangs)
    assert cast.ask("/call") == {"n": 2, "code": 1, "first": 1}
    assert cast.said() == ["begins", "begins"]  # of what came meanwhile it has tried the newest
    cast.change_to(change="function Counter:code_change(old) self.n = old.n end")
    wait_for(lambda: cast.ask("/call")["code"] == 6, "the code after that")
    cast.wait_alone(6)


def test_a_code_change_that_fails_says_where_and_has_no_end(cast):
    cast.begin_with(replaced_ms=100)
    cast.ask("/server")
    cast.change_to(change="function Counter:code_change() error('no such thing') end")
    assert b"counter.lua:10: no such thing" in cast.wait_log("a server stays on its old code: ")
    for _ in range(2):  # looks behind the end of its time
        cast.ask("/spawn")
        cast.change_to(change="function Counter:code_change() error('no such thing') end")
        cast.ask("/watch/actor")
        wait_for(lambda: cast.said()[-1] == "down replaced", "the end of a plain actor")
        cast.ask("/kept")
    assert cast.ask("/call")["code"] == 1


def test_a_server_that_is_busy_for_too_long_is_cancelled(cast):
    cast.begin_with(replaced_ms=300)
    cast.ask("/server")
    cast.ask("/watch/server")
    cast.client().send("/long")
    cast.wait_waiting()
    cast.change_to()
    cast.wait_said(["down replaced"])


def test_a_server_whose_module_is_gone_ends_with_the_time_of_its_code(cast):
    cast.begin_with(replaced_ms=300)
    cast.ask("/server")
    cast.ask("/watch/server")
    cast.change_to(counter=None)
    assert b"module 'counter' not found" in cast.wait_log("a server stays on its old code: ")
    assert cast.ask("/call")["code"] == 1
    cast.wait_said(["down replaced"])
    cast.wait_alone(2)


def test_old_code_starts_actors_of_its_own(cast):
    cast.begin_with()
    waiting = cast.client().send("/later/spawn")
    cast.wait_waiting()
    cast.change_to()
    cast.change_to()
    cast.ask("/open")
    waiting.receive()
    cast.wait_said(["loop1"])
    cast.wait_alone(3)


def test_a_server_that_old_code_starts_moves_on_at_once(cast):
    change = "function Counter:code_change(old, generation) self.n, self.changed, self.first = old.n, generation, old.first end"
    cast.begin_with()
    waiting = cast.client().send("/later/server")
    cast.wait_waiting()
    cast.change_to(change=change)
    cast.ask("/open")
    waiting.receive()
    wait_for(lambda: cast.ask("/call")["code"] == 2, "the new code")
    answer = cast.ask("/call")
    assert (answer["first"], answer["changed"]) == (1, 7)
    cast.wait_alone(2)


def test_a_timer_of_old_code_that_repeats_ends_with_its_time(cast):
    cast.begin_with(replaced_ms=1000)
    cast.ask("/every")
    wait_for(lambda: "v1" in cast.ask("/kept")["ticks"], "a tick of the old code")
    cast.change_to()
    assert any(row.startswith("timer app.lua:") for row in laggards(cast)[2])  # beside a run of it, maybe
    cast.wait_log("a timer ends with the code that has set it: app.lua:")
    cast.wait_alone(2)
    before = cast.ask("/kept")["ticks"]
    cast.ask("/every")
    wait_for(lambda: len(cast.ask("/kept")["ticks"]) == 2, "a tick of the new code")
    assert cast.ask("/kept")["ticks"]["v1"] == before["v1"]


def test_one_that_runs_once_keeps_its_code_until_then(cast):
    cast.begin_with(replaced_ms=100, rest=2)
    cast.ask("/after")
    cast.change_to()
    assert laggards(cast)[2][0].startswith("timer app.lua:")
    cast.wait_said(["after1"])
    cast.wait_alone(2)


def test_subscriptions_of_a_server_stay(cast):
    subscriber = '''
local fsd = require "fsd"
local kept = fsd.state "kept"
local Sub = require "fsd.server" {}
function Sub:init() fsd.pubsub.subscribe("news") fsd.group.join("readers") end
function Sub:handle_info(msg) table.insert(kept.said, msg .. VERSION) end
return Sub'''
    more = '''app:supervisor { name = "subs", children = { { start = { "subscriber" } } } }
app:get("/publish", function() fsd.pubsub.publish("news", "news") return { #fsd.group.members("readers") } end)'''
    cast.begin_with(more=more, subscriber=subscriber)
    assert cast.ask("/publish") == [1]
    cast.change_to(more=more, subscriber=subscriber)
    assert laggards(cast)[:2] == (0, 0)
    assert cast.ask("/publish") == [1]
    cast.wait_said(["news1", "news2"])


def test_messages_that_are_sent_again_and_again_go_on(cast):
    """Their timer has no code of the application's."""
    ticker = '''
local fsd = require "fsd"
local kept = fsd.state "kept"
local T = require "fsd.server" {}
function T:init() fsd.timer.send_every(0.01, fsd.actor.self(), "tick") end
function T:handle_info() kept.ticks.vVERSION = (kept.ticks.vVERSION or 0) + 1 end
return T'''
    more = 'app:supervisor { name = "tickers", children = { { start = { "ticker" } } } }'
    cast.begin_with(more=more, ticker=ticker, replaced_ms=100)
    wait_for(lambda: "v1" in cast.ask("/kept")["ticks"], "a tick in the old code")
    cast.change_to(more=more, ticker=ticker)
    while laggards(cast)[:2] != (0, 0):  # it may be in the middle of a tick
        pass
    cast.wait_alone(2)
    before = cast.ask("/kept")["ticks"]
    wait_for(lambda: cast.ask("/kept")["ticks"].get("v2", 0) > before.get("v2", 0) + 10, "ticks in the new code")
    assert cast.ask("/kept")["ticks"]["v1"] == before["v1"]
