"""The headers of an answer, as a handler sets and reads them."""
import pytest

from handler_rows import app_of, names

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json; charset=utf-8"}
TEXT = {"content-type": "text/plain; charset=utf-8"}

# name, handler, headers (None: not there; of several the last one), body
ROWS = [
    ("set_takes_a_list", 'res:set("x-a", { "1", 2 }):json(res:get("X-A"))', {"x-a": "2"}, b'["1","2"]'),
    ("set_replaces_a_list", 'res:set("x-a", { "1", "2" }):set("x-a", "3"):json(res:get("x-a"))', {"x-a": "3"}, b'"3"'),
    ("set_of_a_text_type_adds_a_charset", 'res:set("content-TYPE", "application/json"):send("{}")', JSON, b"{}"),
    ("set_of_a_type_with_a_charset_keeps_it", 'res:set("content-type", "text/html; charset=latin1"):send("")',
     {"content-type": "text/html; charset=latin1"}, b""),
    ("set_of_a_type_that_is_no_text_keeps_it", 'res:set("content-type", "image/png"):send("")', {"content-type": "image/png"}, b""),
    ("append_adds_a_header", 'res:append("Link", "<a>"):append("link", { "<b>", "<c>" }):json(res:get("Link"))',
     {"link": "<c>"}, b'["<a>","<b>","<c>"]'),
    ("append_of_a_type_replaces_it", 'res:append("content-type", "text/a"):append("content-type", "text/b"):send("")',
     {"content-type": "text/b; charset=utf-8"}, b""),
    ("unset_takes_a_header_back", 'res:set("x-a", { "1", "2" }):unset("X-a"):json(res:get("x-a"))', {"x-a": None}, b"null"),
    ("has_tells_whether_a_header_is_set", 'res:set("x-a", "1"):json{ res:has("X-A"), res:has("x-b") }', {}, b"[true,false]"),
    ("location_is_set", 'res:location("/a b"):send(res:get("location"))', {"location": "/a%20b"}, b"/a%20b"),
    ("location_escapes_as_express_does_and_backslashes", r'res:location([[/a"b<c>\d^e`f{g}|h%zz%20%[i] ]]):send("")',
     {"location": "/a%22b%3Cc%3E%5Cd^e%60f%7Bg%7D|h%25zz%20%25[i]%20"}, b""),
    ("vary_adds_each_name_once", 'res:vary("Accept"):vary("accept, Origin"):vary{ "Origin", "X-A" }:send("")',
     {"vary": "Accept, Origin, X-A"}, b""),
    ("vary_joins_what_was_appended", 'res:append("vary", "A"):append("vary", "B"):vary("C"):send("")', {"vary": "A, B, C"}, b""),
    ("vary_of_a_star_is_a_star", 'res:vary("Accept"):vary("*"):vary("Origin"):send("")', {"vary": "*"}, b""),
    ("links_are_sorted_by_relation", 'res:links{ next = "/3", last = { "/9", "/e" }, first = "/1" }:send("")',
     {"link": '</1>; rel="first", </9>; rel="last", </e>; rel="last", </3>; rel="next"'}, b""),
    ("links_are_added", 'res:links{ next = "/3" }:links{ last = "/9" }:links{}:send("")',
     {"link": '</3>; rel="next", </9>; rel="last"'}, b""),
    ("links_escape_their_urls", r'res:links{ next = "/a>\r\nb" }:send("")', {"link": '</a%3E%0D%0Ab>; rel="next"'}, b""),
    ("links_of_nothing_are_none", 'res:links{}:send("")', {"link": None}, b""),
    ("attachment_without_a_name", 'res:attachment():send("x")', {"content-disposition": "attachment", **HTML}, b"x"),
    ("attachment_sets_the_type", 'res:attachment("/a/b/logo.png"):send("x")',
     {"content-disposition": "attachment; filename=logo.png", "content-type": "image/png"}, b"x"),
    ("attachment_of_an_unknown_kind", 'res:attachment("a b"):send("x")',
     {"content-disposition": 'attachment; filename="a b"', "content-type": "application/octet-stream"}, b"x"),
    ("attachment_of_a_hidden_file", 'res:attachment(".txt"):send("x")',
     {"content-disposition": "attachment; filename=.txt", "content-type": "application/octet-stream"}, b"x"),
    ("attachment_of_another_alphabet", 'res:attachment("plans €.txt"):send("x")',
     {"content-disposition": "attachment; filename=\"plans ?.txt\"; filename*=UTF-8''plans%20%E2%82%AC.txt", **TEXT}, b"x"),
    ("type_of_an_ending", 'res:type(".html"):send("")', HTML, b""),
    ("type_of_a_file", 'res:type("logo.PNG"):send("")', {"content-type": "image/png"}, b""),
    ("attachment_of_a_rare_kind", 'res:attachment("a.docx"):send("")',
     {"content-type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}, b""),
    ("content_type_is_type", 'res:content_type("css"):send("")', {"content-type": "text/css; charset=utf-8"}, b""),
    ("setters_return_res", 'assert(res:append("x-a", "1"):unset("x-a"):location("/"):vary("A"):links{}:attachment() == res); res:send("")',
     {"location": "/", "vary": "A"}, b""),
]

# name, handler, a part of the message in the log
MISTAKES = [
    ("a_table_in_a_list", 'res:set("x-a", { "1", {} })', 'cannot set header "x-a": the value is a table'),
    ("a_line_break_in_a_list", r'res:append("x-a", { "1", "\r" })', "line break or control character"),
    ("two_types", 'res:set("content-type", { "text/a", "text/b" })', "there is one content type only"),
    ("a_header_that_is_ours", 'res:append("Content-Length", 1)', 'cannot set header "Content-Length": fsd sets it itself'),
    ("an_unset_of_a_header_that_is_ours", 'res:unset("server")', "fsd sets it itself"),
    ("a_long_name", 'res:set(("x"):rep(300), "1")', "the name"),
    ("a_vary_that_is_no_name", 'res:vary("a b")', "what stands there is no header's name"),
    ("a_vary_of_nothing", 'res:vary("")', "what stands there is no header's name"),
    ("a_vary_that_is_no_text", "res:vary()", "string expected"),
    ("a_link_that_is_no_url", "res:links{ next = 1 }", 'the link of "next" is a number, not a URL'),
    ("a_relation_with_a_quote", """res:links{ ['a"'] = "/" }""", "a relation has a character"),
    ("a_relation_with_a_line_break", r'res:links{ ["a\n"] = "/" }', "a relation has a character"),
    ("a_relation_that_is_a_number", 'res:links{ "/" }', "a relation's name must be a string"),
    ("an_attachment_that_is_a_table", "res:attachment{}", "string expected"),
    ("a_location_that_is_nil", "res:location()", "string expected"),
    ("a_link_after_an_answer", 'res:send("a"); res:links{ next = "/" }', "the answer was given already (status 200)"),
]


@pytest.fixture(scope="module")
def app(serve):
    return serve(app_of(ROWS + MISTAKES))


@pytest.mark.parametrize("name, code, headers, body", ROWS, ids=names(ROWS))
def test_header(app, name, code, headers, body):
    answer = app.get("/" + name)
    assert (answer.status, answer.body) == (200, body)
    assert {header: answer.headers.get(header) for header in headers} == headers


@pytest.mark.parametrize("name, code, message", MISTAKES, ids=names(MISTAKES))
def test_mistake_is_logged_with_its_line(app, name, code, message):
    app.get("/" + name)
    record = app.wait_record(path="/" + name, level="error")
    assert message in record["msg"]
    assert record["handler"].startswith("app.lua:")
