"""fsd.mw.timeout, body_limit, method_override, trailing_slash."""
import pytest

from app_process import AppProcess

APP = '''local fsd = require "fsd"
local app = fsd.app()
local seen = {}
app:use("/slow", fsd.mw.timeout(0.05))
app:get("/slow/never", function(req)
  local guard <close> = setmetatable({}, { __close = function(_, err) seen[1] = err and err.code end })
  fsd.task.sleep(600)
end)
app:get("/slow/soon", function() fsd.task.sleep(0.001) return "soon" end)
app:get("/slow/error", function() error { status = 409, message = "no" } end)
app:get("/slow/own", function() fsd.task.timeout(0.001, fsd.task.sleep, 600) end)
app:get("/slow/stream", function(_, res) res:write "a" fsd.task.sleep(0.001) res:write "b" end)
app:get("/seen", function() return seen end)
app:use("/late", fsd.mw.timeout { seconds = 0.02, status = 408, message = "too late" })
app:get("/late", function() fsd.task.sleep(600) end)
app:use("/small", fsd.mw.body_limit(10))
app:use("/kib", fsd.mw.body_limit "1kb")
app:post("/small", function(req) return req:text() end)
app:post("/kib", function(req) return #req:text() .. "" end)
app:use("/over", fsd.mw.method_override { query = "_method" })
app:use("/form", fsd.mw.method_override { form = "_method", header = false })
app:use("/larger", fsd.mw.method_override { form = "_method", header = false, limit = "200kb" })
app:put("/larger", function(req) return "PUT " .. #req.body.a end)
app:post("/form", function(req) return "POST" end)
app:put("/form", function(req) return "PUT " .. req:form().a end)
app:post("/over", function(req) return "POST " .. req.method end)
app:delete("/over", function(req) return "DELETE " .. req.method end)
app:put("/over", function(req) return "PUT " .. req.method end)
app:get("/over", function(req) return "GET " .. req.method end)
app:use("/trim", fsd.mw.trailing_slash())
app:use("/append", fsd.mw.trailing_slash { mode = "append", status = 301 })
app:use(function(req) return req.original_url end)
local root = fsd.app()
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


def test_what_takes_too_long_is_cancelled_and_answered(app):
    answer = app.get("/slow/never")
    assert (answer.status, answer.json()["error"]) == (503, "Service Unavailable")
    assert app.get("/seen").json() == ["cancelled"]


def test_what_is_ready_in_time_is_sent(app):
    assert app.get("/slow/soon").text == "soon"
    assert app.get("/slow/stream").text == "ab"


def test_errors_go_through(app):
    assert (app.get("/slow/error").status, app.get("/slow/error").json()) == (409, {"error": "no"})


def test_status_and_words_may_be_others(app):
    assert (app.get("/late").status, app.get("/late").json()) == (408, {"error": "too late"})


def test_a_timeout_of_the_handler_is_its_own(app):
    app.get("/slow/own")
    assert "the answer was not ready" not in app.wait_record(path="/slow/own")["msg"]


@pytest.mark.parametrize("path, size, status", [("/small", 10, 200), ("/small", 11, 413), ("/kib", 1024, 200), ("/kib", 1025, 413)])
def test_a_body_over_the_limit_is_refused(app, path, size, status):
    assert app.request("POST", path, "x" * size).status == status


def test_a_form_that_is_too_large_to_be_looked_into_says_where_the_limit_is(app):
    form, headers = "_method=put&a=" + "x" * 150_000, {"content-type": "application/x-www-form-urlencoded"}
    answer = app.request("POST", "/form", form, headers)
    assert answer.status == 413
    assert answer.json()["error"].endswith('more than the limit of 102400; fsd.mw.method_override { limit = "1mb" } takes more')
    assert app.request("POST", "/larger", form, headers).text == "PUT 150000"


def test_a_body_in_chunks_is_measured_too(app):
    with app.connection() as connection:
        connection.request("POST", "/small", iter([b"x" * 6, b"y" * 6]), {"transfer-encoding": "chunked"}, encode_chunked=True)
        assert connection.getresponse().status == 413


def test_a_method_may_be_another_one(app):
    header = "x-http-method-override"
    assert app.request("POST", "/over", headers={header: "delete"}).text == "DELETE DELETE"
    assert app.request("POST", "/over?_method=PUT").text == "PUT PUT"
    assert app.request("POST", "/over").text == "POST POST"


def test_a_field_of_a_form_may_say_it(app):
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert app.request("POST", "/form", "_method=PUT&a=1", form).text == "PUT 1"
    assert app.request("POST", "/form", "_method=PUT&_method=PUT&a=1", form).text == "POST"
    assert app.request("POST", "/form", "_method=PUT", {"x-http-method-override": "PUT"}).text == "POST"


@pytest.mark.parametrize("method, value", [("POST", "GET"), ("POST", "CONNECT"), ("POST", "DELETE x"), ("POST", "TRACE"), ("GET", "DELETE"), ("PUT", "DELETE")])
def test_only_post_becomes_another_one_and_only_one_of_the_list(app, method, value):
    assert app.request(method, "/over", headers={"x-http-method-override": value}).text == f"{method} {method}"


@pytest.mark.parametrize("path, location", [
    ("/trim/a/", "/trim/a"), ("/trim/a//", "/trim/a"), ("/trim/a/?x=1/", "/trim/a?x=1/"), ("/trim/a", None),
    ("/trim/a" + "/" * 7000 + "b/", "/trim/a" + "/" * 7000 + "b"), ("/append/" + "a." * 3500 + "/b", "/append/" + "a." * 3500 + "/b/"),
    ("/append/a", "/append/a/"), ("/append/a?x", "/append/a/?x"), ("/append/a/", None), ("/append/a.css", None),
])
def test_a_slash_at_the_end_is_redirected(app, path, location):
    answer = app.get(path)
    assert (answer.status, answer.headers.get("location")) == ((308 if "/trim" in path else 301) if location else 200, location)


def test_a_redirect_never_leads_to_another_host(tmp_path):
    code = 'local fsd = require "fsd" local app = fsd.app() app:use(fsd.mw.trailing_slash()) app:use(function(req, res) return "x" end) return app'
    app = AppProcess(tmp_path, code)
    try:
        app.start_ready()
        for path in ("//evil.example/", "///evil.example/", "/\\evil.example/", "/\\/evil.example//", "//evil.example/%2f/"):
            answer = app.get(path)
            if answer.status == 308:
                assert answer.headers["location"].startswith("/evil.example"), path
        assert app.get("/").status == 200
        assert app.get("//").status == 200
    finally:
        app.kill()
