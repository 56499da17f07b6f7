"""The fields and methods of req that Express knows: headers, negotiation, queries."""
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
