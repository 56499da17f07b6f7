"""Lua's memory: one that takes too much ends alone, and everybody's is known."""
import threading

import pytest

NEIGHBOURS = 100
MIB = 1 << 20
LIMIT = 64 * MIB

APP = '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local app = fsd.app()

app:get("/neighbours", function(req)
  local alive = 0
  for _, pid in ipairs(actor.list { module = "echo" }) do
    if actor.call(pid, 1, 60) == 1 then alive = alive + 1 end
  end
  for _ = 1, tonumber(req.query.more or 0) do actor.spawn("echo") end
  return { alive = alive, hogs = #actor.list { module = "hog" }, memory = fsd.worker.self().memory }
end)

app:get("/watch/:way", function(req)
  local pid = actor.spawn("watcher", req.params.way)
  return actor.call(pid, "go", 60)
end)

app:get("/request/:way", function(req) require("ways")[req.params.way]() return "survived" end)
app:get("/caught", function(req)
  local ok, problem = pcall(require("ways").table)
  return { ok = ok, name = problem.name, code = problem.code, status = problem.status, text = tostring(problem) }
end)
app:get("/info", function(req)
  local pid = actor.spawn("holder", tonumber(req.query.bytes))
  actor.call(pid, 1, 60)
  local info = actor.info(pid)
  actor.exit(pid, "kill")
  return { memory = info.memory }
end)
app:get("/global", function(req)
  hoard = hoard or {}
  for i = 1, 300000 do hoard[#hoard + 1] = { i } end
  return { memory = fsd.worker.self().memory }
end)
return app
'''
WAYS = '''
local ways = {}
function ways.table() local t = {} for i = 1, math.huge do t[i] = { i } end end
function ways.strings() local t = {} for i = 1, math.huge do t[i] = ("x"):rep(1000) .. i end end
function ways.doubling() local s = "x" while true do s = s .. s end end
function ways.closures() local last = nil while true do local before = last last = function() return before end end end
function ways.coroutine() coroutine.wrap(ways.table)() end
function ways.pcall() local kept = {} while true do pcall(function() while true do kept[#kept + 1] = { #kept } end end) end end
function ways.sleeping()
  local t = {}
  for i = 1, math.huge do t[i] = ("y"):rep(10000) .. i if i % 100 == 0 then require("fsd").task.sleep(0) end end
end
return ways
'''
FILES = {
    "app.lua": APP,
    "ways.lua": WAYS,
    "echo.lua": 'local a = require "fsd.actor" return function() while true do local m, from = a.receive() a.reply(from, m) end end',
    "hog.lua": 'return function(way) require("ways")[way]() end',
    "watcher.lua": '''local a = require "fsd.actor"
return function(way)
  local _, from = a.receive()
  a.spawn("hog", way, { monitor = true })
  local reason = a.receive()[4]
  if type(reason) == "table" then reason = { name = reason.name, code = reason.code, message = reason.message } end
  a.reply(from, { reason = reason })
end''',
    "holder.lua": '''local a = require "fsd.actor"
return function(bytes)
  local kept = ("z"):rep(bytes)
  local m, from = a.receive()
  a.reply(from, m)
  a.receive()
  return kept
end''',
}


@pytest.fixture(scope="module")
def app(serve):
    process = serve(FILES, limits={"memory": "64MiB", "request_timeout": "60s"})
    process.get(f"/neighbours?more={NEIGHBOURS}")
    return process


def neighbours(app):
    return app.get("/neighbours").json()


@pytest.mark.parametrize("way", ["table", "strings", "doubling", "closures", "coroutine", "pcall", "sleeping"])
def test_an_actor_that_allocates_without_end_ends_alone(app, way):
    worker = app.status()["pools"][0]["workers"][0]["incarnation"]
    reason = app.get("/watch/" + way).json()["reason"]
    found = neighbours(app)
    assert (found["alive"], found["hogs"]) == (NEIGHBOURS, 0)
    if way == "doubling":  # one string alone is too large
        assert reason["message"].endswith("not enough memory")
    else:
        assert (reason["name"], reason["code"]) == ("LimitError", "memory")
    assert found["memory"] < 3 * LIMIT / 4
    assert app.status()["pools"][0]["workers"][0]["incarnation"] == worker


@pytest.mark.parametrize("way", ["table", "strings", "doubling", "closures", "coroutine", "pcall", "sleeping"])
def test_a_request_that_allocates_without_end_gets_an_error_and_others_go_on(app, way):
    hog = threading.Thread(target=app.get, args=("/request/" + way,))
    hog.start()
    assert neighbours(app)["alive"] == NEIGHBOURS
    hog.join()
    answer = app.get("/request/" + way)
    assert answer.status in (500, 503)
    assert neighbours(app)["alive"] == NEIGHBOURS


def test_the_error_says_what_the_limit_is(app):
    problem = app.get("/caught").json()
    assert problem["ok"] is False
    assert (problem["name"], problem["code"], problem["status"]) == ("LimitError", "memory", 503)


def test_what_an_actor_has_is_known(app):
    small = app.get("/info?bytes=10").json()["memory"]
    large = app.get("/info?bytes=1000000").json()["memory"]
    assert 300 < small < 20000
    assert 990000 < large - small < 1010000


def test_what_all_of_lua_has_is_in_the_status(app):
    app.get("/neighbours")
    row = app.status()["pools"][0]["workers"][0]
    assert abs(row["lua_bytes"] - neighbours(app)["memory"]) < MIB
    assert row["lua_bytes"] < row["memory_bytes"]


def test_a_worker_whose_global_data_is_too_large_is_replaced(serve):
    process = serve(FILES, limits={"memory": "32MiB", "request_timeout": "60s"})
    before = process.status()["pools"][0]["workers"][0]["incarnation"]
    for _ in range(20):
        process.get("/global")
        if process.status()["pools"][0]["workers"][0]["incarnation"] != before:
            break
    else:
        assert False, "still the same worker"
    assert "global data grows" in process.log()
    assert process.get("/neighbours").status == 200
