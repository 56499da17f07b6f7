"""Pools that an application starts and stops from Lua: supervised, shown and carried over like those of the configuration."""
import contextlib
import http.client
import os
import signal
import threading

import pytest
from deploying import list_fds, wait_fds
from service import Service, find_workers, wait_for

APP = """
local fsd = require "fsd"
local errors = require "fsd.error"
local log = require "fsd.log"
local task = require "fsd.task"
local worker = require "fsd.worker"
local app = fsd.app()

if FAIL and worker.self().pool == FAIL then error("this pool shall not start") end

local function try(res, call, ...)
  local ok, result = pcall(call, ...)
  if ok then return res:json { ok = true, result = result } end
  res:json { ok = false, code = type(result) == "table" and result.code or "none",
             message = type(result) == "table" and result.message or result }
end

app:get("/", function(req, res)
  local self = worker.self()
  res:json { pool = self.pool, pid = self.pid, slot = self.slot, workers = self.workers }
end)
app:post("/start", function(req, res)
  local what = req:json()
  try(res, worker.start_pool, what.name, what.options, what.seconds)
end)
app:post("/stop", function(req, res) try(res, worker.stop_pool, req:json().name) end)
app:get("/pools", function(req, res) try(res, worker.pools) end)
app:post("/die", function(req, res)
  local what = req:json()
  task.spawn(function() worker.start_pool(what.name, what.options) end)
  task.sleep(what.after or 0)
  os.exit(3)
end)
app:post("/many", function(req, res)
  local what, runs = req:json(), {}
  for i = 1, what.count do
    runs[i] = task.spawn(function() worker.start_pool(what.name .. i, what.options) end)
  end
  for i = 1, what.count do runs[i]:join() end
  res:json { ok = true }
end)

return app
"""


@pytest.fixture
def pooled(make_service):
    one = make_service(APP, workers=2)
    one.write_conf()
    return one.start_ready()


def start(service, name, seconds=None, **options):
    return service.request("POST", "/start", {"name": name, "options": options, "seconds": seconds}).json()


def stop(service, name):
    return service.request("POST", "/stop", {"name": name}).json()


def pool(service, name):
    return next((row for row in service.status()["pools"] if row["name"] == name), None)


def pids(service, name):
    return [row["pid"] for row in pool(service, name)["workers"] if row["state"] == "ready"]


def address_of(service, listener):
    return next(row["address"] for row in service.status()["listeners"] if row["name"] == listener)


def get_from(service, listener):
    """As the application of that listener's pool answers."""
    other = Service.__new__(Service)
    other.__dict__.update(service.__dict__)
    other.known_address = address_of(service, listener)
    return other.get("/").json()


FEED = {"feed": {"listen": "127.0.0.1:0"}}


@pytest.mark.basic
def test_a_pool_is_started_supervised_listed_and_stopped(pooled):
    assert start(pooled, "jobs", count=2, standby=0, listeners=FEED) == {"ok": True}
    row = pool(pooled, "jobs")
    assert (row["app"], row["origin"], row["state"], row["count"]) == ("shop", "lua", "running", 2)
    assert pool(pooled, "web")["origin"] == "config"
    assert get_from(pooled, "feed")["pool"] == "jobs"
    victim = pids(pooled, "jobs")[0]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in pids(pooled, "jobs") and len(pids(pooled, "jobs")) == 2, "a successor")
    assert get_from(pooled, "feed")["pool"] == "jobs"
    listed = {row["name"]: row for row in pooled.get("/pools").json()["result"]}
    assert listed["jobs"] == {"name": "jobs", "app": "shop", "count": 2, "state": "running", "origin": "lua"}
    assert listed["web"]["origin"] == "config"
    assert "from Lua: jobs" in pooled.ctl("status").stdout
    assert stop(pooled, "jobs") == {"ok": True}
    assert pool(pooled, "jobs") is None
    assert stop(pooled, "jobs") == {"ok": False, "code": "unknown", "message":
                                    'cannot stop pool "jobs": there is no pool of that name that was started from Lua'}
    assert start(pooled, "jobs", count=1, listeners=FEED) == {"ok": True}


@pytest.mark.parametrize(("name", "options", "code", "message"), [
    ("web", {}, "exists", 'cannot start pool "web": there is a pool "web" already'),
    ("jobs", {"cuont": 1}, "invalid", 'cannot start pool "jobs": unknown key "cuont" in pools.jobs; did you mean "count"?'),
    ("jobs", {"count": 0}, "invalid",
     'cannot start pool "jobs": pools.jobs.count must be auto or a number between 1 and 64, got "0"'),
    ("jobs", {"app": "shpo"}, "invalid",
     'cannot start pool "jobs": pools.jobs.app: there is no app "shpo"; did you mean "shop"?'),
    ("jobs", {"listeners": {"feed": {"listen": "127.0.0.1:80"}}}, "invalid",
     'cannot start pool "jobs": listeners.feed.listen: a pool that is started from Lua may have neither a Unix socket nor a port '
     "below 1024; write such a pool into the configuration"),
    ("jobs", {"count": 64, "standby": 1}, "overload",
     'cannot start pool "jobs": pools that are started from Lua would have 65 workers, at most 64'),
    ("a b", {}, "invalid",
     'cannot start pool "a b": the name of a pool has letters, digits, "_", "-" and ".", begins with a letter or digit, and is '
     "at most 63 long"),
])
def test_what_does_not_fit_is_refused_with_a_sentence(pooled, name, options, code, message):
    assert start(pooled, name, **options) == {"ok": False, "code": code, "message": message}
    assert [row["name"] for row in pooled.status()["pools"]] == ["web"]


def test_an_address_that_is_taken_is_refused_and_nothing_is_left(pooled):
    answer = start(pooled, "jobs", count=1, listeners={"feed": {"listen": pooled.address()}})
    assert (answer["ok"], answer["code"]) == (False, "refused")
    assert "cannot bind" in answer["message"]
    assert pool(pooled, "jobs") is None
    assert [row["name"] for row in pooled.status()["listeners"]] == ["web"]


def test_a_pool_whose_code_does_not_load_there_is_refused(make_service):
    service = make_service('local FAIL = "jobs"\n' + APP, workers=1)
    service.write_conf()
    service.start_ready()
    answer = start(service, "jobs", count=2)
    assert answer["code"] == "refused"
    assert "this pool shall not start" in answer["message"]
    assert pool(service, "jobs") is None
    assert start(service, "other", count=1)["ok"]


def test_it_outlives_the_worker_that_asked(make_service):
    service = make_service(APP, workers=1)
    service.write_conf()
    service.start_ready()
    with pytest.raises((OSError, http.client.HTTPException)):
        service.request("POST", "/die", {"name": "jobs", "options": {"count": 1}, "after": 0.02})
    wait_for(lambda: pool(service, "jobs") and pool(service, "jobs")["state"] == "running", "the pool")
    service.wait_workers(lambda rows: rows[0]["state"] == "ready" and rows[0]["restarts"] == 1, "a successor")
    assert len(pids(service, "jobs")) == 1
    assert stop(service, "jobs")["ok"]  # whoever it is that asks


def test_many_at_a_time_are_started_one_after_the_other_up_to_a_limit(pooled):
    assert pooled.request("POST", "/many", {"name": "p", "count": 16, "options": {"count": 1}}).json() == {"ok": True}
    assert {row["state"] for row in pooled.status()["pools"]} == {"running"}
    assert start(pooled, "more", count=1) == {"ok": False, "code": "overload",
                                              "message": 'cannot start pool "more": 16 pools were started from Lua already'}


def test_two_workers_that_start_the_same_pool_get_one(pooled):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(start(pooled, "jobs", count=1))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.get("code", "") for answer in answers) == ["", *["exists"] * 5]


def test_a_call_that_nobody_waits_for_does_not_block_the_next(pooled):
    answer = start(pooled, "jobs", seconds=0.001, count=1)
    assert answer["code"] in ("timeout", None), answer
    assert start(pooled, "jobs", count=1).get("code") == "exists"


def test_a_pool_that_another_one_needs_is_not_stopped_before_that(pooled):
    assert start(pooled, "first", count=1)["ok"]
    assert start(pooled, "second", count=1, after=["first"])["ok"]
    answer = stop(pooled, "first")
    assert (answer["code"], "another pool needs it" in answer["message"]) == ("refused", True)
    assert 'there is no pool or supervisor "first"' in answer["message"]
    assert stop(pooled, "second")["ok"]
    assert stop(pooled, "first")["ok"]


def test_what_comes_and_goes_leaves_nothing_behind(pooled):
    assert start(pooled, "jobs", count=2, standby=1, listeners=FEED)["ok"]
    assert stop(pooled, "jobs")["ok"]
    before = wait_for(lambda: len(find_workers(pooled.process.pid)) == 2 and list_fds(pooled), "its workers to leave")
    for _ in range(10):
        assert start(pooled, "jobs", count=2, standby=1, listeners=FEED)["ok"]
        assert stop(pooled, "jobs")["ok"]
    wait_for(lambda: len(find_workers(pooled.process.pid)) == 2, "all workers to leave")
    wait_fds(pooled, before)


def test_an_order_whose_request_is_given_up_is_carried_out_all_the_same(pooled):
    with pooled.connection() as connection:
        connection.request("POST", "/start", body='{"name": "jobs", "options": {"count": 1}}',
                           headers={"content-type": "application/json"})
        pooled.wait_log("pool was started from Lua")
    assert stop(pooled, "jobs")["ok"]


@pytest.fixture
def ordering(pooled):
    """An application that does nothing but start and stop a pool; what it was told."""
    answers, is_over = [], threading.Event()
    pooled.address()  # while the control socket is sure to answer

    def order_often():
        while not is_over.is_set():
            answers.append(start(pooled, "jobs", count=1, drain="0s"))
            answers.append(stop(pooled, "jobs"))

    thread = threading.Thread(target=order_often)
    thread.start()
    yield answers
    is_over.set()
    thread.join()
    assert {answer["ok"] for answer in answers} == {True}, answers


def test_orders_wait_while_the_program_is_replaced(pooled, ordering):
    for count in range(5):
        pooled.call("upgrade")
        wait_for(lambda count=count: len(ordering) > 2 * count, "orders")


def test_an_operator_does_not_wait_for_orders_to_end(pooled, ordering):
    for count in (3, 1, 2):
        pooled.call("scale", pool="web", count=count)
        assert pool(pooled, "web")["count"] == count
        pooled.write_conf(heartbeat=f"{20 + count}s")
        pooled.call("config.apply")
        pooled.call("restart", pool="web")
    wait_for(lambda: len(ordering) > 4, "orders")


def test_commands_work_on_it_as_on_any_other(pooled):
    assert start(pooled, "jobs", count=1, standby=0, listeners=FEED)["ok"]
    before = pids(pooled, "jobs")
    pooled.call("scale", pool="jobs", count=3)
    assert len(pids(pooled, "jobs")) == 3
    pooled.call("restart", pool="jobs")
    assert not set(before) & set(pids(pooled, "jobs"))
    assert "worker is ready" in pooled.ctl("logs", "jobs").stdout
    before = pids(pooled, "jobs")
    assert start(pooled, "more", count=1)["ok"]  # what was scaled stays so
    assert pids(pooled, "jobs") == before
    pooled.call("reload", restart=True)
    assert len(pids(pooled, "jobs")) == 3
    assert not set(before) & set(pids(pooled, "jobs"))
    pooled.call("drain")
    assert pids(pooled, "jobs") == []
    pooled.call("resume")
    assert len(pids(pooled, "jobs")) == 3
    assert stop(pooled, "jobs")["ok"]
    assert pooled.status()["config"]["overrides"] == []
    assert start(pooled, "jobs", count=1)["ok"]
    assert pool(pooled, "jobs")["count"] == 1


def test_another_configuration_neither_changes_nor_removes_it(pooled):
    assert start(pooled, "jobs", count=1, standby=0, listeners=FEED)["ok"]
    before = pids(pooled, "jobs")
    number = pooled.status()["config"]["number"]
    assert pooled.call("config.plan")["changes"] == []
    assert pooled.call("config.diff")["differences"] == []
    pooled.write_conf(heartbeat="20s")
    assert [(row["action"], row["what"]) for row in pooled.call("config.apply")["changes"]] == [("adjust", "pool web")]
    assert pids(pooled, "jobs") == before
    assert get_from(pooled, "feed")["pid"] == before[0]
    pooled.call("config.rollback")
    assert pids(pooled, "jobs") == before
    assert pooled.status()["config"]["number"] == number + 2
    shown = {row["key"]: row for row in pooled.call("config.show")["values"]}
    assert (shown["pools.jobs.count"]["value"], shown["listeners.feed.listen"]["origin"]) == ("1", "lua")


def test_a_configuration_that_has_a_pool_of_its_name_takes_its_place(pooled):
    assert start(pooled, "jobs", count=2, standby=0, listeners=FEED)["ok"]
    conf = (pooled.folder / "fsd.yaml").read_text()
    (pooled.folder / "fsd.yaml").write_text(conf.replace('"pools": {', '"pools": {"jobs": {"app": "shop", "count": 1, "standby": 0}, '))
    rows = [(row["action"], row["what"]) for row in pooled.call("config.plan")["changes"]]
    assert rows == [("replace", "pool jobs"), ("scale", "pool jobs"), ("close", "listener feed")]
    assert any('the pool "jobs", which was started from Lua, is left out: there is a pool "jobs" already' in line
               for line in pooled.call("config.check")["problems"])
    pooled.call("config.apply")
    assert (pool(pooled, "jobs")["origin"], pool(pooled, "jobs")["count"]) == ("config", 1)
    assert stop(pooled, "jobs")["code"] == "unknown"


@pytest.mark.basic
def test_it_goes_on_through_an_upgrade_in_place(pooled):
    assert start(pooled, "jobs", count=2, standby=0, listeners=FEED)["ok"]
    pooled.call("scale", pool="jobs", count=1)
    wait_for(lambda: len(pool(pooled, "jobs")["workers"]) == 1, "one worker")
    before = pids(pooled, "jobs")
    address = address_of(pooled, "feed")
    pooled.call("upgrade")
    assert pids(pooled, "jobs") == before
    assert address_of(pooled, "feed") == address
    assert get_from(pooled, "feed")["pid"] == before[0]
    assert pool(pooled, "jobs")["origin"] == "lua"
    assert start(pooled, "more", count=1)["ok"]
    assert pids(pooled, "jobs") == before
    assert stop(pooled, "jobs")["ok"]


def test_fsd_run_has_it_too_and_it_is_gone_with_the_daemon(make_service):
    service = make_service(APP)
    service.start_ready()
    assert start(service, "jobs", count=1, listeners=FEED)["ok"]
    assert get_from(service, "feed")["pool"] == "jobs"
    service.call("upgrade")
    assert get_from(service, "feed")["pool"] == "jobs"
    worker = pids(service, "jobs")[0]
    service.ctl("stop")
    assert service.wait_exit() == 0
    service.known_address = None
    service.start_ready()
    assert pool(service, "jobs") is None
    assert worker not in pids(service, service.status()["pools"][0]["name"])


INIT = """
local fsd = require "fsd"
local app = fsd.app()
app:supervisor { name = "starts", children = { { id = "pools", start = { "pools" } } } }
app:get("/", function(req, res) res:json(require("fsd.worker").self()) end)
return app
"""
POOLS = """
local log = require "fsd.log"
local server = require "fsd.server"
local worker = require "fsd.worker"
local Pools = server {}
function Pools:init()
  if worker.self().pool ~= "web" then return server.ignore end
  local ok, err = pcall(worker.start_pool, "jobs", { count = 1, standby = 0 })
  log:notice("started: " .. (ok and "yes" or err.code))
end
return Pools
"""


def test_workers_may_start_it_before_they_serve_in_each_of_them_and_at_each_reload(make_service):
    service = make_service({"app.lua": INIT, "pools.lua": POOLS}, workers=3)
    service.write_conf()
    service.start_ready()
    wait_for(lambda: service.log().count("started: exists") == 2 and service.log().count("started: yes") == 1, "all three")
    service.call("reload", restart=True)
    wait_for(lambda: service.log().count("started: exists") == 5, "their successors")
    assert service.log().count("started: yes") == 1
    assert pool(service, "jobs")["state"] == "running"


def ask(service, what, name, text="", times=1):
    service.get(f"/ask/{what}/{name}/{times}/{text.encode().hex()}")


def wait_answer(service, count=1):
    return wait_for(lambda: len(service.get("/answers")) >= count and service.get("/answers"), "the answer")[count - 1]


START, STOP, LIST = 1, 2, 3
OK, INVALID, UNKNOWN = 0, 2, 5


def test_what_a_worker_says_is_only_believed_when_it_makes_sense(make_fake):
    service = make_fake()
    service.write_conf()
    service.start_ready()
    ask(service, START, "jobs", '{"app":')
    assert wait_answer(service)[1] == INVALID
    ask(service, START, "jobs", 'app: shop')
    assert wait_answer(service, 2)[1:3] == [INVALID, "the options must be one JSON object"]
    ask(service, 99, "jobs")
    assert wait_answer(service, 3)[1] == INVALID
    ask(service, STOP, "web")
    assert wait_answer(service, 4)[1] == UNKNOWN
    ask(service, START, "jobs", '{"app":"shop","count":1}')
    assert wait_answer(service, 5)[1] == OK
    ask(service, LIST, "x")
    rows = wait_answer(service, 6)[3]
    assert [(row["name"], row["origin"]) for row in rows] == [("web", "config"), ("jobs", "lua")]


def test_a_worker_that_asks_again_before_it_has_its_answer_is_ended_and_its_pool_comes_all_the_same(make_fake):
    service = make_fake()
    service.write_conf()
    service.start_ready()
    with contextlib.suppress(OSError):  # it may be ended before it answers
        ask(service, START, "jobs", '{"app":"shop","count":1}', times=2)
    service.wait_log("worker broke the protocol: asks again before it has its answer")
    wait_for(lambda: pool(service, "jobs") and pool(service, "jobs")["state"] == "running", "the pool")
    service.wait_workers(lambda rows: rows[0]["state"] == "ready" and rows[0]["restarts"] == 1, "a successor")


def test_what_cannot_be_asked_is_a_mistake_of_the_program(pooled):
    assert start(pooled, "", count=1)["code"] == "none"
    assert "a name of at most 63 bytes expected" in start(pooled, "x" * 64)["message"]
    assert "longer than 4096 bytes" in start(pooled, "jobs", app="x" * 5000)["message"]
    assert "out of range" in start(pooled, "jobs", seconds=-1)["message"]
