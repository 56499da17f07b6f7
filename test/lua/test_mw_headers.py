"""fsd.mw.secure_headers, request_id, timing, language: what they put into heads."""
import re

import pytest

APP = '''local fsd = require "fsd"
local app = fsd.app()
app:use("/secure", fsd.mw.secure_headers())
app:use("/own", fsd.mw.secure_headers {
  content_security_policy = { script_src = { "'self'", "'nonce'" }, style_src = "'self'", upgrade_insecure_requests = false,
    connect_src = { "https://api.example" } },
  strict_transport_security = { max_age = 60, include_subdomains = false, preload = true },
  x_frame_options = "DENY", referrer_policy = false, permissions_policy = "camera=()",
})
app:use("/report", fsd.mw.secure_headers { csp_report_only = true, csp_use_defaults = false,
  content_security_policy = { default_src = { "'none'" } }, strict_transport_security = false })
app:use("/text", fsd.mw.secure_headers { content_security_policy = "default-src 'none'" })
app:use("/id", fsd.mw.request_id())
app:use("/made", fsd.mw.request_id { header = "x-trace", generator = function(req) return "made-" .. req.method end })
app:use("/timing", fsd.mw.timing { cross_origin = true })
app:get("/timing", function(req)
  req.timing:start "db":add("cache", nil, 'a "hit"\\n'):add("fixed", 0.0015)
  local x = req.timing:measure("work", function() return 7 end)
  req.timing:stop "db"
  return { x }
end)
app:use("/hidden", fsd.mw.timing { enabled = function(req) return req:get "x-show" ~= nil end })
app:get("/own", function(req, res) return { res.csp_nonce } end)
app:get("/own/error", function() error "oh" end)
app:use(function(req, res) res:send "ok" end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


def test_the_headers_of_helmet_are_sent(app):
    headers = app.get("/secure").headers
    assert {name: headers[name] for name in headers if name not in ("connection", "content-length", "content-type", "date", "server", "etag", "keep-alive")} == {
        "content-security-policy": "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; "
        "frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; script-src 'self'; script-src-attr 'none'; "
        "style-src 'self' https: 'unsafe-inline'; upgrade-insecure-requests",
        "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin", "origin-agent-cluster": "?1",
        "referrer-policy": "no-referrer", "strict-transport-security": "max-age=31536000; includeSubDomains",
        "x-content-type-options": "nosniff", "x-dns-prefetch-control": "off", "x-download-options": "noopen",
        "x-frame-options": "SAMEORIGIN", "x-permitted-cross-domain-policies": "none", "x-xss-protection": "0"}


def test_each_can_be_another_one(app):
    headers = app.get("/own").headers
    assert headers["strict-transport-security"] == "max-age=60; preload"
    assert (headers["x-frame-options"], headers["permissions-policy"]) == ("DENY", "camera=()")
    assert "referrer-policy" not in headers
    policy = headers["content-security-policy"]
    assert "style-src 'self';" in policy and "upgrade-insecure-requests" not in policy and policy.endswith("connect-src https://api.example")


def test_a_nonce_is_another_one_each_time(app):
    answers = [app.get("/own") for _ in range(2)]
    nonces = [answer.json()[0] for answer in answers]
    assert len(set(nonces)) == 2
    for answer, nonce in zip(answers, nonces):
        assert re.fullmatch(r"[A-Za-z0-9+/]{24}", nonce)
        assert f"script-src 'self' 'nonce-{nonce}';" in answer.headers["content-security-policy"]


def test_a_policy_may_only_report(app):
    headers = app.get("/report").headers
    assert headers["content-security-policy-report-only"] == "default-src 'none'"
    assert "content-security-policy" not in headers and "strict-transport-security" not in headers


def test_a_policy_may_be_a_text(app):
    assert app.get("/text").headers["content-security-policy"] == "default-src 'none'"


def test_the_page_of_an_error_has_them_too(app):
    answer = app.get("/own/error")
    assert (answer.status, answer.headers["x-frame-options"]) == (500, "DENY")


def test_the_client_is_told_its_id(app):
    assert app.get("/id", {"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = [app.get("/id").headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]


@pytest.mark.parametrize("evil", ["a b", "x" * 65, "ä".encode().decode("latin-1")])
def test_an_id_that_is_none_is_not_repeated(app, evil):
    assert app.get("/id", {"x-request-id": evil}).headers["x-request-id"] != evil


def test_an_id_may_be_made_otherwise(app):
    assert app.get("/made").headers["x-trace"] == "made-GET"


def test_times_are_told(app):
    answer = app.get("/timing")
    assert answer.json() == [7]
    assert answer.headers["timing-allow-origin"] == "*"
    number = r"\d+\.\d{3}"
    assert re.fullmatch(rf'cache;desc="a \\"hit\\" ", fixed;dur=1\.500, work;dur={number}, db;dur={number}, total;dur={number}',
                        answer.headers["server-timing"]), answer.headers["server-timing"]


def test_times_are_told_to_whom_they_concern(app):
    assert "server-timing" not in app.get("/hidden").headers
    assert app.get("/hidden", {"x-show": "1"}).headers["server-timing"].startswith("total;dur=")
