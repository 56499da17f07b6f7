"""res, as a handler sees it."""
import socket

import pytest

from handler_rows import app_of, names

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json; charset=utf-8"}
TEXT = {"content-type": "text/plain; charset=utf-8"}
NO_TYPE = {"content-type": None}

# name, handler, status, headers (None: not there), body
ANSWERS = [
    ("send_of_a_string_is_html", 'res:send("<b>")', 200, HTML, b"<b>"),
    ("send_of_a_table_is_json", 'res:send{ a = 1 }', 200, JSON, b'{"a":1}'),
    ("send_of_a_number_is_json", 'res:send(1.0)', 200, JSON, b"1.0"),
    ("send_of_false_is_json", 'res:send(false)', 200, JSON, b"false"),
    ("send_of_nothing_is_empty", 'res:send()', 200, {"content-length": "0"}, b""),
    ("send_is_clean_for_bytes", r'res:type("bin"):send("\0\xff\r\n")', 200, {}, b"\0\xff\r\n"),
    ("send_keeps_a_type_that_is_set", 'res:set("Content-Type", "text/x"):send("a")', 200, {"content-type": "text/x; charset=utf-8"}, b"a"),
    ("json_of_an_empty_table_is_an_object", 'res:json{}', 200, JSON, b"{}"),
    ("json_of_a_marked_table_is_a_list", 'res:json(json.array{})', 200, JSON, b"[]"),
    ("json_of_nil_is_null", 'res:json(nil)', 200, JSON, b"null"),
    ("json_keeps_large_integers", 'res:json(math.maxinteger)', 200, JSON, b"9223372036854775807"),
    ("json_keeps_a_type_that_is_set", 'res:type("application/problem+json"):json(1)', 200,
     {"content-type": "application/problem+json"}, b"1"),
    ("status_is_sent", 'res:status(201):send("x")', 201, HTML, b"x"),
    ("status_without_a_body_sends_none", 'res:status(204):send("ignored")', 204, {"content-length": None}, b""),
    ("an_unknown_status_is_sent", 'res:status(599):send("x")', 599, HTML, b"x"),
    ("status_code_tells_the_status", 'local a = res.status_code; res:status(202):json{ a, res.status_code }', 202, JSON,
     b"[200,202]"),
    ("headers_sent_tells_whether_there_is_an_answer",
     'local before = res.headers_sent; res:send("x"); assert(before == false and res.headers_sent == true)', 200, {}, b"x"),
    ("set_makes_numbers_text", 'res:set("x-a", 7):send("")', 200, {"x-a": "7"}, b""),
    ("set_takes_a_table", 'res:set{ ["x-a"] = "1", ["X-B"] = 2 }:send("")', 200, {"x-a": "1", "x-b": "2"}, b""),
    ("set_replaces_what_was_set", 'res:set("x-a", "1"):set("X-A", "2"):send("")', 200, {"x-a": "2"}, b""),
    ("header_is_set", 'res:header("x-a", "1"):send("")', 200, {"x-a": "1"}, b""),
    ("get_returns_what_was_set", 'res:set("X-Abc", "1"):json{ res:get("x-ABC"), res:get("x-no") == nil }', 200, {}, b'["1",true]'),
    ("get_sees_the_type", 'res:type("css"):send(res:get("Content-Type"))', 200, {}, b"text/css; charset=utf-8"),
    ("type_takes_a_whole_type", 'res:type("text/x-lua"):send("")', 200, {"content-type": "text/x-lua; charset=utf-8"}, b""),
    ("finish_adds_no_type", 'res:finish("raw")', 200, NO_TYPE, b"raw"),
    ("finish_without_bytes_is_empty", 'res:status(202):finish()', 202, NO_TYPE, b""),
    ("send_status_sends_the_reason", 'res:send_status(404)', 404, TEXT, b"Not Found"),
    ("send_status_replaces_the_type", 'res:type("json"):send_status(418)', 418, TEXT, b"I'm a Teapot"),
    ("send_status_of_an_unknown_status_sends_the_number", 'res:send_status(599)', 599, TEXT, b"599"),
    ("redirect_is_302", 'res:redirect("/next?a=b")', 302, {"location": "/next?a=b", **TEXT, "vary": "Accept"},
     b"Found. Redirecting to /next?a=b"),
    ("redirect_escapes_what_cannot_stand_in_a_url", r'res:redirect("/a b\r\nx-b: ä?q=%20")', 302,
     {"location": "/a%20b%0D%0Ax-b:%20%C3%A4?q=%20", "x-b": None},
     b"Found. Redirecting to /a%20b%0D%0Ax-b:%20%C3%A4?q=%20"),
    ("redirect_takes_a_status", 'res:redirect(308, "/next")', 308, {"location": "/next"}, b"Permanent Redirect. Redirecting to /next"),
    ("a_returned_string_is_sent", 'return "x"', 200, HTML, b"x"),
    ("a_returned_table_is_sent", 'return { 1, 2 }', 200, JSON, b"[1,2]"),
    ("a_returned_integer_is_a_status", 'return 404', 404, TEXT, b"Not Found"),
    ("a_returned_204_has_no_body", 'return 204', 204, {}, b""),
    ("a_returned_false_is_sent", 'return false', 200, JSON, b"false"),
    ("a_returned_value_keeps_the_status", 'res:status(201); return { 1 }', 201, JSON, b"[1]"),
    ("a_returned_value_after_an_answer_is_ignored", 'res:send("first"); return "second"', 200, HTML, b"first"),
    ("a_value_with_tostring_is_text", 'res:set("x-a", setmetatable({}, { __tostring = function() return "t" end })):send("")', 200,
     {"x-a": "t"}, b""),
    ("a_second_returned_value_is_ignored", 'return "x", 404', 200, HTML, b"x"),
    ("setters_chain", 'res:status(201):set("x-a", "1"):type("txt"):header("x-b", "2"):send("c")', 201,
     {"x-a": "1", "x-b": "2", **TEXT}, b"c"),
    ("senders_return_nothing", 'local n = select("#", res:send("x")); assert(n == 0)', 200, {}, b"x"),
    ("own_names_are_kept", 'res.mine = { 1 }; res:json{ res.mine[1], res.nothing == nil }', 200, {}, b"[1,true]"),
    ("a_large_body_arrives_whole", 'return ("0123456789"):rep(300000)', 200, {"content-length": "3000000"}, b"0123456789" * 300000),
    ("closing_variables_may_set_headers",
     'local x <close> = setmetatable({}, { __close = function() res:set("x-closed", "yes") end }); return "x"', 200,
     {"x-closed": "yes"}, b"x"),
]

# name, handler, a part of the message in the log
MISTAKES = [
    ("a_status_below_200", "res:status(199)", "status must be a whole number from 200 to 999"),
    ("a_status_above_999", "res:status(1000)", "status must be a whole number from 200 to 999"),
    ("an_interim_status", "res:send_status(103)", "status must be a whole number from 200 to 999"),
    ("a_returned_interim_status", "return 101", "a handler returned 101: a number must be an HTTP status"),
    ("a_status_with_a_fraction", "res:status(200.5)", "number has no integer representation"),
    ("a_line_break_in_a_value", r'res:set("x-a", "1\r\nx-b: 2")', 'cannot set header "x-a": the value has a line break'),
    ("a_newline_in_a_value", r'res:set("x-a", "1\n")', "line break or control character"),
    ("a_zero_byte_in_a_value", r'res:set("x-a", "1\0")', "line break or control character"),
    ("a_line_break_in_a_table", r'res:set{ ["x-a"] = "\r" }', "line break or control character"),
    ("a_space_in_a_name", 'res:set("x a", "1")', "cannot set header: the name"),
    ("a_colon_in_a_name", 'res:set("x:a", "1")', "cannot set header: the name"),
    ("an_empty_name", 'res:set("", "1")', "cannot set header: the name"),
    ("a_header_without_a_value", 'res:set("x-a")', "bad argument"),
    ("a_table_as_value", 'res:set("x-a", {})', 'cannot set header "x-a": the value is a table'),
    ("nil_as_value", 'res:set("x-a", nil)', 'cannot set header "x-a": the value is a nil'),
    ("a_number_as_name_in_a_table", 'res:set{ "x" }', "header names must be strings"),
    ("a_line_break_in_a_type", r'res:type("a/b\r\n")', "has control characters"),
    ("an_unknown_short_type", 'res:type("jsn")', "neither a content type nor a name of one"),
    ("a_redirect_that_is_none", 'res:redirect(200, "/")', "status must be 300 to 399"),
    ("a_function_in_json", 'res:json{ a = { print } }', 'cannot encode a function at "a[1]"'),
    ("not_a_number_in_json", 'res:json(0/0)', "cannot encode"),
    ("bytes_in_json", r'res:json("\xff")', "cannot encode"),
    ("an_answer_after_an_answer", 'res:send("a"); res:send("b")', "the answer was given already (status 200)"),
    ("a_status_after_an_answer", 'res:send("a"); res:status(404)', "the answer was given already"),
    ("a_header_after_an_answer", 'res:send("a"); res:set("x-a", "1")', "the answer was given already"),
    ("a_returned_number_that_is_no_status", "return 7", "a handler returned 7: a number must be an HTTP status"),
    ("a_returned_res_is_no_answer", "return res:status(404)", "returned without answering"),
    ("a_dot_instead_of_a_colon", 'res.send("x")', "call res:method(...) with a colon"),
]

LEAKS = '''
local kept
app:get("/keep", function(req, res) kept = res; return "kept" end)
app:get("/use", function() local _, err = fsd.try(function() kept:send("x") end); return err.message end)
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ANSWERS + MISTAKES, LEAKS))


@pytest.mark.parametrize("name, code, status, headers, body", ANSWERS, ids=names(ANSWERS))
def test_answer(app, name, code, status, headers, body):
    answer = app.get("/" + name)
    assert (answer.status, answer.body) == (status, body)
    assert {header: answer.headers.get(header) for header in headers} == headers


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged_with_its_line_and_not_told_to_the_client(app, name, code, message):
    answer = app.get("/" + name)
    record = app.wait_record(path="/" + name, level="error")
    assert message in record["msg"]
    assert record["handler"].startswith("app.lua:")
    if "after_an_answer" in name:
        assert (answer.status, answer.body) == (200, b"a")
    else:
        assert (answer.status, answer.json()) == (500, {"error": "Internal Server Error"})
    assert "x-b" not in answer.headers


@pytest.mark.parametrize("word, type", [
    ("html", "text/html; charset=utf-8"), ("json", "application/json; charset=utf-8"), ("txt", "text/plain; charset=utf-8"),
    ("text", "text/plain; charset=utf-8"), ("css", "text/css; charset=utf-8"), ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"), ("png", "image/png"), ("jpg", "image/jpeg"), ("pdf", "application/pdf"),
    ("bin", "application/octet-stream"), ("wasm", "application/wasm"),
])
def test_short_type_stands_for_a_content_type(types, word, type):
    assert types.get("/" + word).headers["content-type"] == type


@pytest.fixture(scope="module")
def types(serve):
    return serve(app_of([], 'app:get("/:word", function(req, res) res:type(req.params.word):send("") end)'))


@pytest.mark.parametrize("name", ["send_of_a_string_is_html", "a_large_body_arrives_whole", "redirect_is_302"])
def test_head_has_the_headers_of_get_and_no_body(app, name):
    with app.connection() as connection:
        got = app.request("GET", "/" + name, connection=connection)
        head = app.request("HEAD", "/" + name, connection=connection)
    assert (head.status, head.body) == (got.status, b"")
    for header in ("content-type", "content-length", "location"):
        assert head.headers.get(header) == got.headers.get(header)


def test_res_of_an_earlier_request_cannot_be_used(app):
    assert app.get("/keep").body == b"kept"
    assert "this request is over" in app.get("/use").text


def raw_answer(app, path):
    """The bytes of an answer to a request that closes the connection."""
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        with sock.makefile("rb") as stream:
            return stream.read()


FRAMING = [
    ("content-length", "1"), ("transfer-encoding", "chunked"), ("connection", "keep-alive"), ("keep-alive", "timeout=5"),
    ("upgrade", "websocket"), ("trailer", "x"), ("date", "now"), ("server", "mine"),
]


@pytest.mark.parametrize("name, value", FRAMING)
def test_header_that_frames_the_answer_cannot_be_set(framing, name, value):
    head, _, body = raw_answer(framing, f"/{name}/{value}").partition(b"\r\n\r\n")
    assert body == b'{"error":"Internal Server Error"}'
    assert head.lower().count(b"\r\ncontent-length:") == 1
    assert f"\r\n{name}: {value}".encode() not in head.lower()


@pytest.fixture(scope="module")
def framing(serve):
    return serve(app_of([], '''
app:get("/:name/:value", function(req, res) res:set(req.params.name, req.params.value):send("hello") end)
'''))
