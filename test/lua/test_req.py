"""req, as a handler sees it."""
import pytest

from handler_rows import app_of, names

# name, handler, what the request adds to GET /NAME, the JSON answer
GIVEN = [
    ("method_is_upper_case", "return { req.method }", {"method": "DELETE"}, ["DELETE"]),
    ("head_is_head", 'res:set("x-method", req.method):send("")', {"method": "GET"}, None),
    ("path_has_no_query", "return { req.path, req.url }", {"query": "?a=%20b"}, ["/path_has_no_query", "/path_has_no_query?a=%20b"]),
    ("url_without_a_query_is_the_path", "return { req.url }", {}, ["/url_without_a_query_is_the_path"]),
    ("an_empty_query_stays_in_the_url", "return { req.url, next(req.query) == nil }", {"query": "?"},
     ["/an_empty_query_stays_in_the_url?", True]),
    ("http_version_is_text", "return { req.http_version }", {}, ["1.1"]),
    ("id_is_made_when_none_is_given", 'return { #req.id > 8, req.id == req.id, req.id:find("^[%w-]+$") ~= nil }', {}, [True] * 3),
    ("id_is_taken_from_the_client", "return { req.id }", {"headers": {"x-request-id": "abc-1"}}, ["abc-1"]),
    ("an_id_with_a_space_is_not_taken", 'return { req.id ~= "a b" }', {"headers": {"x-request-id": "a b"}}, [True]),
    ("an_id_of_65_bytes_is_not_taken", "return { #req.id < 65 }", {"headers": {"x-request-id": "x" * 65}}, [True]),
    ("an_id_of_64_bytes_is_taken", "return { #req.id }", {"headers": {"x-request-id": "x" * 64}}, [64]),
    ("query_values_are_decoded", "return req.query", {"query": "?a=1&b=x+y%26%C3%A4&%63=%3D"}, {"a": "1", "b": "x y&ä", "c": "="}),
    ("query_values_that_repeat_are_lists", "return req.query", {"query": "?a=1&a=2&a=3&b=1"}, {"a": ["1", "2", "3"], "b": "1"}),
    ("a_query_list_is_marked", "return { json.is_array(req.query.a) }", {"query": "?a=1&a=2"}, [True]),
    ("a_query_name_alone_is_empty_text", "return req.query", {"query": "?a&b=&=c&&"}, {"a": "", "b": "", "": "c"}),
    ("a_bad_escape_in_a_query_stays", "return req.query", {"query": "?a=%zz&b=%4&c=100%"}, {"a": "%zz", "b": "%4", "c": "100%"}),
    ("brackets_in_a_query_mean_nothing", "return req.query", {"query": "?a[b]=1"}, {"a[b]": "1"}),
    ("query_is_the_same_table_each_time", "return { req.query == req.query }", {}, [True]),
    ("params_are_empty_without_names", "return { next(req.params) == nil }", {}, [True]),
    ("get_takes_a_name_in_any_case", 'return { req:get("X-One"), req:get("x-one"), req:header("X-ONE") }',
     {"headers": {"x-One": "1"}}, ["1", "1", "1"]),
    ("get_of_what_was_not_sent_is_nil", 'return { req:get("x-none") == nil, req:get(("x"):rep(300)) == nil }', {}, [True, True]),
    ("get_knows_the_host", 'return { req:get("Host") == req.headers.host, #req.headers.host > 3 }', {}, [True, True]),
    ("get_knows_the_length", 'return { req:get("content-length"), req.headers["content-length"] }', {"method": "POST", "body": "abc"},
     ["3", "3"]),
    ("headers_are_lower_case", 'return { req.headers["x-a"], req.headers["X-A"] == nil }', {"headers": {"X-A": "v"}}, ["v", True]),
    ("headers_that_repeat_are_joined", 'return { req.headers["x-a"] }', {"headers": [("x-a", "1"), ("x-b", "-"), ("x-a", "2")]}, ["1, 2"]),
    ("cookies_are_joined_with_semicolons", "return { req.headers.cookie }", {"headers": [("cookie", "a=1"), ("cookie", "b=2")]}, ["a=1; b=2"]),
    ("headers_are_the_same_table_each_time", "return { req.headers == req.headers }", {}, [True]),
    ("a_header_may_have_bytes_above_ascii", 'return { #req:get("x-a") }', {"headers": {"x-a": "\xe4"}}, [1]),
    ("text_is_the_body", 'return { req:text() }', {"method": "POST", "body": "a\0b"}, ["a\0b"]),
    ("text_may_be_read_again", "return { req:text() == req:text() }", {"method": "POST", "body": "x"}, [True]),
    ("text_without_a_body_is_empty", "return { req:text() }", {}, [""]),
    ("json_is_decoded", "return { req:json().a[2] }", {"method": "POST", "body": '{"a":[1,2]}'}, [2]),
    ("json_does_not_need_the_type", "return { req:json() }", {"method": "POST", "body": "7", "headers": {"content-type": "text/plain"}}, [7]),
    ("json_null_in_an_object_is_absent", "local v = req:json(); return { v.a == nil, next(v) == nil }", {"method": "POST", "body": '{"a":null}'},
     [True, True]),
    ("json_null_is_kept_on_demand", 'return { req:json{ null = "keep" }.a == json.null }', {"method": "POST", "body": '{"a":null}'}, [True]),
    ("json_keeps_lists_and_objects_apart", "return req:json()", {"method": "POST", "body": '{"a":[],"b":{}}'}, {"a": [], "b": {}}),
    ("state_is_a_table_of_ones_own", "req.state.a = 1; return { req.state.a, req.state == req.state }", {}, [1, True]),
    ("own_names_are_kept", "req.user = { id = 7 }; return { req.user.id, req.nothing == nil }", {}, [7, True]),
    ("own_names_may_be_taken_back", "req.user = 1; req.user = nil; return { req.user == nil }", {}, [True]),
    ("log_is_the_same_each_time", "return { req.log == req.log }", {}, [True]),
]

# name, handler, what the request adds, status, a part of the client's message, code
REFUSED = [
    ("json_of_nothing", "req:json()", {"method": "POST", "body": ""}, 400, "the body is empty, not JSON"),
    ("json_that_is_broken", "req:json()", {"method": "POST", "body": '{"a":\n x}'}, 400, "invalid JSON at line 2 column 2"),
    ("json_with_something_behind", "req:json()", {"method": "POST", "body": "1 2"}, 400, "invalid JSON"),
    ("a_query_of_1001_parameters", "return req.query", {"query": "?" + "a&" * 1001}, 413, "more than 1000 parameters"),
]

# name, handler, a part of the message
MISTAKES = [
    ("setting_the_method", 'req.method = "GET"', "cannot set req.method: it is what the client sent"),
    ("setting_params", "req.params = {}", "cannot set req.params"),
    ("setting_a_method_of_the_class", "req.text = 1", "cannot set req.text"),
    ("a_dot_instead_of_a_colon", 'return req.get("x")', "call req:method(...) with a colon"),
    ("get_without_a_name", "return req:get()", "bad argument"),
    ("json_with_wrong_options", 'return req:json("keep")', "a table of options is expected, not a string"),
]

LEAKS = '''
app:get("/id", function(req) return req.id end)
local kept
app:get("/keep", function(req) kept = req; return "kept" end)
app:get("/use", function() local _, err = fsd.try(function() return kept.path end); return err.message end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(GIVEN + REFUSED + MISTAKES, LEAKS))


def ask(app, name, how):
    how = dict(how)
    return app.request(how.pop("method", "GET"), "/" + name + how.pop("query", ""), **how)


@pytest.mark.parametrize("name, code, how, expected", GIVEN, ids=names(GIVEN))
def test_request(app, name, code, how, expected):
    answer = ask(app, name, how)
    if expected is None:
        assert app.request("HEAD", "/" + name).headers["x-method"] == "HEAD"
    else:
        assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize("name, code, how, status, message", REFUSED, ids=names(REFUSED))
def test_client_is_told_what_is_wrong(app, name, code, how, status, message):
    answer = ask(app, name, how)
    assert answer.status == status
    assert message in answer.json()["error"]


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged(app, name, code, message):
    assert app.get("/" + name).status == 500
    assert message in app.wait_record(path="/" + name, level="error")["msg"]


def test_a_query_of_1000_parameters_is_read(app):
    assert app.get("/query_values_are_decoded?" + "a=1&" * 1000).json()["a"] == ["1"] * 1000


def test_ids_differ_from_request_to_request(app):
    assert len({app.get("/id").text for _ in range(5)}) == 5


def test_req_of_an_earlier_request_cannot_be_used(app):
    assert app.get("/keep").body == b"kept"
    assert "this request is over" in app.get("/use").text


def test_get_joins_headers_that_repeat_as_headers_does(serve):
    app = serve(app_of([("both", 'return { req:get("x-a"), req:get("cookie") }')]))
    answer = app.get("/both", [("x-a", "1"), ("x-a", "2"), ("cookie", "a=1"), ("cookie", "b=2")])
    assert answer.json() == ["1, 2", "a=1; b=2"]


def test_a_body_over_the_limit_is_refused_before_the_handler(serve):
    app = serve(app_of([("size", "return { #req:text() }")]), limits={"body": "64KiB"})
    assert app.request("POST", "/size", "x" * 65536).json() == [65536]
    with app.connection() as connection:
        answer = app.request("POST", "/size", "x" * 65537, connection=connection)
    assert (answer.status, answer.json()) == (413, {"error": "the body is larger than the limit"})
