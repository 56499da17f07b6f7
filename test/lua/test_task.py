"""Waiting: fsd.task.sleep, deadlines, clients that leave."""
import socket
import threading
import time

import pytest

from fsd_process import wait_for
from handler_rows import app_of

WAITING = '''
local closed = function(word) return setmetatable({}, { __close = function() fsd.log:info(word) end }) end
local gate = false
app:get("/wait", function() while not gate do fsd.task.sleep(0.002) end; gate = false; return "released" end)
app:get("/release", function() gate = true; return "x" end)
app:get("/short", function() fsd.task.sleep(0.03); return "slept" end)
app:get("/now", function() local a = fsd.now(); fsd.task.sleep(0.01); return { fsd.now() - a, fsd.now == fsd.task.now } end)
app:get("/zero", function() fsd.task.sleep(0); fsd.task.sleep(0.0001); return "x" end)
app:get("/coroutine", function()
  local co = coroutine.create(function(a) fsd.task.sleep(0.001); return coroutine.yield(a) .. "!" end)
  return { select(2, coroutine.resume(co, "in")), select(2, coroutine.resume(co, "out")) }
end)
app:get("/tostring", function()
  local _, err = fsd.try(tostring, setmetatable({}, { __tostring = function() fsd.task.sleep(0.001); return "x" end }))
  return { err.message }
end)
app:get("/own-coroutine", function()
  local words = json.array{}
  for word in coroutine.wrap(function() coroutine.yield("a"); coroutine.yield("b") end) do
    words[#words + 1] = word
    fsd.task.sleep(0)
  end
  return words
end)
app:get("/pcall", function()
  local ok, value = pcall(function() fsd.task.sleep(0.001); return "inside" end)
  return { ok, value }
end)
app:get("/answer-then-wait", function(req, res)
  res:send("early")
  fsd.task.sleep(0.02)
  fsd.log:info("went on", { path = req.path, agent = req:get("x-agent"), query = req.query.a })
  local _, err = fsd.try(req.text, req)
  fsd.log:info("body", { code = err.code })
end)
app:get("/bad/:what", function(req)
  local _, err = fsd.try(fsd.task.sleep, ({ negative = -1, nan = 0/0, text = "x" })[req.params.what])
  return { err.message }
end)
app:get("/gone", function(req, res)
  local c <close> = closed("closed")
  fsd.log:info("waiting")
  fsd.task.sleep(60)
  fsd.log:error("not reached")
end)
app:get("/gone-caught", function(req, res)
  fsd.log:info("waiting to catch")
  local _, err = fsd.try(fsd.task.sleep, 60)
  fsd.log:info("caught", { name = err.name, code = err.code, status = err.status, path = req.path })
  res:status(500):set("x-a", "1"):send("to nobody")
end)
app:use("/gone-inside", function(req, res, next)
  local c <close> = closed("closed outside")
  next()
end)
app:get("/gone-inside", function()
  local c <close> = setmetatable({}, { __close = function() fsd.task.sleep(0.01); fsd.log:info("closed inside, after a wait") end })
  fsd.log:info("waiting inside")
  fsd.task.sleep(60)
end)
app:on_error(function(err, req, res, next) fsd.log:notice("on_error", { code = err.code }); next() end)
'''

DEADLINE = '''
app:get("/late", function()
  local c <close> = setmetatable({}, { __close = function() fsd.log:info("closed") end })
  fsd.task.sleep(60)
end)
app:get("/caught", function(req, res)
  local _, err = fsd.try(fsd.task.sleep, 60)
  res:status(504):json { err.name, err.code, err.status }
end)
app:get("/stubborn", function()
  while true do pcall(fsd.task.sleep, 60) end
end)
app:get("/answered", function(req, res)
  res:send("in time")
  fsd.task.sleep(60)
end)
app:get("/many", function() for _ = 1, 1000 do fsd.task.sleep(0.01) end end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of([], WAITING))


def leave_after(app, path, message):
    """Sends a request and closes the connection when the handler has logged the message."""
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        app.wait_record(msg=message)


def test_other_requests_are_served_while_one_waits(app):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(app.get("/wait").text))
    thread.start()
    wait_for(lambda: app.get("/release").text == "x" and (thread.join(0.01) or not thread.is_alive()), "the waiting request")
    assert answers == ["released"]


def test_now_counts_the_seconds_that_sleep_waits(app):
    waited, is_same = app.get("/now").json()
    assert 0.01 <= waited < 5 and is_same


def test_sleep_takes_seconds(app):
    start = time.monotonic()
    assert app.get("/short").text == "slept"
    assert time.monotonic() - start >= 0.03


@pytest.mark.parametrize("path, body", [
    ("/zero", "x"),
    ("/pcall", '[true,"inside"]'),
    ("/own-coroutine", '["a","b"]'),
    ("/coroutine", '["in","out!"]'),
])
def test_waiting_works_in(app, path, body):
    assert app.get(path).text == body


@pytest.mark.parametrize("path, message", [
    ("/tostring", "cannot wait here: called from within a C function"),
    ("/bad/negative", "must not be negative"), ("/bad/nan", "must not be negative"), ("/bad/text", "number expected"),
])
def test_waiting_is_refused_with_a_reason(app, path, message):
    assert message in app.get(path).json()[0]


def test_waiting_while_the_application_loads_is_refused(serve_refused):
    assert "cannot wait here: only requests and tasks can, not code that is being loaded" in serve_refused('require("fsd").task.sleep(0.1)')


def test_an_answer_leaves_when_the_handler_waits_and_req_stays_readable(app):
    answer = app.get("/answer-then-wait?a=1", {"x-agent": "me"})
    assert answer.text == "early"
    record = app.wait_record(msg="went on")
    assert (record["path"], record["agent"], record["query"]) == ("/answer-then-wait", "me", "1")
    assert app.wait_record(msg="body")["code"] == "body.gone"


def test_a_client_that_leaves_ends_its_handler_quietly(app):
    leave_after(app, "/gone", "waiting")
    app.wait_record(msg="closed")
    app.get("/zero")
    # the master's own warnings, such as that about root, are not meant
    assert not [record for record in app.records() if record["level"] in ("error", "warning") and "pool" in record]
    assert not [record for record in app.records() if record["msg"] == "on_error"]


def test_a_handler_can_catch_that_its_client_has_left(app):
    leave_after(app, "/gone-caught", "waiting to catch")
    record = app.wait_record(msg="caught")
    assert (record["name"], record["code"], record["status"], record["path"]) == ("CancelError", "aborted", 499, "/gone-caught")
    app.get("/zero")
    assert not [record for record in app.records() if record["level"] == "error"]


def test_unwinding_may_wait_and_goes_through_all_middleware(app):
    leave_after(app, "/gone-inside", "waiting inside")
    app.wait_record(msg="closed outside")
    messages = [record["msg"] for record in app.records()]
    assert messages.index("closed inside, after a wait") < messages.index("closed outside")


def test_100_clients_that_leave_are_all_cleaned_up(app):
    before = sum(record["msg"] == "closed" for record in app.records())
    waiting = sum(record["msg"] == "waiting" for record in app.records())
    host, port = app.address().rsplit(":", 1)
    clients = []
    for _ in range(100):
        clients.append(socket.create_connection((host, int(port)), timeout=30))
        clients[-1].sendall(b"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: sum(record["msg"] == "waiting" for record in app.records()) == waiting + 100, "100 handlers to wait")
    for client in clients:
        client.close()
    wait_for(lambda: sum(record["msg"] == "closed" for record in app.records()) == before + 100, "100 handlers to end")


@pytest.fixture(scope="module")
def late(serve):
    return serve(app_of([], DEADLINE), limits={"request_timeout": "150ms"})


def test_a_handler_over_its_deadline_is_ended_with_503(late):
    answer = late.get("/late")
    assert (answer.status, answer.json()) == (503, {"error": "Service Unavailable"})
    late.wait_record(msg="closed")
    record = late.wait_record(path="/late", level="error")
    assert record["code"] == "timeout" and "the deadline has passed" in record["msg"]


def test_a_deadline_counts_all_waits_together(late):
    assert late.get("/many").status == 503


def test_a_handler_can_answer_its_deadline_itself(late):
    answer = late.get("/caught")
    assert (answer.status, answer.json()) == (504, ["CancelError", "timeout", 503])


def test_a_handler_that_waits_on_is_closed_by_force(late):
    start = time.monotonic()
    answer = late.get("/stubborn")
    assert answer.status == 503
    assert time.monotonic() - start < 5
    assert late.wait_record(msg="request was ended by force: it still waited 1 s after it was cancelled")["level"] == "error"


def test_an_answer_that_was_given_is_not_undone_by_the_deadline(late):
    assert late.get("/answered").text == "in time"
    late.wait_record(path="/answered", code="timeout")
