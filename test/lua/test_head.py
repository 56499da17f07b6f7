"""What runs before the head of an answer stands: on every way in which an answer can be given, once, and while headers can be set."""
import http.client

import pytest

from handler_rows import app_of, names

# Each handler answers in another way.
WAYS = [
    ("send", 'res:status(201):send("x")', 201),
    ("json", "res:json {}", 200),
    ("finish", "res:finish()", 200),
    ("send_status", "res:send_status(204)", 204),
    ("redirect", 'res:redirect("/x")', 302),
    ("write", 'res:write("x")', 200),
    ("flush", "res:flush()", 200),
    ("stream", 'res:stream(function(w) w:write("x") end)', 200),
    ("events", "local events <close> = res:sse()", 200),
    ("a_returned_value", 'return "x"', 200),
    ("a_returned_status", "return 202", 202),
    ("an_error", 'error { status = 418, message = "teapot" }', 418),
    ("nothing_at_all", "", 500),
    ("a_native_answer", "", 200),
    ("a_file", 'res:send_file("page.txt", { root = "public" })', 200),
    ("a_folder", "return files(req, res, function() end)", 200),
    ("jsonp", "res:jsonp {}", 200),
    ("a_render", 'res:render("page")', 200),
    ("what_waits_afterwards", 'res:send("x") fsd.task.sleep(0.001)', 200),
]

HEAD = '''
local before_head = require "fsd.http.core".own.before_head
local files = fsd.static("public")
local order = {}
app:use(function(req, res, next)
  if req:get "x-plain" then return next() end
  order = {}
  before_head(res, function() order[#order + 1] = "outer" res:set("x-order", table.concat(order, ",")):set("x-status", res.status_code) end)
  before_head(res, function() order[#order + 1] = "inner" end)
  next()
end)
app:get("/order", function() return order end)
app:get("/a_native_answer", fsd.respond("native"))
app:get("/raises", function(req, res) before_head(res, function() error { status = 409, message = "no" } end) res:send("x") end)
app:get("/answers", function(req, res) before_head(res, function() res:send("early") end) res:send("x") end)
app:get("/late", function(req, res) res:write("x") before_head(res, function() order[1] = "never" end) end)
app:get("/error_raises", function(req, res) before_head(res, function() error("second") end) error { status = 400, message = "first" } end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve({"app.lua": app_of(WAYS, HEAD), "public/page.txt": "text", "public/a_folder": "a file", "views/page.tpl": "page"})


@pytest.mark.parametrize("name, code, status", WAYS, ids=names(WAYS))
def test_it_runs_before_every_answer(app, name, code, status):
    answer = app.get("/" + name)
    assert (answer.status, answer.headers["x-order"]) == (status, "inner,outer")
    if name != "a_native_answer":
        assert answer.headers["x-status"] == str(status)
    assert app.get("/order", {"x-plain": "1"}).json() == ["inner", "outer"]


@pytest.mark.parametrize("path, status", [("/nowhere", 404), ("/order", 405)])
def test_it_runs_before_the_pages_of_the_server(app, path, status):
    answer = app.request("POST", path)
    assert (answer.status, answer.headers["x-order"]) == (status, "inner,outer")


def test_what_it_raises_is_the_answer(app):
    assert (app.get("/raises").status, app.get("/raises").json()) == (409, {"error": "no"})


def test_it_cannot_answer(app):
    """The answer that it gave stands, since it was given; the one that comes second is a mistake, which the log names."""
    assert app.get("/answers", {"x-plain": "1"}).text == "early"
    app.wait_log("a function that runs before the head cannot answer")


def test_it_is_too_late_when_the_head_stands(app):
    assert app.get("/late").text == "x"
    assert app.get("/order", {"x-plain": "1"}).json() == ["inner", "outer"]


def test_of_two_errors_the_first_is_told_and_the_second_logged(app):
    answer = app.get("/error_raises", {"x-plain": "1"})
    assert (answer.status, answer.json()) == (400, {"error": "first"})
    app.wait_log(": second")


def test_a_client_that_leaves_makes_nothing_of_it(app):
    connection = http.client.HTTPConnection(app.address(), timeout=30)
    connection.request("GET", "/flush")
    connection.close()
    assert app.get("/send").status == 201
