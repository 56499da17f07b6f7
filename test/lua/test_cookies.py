"""Cookies, both ways, as Node's cookie, cookie-parser and cookie-signature have them."""
import base64
import email.utils
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest

from handler_rows import app_of, names

SECRET = "keyboard cat"


def sign(value, secret=SECRET):
    mac = base64.b64encode(hmac.new(secret.encode(), value.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    return f"s:{value}.{mac}"


def quoted(value):
    return urllib.parse.quote(value, safe="-_.!~*'()")


# name, handler, Cookie header, the JSON answer
GIVEN = [
    ("none_is_an_empty_table", "return { next(req.cookies) == nil, req.cookies == req.cookies }", None, [True, True]),
    ("pairs_are_read", "return req.cookies", "a=1; b=two words; c", {"a": "1", "b": "two words"}),
    ("values_are_decoded", "return req.cookies", "a=%C3%A4+%20; b=%zz; c=%ff", {"a": "ä+ ", "b": "%zz", "c": "%ff"}),
    ("quotes_are_left_out", "return req.cookies", 'a="x y"; b="', {"a": "x y", "b": ""}),
    ("the_first_of_a_name_counts", "return req.cookies", "a=1; a=2", {"a": "1"}),
    ("json_is_decoded", "return req.cookies", "a=" + quoted('j:{"b":[1,2]}'), {"a": {"b": [1, 2]}}),
    ("broken_json_stays_text", "return req.cookies", "a=j:{; b=j:; c=j:0; d=j:null; e=j:false; f=" + quoted('j:""'),
     {"a": "j:{", "b": "j:", "c": "j:0", "d": "j:null", "e": "j:false", "f": 'j:""'}),
    ("a_signed_one_is_verified", "return { req.signed_cookies, next(req.cookies) == nil }", "a=" + quoted(sign("hello")), [{"a": "hello"}, True]),
    ("a_signed_one_may_be_by_an_older_secret", "return req.signed_cookies", "a=" + quoted(sign("hello", "older")), {"a": "hello"}),
    ("a_signed_one_may_be_json", "return req.signed_cookies", "a=" + quoted(sign('j:{"b":1}')), {"a": {"b": 1}}),
    ("a_signed_one_may_be_empty", "return req.signed_cookies", "a=" + quoted(sign("")), {"a": ""}),
    ("one_with_points_is_verified", "return req.signed_cookies", "a=" + quoted(sign("a.b.c")), {"a": "a.b.c"}),
    ("one_that_is_not_signed_is_no_signed_one", "return { req.cookies, next(req.signed_cookies) == nil }", "a=1", [{"a": "1"}, True]),
    ("a_tampered_one_is_false", "return req.signed_cookies", "a=" + quoted(sign("hello").replace("hello", "hallo")), {"a": False}),
    ("one_by_another_secret_is_false", "return { req.signed_cookies, next(req.cookies) == nil }", "a=" + quoted(sign("hello", "wrong")), [{"a": False}, True]),
    ("one_without_signature_is_false", "return req.signed_cookies", "a=s:; b=s:x; c=s:x.; d=s:.x; e=" + quoted("s:x." + "A" * 43),
     {"a": False, "b": False, "c": False, "d": False, "e": False}),
    ("one_cut_short_is_false", "return req.signed_cookies", "a=" + quoted(sign("hello")[:-1]), {"a": False}),
    ("names_may_be_anything", "return req.cookies", "__proto__=1; __index=2; =3", {"__proto__": "1", "__index": "2", "": "3"}),
]

# name, call on res, Set-Cookie
SET = [
    ("a_name_and_a_value", 'res:cookie("a", "b")', "a=b; Path=/"),
    ("a_number", 'res:cookie("a", 7)', "a=7; Path=/"),
    ("a_boolean", 'res:cookie("a", true)', "a=true; Path=/"),
    ("an_empty_text", 'res:cookie("a", "")', "a=; Path=/"),
    ("a_text_that_is_encoded", 'res:cookie("a", "x y;,\\"ä\\r\\n\\0")', "a=x%20y%3B%2C%22%C3%A4%0D%0A%00; Path=/"),
    ("a_table_as_json", 'res:cookie("a", { b = { 1, 2 } })', "a=" + quoted('j:{"b":[1,2]}') + "; Path=/"),
    ("every_attribute", 'res:cookie("a", "b", { domain = ".example.com", path = "/x", expires = 0, http_only = true, secure = true, '
     'same_site = "None", partitioned = true, priority = "high" })',
     "a=b; Domain=.example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; Priority=High; SameSite=None"),
    ("flags_that_are_false", 'res:cookie("a", "b", { http_only = false, secure = false, same_site = false, priority = false })', "a=b; Path=/"),
    ("same_site_true", 'res:cookie("a", "b", { same_site = true })', "a=b; Path=/; SameSite=Strict"),
    ("same_site_lax", 'res:cookie("a", "b", { same_site = "lax" })', "a=b; Path=/; SameSite=Lax"),
    ("no_path", 'res:cookie("a", "b", { path = "" })', "a=b"),
    ("a_date", 'res:cookie("a", "b", { expires = 784111777 })', "a=b; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT"),
    ("its_own_encoding", 'res:cookie("a", "b c", { encode = function(v) return (v:gsub(" ", "+")) end })', "a=b+c; Path=/"),
    ("a_signature", 'res:cookie("a", "hello", { signed = true })', "a=" + quoted(sign("hello")) + "; Path=/"),
    ("a_signature_of_json", 'res:cookie("a", { b = 1 }, { signed = true })', "a=" + quoted(sign('j:{"b":1}')) + "; Path=/"),
    ("clear", 'res:clear_cookie("a")', "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ("clear_with_attributes", 'res:clear_cookie("a", { path = "/x", domain = "b.c", http_only = true })',
     "a=; Domain=b.c; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly"),
    ("clear_ignores_times", 'res:clear_cookie("a", { max_age = 60, expires = 784111777 })', "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ("a_host_prefix", 'res:cookie("__Host-a", "b", { secure = true })', "__Host-a=b; Path=/; Secure"),
]

# name, call on res, a part of the message
MISTAKES = [
    ("no_name", "res:cookie()", "bad argument"),
    ("no_value", 'res:cookie("a")', "a value expected"),
    ("a_name_with_a_line_break", 'res:cookie("a\\r\\nX: 1", "b")', "a name has one or more letters"),
    ("a_name_with_a_semicolon", 'res:cookie("a;b", "b")', "a name has one or more letters"),
    ("an_empty_name", 'res:cookie("", "b")', "a name has one or more letters"),
    ("a_wrong_domain", 'res:cookie("a", "b", { domain = "a;b" })', "the domain is no name of a host"),
    ("a_domain_of_another_type", 'res:cookie("a", "b", { domain = 1 })', "domain must be a string"),
    ("a_path_with_a_line_break", 'res:cookie("a", "b", { path = "/\\r\\nX: 1" })', "the path has a control"),
    ("a_path_with_another_attribute", 'res:cookie("a", "b", { path = "/; HttpOnly" })', "the path has"),
    ("a_wrong_same_site", 'res:cookie("a", "b", { same_site = "laxx" })', 'same_site must be "lax", "strict" or "none"'),
    ("a_wrong_priority", 'res:cookie("a", "b", { priority = 1 })', 'priority must be "low", "medium" or "high"'),
    ("a_wrong_age", 'res:cookie("a", "b", { max_age = "1d" })', "max_age is a number of seconds"),
    ("an_age_that_is_no_number", 'res:cookie("a", "b", { max_age = 0/0 })', "max_age is a number of seconds"),
    ("an_endless_age", 'res:cookie("a", "b", { max_age = math.huge })', "max_age is a number of seconds"),
    ("a_wrong_date", 'res:cookie("a", "b", { expires = "tomorrow" })', "expires a time"),
    ("an_unknown_option", 'res:cookie("a", "b", { maxage = 1 })', 'unknown option "maxage"; did you mean "max_age"?'),
    ("an_unknown_option_of_clear", 'res:clear_cookie("a", { Path = "/" })', 'unknown option "Path"'),
    ("a_wrong_encoding", 'res:cookie("a", "b", { encode = function() return "x;y" end })', "a value has no blanks"),
    ("an_encoding_of_nothing", 'res:cookie("a", "b", { encode = function() end })', "encode must return a string"),
    ("an_encoding_that_is_no_function", 'res:cookie("a", "b", { encode = "url" })', "encode must be a function"),
    ("a_value_that_json_does_not_have", 'res:cookie("a", { b = print })', "cannot encode a function"),
    ("a_value_that_is_too_long", 'res:cookie("a", ("x"):rep(4096))', "longer than 4096 bytes"),
    ("a_value_that_is_much_too_long", 'res:cookie("a", ("x"):rep(100000))', "longer than 4096 bytes"),
    ("a_host_prefix_without_secure", 'res:cookie("__Host-a", "b")', "__Host- only with secure"),
    ("setting_cookies", "req.cookies = {}", "cannot set req.cookies"),
    ("cookie_with_a_dot", 'res.cookie("a", "b")', "with a colon"),
]

MORE = '''
app:set("secret", { "keyboard cat", "older" })
app:get("/both", function(req, res) res:cookie("a", "1"):cookie("b", "2"); return { 1 } end)
app:get("/age", function(req, res) res:cookie("a", "b", { max_age = 60.9 }); return { 1 } end)
app:get("/past", function(req, res) res:cookie("a", "b", { max_age = -1 }); return { 1 } end)
app:get("/late", function(req, res)
  res:send("x")
  local _, err = fsd.try(res.cookie, res, "a", "b")
  fsd.log:info("late", { code = err.code })
end)
app:get("/count", function(req) local n = 0; for _ in pairs(req.cookies) do n = n + 1 end; return { n } end)
'''


@pytest.fixture(scope="module")
def app(serve):
    calls = [(name, f'{code}; res:send("")') for name, code, _ in SET + MISTAKES]
    return serve(app_of(GIVEN + calls, MORE))


@pytest.mark.parametrize("name, code, cookie, expected", GIVEN, ids=names(GIVEN))
def test_req_has_cookies(app, name, code, cookie, expected):
    answer = app.get("/" + name, {"cookie": cookie})
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, expected", SET, ids=names(SET))
def test_res_sets(app, name, code, expected):
    answer = app.get("/" + name)
    assert (answer.status, answer.headers.get("set-cookie")) == (200, expected)


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged(app, name, code, message):
    answer = app.get("/" + name)
    assert answer.status == 500 and "set-cookie" not in answer.headers
    assert message in app.wait_record(path="/" + name, level="error")["msg"]


def test_each_cookie_has_a_header_of_its_own(app):
    with app.connection() as connection:
        connection.request("GET", "/both")
        response = connection.getresponse()
        assert response.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
        response.read()


@pytest.mark.parametrize("path, age", [("/age", 60), ("/past", -1)])
def test_an_age_says_when_it_expires_too(app, path, age):
    before = int(time.time())
    value, max_age, cookie_path, expires = app.get(path).headers["set-cookie"].split("; ")
    assert (value, max_age, cookie_path) == ("a=b", f"Max-Age={age}", "Path=/")
    at = email.utils.parsedate_to_datetime(expires.removeprefix("Expires=")).timestamp()
    assert before + age <= at <= time.time() + age


def test_a_cookie_behind_the_answer_is_refused(app):
    assert app.get("/late").text == "x"
    assert app.wait_record(msg="late")["code"] == "headers_sent"


def test_a_flood_of_cookies_is_cut_off(app):
    assert app.get("/count", {"cookie": "; ".join(f"c{i}=1" for i in range(300))}).json() == [200]


def test_what_is_signed_comes_back(app):
    sent = app.get("/a_signature_of_json").headers["set-cookie"].split(";")[0]
    assert app.get("/a_signed_one_is_verified", {"cookie": sent}).json()[0] == {"a": {"b": 1}}


def test_without_a_secret_nothing_is_signed(serve):
    app = serve(app_of([("read", "return req.cookies"), ("signed", "return req.signed_cookies"), ("set", 'res:cookie("a", "b", { signed = true })')]))
    assert app.get("/read", {"cookie": "a=s:x.y"}).json() == {"a": "s:x.y"}
    assert app.get("/signed").status == 500
    assert "req.signed_cookies needs a secret" in app.wait_record(path="/signed", level="error")["msg"]
    assert app.get("/set").status == 500
    assert "signed needs a secret" in app.wait_record(path="/set", level="error")["msg"]


def test_a_secret_may_be_one_text(serve):
    app = serve(app_of([("read", "return req.signed_cookies")], 'app:set("secret", "keyboard cat")'))
    assert app.get("/read", {"cookie": "a=" + quoted(sign("hello"))}).json() == {"a": "hello"}
    assert json.loads(app.get("/read", {"cookie": "a=" + quoted(sign("hello", "older"))}).body) == {"a": False}
