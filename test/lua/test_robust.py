"""What a careless or hostile application must not be able to do to its worker: each of these once crashed it, mixed up two
requests or sent an answer that is none."""
import concurrent.futures
import socket
import time

import pytest

from fsd_process import wait_for

APP = '''
local fsd = require "fsd"
local app = fsd.app()
for i = 1, 20 do app:use(function(req, res, next) return next() end) end  -- more than a chain has inline room for
local saved = {}

app:get("/yield", function() coroutine.yield() return "back" end)
app:get("/save/:name", function(req, res)
  saved[req.params.name] = coroutine.running()
  fsd.task.sleep(0.3)
  return "slept"
end)
app:get("/resume/:name", function(req) return { coroutine.resume(saved[req.params.name]) } end)
app:get("/close/:name", function(req) return { fsd.try(coroutine.close, saved[req.params.name]) == nil } end)

local late = {}
app:get("/late/:a/:b", function(req, res)
  res:send("early")
  fsd.task.sleep(0.05)
  late[req.params.a] = req.params.b
end)
app:get("/told/:a", function(req) return late[req.params.a] or "nothing" end)

app:get("/stubborn", function()
  local x <close> = setmetatable({}, { __close = function() collectgarbage() fsd.log:info("closed by force") end })
  while true do pcall(fsd.task.sleep, 10) end
end)

local stale
app:get("/stale", function(req, res, next)
  stale = coroutine.wrap(function() next() end)
  stale()
  return "over"
end, function() coroutine.yield() return "stale" end)
app:get("/fresh", function(req, res)
  collectgarbage()
  stale()
  return "fresh"
end)

local hostile = setmetatable({}, { __tostring = function() error("again") end, __index = function() error("index") end })
app:get("/errors/message", function() local e = fsd.error{ message = "m", status = 404 } e.message = hostile error(e) end)
app:get("/errors/status", function() local e = fsd.error{ message = "m" } e.status = hostile error(e) end)
app:get("/errors/traceback", function() error{ message = "m", traceback = hostile, code = hostile } end)
app:get("/errors/itself", function() error(hostile) end)
app:get("/errors/class", function() error(setmetatable({ message = "mine" }, { __index = { status = 404 } })) end)
app:get("/errors/deep", function() local function f() return 1 + f() end f() end)
app:get("/errors/status_alone", function() error{ status = 409 } end)
app:get("/ok", function() return "ok" end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


@pytest.fixture
def alive(app):
    """The worker that began the test is the one that ends it."""
    pid = app.workers()[0]["pid"]
    yield
    assert app.get("/ok").text == "ok"
    assert app.workers()[0]["pid"] == pid, app.log()[-3000:]


def ask_later(app, path):
    pool = concurrent.futures.ThreadPoolExecutor(1)
    return pool.submit(lambda: app.get(path))


def leave(app, path):
    """Asks and hangs up without reading."""
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port))) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def test_a_handler_that_yields_is_an_error(app, alive):
    answer = app.get("/yield")
    assert answer.status == 500
    app.wait_record(level="error", path="/yield")
    assert "cannot yield here" in app.log()


def test_a_handler_that_yields_after_its_client_left_is_an_error(app, alive):
    leave(app, "/yield")


@pytest.mark.parametrize("verb, answer", [
    ("resume", [False, "cannot resume the coroutine of a request or task: only fsd does"]),
    ("close", [True]),
])
def test_a_waiting_request_is_nobody_elses_to_resume(app, alive, verb, answer):
    waiting = ask_later(app, f"/save/{verb}")
    end = time.monotonic() + 30
    while True:  # until the first one has saved itself
        told = app.get(f"/{verb}/{verb}")
        if told.status == 200 and told.json() == answer:
            break
        assert time.monotonic() < end, told.text
    assert waiting.result().text == "slept"


def test_parameters_are_right_after_the_answer_also_in_a_long_chain(app, alive):
    count = 40
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: app.get(f"/late/a{i}/b{i}").text, range(count)))
    assert answers == ["early"] * count
    end = time.monotonic() + 30
    for i in range(count):
        while app.get(f"/told/a{i}").text == "nothing":
            assert time.monotonic() < end
        assert app.get(f"/told/a{i}").text == f"b{i}"


def test_a_handler_that_never_ends_is_closed_when_its_client_left(app, alive):
    leave(app, "/stubborn")
    app.wait_record(msg="closed by force")
    app.wait_record(msg="request was ended by force: it still waited 1 s after it was cancelled")


def test_next_of_a_request_that_is_over_answers_no_other(app, alive):
    assert app.get("/stale").text == "over"
    assert app.get("/fresh").text == "fresh"


# path, status, body, message in the log (None: it is no error of ours)
ERRORS = [
    ("message", 404, {"error": "(a table)"}, None),
    ("status", 500, {"error": "Internal Server Error"}, "error in request: m"),
    ("traceback", 500, {"error": "Internal Server Error"}, "error in request: m"),
    ("itself", 500, {"error": "Internal Server Error"}, "again"),
    ("class", 500, {"error": "Internal Server Error"}, "error in request: table: 0x"),
    ("deep", 500, {"error": "Internal Server Error"}, "stack overflow"),
    ("status_alone", 409, {"error": "unknown error"}, None),
]


@pytest.mark.parametrize("name, status, body, message", ERRORS, ids=[row[0] for row in ERRORS])
def test_errors_that_fight_back_are_answered(app, alive, name, status, body, message):
    answer = app.get(f"/errors/{name}")
    assert (answer.status, answer.json()) == (status, body)
    if message is not None:
        assert message in app.wait_record(path=f"/errors/{name}")["msg"]


def test_hooks_finalizers_and_bytecode_are_withheld(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local tries = {
  hook = function() debug.sethook(print, "", 1000) end,
  finalizer = function() setmetatable({}, { __gc = print }) end,
  bytecode = function() assert(load(string.dump(function() end))) end,
}
app:get("/:what", function(req) local _, err = fsd.try(tries[req.params.what]); return err.message end)
return app
''')
    assert "debug.sethook is not available here" in app.get("/hook").text
    assert "has a __gc, which is not available here" in app.get("/finalizer").text
    assert "attempt to load a binary chunk" in app.get("/bytecode").text


SPINNING = '''
local fsd = require "fsd"
local app = fsd.app()
local rounds, stop = 0, false
app:get("/spin", function() while not stop do rounds = rounds + 1 end; return "stopped" end)
app:get("/rounds", function() return { rounds = rounds } end)
app:get("/lag", function() return fsd.worker.lag() end)
app:get("/stop", function() stop = true; return "stopping" end)
app:get("/deep", function()
  return coroutine.wrap(function() return select(2, pcall(function() while true do end end)) end)().code
end)
app:get("/tostring", function()
  local _, err = fsd.try(tostring, setmetatable({}, { __tostring = function() while true do end end }))
  fsd.task.sleep(0)
  return err.code
end)
return app
'''


def test_a_handler_that_spins_keeps_no_other_from_answering(serve):
    app = serve(SPINNING)
    with concurrent.futures.ThreadPoolExecutor() as executor:
        spinning = [executor.submit(app.get, "/spin") for _ in range(3)]
        wait_for(lambda: app.get("/rounds").json()["rounds"] > 1000, "the spinning")
        assert app.get("/stop").text == "stopping"
        assert [answer.result().text for answer in spinning] == ["stopped"] * 3
    lag = app.get("/lag").json()
    assert sum(lag["counts"]) == lag["turns"] > 3
    assert sum(lag["counts"][1:]) > 0, "turns of a slice"
    p50, p99, longest = (round(lag[name] * 1000) for name in ("p50", "p99", "max"))
    assert p50 <= p99 <= longest + 1  # milliseconds, begun ones counted


def test_a_handler_that_spins_gets_its_deadline(serve):
    app = serve(SPINNING, limits={"request_timeout": "100ms"})
    assert app.get("/spin").status == 503
    assert "error in request: the deadline has passed" in app.wait_record(path="/spin")["msg"]
    assert app.get("/deep").text == "timeout"


def test_a_handler_that_uses_up_its_cpu_time_is_answered_and_leaves_its_traceback(serve):
    app = serve(SPINNING, limits={"cpu": "50ms"})
    assert app.get("/spin").status == 503
    record = app.wait_record(path="/spin")
    assert (record["msg"], record["code"]) == ("error in request: the CPU time is used up", "cpu")
    assert "app.lua:" in record["traceback"]
    assert app.get("/deep").text == "cpu"
    assert app.get("/rounds").status == 200


def test_what_runs_because_of_a_limit_is_limited_too(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local function spin() while true do end end
app:get("/handler", function() xpcall(spin, spin) end)
app:get("/close", function()
  coroutine.wrap(function() local x <close> = setmetatable({}, { __close = spin }) spin() end)()
end)
app:get("/told", function() return (select(2, xpcall(spin, function(err) fsd.task.sleep(0) return err.code end))) end)
app:get("/", function() return "well" end)
return app
''', limits={"cpu": "20ms"})
    pid = app.workers()[0]["pid"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        spinning = [pool.submit(app.get, path) for path in ("/handler", "/close")]
        assert app.get("/told").text == "cpu"
        assert [answer.result().status for answer in spinning] == [503, 503]
    assert app.get("/").text == "well"
    assert app.workers()[0]["pid"] == pid


def test_where_nothing_can_be_interrupted_an_error_is_raised(serve):
    assert serve(SPINNING).get("/tostring").text == "slice"


def test_a_handler_that_catches_its_end_and_waits_on_is_ended_all_the_same(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local function wait(seconds) while true do fsd.task.sleep(seconds) end end
app:get("/zero", function() while true do pcall(wait, 0) end end)  -- what it is told comes inside of pcall, also when it is preempted
app:get("/short", function() while true do pcall(wait, 0.001) end end)
app:get("/", function() return "well" end)
return app
''', limits={"request_timeout": "50ms"})
    for path in ("/zero", "/short"):
        assert app.get(path).status == 503
        app.wait_record(msg="request was ended by force: it still waited 1 s after it was cancelled", method="GET",
                        path=path, handler=f"app.lua:{5 if path == '/zero' else 6}")
    assert app.get("/").text == "well"


def test_more_middlewares_than_calls_can_nest_are_refused_when_they_are_added(serve, serve_refused):
    chain = 'local fsd = require "fsd"\nlocal app = fsd.app()\n' \
            'for i = 1, %d do app:use(function(req, res, next) next() end) end\n' \
            'local last = {}\nfor i = 1, 39 do last[i] = function(req, res, next) next() end end\n' \
            'last[40] = function() return "end" end\napp:get("/", table.unpack(last))\nreturn app\n'
    assert serve(chain % 120).get("/").text == "end"
    assert "more than 120 middlewares" in serve_refused(chain % 121)


def test_the_classes_of_the_library_are_out_of_reach(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local native = fsd.respond("x")
app:get("/", function(req, res)
  return { getmetatable(app), getmetatable(native), getmetatable(req), getmetatable(res) }
end)
return app
''')
    assert app.get("/").json() == ["fsd"] * 4
