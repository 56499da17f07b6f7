"""Server-sent events: their form, their head, heartbeats, and who is told when they are over."""
import socket

import pytest

from fsd_process import wait_for

APP = '''
local fsd = require "fsd"
local app = fsd.app()
local told = {}
local subscribers = {}

local sends = {
  string = function(events) events:send("hello") end,
  number = function(events) events:send(7) end,
  lines = function(events) events:send("a\\r\\nb\\rc\\n\\nd") end,
  named = function(events) events:send{ event = "tick", id = 42, retry = 1.5, data = "x" } end,
  json = function(events) events:send{ data = { text = "a\\nb", n = 1 } } end,
  boolean = function(events) events:send{ data = false } end,
  no_data = function(events) events:send{ event = "ping" } end,
  id_alone = function(events) events:send{ id = "" } end,
  bytes = function(events) events:send("\\0\\xff") end,
  injected = function(events) events:send("x\\n\\nevent: evil\\ndata: y") end,
  comment = function(events) events:comment("a\\nb") end,
  tried = function(events) events:send(tostring(events:try_send("t"))) end,
}
app:get("/form/:name", function(req, res)
  sends[req.params.name](res:sse{ keepalive = false })
end)

local function need_key(req, res, next)
  if req.query.key ~= "right" then return res:status(401):send("no") end
  next()
end
app:sse("/declared/:name", { name = "declared" }, need_key, function(events, req, res)
  events:send(req.params.name)
  fsd.task.yield()
  events:send(res.req == req and req.route.name)
end)
app:sse("/declared-error", function(events) error{ status = 409, message = "late" } end)
local router = fsd.router()
router:sse({ "/one", "/two" }, function(events, req) events:send(req.path) end)
app:use("/router", router)
local mistakes = fsd.json.array {}
for i, make in ipairs {
  function() app:sse("/x") end, function() app:sse("/x", 5) end, function() app:sse("/x?", print) end,
  function() app:sse("/x", 5, print) end, function() app.sse("/x", print) end,
} do
  mistakes[i] = select(2, pcall(make))
end
app:get("/declared-mistakes", function() return mistakes end)

local wrongs = {
  event_break = function(events) events:send{ event = "a\\nb", data = "x" } end,
  id_break = function(events) events:send{ id = "a\\rb", data = "x" } end,
  id_nul = function(events) events:send{ id = "a\\0b", data = "x" } end,
  nothing = function(events) events:send{} end,
  nil_event = function(events) events:send() end,
  unknown = function(events) events:send{ dat = "x" } end,
  retry_ms = function(events) events:send{ retry = 3000 } end,
  retry_text = function(events) events:send{ retry = "1" } end,
  event_table = function(events) events:send{ event = {}, data = "x" } end,
  data_function = function(events) events:send{ data = print } end,
  dot = function(events) events.send("x") end,
}
app:get("/wrong/:name", function(req, res)
  local events = res:sse()
  local _, err = fsd.try(wrongs[req.params.name], events)
  events:send(err.message)
end)

local options = {
  unknown = { heartbeat = 1 }, zero = { keepalive = 0 }, text = { keepalive = "1" }, ms = { retry = 3000 }, negative = { retry = -1 },
}
app:get("/options/:name", function(req, res)
  local _, err = fsd.try(res.sse, res, options[req.params.name])
  return err.message
end)
app:get("/status", function(req, res) res:status(201):sse() end)
app:get("/cache", function(req, res) res:set("cache-control", "no-store"):set("x-a", "b"):sse() end)

app:get("/last", function(req, res)
  local events = res:sse()
  events:send(tostring(events.last_event_id))
end)
app:get("/closed", function(req, res)
  local events = res:sse{ retry = 2 }
  events:send(tostring(events.closed))
  events:close()
  events:close()
  local _, err = fsd.try(events.send, events, "x")
  told.closed = tostring(events.closed) .. " " .. err.code
end)
app:get("/scope", function(req, res)
  do local events <close> = res:sse() events:send("in") end
  fsd.task.sleep(30)
end)
app:get("/scope/error", function(req, res)
  local events <close> = res:sse()
  events:send("in")
  error{ status = 404, message = "not for the client" }
end)
app:get("/kept", function(req, res) told.kept = res:sse() end)
app:get("/kept/told", function()
  local _, err = fsd.try(told.kept.send, told.kept, "x")
  return { closed = told.kept.closed, message = err.message }
end)

app:get("/beat", function(req, res) local events = res:sse{ keepalive = 0.02 } events:send("x") fsd.task.sleep(30) end)
app:get("/still", function(req, res)
  told.still = "waits"
  local guard <close> = setmetatable({}, { __close = function(_, err) told.still = err.code end })
  res:sse() fsd.task.sleep(30)
end)

app:get("/subscribe", function(req, res)
  local events = res:sse()
  subscribers[events] = true
  local guard <close> = setmetatable({}, { __close = function() subscribers[events] = nil end })
  events:comment("welcome")
  fsd.task.sleep(1e6)
end)
app:post("/publish", function(req)
  local count = 0
  for events in pairs(subscribers) do events:send(req:text()) count = count + 1 end
  return { count = count }
end)
app:post("/try", function(req)
  local text, count = ("x"):rep(10000), 0
  for events in pairs(subscribers) do
    while events:try_send(text) do
      count = count + 1
      if count == 10000 then break end
      if count % 6 == 0 then fsd.task.sleep(0) end
    end
  end
  return { count = count }
end)
app:post("/close_all", function() for events in pairs(subscribers) do events:close() subscribers[events] = nil end return "closed" end)
app:get("/subscribers", function() local n = 0 for _ in pairs(subscribers) do n = n + 1 end return { n = n } end)

app:get("/told/:name", function(req) return { value = told[req.params.name] } end)
app:get("/ok", function() return "ok" end)
return app
'''

FORMS = [
    ("string", b"data: hello\n\n"),
    ("number", b"data: 7\n\n"),
    ("lines", b"data: a\ndata: b\ndata: c\ndata: \ndata: d\n\n"),
    ("named", b"event: tick\nid: 42\nretry: 1500\ndata: x\n\n"),
    ("json", None),
    ("boolean", b"data: false\n\n"),
    ("no_data", b"event: ping\ndata: \n\n"),
    ("id_alone", b"id: \n\n"),
    ("bytes", b"data: \0\xff\n\n"),
    ("injected", b"data: x\ndata: \ndata: event: evil\ndata: data: y\n\n"),
    ("comment", b": a\n: b\n\n"),
    ("tried", b"data: t\n\ndata: true\n\n"),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


@pytest.fixture(autouse=True)
def alive(app):
    pid = app.workers()[0]["pid"]
    yield
    assert app.get("/ok").text == "ok"
    assert app.workers()[0]["pid"] == pid, app.log()[-3000:]


class Listener:
    """A client that reads events as bytes; over HTTP/1.0, so that they come as they are."""

    def __init__(self, app, path, version="1.0"):
        host, port = app.address().rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), timeout=30)
        self.sock.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.sock.close()

    def read_until(self, wanted):
        while wanted not in self.data:
            piece = self.sock.recv(65536)
            assert piece, self.data
            self.data += piece
        return self.data

    def read_all(self):
        while piece := self.sock.recv(65536):
            self.data += piece
        return self.data.split(b"\r\n\r\n", 1)[1]


def told(app, name):
    return app.get(f"/told/{name}").json().get("value")


@pytest.mark.parametrize("name, wanted", FORMS, ids=[row[0] for row in FORMS])
def test_events_are_written_as_the_standard_says(app, name, wanted):
    answer = app.get(f"/form/{name}")
    if name == "json":
        assert answer.body in (b'data: {"text":"a\\nb","n":1}\n\n', b'data: {"n":1,"text":"a\\nb"}\n\n')
    else:
        assert answer.body == wanted


def test_the_head_says_what_it_is_and_that_nobody_shall_keep_it(app):
    headers = app.get("/form/string").headers
    assert (headers["content-type"], headers["cache-control"], headers["x-accel-buffering"]) == ("text/event-stream", "no-cache", "no")
    assert headers["transfer-encoding"] == "chunked"
    own = app.get("/cache").headers
    assert (own["cache-control"], own["x-a"]) == ("no-store", "b")


@pytest.mark.parametrize("name, message", [
    ("event_break", "cannot send the event: event has a line break or NUL"),
    ("id_break", "cannot send the event: id has a line break or NUL"),
    ("id_nul", "cannot send the event: id has a line break or NUL"),
    ("nothing", "cannot send the event: it has neither event nor data, id nor retry"),
    ("nil_event", "expected a string or a table of an event"),
    ("unknown", "an event has the fields data, event, id and retry, and no other"),
    ("retry_ms", "retry must be a number of seconds from 0.0 to 300"),
    ("retry_text", "retry must be a number of seconds"),
    ("event_table", "event of an event must be a string, got table"),
    ("data_function", "cannot encode a function"),
    ("dot", "fsd.EventStream expected"),
])
def test_what_is_no_event_raises_and_sends_nothing(app, name, message):
    body = app.get(f"/wrong/{name}").text
    assert body.startswith("data: ") and message in body and body.count("data: ") == 1


@pytest.mark.parametrize("name, message", [
    ("unknown", "unknown option"), ("zero", "keepalive must be a number of seconds"), ("text", "keepalive must be a number"),
    ("ms", "retry must be a number of seconds from 0.0 to 300"), ("negative", "retry must be"),
])
def test_a_wrong_option_raises_before_the_answer_begins(app, name, message):
    answer = app.get(f"/options/{name}")
    assert answer.headers["content-type"].startswith("text/html") and message in answer.text


def test_a_status_that_clients_refuse_raises(app):
    assert app.get("/status").status == 500
    assert "clients take only 200" in app.wait_record(level="error", path="/status")["msg"]


def test_the_last_event_id_is_what_the_client_says(app):
    assert app.get("/last", {"Last-Event-ID": "17 b"}).text == "data: 17 b\n\n"
    assert app.get("/last").text == "data: nil\n\n"


def test_a_declared_stream_is_opened_behind_what_stands_before_it(app):
    refused = app.get("/declared/ada")
    assert (refused.status, refused.text) == (401, "no")
    answer = app.get("/declared/ada?key=right")
    assert (answer.status, answer.text) == (200, "data: ada\n\ndata: declared\n\n")
    assert answer.headers["content-type"] == "text/event-stream"
    assert app.get("/router/two").text == "data: /two\n\n"


def test_an_error_of_a_declared_stream_names_the_function(app):
    with pytest.raises(Exception):
        app.get("/declared-error")
    line = next(i for i, text in enumerate(APP.splitlines(), 1) if "/declared-error" in text)
    app.wait_record(path="/declared-error", handler=f"app.lua:{line}", msg="error in request: late")


def test_a_declared_stream_without_a_function_is_refused(app):
    no_function, no_path_end, bad_path, bad_handler, dot = app.get("/declared-mistakes").json()
    assert "bad argument #2 to 'sse' (function expected, got no value)" in no_function
    assert "bad argument #2 to 'sse' (function expected, got number)" in no_path_end
    assert 'cannot add route "/x?"' in bad_path
    assert "bad argument #2 to 'sse' (handler must be a function, got number)" in bad_handler
    assert "call app:sse(...) with a colon" in dot


def test_after_close_sending_raises_and_closing_does_nothing(app):
    assert app.get("/closed").text == "retry: 2000\n\ndata: false\n\n"
    wait_for(lambda: told(app, "closed") == "true headers_sent", "the handler to end")


def test_events_end_with_their_scope_though_the_handler_goes_on(app):
    assert app.get("/scope").text == "data: in\n\n"


def test_an_error_that_leaves_their_scope_cuts_them_and_is_logged(app):
    with Listener(app, "/scope/error", "1.1") as listener:
        assert listener.read_all().endswith(b"data: in\n\n\r\n")
    app.wait_record(level="error", path="/scope/error", msg="error in request: not for the client")


def test_events_of_a_request_that_is_over_are_closed(app):
    app.get("/kept")
    answer = app.get("/kept/told").json()
    assert answer["closed"] is True and "this request is over" in answer["message"]


def test_a_comment_is_sent_when_nothing_else_is(app):
    with Listener(app, "/beat") as listener:
        listener.read_until(b"data: x\n\n:\n\n:\n\n:\n\n")


def test_a_handler_may_wait_for_events_longer_than_for_an_answer(serve):
    app = serve(APP, limits={"request_timeout": "100ms"})
    with Listener(app, "/beat") as listener:
        listener.read_until(b":\n\n" * 20)  # 400 ms


def test_a_client_that_leaves_ends_its_handler_at_once(app):
    with Listener(app, "/still") as listener:
        listener.read_until(b"\r\n\r\n")
        assert told(app, "still") == "waits"
    wait_for(lambda: told(app, "still") == "aborted", "the handler to end")


def test_head_gets_the_head_and_its_handler_is_cancelled(app):
    answer = app.request("HEAD", "/still")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    wait_for(lambda: told(app, "still") == "aborted", "the handler to end")


def test_other_requests_publish_to_subscribers(app):
    listeners = [Listener(app, "/subscribe", version) for version in ("1.0", "1.1", "1.0")]
    try:
        for listener in listeners:
            listener.read_until(b": welcome\n\n")
        assert app.request("POST", "/publish", "news").json() == {"count": 3}
        for listener in listeners:
            listener.read_until(b"data: news\n\n")
        assert app.request("POST", "/close_all").text == "closed"
        for listener in listeners[::2]:
            assert listener.read_all() == b": welcome\n\ndata: news\n\n"
        listeners[1].read_until(b"\r\n0\r\n\r\n")
    finally:
        for listener in listeners:
            listener.sock.close()


def test_try_send_says_no_when_a_client_does_not_read(app):
    with Listener(app, "/subscribe") as listener:
        listener.read_until(b": welcome\n\n")
        count = app.request("POST", "/try").json()["count"]
        assert 6 <= count < 10000
        listener.read_until((b"data: " + b"x" * 10000 + b"\n\n") * count)
    wait_for(lambda: app.get("/subscribers").json()["n"] == 0, "the subscribers to leave")
