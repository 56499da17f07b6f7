"""fsd.mw.cors: which origins get the headers, what a preflight is answered, and what origins that look alike get."""
import pytest

APP = '''local fsd = require "fsd"
local app = fsd.app()
app:use("/any", fsd.mw.cors())
app:use("/one", fsd.mw.cors { origin = "https://example.org", credentials = true, exposed_headers = { "x-a", "x-b" } })
app:use("/below", fsd.mw.cors { origin = { "https://*.example.org", "http://localhost:3000" } })
app:use("/fn", fsd.mw.cors { origin = function(origin, req) return origin == "https://a.example" or req:get "x-ok" ~= nil end })
app:use("/none", fsd.mw.cors { origin = false })
app:use("/every", fsd.mw.cors { origin = true })
app:use("/options", fsd.mw.cors { methods = { "GET", "PUT" }, allowed_headers = { "x-a" }, max_age = 60, options_success_status = 200 })
app:use("/on", fsd.mw.cors { preflight_continue = true })
app:options("/on", function(req, res) res:set("x-own", "yes"):send "own" end)
app:use(function(req, res) res:vary("Accept-Encoding") if req.path == "/one/error" then error { status = 409, message = "no" } end res:send "ok" end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


def allowed(app, path, origin, **headers):
    answer = app.get(path, {"origin": origin, **headers})
    assert (answer.status, answer.text) == (200, "ok")
    return answer.headers.get("access-control-allow-origin")


def test_by_default_any_site_may_read(app):
    answer = app.get("/any", {"origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "access-control-allow-credentials" not in answer.headers


def test_one_site_may_read_as_its_user(app):
    answer = app.get("/one", {"origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "https://example.org"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "x-a, x-b"
    assert answer.headers["vary"] == "Origin, Accept-Encoding"


def test_caches_know_that_it_depends_on_the_origin_even_without_one(app):
    assert app.get("/one").headers["vary"] == "Origin, Accept-Encoding"


@pytest.mark.parametrize("origin", [
    "https://example.org.evil.example", "https://evil-example.org", "http://example.org", "https://example.org:8443", "null",
    "https://example.org@evil.example", "https://sub.example.org", "https://example.org ", "https://example.orgx", "",
])
def test_another_site_may_not(app, origin):
    assert allowed(app, "/one", origin) is None


@pytest.mark.parametrize("origin, is_allowed", [
    ("https://a.example.org", True), ("https://a.b.example.org", True), ("HTTPS://A.Example.Org", True), ("http://localhost:3000", True),
    ("https://example.org", False), ("https://.example.org", False), ("https://evilexample.org", False), ("http://a.example.org", False),
    ("https://a.example.org.evil.example", False), ("https://evil.example/.example.org", False), ("https://evil.example#.example.org", False),
    ("https://evil.example?.example.org", False), ("https://u@x.example.org", False), ("https://evil.example\\.example.org", False),
    ("https://a.example.org:1", False), ("http://localhost:30001", False),
])
def test_names_below_a_domain(app, origin, is_allowed):
    assert allowed(app, "/below", origin) == (origin if is_allowed else None)


def test_a_function_decides(app):
    assert allowed(app, "/fn", "https://a.example") == "https://a.example"
    assert allowed(app, "/fn", "https://b.example") is None
    assert allowed(app, "/fn", "https://b.example", **{"x-ok": "1"}) == "https://b.example"


def test_none_and_every(app):
    assert allowed(app, "/none", "https://a.example") is None
    assert allowed(app, "/every", "https://a.example") == "https://a.example"


def preflight(app, path, origin="https://a.example", **headers):
    return app.request("OPTIONS", path, headers={"origin": origin, "access-control-request-method": "PUT", **headers})


def test_a_preflight_is_answered_without_the_handlers(app):
    answer = preflight(app, "/any", **{"access-control-request-headers": "x-a,x-b"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, PUT, PATCH, POST, DELETE"
    assert answer.headers["access-control-allow-headers"] == "x-a,x-b"
    assert answer.headers["vary"] == "Access-Control-Request-Headers"


def test_a_preflight_of_another_site_gets_no_headers(app):
    answer = preflight(app, "/one")
    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_preflight_says_what_is_configured(app):
    answer = preflight(app, "/options", **{"access-control-request-headers": "x-evil"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-methods"] == "GET, PUT"
    assert answer.headers["access-control-allow-headers"] == "x-a"
    assert answer.headers["access-control-max-age"] == "60"


def test_headers_that_are_no_names_are_not_repeated(app):
    assert "access-control-allow-headers" not in preflight(app, "/any", **{"access-control-request-headers": 'x"; <'}).headers


def test_a_preflight_may_go_on(app):
    answer = preflight(app, "/on")
    assert (answer.text, answer.headers["x-own"], answer.headers["access-control-allow-origin"]) == ("own", "yes", "*")


def test_options_that_is_no_preflight_goes_on(app):
    assert app.request("OPTIONS", "/any", headers={"origin": "https://a.example"}).text == "ok"


def test_an_error_can_be_read_by_the_site(app):
    answer = app.get("/one/error", {"origin": "https://example.org"})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (409, "https://example.org")
