"""Several tasks at once: fsd.task.spawn and what is made of it, channels and locks between requests, timers."""
import os
import signal
import socket

import pytest

from app_process import AppProcess
from fsd_process import wait_for
from handler_rows import app_of, names

HEAD = '''
local task, timer = fsd.task, fsd.timer
local said = json.array{}
local function say(word) said[#said + 1] = word end
local function closing(word) return setmetatable({}, { __close = function() say(word) end }) end
local function sleeper(word) return function() local c <close> = closing(word) task.sleep(60) end end
local function failure(...) local _, err = fsd.try(...) return err end
'''

# name, body, the words it says, in their order
ROWS = [
    ("a-spawned-task-runs-beside-its-request", '''
        local h = task.spawn(function(x) say("task " .. x) task.yield() return "result" end, 1)
        say("request") say(h:join())''', ["request", "task 1", "result"]),
    ("all-gives-the-results-in-order", '''
        local r = task.all{ function() task.sleep(0.005) say("a") return 1 end, function() say("b") return 2 end, task.spawn(function() end) }
        say(r[1]) say(r[2]) say(r[3] == nil) say(r.n)''', ["b", "a", 1, 2, True, 3]),
    ("all-of-nothing-is-nothing", "say(task.all{}.n)", [0]),
    ("all-raises-the-first-error-and-cancels-the-others", '''
        local other = task.spawn(sleeper("closed"))
        local err = failure(task.all, { sleeper("closed too"), function() task.yield() error("boom", 0) end, other })
        say(err.message) say(failure(other.join, other).reason)''',
     ["boom", "closed too", "closed", "another task of the same task.all has failed"]),
    ("all-takes-tasks-that-have-ended", '''
        local h = task.spawn(function() return "ended" end) h:join()
        say(task.all{ h, h }[2])''', ["ended"]),
    ("race-gives-what-the-first-returns-and-cancels-the-others", '''
        say(table.concat({ task.race{ sleeper("closed"), function() task.yield() return "first", "values" end } }, " "))
        task.yield()''', ["first values", "closed"]),
    ("race-raises-when-the-first-fails", '''
        say(failure(task.race, { sleeper("closed"), function() task.yield() error("boom", 0) end }).message)
        task.yield()''', ["boom", "closed"]),
    ("map-runs-so-many-at-a-time-and-keeps-the-order", '''
        local now, most = 0, 0
        local r = task.map({ 1, 2, 3, 4, 5 }, 2, function(item, index)
          now = now + 1 most = math.max(most, now)
          task.sleep(item == 1 and 0.01 or 0) now = now - 1
          return item * 10 + index
        end)
        say(table.concat(r, " ")) say(most) say(r.n) say(task.map({}, 5, print).n)''', ["11 22 33 44 55", 2, 5, 0]),
    ("map-raises-the-first-error-and-begins-no-more", '''
        local begun = 0
        say(failure(task.map, { 1, 2, 3, 4 }, 2, function(item)
          begun = begun + 1 task.yield() if item == 1 then error("boom", 0) end task.sleep(60)
        end).message) task.yield() say(begun)''', ["boom", 2]),
    ("timeout-gives-what-the-function-returns", '''
        say(select("#", task.timeout(60, function(...) return ... end, nil, nil)))''', [2]),
    ("timeout-cancels-the-function-and-raises", '''
        local err = failure(task.timeout, 0.005, sleeper("closed"))
        say(err.name) say(err.code) task.yield()''', ["TimeoutError", "timeout", "closed"]),
    ("timeout-raises-the-functions-own-error", 'say(failure(task.timeout, 60, error, "own").message)', ["own"]),
    ("they-nest", '''
        say(failure(task.timeout, 0.005, function()
          task.all{ sleeper("a"), function() task.map({ 1, 2 }, 2, sleeper("b")) end }
        end).code) for _ = 1, 5 do task.yield() end''', ["timeout", "a", "b", "b"]),
    ("cancelling-one-that-waits-for-others-cancels-them", '''
        local h = task.spawn(function() task.all{ sleeper("a"), sleeper("b") } end)
        task.yield() h:cancel() failure(h.join, h) task.yield() say(h:status())''', ["a", "b", "cancelled"]),
    ("a-task-in-a-coroutine-of-ones-own-can-be-spawned", '''
        coroutine.wrap(function() task.spawn(say, "spawned") end)() task.yield()''', ["spawned"]),
    ("wrong-arguments-are-refused", '''
        for _, call in ipairs{ { task.all, 5 }, { task.all, { 5 } }, { task.race, {} }, { task.map, {}, 0, print }, { task.map, {}, 1 },
            { task.map }, { task.timeout, -1, print }, { task.timeout, 1 }, { task.timeout }, { task.spawn, 5 } } do
          say(failure(table.unpack(call)).message:match("%((.-)%)"))
        end''', [
        "table expected, got number", "item 1 is neither a function nor a task", "an empty list: nothing would ever end",
        "must be an integer of at least 1", "function expected, got nil", "table expected, got nil",
        "must be a number of seconds, not negative", "function expected, got nil", "must be a number of seconds, not negative",
        "function expected, got number"]),
    ("a-generic-for-gets-the-values-of-a-channel", '''
        local ch = task.channel(2)
        task.spawn(function() for i = 1, 5 do ch:put(i) end ch:close() end)
        for value in ch:values() do say(value) end''', [1, 2, 3, 4, 5]),
    ("a-wait-group-waits-for-all", '''
        local group = task.wait_group()
        for i = 1, 3 do group:add() task.spawn(function() task.yield() say(i) group:done() end) end
        group:wait() say("all")''', [1, 2, 3, "all"]),
    ("time-is-the-wall-clock", 'say(math.abs(fsd.time() - os.time()) < 5)', [True]),
    ("a-timer-runs-in-a-task-of-its-own", '''
        local ch = task.channel()
        timer.after(0.001, function(word) task.yield() say(task.current():status()) ch:put(word) end, "word")
        say(ch:get())''', ["running", "word"]),
]

REQUESTS = '''
local ch, mutex = task.channel(), task.mutex()
app:get("/get", function() return ch:get() end)
app:get("/put", function() ch:put("from another request") return "x" end)
app:get("/spawn", function() task.spawn(function() task.sleep(0.02) fsd.log:info("outlived its request") end) return "x" end)
app:get("/fail", function() task.spawn(function() error("nobody joins me", 0) end) return "x" end)
app:get("/cancel-me", function()
  fsd.log:info("waiting")
  task.all{ function() local c <close> = setmetatable({}, { __close = function() fsd.log:info("child is closed") end }) task.sleep(60) end }
end)
app:get("/raise", function() task.spawn(function() error { status = 418, message = "teapot" } end):join() end)
'''

LEAVING = '''
app:get("/spawn", function()
  fsd.timer.every(0.01, function() end)
  fsd.timer.cron("* * * * *", print)
  fsd.timer.after(3600, print)
  task.spawn(function() task.sleep(0.3) fsd.log:info("task has ended") end)
  return "x"
end)
app:get("/endless", function()
  task.spawn(function() local _, err = fsd.try(task.sleep, 3600) fsd.log:info("told to leave", { code = err.code }) end)
  return "x"
end)
'''


@pytest.fixture(scope="module")
def app(serve):
    rows = [(name, f"said = json.array{{}} do {body} end task.yield() return said") for name, body, _ in ROWS]
    return serve(app_of(rows, HEAD + REQUESTS))


@pytest.mark.parametrize("name, body, words", ROWS, ids=names(ROWS))
def test_tasks(app, name, body, words):
    assert app.get("/" + name).json() == words


def test_requests_meet_at_a_channel(app):
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"GET /get HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert app.get("/put").text == "x"
        answer = b""
        while piece := sock.recv(4096):
            answer += piece
    assert answer.endswith(b"from another request")


def test_a_task_outlives_its_request(app):
    assert app.get("/spawn").text == "x"
    app.wait_record(msg="outlived its request")


def test_an_error_that_nobody_joins_is_logged(app):
    app.get("/fail")
    record = app.wait_record(msg="error in task: nobody joins me")
    assert record["level"] == "error" and record["function"].startswith("app.lua:") and "stack traceback" in record["traceback"]


def test_a_tasks_error_becomes_the_answer_of_the_request_that_joins_it(app):
    answer = app.get("/raise")
    assert (answer.status, answer.json()) == (418, {"error": "teapot"})


def test_a_client_that_leaves_ends_the_tasks_that_its_request_waits_for(app):
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"GET /cancel-me HTTP/1.1\r\nHost: x\r\n\r\n")
        app.wait_record(msg="waiting")
    app.wait_record(msg="child is closed")


@pytest.mark.parametrize("call, message", [
    ("fsd.task.spawn(print)", "cannot spawn a task here: only requests and tasks can, not code that is being loaded"),
    ("fsd.timer.every(1, print)", "cannot set a timer here: only requests and tasks can, not code that is being loaded (use app:every or app:cron)"),
])
def test_nothing_begins_while_the_application_loads(serve_refused, call, message):
    assert message in serve_refused(f'local fsd = require "fsd"\n{call}\nreturn fsd.app()')


def test_a_worker_that_leaves_waits_for_tasks_but_not_for_timers(serve):
    app = serve(app_of([], HEAD + LEAVING))
    app.get("/spawn")
    app.signal(signal.SIGTERM)
    assert app.wait_exit() == 0
    messages = [record["msg"] for record in app.records()]
    assert "task has ended" in messages
    assert not [message for message in messages if message.startswith("cancelling")]


def test_a_worker_that_leaves_cancels_the_tasks_that_do_not_end(serve):
    app = serve(app_of([], HEAD + LEAVING), drain="100ms")
    app.get("/endless")
    app.signal(signal.SIGTERM)
    assert app.wait_exit() == 0
    assert app.wait_record(msg="told to leave")["code"] == "shutdown"
    wait_for(lambda: any("cancelling 1 tasks" in record["msg"] for record in app.records()), "the warning")


DECLARED = '''
app:on("start", function() task.sleep(0) fsd.log:info("started", { own_slot = fsd.worker.self().slot }) end)
app:every(0.01, function() fsd.log:info("tick") end):cron("* * * * *", function() end)
app:get("/late/:method", function(req) return failure(app[req.params.method], app, 1, print).message end)
'''


def test_what_is_declared_starts_with_the_worker_and_not_in_a_reserve(tmp_path):
    app = AppProcess(tmp_path, app_of([], HEAD + DECLARED))
    app.write_conf(log_format="json", standby=1)
    try:
        app.start_ready()
        app.wait_record(msg="tick")
        wait_for(lambda: app.status()["pools"][0].get("standby"), "the reserve")
        assert [record["own_slot"] for record in app.records() if record["msg"] == "started"] == [0]
        assert len({record["pid"] for record in app.records() if record["msg"] == "tick"}) == 1
        os.kill(app.workers()[0]["pid"], signal.SIGKILL)
        wait_for(lambda: sum(record["msg"] == "started" for record in app.records()) == 2, "the start of the reserve")
    finally:
        app.kill()


@pytest.mark.parametrize("method", ["on", "every", "cron"])
def test_nothing_is_declared_by_what_runs(serve, method):
    app = serve(app_of([], HEAD + DECLARED))
    assert f"app:{method} is for code that is being loaded" in app.get("/late/" + method).text


@pytest.mark.parametrize("code, message", [
    ("app:cron('0 0 30 2 *', print)", "no month has such a day: it would never run"),
    ("app:every(0, print)", "must be at least 0.001"),
    ("app:every(1)", "function expected"),
    ("app:on('halt', print)", 'the events are "mount", "start"'),
    ("app.on('start', print)", "call app:on(...) with a colon"),
])
def test_an_application_with_a_wrong_declaration_does_not_load(serve_refused, code, message):
    assert message in serve_refused(f'local app = require("fsd").app()\n{code}\nreturn app')
