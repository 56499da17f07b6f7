"""Errors: what raising does to a request, and fsd.error, fsd.try, fsd.check."""
import pytest

from handler_rows import app_of, names

# name, handler that returns a value, the JSON answer
VALUES = [
    ("try_returns_what_the_function_returns", "return { fsd.try(function(a, b) return b, a, 3 end, 1, 2) }", [2, 1, 3]),
    ("try_returns_nil_and_an_error", '''
      local value, err = fsd.try(error, { message = "m", status = 409, code = "c" })
      return { value == nil, err.message, err.status, err.code, err.name }''', [True, "m", 409, "c", "Error"]),
    ("try_makes_an_error_of_text", '''
      local _, err = fsd.try(error, "text")
      return { err.message, err.status, err.code, err.name }''', ["text", 500, "error", "Error"]),
    ("try_makes_an_error_of_nil", "local _, err = fsd.try(error); return { err.message }", ["nil"]),
    ("try_keeps_a_nil_result", 'return { select("#", fsd.try(function() return nil, nil end)) }', [2]),
    ("try_adds_a_traceback", '''
      local function deep() error("x") end
      local _, err = fsd.try(deep)
      return { err.traceback:find("deep", 1, true) ~= nil or err.traceback:find("upvalue", 1, true) ~= nil
        or err.traceback:find("app.lua", 1, true) ~= nil }''', [True]),
    ("try_lets_the_function_wait", "return { fsd.try(function() fsd.task.sleep(0.001); return 1 end) }", [1]),
    ("try_nests", "local value, err = fsd.try(fsd.try, 7); return { value == nil, err.message }", [True, "attempt to call a number value"]),
    ("an_error_keeps_its_fields", '''
      local _, err = fsd.try(error, fsd.error { message = "m", detail = { 1 } })
      return { err.message, err.detail[1], err.status, err.code, err.name }''', ["m", 1, 500, "error", "Error"]),
    ("an_error_is_a_copy_of_its_fields", '''
      local fields = { message = "m" }
      return { fsd.error(fields) ~= fields, fields.name == nil, fsd.error.new(fields).message }''', [True, True, "m"]),
    ("is_looks_at_name_and_code", '''
      local err = fsd.error { message = "m", name = "PayError", code = "pay.late" }
      return { err:is("PayError"), err:is("pay.late"), err:is("m") }''', [True, True, False]),
    ("an_error_that_is_no_text_is_the_cause", "local t = {}; local _, err = fsd.try(error, t); return { err.cause == t }", [True]),
    ("rethrow_raises_the_same_error", '''
      local _, first = fsd.try(error, "x")
      local _, second = fsd.try(first.rethrow, first)
      return { rawequal(first, second) }''', [True]),
    ("tostring_is_one_line", '''
      return { tostring(fsd.error { message = "plain" }), tostring(fsd.error { message = "m", name = "E", code = "c" }) }''',
     ["plain", "E: m (c)"]),
    ("wrap_says_what_was_going_on", '''
      local cause = fsd.error { message = "m", status = 409, code = "c", name = "N" }
      local err = fsd.error.wrap(cause, "while saving")
      return { err.message, err.status, err.code, err.name, err.cause == cause }''', ["while saving: m", 409, "c", "N", True]),
    ("wrap_without_words_makes_an_error", '''
      local err = fsd.error { message = "m" }
      return { fsd.error.wrap(err) == err, fsd.error.wrap("text").message, fsd.error.wrap("text", "doing").message }''',
     [True, "text", "doing: text"]),
    ("check_returns_what_it_got", "return { fsd.check(1, 2, 3) }", [1, 2, 3]),
    ("check_raises_the_second_value", '''
      local _, err = fsd.try(fsd.check, io.open("/does/not/exist"))
      return { err.message }''', ["/does/not/exist: No such file or directory"]),
    ("check_raises_for_false", 'local _, err = fsd.try(fsd.check, false, "no"); return { err.message }', ["no"]),
    ("check_without_a_reason_has_one", "local _, err = fsd.try(fsd.check, nil); return { err.message }", ["check failed"]),
    ("check_keeps_an_error", '''
      local first = fsd.error { message = "m" }
      local _, err = fsd.try(fsd.check, nil, first)
      return { err == first }''', [True]),
    ("assert_keeps_an_error", '''
      local first = fsd.error { message = "m", status = 404 }
      local _, err = fsd.try(assert, nil, first)
      return { err == first }''', [True]),
    ("pcall_gets_an_error_of_fsd_as_a_table", '''
      local ok, err = pcall(json.decode, "{")
      return { ok, err.name, err.code, err.status }''', [False, "JsonError", "json.decode", 400]),
    ("an_error_without_a_message_is_refused", '''
      local _, err = fsd.try(fsd.error, { status = 404 })
      return { err.message:find("expects a table with at least a message", 1, true) ~= nil }''', [True]),
    ("every_entry_is_a_function", '''
      return { type(fsd.error.new), type(fsd.error.wrap), fsd.error.try == fsd.try, fsd.error.check == fsd.check }''',
     ["function", "function", True, True]),
    ("an_unknown_module_is_nil", "return { fsd.nothing == nil, fsd[7] == nil }", [True, True]),
    ("modules_are_fields", 'return { fsd.json == require "fsd.json", fsd.log == require "fsd.log" }', [True, True]),
]

# name, handler, status, the client's message without on_error
RAISED = [
    ("text", 'error("secret")', 500, "Internal Server Error"),
    ("a_mistake", "local a; return a.b", 500, "Internal Server Error"),
    ("a_table_of_the_client", 'error { status = 404, message = "no such user" }', 404, "no such user"),
    ("an_error_of_the_client", 'error(fsd.error { status = 422, message = "bad \\"word\\" <b>" })', 422, 'bad "word" <b>'),
    ("an_error_of_ours", 'error(fsd.error { status = 502, message = "secret" })', 502, "Bad Gateway"),
    ("unavailable", 'error(fsd.error { status = 503, message = "secret" })', 503, "Service Unavailable"),
    ("a_status_that_is_none", 'error { status = 200, message = "secret" }', 500, "Internal Server Error"),
    ("a_status_of_text", 'error { status = "x", message = "secret" }', 500, "Internal Server Error"),
    ("a_table_without_a_message", "error { status = 404 }", 404, "unknown error"),
    ("a_table_without_both", "error { code = 7 }", 500, "Internal Server Error"),
    ("nothing_returned", "local x = 1", 500, "Internal Server Error"),
    ("headers_of_a_body_are_forgotten", 'res:status(201):set("cache-control", "max-age=9"):type("css"); error { status = 409, message = "m" }', 409, "m"),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(VALUES + RAISED))


@pytest.mark.parametrize("name, code, expected", VALUES, ids=names(VALUES))
def test_error(app, name, code, expected):
    answer = app.get("/" + name)
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, status, message", RAISED, ids=names(RAISED))
def test_default_answer_tells_the_client_its_own_mistakes_only(app, name, code, status, message):
    answer = app.get("/" + name)
    assert (answer.status, answer.json()) == (status, {"error": message})
    assert "cache-control" not in answer.headers
    html = app.get("/" + name, {"accept": "text/html"})
    assert (html.status, html.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "secret" not in html.text and "<b>" not in html.text


@pytest.mark.parametrize("name, code, status, message", RAISED, ids=names(RAISED))
def test_only_errors_of_the_server_are_logged(app, name, code, status, message):
    app.get("/" + name, {"x-request-id": "log-" + name})
    app.get("/a_mistake", {"x-request-id": "behind-" + name})
    app.wait_record(request_id="behind-" + name)  # records of one worker keep their order
    records = [record for record in app.records() if record.get("request_id") == "log-" + name]
    assert len(records) == (1 if status >= 500 else 0)


def test_an_error_is_logged_once_with_all_that_helps(app):
    app.get("/a_mistake?x=1", {"x-request-id": "look"})
    record = app.wait_record(request_id="look")
    line = app.app_path.read_text().split("\n").index(
        'app:all("/a_mistake", function(req, res) local a; return a.b end)') + 1
    assert record["level"] == "error"
    assert record["msg"] == f"error in request: app.lua:{line}: attempt to index a nil value (local 'a')"
    assert (record["method"], record["path"], record["handler"]) == ("GET", "/a_mistake", f"app.lua:{line}")
    assert f"app.lua:{line}: in function" in record["traceback"]
    assert (record["pool"], record["slot"]) == ("web", 0)


def test_a_handler_that_answers_nothing_is_named_with_its_line(app):
    app.get("/nothing_returned")
    record = app.wait_record(path="/nothing_returned", code="no_response")
    assert record["handler"] in record["msg"] and record["handler"].startswith("app.lua:")
    assert "call res:send or next(), or res:detach() when another task answers" in record["msg"]


# --- app:on_error ---

ON_ERROR = '''
app:get("/own", function() error(fsd.error { status = 409, message = "m", code = "c", extra = 7 }) end)
app:get("/text", function() error("plain", 0) end)
app:get("/json", function(req) req:json() end)
app:get("/default", function() error { status = 404, message = "to the default" } end)
app:get("/other", function() error { status = 404, message = "first" } end)
app:get("/fails", function() error { status = 404, message = "first" } end)
app:get("/silent", function() error { status = 404, message = "silent" } end)
app:get("/waits", function() error { status = 404, message = "m" } end)
app:get("/returns", function() error { status = 404, message = "m" } end)
app:get("/headers", function(req, res) res:status(201):set("x-a", "1"); error { status = 404, message = "m" } end)
app:get("/wanted", function(req, res)
  res:set("retry-after", "1"):type("css")
  fsd.http.abort(429, "m", { headers = { ["retry-after"] = 60, ["www-authenticate"] = "Bearer" } })
end)
app:get("/refused", function() error { status = 401, message = "m", headers = { ["x-a"] = "1\\n2", ["content-length"] = 7, [1] = "x", ["x-b"] = print } } end)
app:get("/answered", function(req, res) res:send("sent"); error("late") end)
app:on_error(function(err, req, res, next)
  local ways = {
    ["/default"] = function() next() end,
    ["/other"] = function() next { status = 410, message = "second" } end,
    ["/fails"] = function() error("on_error is broken") end,
    ["/silent"] = function() end,
    ["/waits"] = function() fsd.task.sleep(0.001); res:status(err.status):send("waited") end,
    ["/headers"] = function() res:send { status = res.status_code } end,
    ["/wanted"] = function() res:status(err.status):unset("www-authenticate"):send("wait") end,
    ["/answered"] = function() fsd.log:error("on_error was called") end,
  }
  if req.path == "/returns" then res:status(404); return { returned = true } end
  if ways[req.path] then return ways[req.path]() end
  res:status(err.status):json { err.name, err.code, err.message, err.extra or 0, err.traceback ~= nil, req.method }
end)
'''

HANDLED = [
    ("/own", 409, ["Error", "c", "m", 7, True, "GET"]),
    ("/text", 500, ["Error", "error", "plain", 0, True, "GET"]),
    ("/json", 400, ["JsonError", "entity.parse.failed", "the body is empty, not JSON", 0, True, "GET"]),
    ("/default", 404, {"error": "to the default"}),
    ("/other", 410, {"error": "second"}),
    ("/fails", 500, {"error": "Internal Server Error"}),
    ("/silent", 404, {"error": "silent"}),
    ("/returns", 404, {"returned": True}),
    ("/headers", 201, {"status": 201}),
    ("/nowhere", 404, {"error": "Not Found"}),
]


@pytest.fixture(scope="module")
def handled(serve):
    return serve(app_of([], ON_ERROR))


@pytest.mark.parametrize("path, status, body", HANDLED)
def test_on_error_answers_with_what_it_knows(handled, path, status, body):
    answer = handled.get(path)
    assert (answer.status, answer.json()) == (status, body)


def test_on_error_may_wait(handled):
    answer = handled.get("/waits")
    assert (answer.status, answer.text) == (404, "waited")


def test_headers_that_were_set_before_the_error_are_kept_for_on_error(handled):
    assert handled.get("/headers").headers["x-a"] == "1"


def test_headers_that_the_error_wants_are_set_for_on_error(handled):
    answer = handled.get("/wanted")
    assert (answer.status, answer.text, answer.headers["retry-after"]) == (429, "wait", "60")
    assert answer.headers["content-type"] == "text/css; charset=utf-8" and "www-authenticate" not in answer.headers
    answer = handled.get("/refused")
    assert (answer.status, len(answer.json()), "x-a" in answer.headers, "x-b" in answer.headers) == (401, 6, False, False)


def test_an_error_in_on_error_is_logged_as_well(handled):
    handled.get("/fails")
    record = handled.wait_record(path="/fails")
    assert "on_error is broken" in record["msg"]


def test_on_error_is_not_asked_after_the_answer(handled):
    assert handled.get("/answered").text == "sent"
    assert "late" in handled.wait_record(path="/answered")["msg"]
    assert not [record for record in handled.records() if record["msg"] == "on_error was called"]


def test_an_error_in_not_found_goes_to_on_error(serve):
    app = serve(app_of([], '''
app:not_found(function(req) error { status = 404, message = "nothing at " .. req.path } end)
app:on_error(function(err, req, res) res:status(err.status):json { problem = err.message } end)'''))
    assert app.get("/x").json() == {"problem": "nothing at /x"}


def test_an_application_goes_on_after_many_errors(app):
    with app.connection() as connection:
        for _ in range(200):
            assert app.request("GET", "/text", connection=connection).status == 500
        assert app.request("GET", "/modules_are_fields", connection=connection).status == 200


def test_a_method_by_its_name_in_express_is_told_ours(serve):
    app = serve(app_of([
        ("sendFile", 'res:sendFile("x")'), ("acceptsLanguages", 'req:acceptsLanguages("de")'), ("isAuthenticated", "req:isAuthenticated()"),
        ("send_files", 'res:send_files("x")'), ("long", f"res:{'aB' * 60}()")]))
    hints = {"sendFile": '; fsd has "send_file"', "acceptsLanguages": '; fsd has "accepts_languages"'}
    for name in ("sendFile", "acceptsLanguages", "isAuthenticated", "send_files", "long"):
        assert app.get("/" + name).status == 500
        message = app.wait_record(path="/" + name, level="error")["msg"]
        assert message.endswith("')" + hints.get(name, "")) and "attempt to call a nil value (method '" in message


def test_what_is_missed_where_express_has_it_is_told(serve):
    app = serve(app_of([("body", "return req.body.name"), ("session", "req.session.name = 1"), ("other", "local row = {} return row.bodies.name")], '''
app:param("user", function(req, res, next, id) next() end)
app:get("/of/:user", function() end)
'''))
    for path, end in [
        ("/body", "(field 'body'); if that is req.body: call req:json() or req:form(), or mount fsd.body.json()"),
        ("/session", "(field 'session'); if that is req.session: mount fsd.mw.session in front"), ("/other", "(field 'bodies')"),
        ("/of/7", "(local 'next'); a function of app:param gets req, res and the value, and returns what takes its place"),
    ]:
        assert app.get(path).status == 500
        assert app.wait_record(path=path, level="error")["msg"].endswith(end)
