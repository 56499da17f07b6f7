"""An answer that another task gives, and the end of a request: res:detach, res:on."""
import socket
import struct

import pytest

from fsd_process import wait_for

APP = r'''
local fsd = require "fsd"
local task = fsd.task
local app = fsd.app()
local heard, waiting = {}, task.channel()

app:get("/heard", function(req, res) res:json(heard[req.query.of]) end)
app:get("/release", function(req, res) waiting:put(true) res:send("ok") end)

local function hear(req, res)
  local list = fsd.json.array{}
  heard[req.query.of] = list
  res:on("close", function(o) table.insert(list, { "close", o.status, o.complete }) end)
  assert(res:on("finish", function(o) table.insert(list, { "finish", o.status, o.complete }) end) == res)
end

app:get("/send", function(req, res) hear(req, res) res:status(201):send("x") end)
app:get("/nothing", function(req, res) hear(req, res) return 204 end)
app:get("/large", function(req, res) hear(req, res) res:send(("x"):rep(5000000)) end)
app:get("/failed", function(req, res) hear(req, res) error("no") end)
app:get("/waits", function(req, res) hear(req, res) waiting:get() res:send("x") end)
app:get("/stream", function(req, res)
  hear(req, res)
  res:write("a")
  waiting:get()
  res:write("b")
end)
app:get("/streaming", function(req, res) res:write("a") hear(req, res) end)
app:get("/torn", function(req, res) hear(req, res) res:write("a") task.sleep(0) error("torn") end)
local failing = fsd.router()
failing:on_error(function(err, req, res, next)
  hear(req, res)
  res:write("a")
  if req.query.wait then task.sleep(0) end
  if req.query.next then next() end
  fsd.http.abort(tonumber(req.query.status))
end)
failing:get("/", function() error("no") end)
app:use("/failing", failing)
app:get("/late", function(req, res) res:send("x") hear(req, res) end)
app:get("/later", function(req, res)
  res:send("x")
  while not heard.later_go do task.sleep(0.001) end
  hear(req, res)
end)
app:get("/later_go", function(req, res) heard.later_go = true res:send("ok") end)
app:get("/bad", function(req, res)
  res:on("finish", function() error("in a listener") end)
  hear(req, res)
  res:send("x")
end)
app:get("/slow", function(req, res)
  res:on("close", function() task.sleep(0.001) heard.slow = { "slept" } end)
  res:send("x")
end)
app:get("/mistake", function(req, res)
  local _, one = pcall(res.on, res, "end", print)
  local _, two = pcall(res.on, res, "close", 1)
  res:json{ one, two }
end)

app:get("/detached", function(req, res)
  assert(res:detach() == res)
  task.spawn(function() waiting:get() res:status(202):send("later") end)
end)
app:get("/detached_at_once", function(req, res) res:detach():send("now") end)
app:get("/detached_stream", function(req, res)
  res:detach():write("a")
  task.spawn(function() waiting:get() res:write("b") res:finish("c") end)
end)
app:get("/detached_error", function(req, res) res:detach() error(fsd.error { status = 409, message = "raised" }) end)
app:get("/detached_returned", function(req, res) res:detach() return "returned" end)
app:use("/around", function(req, res, next) next() res.after = true end)
app:get("/around", function(req, res)
  res:detach()
  task.spawn(function() task.sleep(0) res:send(tostring(res.after)) end)
end)
local kept
app:get("/detached_gone", function(req, res) kept = res hear(req, res) res:detach() end)
app:get("/kept", function(req, res) local _, err = fsd.try(function() kept:send("x") end) res:send(err.message) end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP, limits={"request_timeout": "20s"})


def heard(app, of, count=1):
    wait_for(lambda: len(app.get("/heard?of=" + of).json() or []) == count, f"{count} events of {of}")
    return app.get("/heard?of=" + of).json()


@pytest.mark.parametrize("path, status", [("/send", 201), ("/nothing", 204), ("/large", 200), ("/failed", 500), ("/streaming", 200),
                                          ("/late", 200)])
def test_an_answer_that_has_left_is_finished_and_closed(app, path, status):
    assert app.get(f"{path}?of={path}").status == status
    assert heard(app, path, 2) == [["finish", status, True], ["close", status, True]]


def test_head_is_finished(app):
    app.request("HEAD", "/send?of=head")
    assert heard(app, "head", 2) == [["finish", 201, True], ["close", 201, True]]


def open_raw(app, path):
    host, port = app.address().rsplit(":", 1)
    client = socket.create_connection((host, int(port)), 30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_client_that_leaves_before_the_answer_is_closed_only(app):
    client = open_raw(app, "/waits?of=waits")
    wait_for(lambda: app.get("/heard?of=waits").json() == [], "the handler to run")
    reset(client)
    assert heard(app, "waits") == [["close", 499, False]]


def test_a_client_that_leaves_in_the_stream_is_closed_only(app):
    client = open_raw(app, "/stream?of=stream")
    while b"a\r\n" not in client.recv(4096):
        pass
    reset(client)
    assert heard(app, "stream")[0][2] is False


def test_a_client_that_does_not_take_the_whole_is_closed_only(app):
    client = open_raw(app, "/large?of=part")
    assert client.recv(1) == b"H"
    reset(client)
    assert heard(app, "part") == [["close", 200, False]]


def test_a_stream_is_finished_when_its_last_piece_has_left(app):
    client = open_raw(app, "/stream?of=whole")
    while b"a\r\n" not in client.recv(4096):
        pass
    assert app.get("/heard?of=whole").json() == []
    app.get("/release")
    assert heard(app, "whole", 2) == [["finish", 200, True], ["close", 200, True]]
    client.close()


def test_a_torn_stream_is_closed_only(app):
    with pytest.raises(Exception):
        app.get("/torn?of=torn")
    assert heard(app, "torn") == [["close", 200, False]]


@pytest.mark.parametrize("query", ["status=500", "status=404", "status=500&wait=1", "next=1", "next=1&wait=1"])
def test_a_stream_that_an_error_handler_leaves_is_torn(app, query):
    client = open_raw(app, f"/failing?of={query.replace('=', '-').replace('&', '-')}&{query}")
    answer = b""
    while piece := client.recv(4096):
        answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"1\r\na\r\n")
    assert heard(app, query.replace("=", "-").replace("&", "-")) == [["close", 200, False]]


def test_who_asks_when_the_answer_has_left_is_told_at_once(app):
    assert app.get("/later?of=later").text == "x"
    app.get("/later_go")
    assert heard(app, "later", 2) == [["finish", 200, True], ["close", 200, True]]


def test_a_function_that_fails_is_logged_and_the_others_run(app):
    app.get("/bad?of=bad")
    assert heard(app, "bad", 2) == [["finish", 200, True], ["close", 200, True]]
    assert wait_for(lambda: [r for r in app.records() if "res:on" in r["msg"] and "in a listener" in r["msg"]], "the record")


def test_a_function_may_wait(app):
    app.get("/slow")
    assert heard(app, "slow") == ["slept"]


def test_other_events_and_values_are_mistakes(app):
    one, two = app.get("/mistake").json()
    assert 'there are the events "finish" and "close"' in one
    assert "bad argument #2 to 'on' (function expected, got number)" in two


def test_another_task_answers(app):
    client = open_raw(app, "/detached")
    app.get("/release")
    answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 202 ") and answer.endswith(b"later")
    client.sendall(b"GET /detached_at_once HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(4096).endswith(b"now")
    client.close()


def test_another_task_ends_a_stream(app):
    client = open_raw(app, "/detached_stream")
    app.get("/release")
    answer = b""
    while not answer.endswith(b"0\r\n\r\n"):
        answer += client.recv(4096)
    assert b"1\r\na\r\n" in answer and b"2\r\nbc\r\n" in answer
    client.close()


@pytest.mark.parametrize("path, status, text", [("/detached_error", 409, "raised"), ("/detached_returned", 200, "returned"),
                                                ("/around", 200, "true")])
def test_the_handler_may_answer_all_the_same(app, path, status, text):
    answer = app.get(path)
    assert (answer.status, answer.json()["error"] if status == 409 else answer.text) == (status, text)


def test_an_answer_that_nobody_gives_ends_with_the_deadline(serve):
    app = serve(APP, limits={"request_timeout": "1s"})
    answer = app.get("/detached_gone?of=x")
    assert answer.status == 503
    assert "this request is over" in app.get("/kept").text


def test_a_client_that_leaves_ends_the_wait(app):
    client = open_raw(app, "/detached_gone?of=gone")
    wait_for(lambda: app.get("/heard?of=gone").json() == [], "the handler to run")
    reset(client)
    assert heard(app, "gone") == [["close", 499, False]]
    assert "this request is over" in app.get("/kept").text


HELD = '''
local fsd = require "fsd"
local app = fsd.app()
app:get("/long", function(_, res)
  local text = ("0123456789abcdef"):rep(1024 * 1024)
  if res.req.query.finish then res:finish(text) else res:send(text) end
end)
app:get("/memory", function()
  collectgarbage() collectgarbage()
  return { kb = collectgarbage("count") }
end)
return app
'''


@pytest.mark.parametrize("path", ["/long", "/long?finish=1"])
def test_a_long_text_lives_until_it_is_sent_and_no_longer(serve, path):
    app = serve(HELD)
    before = app.get("/memory").json()["kb"]
    with app.connection() as slow, app.connection() as leaving:
        for connection in (slow, leaving):
            connection.request("GET", path)
        wait_for(lambda: app.get("/memory").json()["kb"] > before + 2 * 16 * 1024, "both to wait for their clients to read")
        leaving.close()
        assert slow.getresponse().read() == b"0123456789abcdef" * (1024 * 1024)
        wait_for(lambda: app.get("/memory").json()["kb"] < before + 1024, "the texts to be collected")
