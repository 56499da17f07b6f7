"""The fields and methods of req that Express knows: headers, negotiation, queries."""
import socket

import pytest

from handler_rows import app_of, names

# name, handler, what the request adds to GET /NAME, the JSON answer
GIVEN = [
    ("xhr_is_said_by_a_header", "return { req.xhr }", {"headers": {"x-requested-with": "XMLHttpRequest"}}, [True]),
    ("xhr_is_false_without_it", "return { req.xhr }", {}, [False]),
    ("xhr_is_false_for_something_else", "return { req.xhr }", {"headers": {"x-requested-with": "fetch"}}, [False]),
    ("res_is_the_res_of_the_handler", "return { req.res == res }", {}, [True]),
    ("trailers_are_an_empty_table", "return { next(req.trailers) == nil, req.trailers == req.trailers }", {}, [True, True]),
    ("raw_headers_keep_their_letters", "local list = req.raw_headers; list[2] = #list[2] > 8; return list",
     {"headers": [("X-One", "1"), ("x-two", "2"), ("X-One", "3")]},
     ["Host", True, "X-One", "1", "x-two", "2", "X-One", "3"]),
    ("header_values_are_all_of_a_name", 'return req:header_values("X-A")', {"headers": [("x-a", "1, 2"), ("x-b", "-"), ("x-a", "3")]}, ["1, 2", "3"]),
    ("header_values_of_none_are_none", 'return { #req:header_values("x-a"), json.is_array(req:header_values("x-a")) }', {}, [0, True]),
    ("header_values_know_the_host", 'return { req:header_values("Host")[1] == req:get("host") }', {}, [True]),
    ("a_referrer_may_be_spelt_rightly", 'return { req:get("Referrer"), req:get("referer") }', {"headers": {"referer": "/a"}}, ["/a", "/a"]),
    ("a_referrer_goes_before_a_referer", 'return { req:get("Referrer"), req:get("referer") }',
     {"headers": {"referer": "/a", "referrer": "/b"}}, ["/b", "/b"]),
    ("deadline_is_a_time_to_come", "local d = req.deadline; return { d > fsd.now(), d <= fsd.now() + 31, req.deadline == d }", {}, [True] * 3),
    ("accepts_the_best_of_several", 'return { req:accepts("json", "html"), req:accepts{ "text/plain", "html" } }',
     {"headers": {"accept": "text/html;q=0.9, application/json"}}, ["json", "html"]),
    ("accepts_none_is_false", 'return { req:accepts("png"), req:accepts("nonsense"), req:accepts("html", "image/png") }',
     {"headers": {"accept": "application/json"}}, [False, False, False]),
    ("accepts_all_without_types", "return req:accepts()", {"headers": {"accept": "text/*;q=0.5, a/b, c/d;q=0"}}, ["a/b", "text/*"]),
    ("accepts_the_first_without_a_wish", 'return { req:accepts("nonsense", "html"), req:accepts()[1] }', {}, ["nonsense", "*/*"]),
    ("accepts_reads_headers_that_repeat", 'return { req:accepts("png", "json") }', {"headers": [("accept", "text/html"), ("accept", "application/json")]}, ["json"]),
    ("accepts_knows_short_names_with_a_point", 'return { req:accepts(".html") }', {"headers": {"accept": "text/html"}}, [".html"]),
    ("accepts_nothing_of_an_empty_list", "return req:accepts{}", {"headers": {"accept": "text/html"}}, ["text/html"]),
    ("accepts_charsets", 'return { req:accepts_charsets("latin1", "utf-8"), req:accepts_charsets()[1] }', {"headers": {"accept-charset": "utf-8"}}, ["utf-8", "utf-8"]),
    ("accepts_encodings", 'return { req:accepts_encodings("br", "gzip"), req:accepts_encodings("br"), req:accepts_encodings() }',
     {"headers": {"accept-encoding": "gzip;q=0.5"}}, ["gzip", False, ["gzip", "identity"]]),
    ("accepts_languages", 'return { req:accepts_languages("de", "en"), req:accepts_languages("fr"), req:accepts_languages() }',
     {"headers": {"accept-language": "en-US, de;q=0.5"}}, ["en", False, ["en-US", "de"]]),
    ("is_of_no_body_is_nil", 'return { req:is("json") == nil }', {}, [True]),
    ("is_of_a_body_without_type_is_false", 'return { req:is("json") }', {"method": "POST", "body": "x"}, [False]),
    ("is_says_what_was_given", 'return { req:is("html"), req:is("text/html"), req:is("text/*", "json"), req:is("json"), req:is(), req:is{ "json", "html" } }',
     {"method": "POST", "body": "x", "headers": {"content-type": "Text/HTML; charset=utf-8"}}, ["html", "text/html", "text/html", False, "text/html", "html"]),
    ("is_knows_suffixes", 'return { req:is("+json"), req:is("json"), req:is("*/*") }', {"method": "POST", "body": "x", "headers": {"content-type": "application/a+json"}},
     ["application/a+json", False, "application/a+json"]),
    ("is_knows_forms", 'return { req:is("urlencoded"), req:is("multipart") }',
     {"method": "POST", "body": "x", "headers": {"content-type": "application/x-www-form-urlencoded"}}, ["urlencoded", False]),
    ("is_knows_multipart", 'return { req:is("urlencoded"), req:is("multipart") }',
     {"method": "POST", "body": "x", "headers": {"content-type": "multipart/form-data; boundary=x"}}, [False, "multipart"]),
    ("is_of_64_types", 'local t = {}; for i = 1, 63 do t[i] = "+x" end; t[64] = "text/*"; return { req:is(t) }',
     {"method": "POST", "body": "x", "headers": {"content-type": "text/a"}}, ["text/a"]),
    ("is_of_a_broken_type_is_false", 'return { req:is("html"), req:is() }', {"method": "POST", "body": "x", "headers": {"content-type": "text"}}, [False, False]),
    ("range_without_a_header_is_nil", "return { req:range(10) == nil }", {}, [True]),
    ("range_has_first_and_last", "local r = req:range(1000); return { r.type, #r, r[1], r[2] }", {"headers": {"range": "bytes=0-499,-1"}},
     ["bytes", 2, {"first": 0, "last": 499}, {"first": 999, "last": 999}]),
    ("range_is_combined_on_demand", "local r = req:range(1000, { combine = true }); return { #r, r[1] }", {"headers": {"range": "bytes=0-499,400-600"}},
     [1, {"first": 0, "last": 600}]),
    ("range_behind_the_end", "return { select(2, req:range(10)) }", {"headers": {"range": "bytes=10-"}}, ["unsatisfiable"]),
    ("range_that_is_malformed", "return { select(2, req:range(10)) }", {"headers": {"range": "bytes"}}, ["malformed"]),
    ("range_of_too_many", "return { select(2, req:range(1000)) }", {"headers": {"range": "bytes=" + ",".join(f"{2 * i}-{2 * i}" for i in range(17))}}, ["too_many"]),
    ("fresh_by_tag", 'res:set("etag", \'"a"\'); local found = { req.fresh, req.stale }; res:unset("etag"); return found', {"headers": {"if-none-match": '"a"'}}, [True, False]),
    ("stale_by_tag", 'res:set("etag", \'"b"\'); return { req.fresh, req.stale }', {"headers": {"if-none-match": '"a"'}}, [False, True]),
    ("fresh_by_date", 'res:set("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"); local found = { req.fresh }; res:unset("last-modified"); return found',
     {"headers": {"if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}}, [True]),
    ("stale_by_date", 'res:set("last-modified", "Sun, 06 Nov 1994 08:49:38 GMT"); return { req.fresh }',
     {"headers": {"if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"}}, [False]),
    ("stale_without_conditions", 'res:set("etag", \'"a"\'); return { req.fresh }', {}, [False]),
    ("stale_when_no_cache_is_asked_for", 'res:set("etag", \'"a"\'); return { req.fresh }', {"headers": {"if-none-match": '"a"', "cache-control": "no-cache"}}, [False]),
    ("stale_when_posted", 'res:set("etag", \'"a"\'); return { req.fresh }', {"method": "POST", "headers": {"if-none-match": '"a"'}}, [False]),
    ("stale_when_it_failed", 'res:status(404):set("etag", \'"a"\'); local found = { req.fresh }; res:status(200):unset("etag"); return found', {"headers": {"if-none-match": '"a"'}}, [False]),
]

# query, what "extended" makes of it, as the package qs does
EXTENDED = [
    ("", {}),
    ("a=1&b=2", {"a": "1", "b": "2"}),
    ("a=1&a=2", {"a": ["1", "2"]}),
    ("a[b]=1", {"a": {"b": "1"}}),
    ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
    ("a[b]=1&a[b]=2", {"a": {"b": ["1", "2"]}}),
    ("a[]=1", {"a": ["1"]}),
    ("a[]=1&a[]=2&a=3", {"a": ["1", "2", "3"]}),
    ("a=1&a[]=2", {"a": ["1", "2"]}),
    ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
    ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
    ("a[5]=x&a[2]=y", {"a": ["y", "x"]}),
    ("a[19]=x", {"a": ["x"]}),
    ("a[20]=x", {"a": {"20": "x"}}),
    ("a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
    ("a[0][b]=1&a[0][c]=2&a[1][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
    ("a[][b]=1&a[][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
    ("a%5Bb%5D=1", {"a": {"b": "1"}}),
    ("a[b][c][d][e][f][g][h]=1", {"a": {"b": {"c": {"d": {"e": {"f": {"[g][h]": "1"}}}}}}}),
    ("[a]=1", {"a": "1"}),
    ("[]=1", {"0": "1"}),
    ("=1", {}),
    ("a[b=1", {"a": {"[b": "1"}}),
    ("a.b=1", {"a.b": "1"}),
    ("0=1", {"0": "1"}),
    ("a[]", {"a": [""]}),
    ("__proto__[x]=1&constructor[prototype][y]=2&a[__index]=3", {"__proto__": {"x": "1"}, "constructor": {"prototype": {"y": "2"}}, "a": {"__index": "3"}}),
    ("a=1&a[b]=2", {"a": {"0": "1", "b": "2"}}),
    ("a[b]=1&a=2", {"a": {"b": "1", "0": "2"}}),
]

MISTAKES = [
    ("accepts_of_a_number", "return req:accepts(1)", "string expected"),
    ("accepts_of_a_list_of_numbers", "return req:accepts{ 1 }", "a list of strings expected"),
    ("accepts_of_too_many", 'local t = {}; for i = 1, 65 do t[i] = "html" end; return req:accepts(t)', "more than 64"),
    ("accepts_of_too_many_arguments", 'local t = {}; for i = 1, 65 do t[i] = "html" end; return req:accepts(table.unpack(t))', "more than 64"),
    ("on_abort_without_a_function", "req:on_abort()", "function expected"),
    ("range_without_a_size", "return req:range()", "number expected"),
    ("range_of_a_negative_size", "return req:range(-1)", "cannot be negative"),
    ("range_with_a_wrong_option", "return req:range(1, { combined = true })", 'did you mean "combine"'),
    ("setting_xhr", "req.xhr = true", "cannot set req.xhr"),
    ("header_values_without_a_name", "return req:header_values()", "bad argument"),
]

PARSER = '''
local fsd = require "fsd"
local app = fsd.app()
app:set("query_parser", %s)
app:get("/", function(req) return req.query end)
app:get("/same", function(req) return { req.query == req.query } end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(GIVEN + MISTAKES))


@pytest.fixture(scope="module")
def extended(serve):
    return serve(PARSER % '"extended"')


@pytest.mark.parametrize("name, code, how, expected", GIVEN, ids=names(GIVEN))
def test_request(app, name, code, how, expected):
    how = dict(how)
    answer = app.request(how.pop("method", "GET"), "/" + name + how.pop("query", ""), **how)
    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged(app, name, code, message):
    assert app.get("/" + name).status == 500
    assert message in app.wait_record(path="/" + name, level="error")["msg"]


ABORTS = """
local fsd = require "fsd"
local app = fsd.app()
app:get("/waits", function(req, res)
  assert(req:on_abort(function(outcome) fsd.log:info("aborted", { status = outcome.status }) end) == req)
  fsd.log:info("waiting")
  fsd.task.sleep(3600)
end)
app:get("/answers", function(req, res)
  req:on_abort(function() fsd.log:info("aborted in vain") end)
  res:on("close", function() fsd.log:info("closed") end)
  res:send("x")
end)
return app
"""


def test_on_abort_is_called_when_the_client_leaves(serve):
    app = serve(ABORTS)
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /waits HTTP/1.1\r\nhost: x\r\n\r\n")
        app.wait_record(msg="waiting")
    assert app.wait_record(msg="aborted")["status"] == 499


def test_on_abort_is_not_called_when_the_answer_has_left(serve):
    app = serve(ABORTS)
    assert app.get("/answers").text == "x"
    app.wait_record(msg="closed")
    assert not [record for record in app.records() if record["msg"] == "aborted in vain"]


@pytest.mark.parametrize("query, expected", EXTENDED)
def test_an_extended_query_nests(extended, query, expected):
    assert extended.get("/?" + query).json() == expected


def test_a_simple_query_does_not_nest(serve):
    assert serve(PARSER % '"simple"').get("/?a[b]=1&a[]=2").json() == {"a[b]": "1", "a[]": "2"}


def test_a_query_is_not_read_when_that_is_off(serve):
    assert serve(PARSER % "false").get("/?a=1").json() == {}


def test_a_function_of_ones_own_reads_a_query(serve):
    app = serve(PARSER % "function(text) return { text = text } end")
    assert app.get("/?a=%20").json() == {"text": "a=%20"}
    assert app.get("/").json() == {"text": ""}
    assert app.get("/same?a").json() == [True]


@pytest.mark.parametrize("pairs", [["a=1"] * 1001, ["a[]=1"] * 1001, [f"a[{i}]" for i in range(1001)]],
                         ids=["of_one_name", "of_one_list", "of_many_places"])
def test_more_than_1000_parameters_are_refused(extended, pairs):
    assert extended.get("/?" + "&".join(pairs)).status == 413


@pytest.mark.parametrize("pairs", [["a[]=1"] * 1000, ["a[0]=1", "a[2]=1"] + ["a[]=1"] * 998, ["a=1"] * 1000], ids=["appended", "with_holes", "repeated"])
def test_1000_values_make_a_list(extended, pairs):
    assert extended.get("/?" + "&".join(pairs)).json() == {"a": ["1"] * 1000}


def test_brackets_without_end_do_no_harm(extended):
    assert extended.get("/?" + "[" * 5000 + "=1").json() == {"[" * 5000: "1"}
    assert extended.get("/?a" + "[b]" * 1000 + "=1").status == 200
