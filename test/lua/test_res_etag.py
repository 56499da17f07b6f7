"""ETags of answers, and the conditions and ranges of requests."""
import re

import pytest

APP = r'''
local fsd = require "fsd"
local app = fsd.app()
%s
local text = "0123456789abcdefghij"
app:all("/text", function(req, res) res:send("Hello, world!") end)
app:all("/json", function(req, res) res:json{ a = 1 } end)
app:all("/returned", function() return "Hello, world!" end)
app:all("/reason", function(req, res) res:send_status(404) end)
app:all("/nothing", function(req, res) res:send() end)
app:all("/finish", function(req, res) res:finish("x") end)
app:all("/redirect", function(req, res) res:redirect("/") end)
app:all("/own", function(req, res)
  res:set{ etag = '"v1"', ["content-language"] = "de", ["cache-control"] = "max-age=1", ["x-a"] = "1" }:vary("Accept"):send("own")
end)
app:all("/dated", function(req, res)
  res:set("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"):send("dated")
end)
app:all("/made", function(req, res) res:status(201):send("made") end)
app:all("/failed", function(req, res) res:status(404):set("etag", '"v1"'):send("failed") end)
app:all("/same", function(req, res) res:set("etag", '"v1"') return 304 end)
app:all("/deleted", function(req, res) res:type("json"):status(204):send("ignored") end)
app:all("/ranges", function(req, res) res:set{ ["accept-ranges"] = "bytes", etag = '"v1"' }:type("txt"):send(text) end)
app:all("/whole", function(req, res) res:send(text) end)
app:all("/empty", function(req, res) res:set("accept-ranges", "bytes"):send("") end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP % "")


def etag_of(app, path, **headers):
    return app.get(path, headers).headers.get("etag")


def test_a_body_has_a_weak_etag_of_its_length_and_a_hash(app):
    etag = etag_of(app, "/text")
    assert re.fullmatch(r'W/"d-[0-9a-f]+"', etag)
    assert etag == etag_of(app, "/text") == etag_of(app, "/returned")
    assert etag != etag_of(app, "/json")


@pytest.mark.parametrize("method, path, has", [
    ("POST", "/text", True), ("HEAD", "/text", True), ("GET", "/reason", True), ("GET", "/made", True), ("GET", "/empty", True),
    ("GET", "/nothing", False), ("GET", "/finish", False), ("GET", "/redirect", False),
])
def test_what_is_sent_has_an_etag_as_in_express(app, method, path, has):
    assert ("etag" in app.request(method, path).headers) == has


def test_an_etag_of_the_handler_stays(app):
    assert etag_of(app, "/own") == '"v1"'


@pytest.mark.parametrize("setting, pattern", [
    ('"strong"', r'"d-[0-9a-f]+"'), ('"weak"', r'W/"d-[0-9a-f]+"'), ("true", r'W/"d-[0-9a-f]+"'), ("false", None),
    ("function(body) return '\"n' .. #body .. '\"' end", '"n13"'), ("function(body) return nil end", None),
])
def test_the_setting_says_which(serve, setting, pattern):
    app = serve(APP % f'app:set("etag", {setting})')
    etag = etag_of(app, "/text")
    assert etag is None if pattern is None else re.fullmatch(pattern, etag)


@pytest.mark.parametrize("value", ["'no quotes'", r"'\"a\r\nx: y\"'", "{}", "true"])
def test_a_setting_that_gives_no_etag_is_a_mistake(serve, value):
    app = serve(APP % f'app:set("etag", function() return {value} end)')
    assert app.get("/text").status == 500
    assert "gave something that is no ETag" in app.wait_record(path="/text", level="error")["msg"]


@pytest.mark.parametrize("path", ["/text", "/json", "/returned", "/made", "/own"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_is_not_sent_again(app, method, path):
    etag = etag_of(app, path)
    answer = app.request(method, path, headers={"If-None-Match": f'"other", {etag}'})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    assert not {"content-type", "content-length", "content-language"} & set(answer.headers)


def test_a_304_keeps_what_is_about_the_answer(app):
    headers = app.get("/own", {"If-None-Match": "W/\"v1\""}).headers
    assert (headers["cache-control"], headers["vary"], headers["x-a"]) == ("max-age=1", "Accept", "1")


@pytest.mark.parametrize("method, path, headers", [
    ("POST", "/own", {"If-None-Match": '"v1"'}),
    ("GET", "/own", {"If-None-Match": '"v2"'}),
    ("GET", "/own", {"If-None-Match": '"v1"', "Cache-Control": "no-cache"}),
    ("GET", "/failed", {"If-None-Match": '"v1"'}),
    ("GET", "/dated", {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"}),
    ("GET", "/dated", {"If-Modified-Since": "nonsense"}),
    ("GET", "/finish", {"If-None-Match": "*"}),
    ("GET", "/text", {"If-Match": '"v2"'}),
    ("POST", "/own", {"If-Match": '"v2"'}),
    ("GET", "/failed", {"If-Match": '"v2"'}),
    ("GET", "/own", {"If-Match": '"v1"'}),
    ("GET", "/own", {"If-Match": "*"}),
    ("GET", "/dated", {"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}),
])
def test_other_conditions_are_answered_whole(app, method, path, headers):
    answer, plain = app.request(method, path, headers=headers), app.request(method, path)
    assert (answer.status, answer.body) == (plain.status, plain.body)
    assert answer.status != 304 and answer.body != b""


def test_a_date_is_a_condition(app):
    for date in ("Sun, 06 Nov 1994 08:49:37 GMT", "Monday, 07-Nov-94 08:49:37 GMT"):
        assert app.get("/dated", {"If-Modified-Since": date}).status == 304


@pytest.mark.parametrize("path, headers", [
    ("/own", {"If-Match": '"v2"'}), ("/own", {"If-Match": 'W/"v1"'}),
    ("/dated", {"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"}), ("/dated", {"If-Match": '"v1"'}),
])
def test_a_precondition_fails_against_what_the_handler_has_set(app, path, headers):
    answer = app.get(path, headers)
    assert (answer.status, answer.json()) == (412, {"error": "what is there is not what the request asks for"})


@pytest.mark.parametrize("header, part, content_range", [
    ("bytes=0-4", b"01234", "bytes 0-4/20"), ("bytes=5-", b"56789abcdefghij", "bytes 5-19/20"), ("bytes=-3", b"hij", "bytes 17-19/20"),
    ("bytes=18-99", b"ij", "bytes 18-19/20"), ("bytes=0-4,3-8", b"012345678", "bytes 0-8/20"),
])
def test_a_part_is_sent_where_the_handler_allows_it(app, header, part, content_range):
    answer = app.get("/ranges", {"Range": header})
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, part, content_range)
    assert (answer.headers["content-length"], answer.headers["etag"]) == (str(len(part)), '"v1"')


@pytest.mark.parametrize("values, status, body", [
    (["bytes=0-1", "bytes=2-3"], 200, b"0123456789abcdefghij"), (["bytes=2-3", "x"], 200, b"0123456789abcdefghij"),
    (["bytes=0-1", "2-3"], 206, b"0123"),
])
def test_several_range_headers_are_one_as_in_node(app, values, status, body):
    answer = app.get("/ranges", [("Range", value) for value in values])
    assert (answer.status, answer.body) == (status, body)


def test_several_parts_are_sent_as_one_body(app):
    answer = app.get("/ranges", {"Range": "bytes=0-1,10-11,-1"})
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\S+)", answer.headers["content-type"])[1]
    parts = answer.text.split(f"\r\n--{boundary}")
    assert answer.status == 206 and parts[0] == "" and parts[-1] == "--\r\n"
    assert [part.split("\r\n\r\n") for part in parts[1:-1]] == [
        [f"\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes {place}/20", text]
        for place, text in (("0-1", "01"), ("10-11", "ab"), ("19-19", "j"))]


@pytest.mark.parametrize("method, path, headers", [
    ("GET", "/whole", {"Range": "bytes=0-4"}), ("HEAD", "/ranges", {"Range": "bytes=0-4"}), ("POST", "/ranges", {"Range": "bytes=0-4"}),
    ("GET", "/ranges", {"Range": "lines=0-4"}), ("GET", "/ranges", {"Range": "nonsense"}), ("GET", "/ranges", {"Range": "bytes=x-y"}),
    ("GET", "/ranges", {"Range": "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 80, 2))}),
    ("GET", "/ranges", {"Range": "bytes=0-4", "If-Range": '"v2"'}), ("GET", "/ranges", {"Range": "bytes=0-4", "If-Range": 'W/"v1"'}),
])
def test_other_ranges_are_answered_whole(app, method, path, headers):
    answer, plain = app.request(method, path, headers=headers), app.request(method, path)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, plain.body, "20")


def test_if_range_of_what_is_there_gives_the_part(app):
    assert app.get("/ranges", {"Range": "bytes=0-4", "If-Range": '"v1"'}).body == b"01234"


@pytest.mark.parametrize("path, status", [("/same", 304), ("/deleted", 204)])
def test_a_status_without_a_body_has_no_type(app, path, status):
    answer = app.get(path)
    assert (answer.status, answer.body) == (status, b"")
    assert not {"content-type", "content-length"} & set(answer.headers)
    assert answer.headers.get("etag") == ('"v1"' if status == 304 else None)


def test_a_304_goes_before_a_part(app):
    assert app.get("/ranges", {"Range": "bytes=0-4", "If-None-Match": '"v1"'}).status == 304


@pytest.mark.parametrize("path, size", [("/ranges", 20), ("/empty", 0)])
def test_a_part_that_is_not_there_is_a_416(app, path, size):
    answer = app.get(path, {"Range": "bytes=20-"})
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")


def test_the_connection_goes_on_after_each_of_them(app):
    with app.connection() as connection:
        for status, headers in ((304, {"If-None-Match": '"v1"'}), (206, {"Range": "bytes=1-2"}), (416, {"Range": "bytes=90-"}), (200, {})):
            assert app.request("GET", "/ranges", headers=headers, connection=connection).status == status
