"""fsd.mw.csrf, ip_restriction, jwt and language: what they let through, and what tries to get around them."""
import http.cookies
import json
import urllib.parse

import pytest

from app_process import AppProcess

APP = '''local fsd = require "fsd"
local app = fsd.app()
app:set("trust_proxy", true)
local SECRET = "a secret of many characters"
app:use("/plain", fsd.mw.csrf { origin = "https://friend.example" })
app:use("/token", fsd.mw.csrf { secret = { SECRET, "another secret of many characters" } })
app:use("/old", fsd.mw.csrf { secret = "another secret of many characters" })
app:use("/other", fsd.mw.csrf { secret = "some other secret of many characters" })
app:use("/session", fsd.mw.session { secret = SECRET })
app:use("/session", fsd.mw.csrf { secret = SECRET })
app:use("/skip", fsd.mw.csrf { skip = function(req) return req:get "x-api-key" ~= nil end })
app:use("/parsed", fsd.body.form { limit = "1mb" }, fsd.body.json(), fsd.body.multipart(), fsd.mw.csrf { secret = SECRET })
app:get("/session/login", function(req) req.session:regenerate() req.session.user = "ann" return 204 end)

app:use("/inside", fsd.mw.ip_restriction { allow = { "10.0.0.0/8", "2001:db8::/33", "192.168.7.7", "::1" }, deny = { "10.6.0.0/15" } })
app:use("/outside", fsd.mw.ip_restriction { deny = "127.0.0.0/8", status = 404, message = "nothing here" })

local jwt = fsd.jwt
local key = jwt.key { alg = "HS256", secret = ("k"):rep(32) }
local other = jwt.key { alg = "HS512", secret = ("k"):rep(64) }
app:use("/jwt", fsd.mw.jwt { keys = key, issuer = "me", cookie = "token", is_revoked = function(claims) return claims.sub == "revoked" end })
app:use("/maybe", fsd.mw.jwt { keys = key, optional = true })
app:get("/sign", function(req)
  local q = req.query
  return jwt.sign({ sub = q.sub }, q.other and other or key, { issuer = q.issuer or "me", expires_in = tonumber(q.seconds or 60) })
end)

app:use("/language", fsd.mw.language { supported = { "en", "de-CH", "fr" } })
app:use("/fixed", fsd.mw.language { supported = { "en", "de" }, fallback = "de", query = false, cookie = false, header = false })

app:use(function(req, res)
  return { token = req.csrf_token and req.csrf_token(), sub = req.jwt and req.jwt.sub, language = req.language, ip = req.ip }
end)
return app
'''


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("csrf"), APP)
    yield process.start_ready(["--shared", "sessions"])
    process.kill()


@pytest.mark.parametrize("headers", [
    {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {}, {"sec-fetch-site": "cross-site", "origin": "https://friend.example"},
    {"origin": "https://friend.example"}, {"origin": "HTTPS://FRIEND.example"}, {"origin": "http://shop.example", "host": "shop.example"},
    {"origin": "https://shop.example:8443", "host": "shop.example:8443"},
], ids=str)
def test_our_own_pages_and_friends_may_act(app, headers):
    headers = {"host": "shop.example", **headers}
    with app.connection() as connection:
        connection.putrequest("POST", "/plain", skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", "0")
        connection.endheaders()
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("headers, code", [
    ({"sec-fetch-site": "cross-site"}, "site"), ({"sec-fetch-site": "same-site"}, "site"), ({"sec-fetch-site": "x"}, "site"),
    ({"sec-fetch-site": ""}, "site"), ({"sec-fetch-site": "cross-site", "origin": "http://HOST"}, "site"), ({"origin": "null"}, "origin"),
    ({"origin": "https://evil.example"}, "origin"), ({"origin": "https://HOST.evil.example"}, "origin"), ({"origin": "https://evil@HOST"}, "origin"),
    ({"origin": "https://HOST/"}, "origin"), ({"origin": "HOST"}, "origin"), ({"origin": "https://friend.example.evil.example"}, "origin"),
    ({"origin": "https://friend.example:444"}, "origin"), ({"origin": "https://evil.example, https://HOST"}, "origin"),
    ({"origin": ""}, "origin"),
], ids=str)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_others_may_not(app, headers, code, method):
    headers = {name: value.replace("HOST", app.address()) for name, value in headers.items()}
    answer = app.request(method, "/plain", headers=headers)
    assert (answer.status, "another " + code in answer.json()["error"]) == (403, True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_is_let_through(app, method):
    assert app.request(method, "/plain", headers={"sec-fetch-site": "cross-site", "origin": "https://evil.example"}).status == 200


def test_some_may_be_left_out(app):
    assert app.request("POST", "/skip", headers={"origin": "https://evil.example", "x-api-key": "1"}).status == 200
    assert app.request("POST", "/skip", headers={"origin": "https://evil.example"}).status == 403


class Visitor:
    def __init__(self, app, path):
        self.app, self.path, self.cookies = app, path, {}

    def request(self, method, path=None, body=None, headers=()):
        headers = dict(headers)
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.app.request(method, path or self.path, body, headers)
        for name, morsel in http.cookies.SimpleCookie(answer.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        return answer

    def token(self):
        return self.request("GET").json()["token"]


BOTH = pytest.mark.parametrize("path", ["/token", "/session"])


@BOTH
def test_a_token_comes_back_in_a_header_or_a_form(app, path):
    visitor = Visitor(app, path)
    token = visitor.token()
    assert visitor.request("POST", headers={"x-csrf-token": token}).status == 200
    form = urllib.parse.urlencode({"_csrf": token})
    assert visitor.request("POST", body=form, headers={"content-type": "application/x-www-form-urlencoded"}).status == 200
    assert visitor.token() != token


@BOTH
@pytest.mark.parametrize("token", [None, "", "x", ".", "a.b", "TOKEN.", ".TOKEN", "TOKENx", "xTOKEN", "x" * 100 + ".TOKEN"])
def test_without_it_nothing_is_done(app, path, token):
    visitor = Visitor(app, path)
    mine = visitor.token()
    answer = visitor.request("POST", headers={"x-csrf-token": token and token.replace("TOKEN", mine)})
    why = "the form is too old, please load it again" if token is not None else "this request has no token: field \"_csrf\", or header x-csrf-token"
    assert (answer.status, answer.json()["error"]) == (403, why)


def part(name, value, filename=None):
    end = f'; filename="{filename}"' if filename else ""
    return f'--b\r\ncontent-disposition: form-data; name="{name}"{end}\r\n\r\n{value}\r\n'


@BOTH
def test_a_form_with_files_has_it_in_front_of_them(app, path):
    visitor = Visitor(app, path)
    token, kind = visitor.token(), {"content-type": "multipart/form-data; boundary=b"}
    picture = part("picture", "x" * 20, "a.png")
    for parts, status in [
        (part("title", "a") + part("_csrf", token) + picture, 200), (part("_csrf", "x" + token), 403),
        (picture + part("_csrf", token), 403), (part("_csrf", token, "a.txt"), 403), (part("title", token), 403),
    ]:
        assert visitor.request("POST", body=parts + "--b--\r\n", headers=kind).status == status
    assert visitor.request("POST", body=part("_csrf", token)[:-9], headers=kind).status == 400


def test_a_form_that_is_too_long_names_what_takes_longer_ones(app):
    visitor = Visitor(app, "/token")
    form = urllib.parse.urlencode({"_csrf": visitor.token(), "text": "x" * 200000})
    answer = visitor.request("POST", body=form, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status == 413 and 'fsd.body.form { limit = "1mb" } takes more' in answer.json()["error"]


@pytest.mark.parametrize("parser", ["form", "json", "multipart"])
def test_what_was_parsed_before_counts(app, parser):
    """A form above req:form's own limit, JSON, and a token behind the files."""
    visitor = Visitor(app, "/parsed/" + parser)
    token = visitor.token()
    body, kind = {
        "form": (urllib.parse.urlencode({"text": "x" * 200000, "_csrf": token}), "application/x-www-form-urlencoded"),
        "json": (json.dumps({"_csrf": token}), "application/json"),
        "multipart": (part("picture", "x", "a.png") + part("_csrf", token) + "--b--\r\n", "multipart/form-data; boundary=b"),
    }[parser]
    assert visitor.request("POST", body=body, headers={"content-type": kind}).status == 200
    assert visitor.request("POST", body=body.replace(token, "x" + token), headers={"content-type": kind}).status == 403


@BOTH
def test_a_token_is_of_one_visitor(app, path):
    token = Visitor(app, path).token()
    other = Visitor(app, path)
    other.token()
    assert other.request("POST", headers={"x-csrf-token": token}).status == 403
    assert Visitor(app, path).request("POST", headers={"x-csrf-token": token}).status == 403


def test_a_planted_cookie_needs_the_secret(app):
    """Somebody who can set a cookie (a neighbouring name of the domain) still cannot make a token for it."""
    mine = Visitor(app, "/other")
    token = mine.token()
    victim = Visitor(app, "/token")
    victim.cookies = dict(mine.cookies)
    assert victim.request("POST", headers={"x-csrf-token": token}).status == 403


def test_secrets_are_changed_one_after_the_other(app):
    visitor = Visitor(app, "/old")
    token = visitor.token()
    assert visitor.request("POST", "/token", headers={"x-csrf-token": token}).status == 200
    token = visitor.request("GET", "/token").json()["token"]
    assert visitor.request("POST", "/old", headers={"x-csrf-token": token}).status == 403


def test_a_login_makes_old_tokens_worthless(app):
    visitor = Visitor(app, "/session")
    token = visitor.token()
    visitor.request("GET", "/session/login")
    assert visitor.request("POST", headers={"x-csrf-token": token}).status == 403
    assert visitor.request("POST", headers={"x-csrf-token": visitor.token()}).status == 200


@pytest.mark.parametrize("address, status", [
    ("10.1.2.3", 200), ("10.5.255.255", 200), ("10.6.0.0", 403), ("10.7.255.255", 403), ("10.8.0.0", 200), ("11.0.0.0", 403),
    ("192.168.7.7", 200), ("192.168.7.8", 403), ("::ffff:10.1.2.3", 200), ("::ffff:10.6.1.1", 403), ("::ffff:a06:101", 403),
    ("2001:db8:7fff::1", 200), ("2001:db8:8000::1", 403), ("2001:DB8:0:0:0:0:0:1", 200), ("::1", 200), ("0:0:0:0:0:0:0:1", 200),
    ("::2", 403), ("2002:a01:203::", 403),
])
def test_addresses_are_let_in_by_network(app, address, status):
    assert app.get("/inside", {"x-forwarded-for": address}).status == status


@pytest.mark.parametrize("address", ["010.1.2.3", "10.1.2", "10.1.2.3.4", "10.1.2.256", "0xa.1.2.3", "167838211", "unknown", "10.1.2.3%00", "[::1", "::1::"])
def test_what_is_no_address_is_a_stranger(app, address):
    assert app.get("/inside", {"x-forwarded-for": address}).status in (403, 400)


def test_a_refusal_may_look_like_nothing(app):
    answer = app.get("/outside")
    assert (answer.status, answer.json()) == (404, {"error": "nothing here"})
    assert app.get("/outside", {"x-forwarded-for": "8.8.8.8"}).status == 200


def sign(app, **query):
    return app.get("/sign?" + urllib.parse.urlencode(query)).text


def test_a_signed_token_comes_in(app):
    token = sign(app, sub="ann")
    for headers in ({"authorization": "Bearer " + token}, {"cookie": "token=" + token}):
        assert app.get("/jwt", headers).json()["sub"] == "ann"


def test_another_token_does_not(app):
    good = sign(app, sub="ann")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + good.split(".")[1] + "."
    for token, error in [(sign(app, sub="ann", issuer="you"), True), (sign(app, sub="ann", seconds=-10), True), (sign(app, sub="ann", other=1), True),
                         (sign(app, sub="revoked"), True), (good[:-3] + "AAA", True), (none, True), ("x", True), ("a b", False)]:
        answer = app.get("/jwt", {"authorization": "Bearer " + token})
        assert answer.status == 401, token
        assert ('error="invalid_token"' in answer.headers["www-authenticate"]) is error, token
    assert app.get("/jwt").headers["www-authenticate"] == 'Bearer realm="Restricted"'


def test_a_token_may_be_left_out_where_it_is_optional_but_not_be_wrong(app):
    assert app.get("/maybe").status == 200
    assert app.get("/maybe", {"authorization": "Bearer x.y.z"}).status == 401
    assert app.get("/maybe", {"authorization": "Bearer " + sign(app, sub="bob")}).json()["sub"] == "bob"


@pytest.mark.parametrize("path, headers, language", [
    ("/language", {}, "en"), ("/language", {"accept-language": "fr"}, "fr"), ("/language", {"accept-language": "de-CH, en;q=0.5"}, "de-CH"),
    ("/language", {"accept-language": "xx"}, "en"), ("/language?lang=DE-ch", {"accept-language": "fr"}, "de-CH"),
    ("/language?lang=xx", {"accept-language": "fr"}, "fr"), ("/language?lang=fr&lang=en", {}, "en"),
    ("/language", {"cookie": "lang=fr", "accept-language": "en"}, "fr"), ("/fixed?lang=en", {"accept-language": "en"}, "de"),
])
def test_a_language_is_found(app, path, headers, language):
    answer = app.get(path, headers)
    assert (answer.json()["language"], answer.headers["content-language"]) == (language, language)


def test_caches_know_that_it_depends_on_the_header(app):
    assert "Accept-Language" in app.get("/language").headers["vary"]
    assert "vary" not in app.get("/language?lang=fr").headers
