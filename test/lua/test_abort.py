"""http.abort and http.assert."""
import pytest

from handler_rows import names

# name, what the handler does, status, what the client reads
ENDS = [
    ("a_status_alone_has_its_reason", "http.abort(404)", 404, "Not Found"),
    ("a_message_is_read_by_the_client", 'http.abort(403, "not yours")', 403, "not yours"),
    ("a_message_of_a_server_error_is_not", 'http.abort(503, "db is down")', 503, "Service Unavailable"),
    ("expose_shows_it", 'http.abort(503, "back at noon", { expose = true })', 503, "back at noon"),
    ("expose_hides_it", 'http.abort(403, "you are on the list", { expose = false })', 403, "Forbidden"),
    ("assert_of_nil_ends", 'http.assert(nil, 404, "no such user")', 404, "no such user"),
    ("assert_of_false_ends", "http.assert(false, 401)", 401, "Unauthorized"),
    ("a_raised_error_may_expose", 'error(fsd.error { status = 500, message = "shown", expose = true })', 500, "shown"),
    ("an_expose_that_is_no_boolean_says_nothing", 'error(fsd.error { status = 500, message = "x", expose = "yes" })', 500,
     "Internal Server Error"),
]

# name, code, a part of the message in the log
MISTAKES = [
    ("a_status_that_is_no_error", "http.abort(302)", "http.abort: status must be a whole number from 400 to 599"),
    ("a_status_that_is_text", 'http.abort("404")', "status must be a whole number"),
    ("a_message_that_is_a_table", "http.abort(404, {})", "message must be a string, got a table"),
    ("options_that_are_a_text", 'http.abort(404, "x", "y")', "options must be a table"),
    ("an_unknown_option", 'http.abort(404, "x", { header = {} })',
     'http.abort: unknown option "header"; did you mean "headers"?'),
    ("an_option_without_a_name", 'http.abort(404, "x", { "y" })', "an option's name must be a string"),
    ("headers_that_are_no_table", 'http.abort(404, "x", { headers = 1 })', "headers must be a table"),
    ("a_header_with_a_line_break", r'http.abort(404, "x", { headers = { ["x-a"] = "\r\nx-b: 1" } })',
     "http.abort: cannot set a header: the value has a line break"),
    ("a_header_that_is_ours", 'http.abort(404, "x", { headers = { ["content-length"] = 1 } })', "fsd sets it itself"),
    ("a_header_that_is_a_table", 'http.abort(404, "x", { headers = { ["x-a"] = {} } })', "must be a string or a number"),
    ("expose_that_is_text", 'http.assert(nil, 404, "x", { expose = "yes" })', "expose must be a boolean"),
]

APP = '''
local fsd = require "fsd"
local http = require "fsd.http"
local app = fsd.app()
%s
app:get("/caught", function(req, res)
  local _, err = fsd.try(http.abort, 404, "x", { code = "user.missing", cause = "why", headers = { ["x-a"] = 1 } })
  local _, plain = fsd.try(http.abort, 405)
  res:json{ err.name, err.code, err.status, err.message, err.expose, err.cause, err.headers["x-a"], plain.code, plain.headers == nil }
end)
app:get("/value", function(req, res) res:send(http.assert("found", 404) .. tostring(http.assert(0, 404))) end)
app:get("/headers", function(req, res)
  res:set("cache-control", "max-age=9")
  http.abort(429, "slow down", { headers = { ["Retry-After"] = 5, ["x-a"] = "b", ["content-type"] = "text/x" } })
end)
app:get("/hand", function(req, res)
  error(fsd.error { status = 404, message = "x", headers = { ["x-good"] = "1", ["x-bad"] = "1\\r\\nx-in: 1", ["x y"] = "1", [1] = "2",
    ["content-length"] = "1", ["x-table"] = {}, ["x-lazy"] = setmetatable({}, { __tostring = error }) } })
end)
app:get("/text", function() error(fsd.error { status = 404, message = "x", headers = "y" }) end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    rows = [(name, code) for name, code, *_ in ENDS + MISTAKES]
    return serve(APP % "\n".join(f'app:get("/{name}", function(req, res)\n {code}\nend)' for name, code in rows))


@pytest.mark.parametrize("name, code, status, message", ENDS, ids=names(ENDS))
def test_end(app, name, code, status, message):
    answer = app.get("/" + name)
    assert (answer.status, answer.json()) == (status, {"error": message})


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_names_the_line_of_its_call(app, name, code, message):
    assert app.get("/" + name).status == 500
    record = app.wait_record(path="/" + name, level="error")
    line = int(record["handler"].split(":")[1]) + 1
    assert f"app.lua:{line}: http." in record["msg"] and message in record["msg"]


def test_the_error_has_what_it_was_given(app):
    assert app.get("/caught").json() == ["HttpError", "user.missing", 404, "x", True, "why", 1, "method_not_allowed", True]


def test_assert_returns_the_value(app):
    assert app.get("/value").text == "found0"


def test_the_page_has_the_headers_of_the_error_and_none_of_the_body_that_did_not_come(app):
    answer = app.get("/headers")
    assert (answer.status, answer.json()) == (429, {"error": "slow down"})
    assert (answer.headers["retry-after"], answer.headers["x-a"]) == ("5", "b")
    assert "cache-control" not in answer.headers


def test_headers_that_cannot_be_sent_are_left_out(app):
    answer = app.get("/hand")
    assert (answer.status, answer.json()) == (404, {"error": "x"})
    assert {name for name in answer.headers if name.startswith("x")} == {"x-good"}


def test_headers_that_are_no_table_are_none(app):
    assert app.get("/text").status == 404
