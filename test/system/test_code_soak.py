"""Two hundred changes of code in one worker that has a bit of everything: nothing is left of the old ones."""
import pathlib
import struct

import pytest
from as_master import CHANGE_CODE, PREPARE, PREPARED
from code_site import Site, source
from fsd_process import BUILD, wait_for

COUNTER = """
local Counter, fsd = require "fsd.server" {}, require "fsd"
function Counter:init() self.changes, self.got = 0, 0 fsd.pubsub.subscribe("news") fsd.timer.send_every(0.01, fsd.actor.self(), "tick") end
function Counter:code_change(old) self.changes, self.got, self.by = old.changes + 1, old.got, VERSION end
function Counter:handle_call() return { changes = self.changes, by = self.by, got = self.got } end
function Counter:handle_info() self.got = self.got + 1 end
return Counter
"""
LOOP = """
local mark = { VERSION }
require("fsd").state("kept").alive[mark] = VERSION
return function() while mark do require("fsd.actor").receive() end end
"""
MORE = """
app:supervisor { name = "counters", strategy = "STRATEGY", intensity = INTENSITY, children = {
  { id = "one", name = "one", start = { "counter" } }, { id = "comesVERSION", start = { "counter" } },
  { id = "in", type = "supervisor", start = { "fsd.supervisor", { children = { { id = "two", name = "two", start = { "counter" } } } } } },
  { id = "loop", start = { "loop" } } } }
app:supervisor { name = "many", child = { start = { "counter" } } }
app:every(0.01, function() kept.ticks[1] = (kept.ticks[1] or 0) + 1 end, { id = "tick" })
app:every(VERSION, function() end, { id = "other" })
app:cron("0 0 1 1 *", function() end)
app:on("start", function() while true do fsd.task.sleep(60) end end)
app:on_check(function() fsd.task.sleep(0) fsd.state("checked").by = VERSION end)
app:get("/ask/:name", function(req) return fsd.actor.call(req.params.name, "") end)
app:get("/many", function() for i = 1, 5 do require("fsd.supervisor").start_child("many") end return {} end)
app:get("/begin", function()
  for i = 1, 5 do fsd.actor.spawn("loop") end
  fsd.timer.every(0.01, function() end)
  fsd.timer.after(0.05, function() end)
  fsd.task.spawn(fsd.task.sleep, 1000)
  fsd.pubsub.publish("news", "VERSION")
  return {}
end)
app:get("/memory", function()
  collectgarbage() collectgarbage()
  return { bytes = math.floor(collectgarbage "count" * 1024), actors = #fsd.actor.list(), many = #require("fsd.supervisor").which_children("many") }
end)
"""
CHANGES, SETTLED = 200, 10


class Soak(Site):
    def texts(self, version):
        more = MORE.replace("VERSION", str(version)).replace("STRATEGY", ("one_for_one", "rest_for_one")[version % 2])
        files = {name: text.replace("VERSION", str(version)) for name, text in (("counter", COUNTER), ("loop", LOOP))}
        return source(version, more.replace("INTENSITY", str(1 + version % 3))), files

    def change_to(self, version):
        text, files = self.texts(version)
        self.change += 1
        self.worker.tell_memfd(PREPARE, self.bundle(text, **files), struct.pack("=QQQ", self.change, CHANGE_CODE, 6 + version))
        assert self.worker.expect_behind_join(PREPARED)
        self.commit(6 + version)

    def resident(self):
        pages = pathlib.Path(f"/proc/{self.worker.pid}/statm").read_text().split()[1]
        return int(pages) * 4096


@pytest.fixture
def site(tmp_path):
    one = Soak(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def test_memory_is_flat_behind_the_tenth_change(site):
    site.limits = {"replaced_ms": 100}
    text, files = site.texts(1)
    client = site.serve(text, **files).client()
    client.ask("/many")
    client.ask("/begin")

    def settle(version):
        """What old code has left ends with its time; then what is there is what the last version wants, and the five of many."""
        wait_for(lambda: set(client.ask("/alive")) == {version}, "the old code to be collected")
        wait_for(lambda: client.ask("/ask/two")["by"] == version, "the last to move")
        return {**client.ask("/memory"), "resident": site.resident()}

    early = {}
    for version in range(2, CHANGES + 2):
        site.change_to(version)
        # a change that comes before it has moved would be the only one for it
        wait_for(lambda: client.ask("/ask/one")["by"] == version, "it to move")
        if version % 20 == 0:
            client.ask("/begin")
            for _ in range(5):
                client.ask("/")
        if version == SETTLED:
            early = settle(version)
    late = settle(version)
    assert client.ask("/ask/one")["changes"] == CHANGES
    assert (late["many"], late["actors"]) == (early["many"], early["actors"])
    assert late["bytes"] - early["bytes"] < 50000
    if BUILD.name == "release":  # sanitizers keep what was freed
        assert late["resident"] - early["resident"] < 2 << 20
