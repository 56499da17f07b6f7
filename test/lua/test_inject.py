"""app:inject: requests that an application sends to itself."""
import pytest

from handler_rows import HEAD, app_of, names

# What is asked.
INNER = '''
app:use(function(req, res, next) res:set("x-middleware", "1"); next() end)
app:get("/hello", function(req, res) res:send("hello") end)
app:post("/echo", function(req, res) res:status(201):json{ body = req:text(), type = req:get("content-type") or false, is = req:is("json") or false } end)
app:get("/seen", function(req) return { method = req.method, url = req.url, ip = req.ip, version = req.http_version, host = req.host,
                                        q = req.query.q, a = req:get("x-a"), port = req.conn.peer.port } end)
app:get("/slow", function(req, res) fsd.task.sleep(0.01); res:send("slow") end)
app:get("/pieces", function(req, res) for i = 1, 3 do res:write(("x"):rep(50000)); fsd.task.sleep(0.001) end; res:finish("end") end)
app:get("/broken", function(req, res) res:write("begin"); res:flush(); fsd.task.sleep(0.001); error("late") end)
app:get("/fails", function() error("no luck") end)
app:get("/cookies", function(req, res) res:cookie("a", "1"):cookie("b", "2"):append("x-list", "1"):append("x-list", "2"):send("") end)
app:get("/native", fsd.http.respond("native"))
app:get("/nested", function(req, res) return { app:inject("/hello").body } end)
local left = fsd.task.channel(1)
app:get("/down/:n", function(req, res)
  local n = tonumber(req.params.n)
  if n == 0 then return { "ground" } end
  local answer = app:inject("/down/" .. n - 1)
  res:status(answer.status):json(answer:json())
end)
app:get("/mirror", function(req, res) local answer = app:inject("/mirror"); res:status(answer.status):json(answer:json()) end)
app:get("/mirror_in_a_task", function(req, res)
  local answer = fsd.task.timeout(60, function() return app:inject("/mirror_in_a_task") end)
  res:status(answer.status):json(answer:json())
end)
app:get("/mirror_behind", function(req, res)
  fsd.task.spawn(function()
    local ok, err = pcall(app.inject, app, "/mirror_behind")
    if not ok then left:put(err.code) end
  end)
  res:send("left")
end)
app:get("/none", function(req, res) res:status(204):send() end)
app:get("/large", function(req, res) res:send(("x"):rep(1000)) end)
app:on_error(function(err, req, res) res:status(err.status or 500):json{ failed = err.message or tostring(err), code = err.code } end)
local ended = fsd.task.channel(1)
app:get("/tells_its_end", function(req, res) res:on("finish", function(how) ended:put { how.status, how.complete } end); res:send("told") end)
local waiting
app:get("/for_ever", function(req, res)
  waiting = true
  local ok, err = pcall(fsd.task.sleep, 3600)
  fsd.log:info("ended", { code = err.code })
end)
'''

# name, handler, its JSON answer
GIVEN = [
    ("a_url_alone_is_a_get", 'local a = app:inject("/hello"); return { a.status, a.body, a.headers["x-middleware"], a.headers["content-type"], a.complete }',
     [200, "hello", "1", "text/html; charset=utf-8", True]),
    ("the_length_is_told", 'return { app:inject("/hello").headers["content-length"] }', ["5"]),
    ("its_end_is_a_whole_one", 'app:inject("/tells_its_end"); return ended:get(30)', [200, True]),
    ("a_body_goes_along", 'local a = app:inject{ method = "POST", url = "/echo", body = "x\\0y", headers = { ["Content-Type"] = "text/plain" } } return { a.status, a.json() }',
     [201, {"body": "x\0y", "type": "text/plain", "is": False}]),
    ("a_table_goes_as_json", 'return app:inject{ method = "post", url = "/echo", body = { 1 } }:json()', {"body": "[1]", "type": "application/json", "is": "json"}),
    ("json_may_be_called_both_ways", 'local a = app:inject("/seen"); return { a.json().method, a:json().method }', ["GET", "GET"]),
    ("the_request_is_as_any", 'return app:inject{ url = "/seen?q=1", headers = { Host = "h.example", ["X-A"] = { "1", "2" } } }.json()',
     {"method": "GET", "url": "/seen?q=1", "ip": "127.0.0.1", "version": "1.1", "host": "h.example", "q": "1", "a": "1, 2", "port": 0}),
    ("the_address_can_be_chosen", 'return { app:inject{ url = "/seen", remote_address = "1.2.3.4" }.json().ip, app:inject{ url = "/seen", remote_address = "2001:db8::1" }.json().ip }',
     ["1.2.3.4", "2001:db8::1"]),
    ("what_waits_is_waited_for", 'return { app:inject("/slow").body }', ["slow"]),
    ("pieces_are_collected", 'local a = app:inject("/pieces"); return { #a.body, a.body:sub(-4), a.complete }', [150003, "xend", True]),
    ("what_breaks_is_not_complete", 'local a = app:inject("/broken"); return { a.body, a.complete }', ["begin", False]),
    ("errors_are_answers", 'local a = app:inject("/fails"); return { a.status, a.json().failed ~= nil }', [500, True]),
    ("what_is_not_there_is_404", 'return { app:inject("/nowhere").status }', [404]),
    ("head_has_no_body", 'local a = app:inject{ method = "HEAD", url = "/hello" }; return { a.status, a.body, a.headers["content-length"] }', [200, "", "5"]),
    ("no_content_has_none", 'local a = app:inject("/none"); return { a.status, a.body, a.headers["content-length"] == nil }', [204, "", True]),
    ("headers_are_gathered", 'local a = app:inject("/cookies"); return { a.headers["set-cookie"], a.headers["x-list"] }', [["a=1; Path=/", "b=2; Path=/"], "1, 2"]),
    ("what_needs_no_lua_is_answered_too", 'return { app:inject("/native").body }', ["native"]),
    ("one_may_lead_to_another", 'return app:inject("/nested").json()', ["hello"]),
    ("so_many_may_wait_for_each_other", 'return app:inject("/down/15"):json()', ["ground"]),
    ("one_more_may_not", 'local a = app:inject("/down/16"); return { a.status, a:json().code }', [508, "inject.too.deep"]),
    ("one_that_asks_itself_is_told", 'local a = app:inject("/mirror"); return { a.status, a:json().code }', [508, "inject.too.deep"]),
    ("one_that_asks_itself_in_a_task_is_told", 'local a = app:inject("/mirror_in_a_task"); return { a.status, a:json().code }', [508, "inject.too.deep"]),
    ("one_that_leaves_a_task_that_asks_it_is_told", 'app:inject("/mirror_behind"); return { left:get(60) }', ["inject.too.deep"]),
    ("it_is_the_depth_that_counts", 'for i = 1, 40 do app:inject("/down/1") end; return app:inject("/down/15"):json()', ["ground"]),
    ("many_may_run_at_once", '''
        local group, sum = fsd.task.wait_group(), 0
        for i = 1, 50 do group:add(1); fsd.task.spawn(function() local n = #app:inject("/slow").body; sum = sum + n; group:done() end) end
        group:wait(); return { sum }''', [200]),
    ("another_application_may_be_asked", '''
        local other = fsd.app(); other:get("/", function(req, res) res:send("other") end)
        return { other:inject("/").body, other:inject("/hello").status, app:inject("/hello").body }''', ["other", 404, "hello"]),
    ("it_works_in_a_task", '''
        local channel = fsd.task.channel(1)
        fsd.task.spawn(function() channel:put(app:inject("/hello").body) end)
        return { channel:get() }''', ["hello"]),
    ("an_answer_over_the_limit_raises", '''
        local _, err = fsd.try(app.inject, app, { url = "/large", limit = 999 })
        return { err.code, app:inject{ url = "/large", limit = 1000 }.status }''', ["inject.too.large", 200]),
    ("a_task_that_is_cancelled_cancels_the_request", '''
        local task = fsd.task.spawn(function() app:inject("/for_ever") end)
        while not waiting do fsd.task.sleep(0.001) end
        task:cancel(); return { 1 }''', [1]),
]

# name, handler, a part of the message
MISTAKES = [
    ("nothing", "app:inject()", "a table expected, got a nil"),
    ("a_dot", 'app.inject{ url = "/" }', "a table expected"),
    ("an_unknown_option", 'app:inject{ uri = "/" }', 'unknown option "uri"; did you mean "url"?'),
    ("a_url_without_slash", 'app:inject("x")', "url must begin with a /"),
    ("a_url_with_a_blank", 'app:inject("/a b")', "url has a blank"),
    ("a_url_with_a_line_break", 'app:inject("/\\r\\nX: 1")', "url has a blank"),
    ("a_method_that_is_none", 'app:inject{ method = "A B" }', "method must be a word"),
    ("a_header_with_a_line_break", 'app:inject{ headers = { a = "b\\r\\nc: d" } }', "a header has a character"),
    ("a_header_of_a_table", 'app:inject{ headers = { a = { {} } } }', "header a must be a string"),
    ("a_wrong_address", 'app:inject{ remote_address = "here" }', "remote_address must be an IP address"),
    ("a_wrong_body", 'app:inject{ body = 1 }', "body must be a string, or a table"),
    ("a_wrong_limit", 'app:inject{ limit = "1" }', "limit must be a number of bytes"),
    ("a_negative_limit", 'app:inject{ limit = -1 }', "a limit cannot be negative"),
]

ACTOR = {
    "app.lua": 'return require "routes"',
    "routes.lua": HEAD + '''
app:get("/hello", function(req, res) res:send("hello") end)
app:get("/ask", function(req, res) require("fsd.actor").spawn("asker"); res:send("") end)
return app
''',
    "asker.lua": '''
local fsd, routes = require "fsd", require "routes"
return function() fsd.log:info("asked", { body = routes:inject("/hello").body }) end
''',
}


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(GIVEN + MISTAKES, INNER))


@pytest.mark.parametrize("name, code, expected", GIVEN, ids=names(GIVEN))
def test_answer(app, name, code, expected):
    answer = app.get("/" + name)
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_told(app, name, code, message):
    answer = app.get("/" + name)
    assert answer.status == 500 and message in answer.json()["failed"]


def test_the_request_of_a_cancelled_task_is_cancelled(app):
    app.get("/a_task_that_is_cancelled_cancels_the_request")
    assert app.wait_record(msg="ended")["code"] == "aborted"


def test_it_works_in_an_actor(serve):
    app = serve(ACTOR)
    app.get("/ask")
    assert app.wait_record(msg="asked")["body"] == "hello"


def test_not_while_the_application_loads(serve_refused):
    assert "cannot" in serve_refused(HEAD + 'app:inject("/")\nreturn app')
