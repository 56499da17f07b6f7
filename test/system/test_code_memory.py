"""What a hundred changes of code leave behind in a worker: nothing."""
import os
import pathlib
import re

import pytest

from as_master import ABORT, REJECTED
from code_site import Site
from fsd_process import wait_for
from service import IS_SANITIZED

CHANGES, TENTH, STREAMS, REQUESTS, GROWTH_KB = 100, 10, 20, 10, 1024

# 40 functions of some size, so that each version is worth some memory; `alive` as in test_code_change.py.
APP = '''
local fsd = require "fsd"
local app = fsd.app()
local kept = fsd.state("kept", { alive = setmetatable({}, { __mode = "k" }) })
local version = { number = VERSION }
kept.alive[version] = VERSION
FUNCTIONS
app:on_check(function() fsd.task.yield() end)
app:every(60, function() return version end)
app:get("/made/:name", function(req, res) return { name = req.params.name, version = version.number, made = f1(req.params.name) } end)
app:post("/", function(req) return req:json() end)
app:get("/events", function(req, res)
  local events = res:sse()
  events.state.count = (events.state.count or 0) + 1
  events:send{ id = events.state.count, data = version.number }
  fsd.task.sleep(math.huge)
end)
app:get("/alive", function()
  local found = fsd.json.array{}
  for _, number in pairs(kept.alive) do found[#found + 1] = number end
  return found
end)
return app'''
FUNCTION = '''local function fNUMBER(name)
  local made = { name = name, label = "VERSION " .. name, list = { 1, 2, 3, "NUMBER" } }
  for i, value in ipairs(made.list) do made.list[i] = ("%s is %s"):format(value, name) end
  return made
end
'''


def source(version):
    functions = "".join(FUNCTION.replace("NUMBER", str(i)) for i in range(1, 41))
    return APP.replace("FUNCTIONS", functions).replace("VERSION", str(version))


def resident_kb(pid):
    return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.M)[1])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.fixture
def site(tmp_path, no_sanitizer_reports):
    one = Site(tmp_path)
    yield one
    if one.worker is not None:
        one.worker.end()


def open_stream(site):
    return site.client().send("/events").peer


def read_all(peers):
    for peer in peers:
        assert peer.recv(65536)


def test_a_hundred_changes_leave_memory_and_descriptors_as_they_were(site):
    client = site.serve(source(0)).client()
    streams = [open_stream(site) for _ in range(STREAMS)]
    pid = site.worker.pid
    for number in range(1, CHANGES + 1):
        site.put(source(number), 7 + number)
        for i in range(REQUESTS):
            assert client.ask(f"/made/n{i}")["version"] == number
        read_all(streams)
        if number == TENTH:
            wait_for(lambda: client.ask("/alive") == [TENTH], "the old code to be collected", seconds=30)
            before_kb, before_descriptors = resident_kb(pid), descriptors(pid)
    wait_for(lambda: client.ask("/alive") == [CHANGES], "the old code to be collected", seconds=30)
    assert descriptors(pid) == before_descriptors
    if not IS_SANITIZED:  # whose allocator keeps what was freed for a while
        assert resident_kb(pid) <= before_kb + GROWTH_KB
    for peer in streams:
        peer.close()
    client.peer.close()
    site.worker.drain()
    assert site.worker.wait_exit() == 0  # the leak sanitizer speaks now


def try_code(site, number):
    """Fails, is aborted when it is ready, or while it loads."""
    if number % 3 == 0:
        site.begin(source(number).replace("return app", "error('no')"), 7 + number)
        assert "no" in site.expect(REJECTED)
    elif number % 3 == 1:
        site.prepare(source(number), 7 + number)
    else:
        site.begin(source(number).replace("return app", "while true do end"), 7 + number)
    site.tell(ABORT)


def test_a_hundred_changes_that_come_to_nothing_leave_nothing(site):
    client = site.serve(source(0)).client()
    pid = site.worker.pid
    for number in range(1, CHANGES + 1):
        try_code(site, number)
        assert client.ask("/made/n")["version"] == 0
        if number == TENTH:
            before_kb, before_descriptors = resident_kb(pid), descriptors(pid)
    site.put(source(1), 8 + CHANGES)
    wait_for(lambda: client.ask("/alive") == [1], "all other code to be collected", seconds=30)
    assert descriptors(pid) == before_descriptors
    if not IS_SANITIZED:
        assert resident_kb(pid) <= before_kb + GROWTH_KB
