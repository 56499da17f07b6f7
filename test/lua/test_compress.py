"""Answers that leave as gzip."""
import gzip
import http.client
import socket
import zlib

import pytest

APP = r'''
local fsd = require "fsd"
local app = fsd.app()
local go = fsd.task.channel()
local long = ("The quick brown fox. "):rep(1000)
local lines = {}
for i = 1, 400000 do lines[i] = ("%%d: %%x"):format(i, i * 2654435761 %% 4294967296) end
local huge = table.concat(lines, "\n")

app:all("/long", function(req, res) res:send(long) end)
app:all("/json", function(req, res) res:json{ text = long } end)
app:all("/huge", function(req, res) res:type("txt"):send(huge) end)
app:all("/short", function(req, res) res:send(("x"):rep(1023)) end)
app:all("/enough", function(req, res) res:send(("x"):rep(1024)) end)
app:all("/finish", function(req, res) res:type("svg"):finish(long) end)
app:all("/png", function(req, res) res:type("png"):send(long) end)
app:all("/untyped", function(req, res) res:finish(long) end)
app:all("/failed", function(req, res) res:status(404):send(long) end)
app:all("/no_compress", function(req, res) assert(res:no_compress() == res) res:send(long) end)
app:all("/no_transform", function(req, res) res:set("Cache-Control", "max-age=1, No-Transform"):send(long) end)
app:all("/encoded", function(req, res) res:set("content-encoding", "br"):send(long) end)
app:all("/varied", function(req, res) res:vary("Origin"):set("etag", '"v1"'):set("accept-ranges", "bytes"):send(long) end)
app:all("/stream", function(req, res)
  res:type("txt"):write("first")
  go:get()
  res:write("second")
  go:get()
  res:finish("third")
end)
app:all("/go", function(req, res) res:send(tostring(go:put(true))) end)
app:all("/much", function(req, res)
  res:type("txt")
  for _ = 1, 200 do res:write(huge:sub(1, 100000)) end
end)
app:all("/torn", function(req, res) res:type("txt"):write(long) fsd.task.sleep(0) error("torn") end)
app:all("/late", function(req, res) res:write("a") res:finish("b") end)
app:all("/events", function(req, res) local events = res:sse() events:send(long) end)
app:get("/native", fsd.respond(("x"):rep(5000)))
return app
'''.replace("%%", "%")

LONG = b"The quick brown fox. " * 1000
HUGE = "\n".join(f"{i}: {i * 2654435761 % 4294967296:x}" for i in range(1, 400001)).encode()
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP, compress={"level": 1})


@pytest.mark.parametrize("path, body", [("/long", LONG), ("/json", b'{"text":"' + LONG + b'"}'), ("/huge", HUGE), ("/enough", b"x" * 1024),
                                        ("/finish", LONG)], ids=lambda value: value if isinstance(value, str) else len(value))
def test_a_body_that_is_long_enough_is_compressed(app, path, body):
    answer = app.get(path, GZIP)
    assert (answer.status, answer.headers["content-encoding"], answer.headers["vary"]) == (200, "gzip", "Accept-Encoding")
    assert "content-length" not in answer.headers
    assert gzip.decompress(answer.body) == body
    assert len(answer.body) < len(body) * 0.7
    assert app.get(path).body == body


@pytest.mark.parametrize("accept", ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5", "*", "GZIP"])
def test_a_client_that_takes_gzip_gets_it(app, accept):
    assert app.get("/long", {"Accept-Encoding": accept}).headers.get("content-encoding") == "gzip"


@pytest.mark.parametrize("accept", [None, "", "identity", "br", "gzip;q=0", "gzip;q=0, *", "gzip;q=0.1, identity", "x-gzip-not"])
def test_a_client_that_does_not_gets_the_body_as_it_is(app, accept):
    answer = app.get("/long", {} if accept is None else {"Accept-Encoding": accept})
    assert ("content-encoding" in answer.headers, answer.body) == (False, LONG)
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/short", "/png", "/untyped", "/failed", "/no_compress", "/no_transform", "/native"])
def test_what_is_not_to_be_compressed_is_not(app, path):
    answer, plain = app.get(path, GZIP), app.get(path)
    assert "content-encoding" not in answer.headers and answer.body == plain.body
    assert "vary" not in answer.headers


def test_what_is_encoded_already_stays(app):
    answer = app.get("/encoded", GZIP)
    assert (answer.headers["content-encoding"], answer.body) == ("br", LONG)


def test_a_strong_etag_becomes_weak_and_ranges_are_not_offered(app):
    answer = app.get("/varied", GZIP)
    assert (answer.headers["etag"], answer.headers["vary"]) == ('W/"v1"', "Origin, Accept-Encoding")
    assert "accept-ranges" not in answer.headers
    plain = app.get("/varied")
    assert (plain.headers["etag"], plain.headers["accept-ranges"]) == ('"v1"', "bytes")


def test_a_part_is_a_part_of_the_body_as_it_is(app):
    answer = app.get("/varied", {**GZIP, "Range": "bytes=0-2"})
    assert (answer.status, answer.body, answer.headers.get("content-encoding")) == (206, b"The", None)


def test_a_304_says_what_it_depends_on(app):
    etag = app.get("/long", GZIP).headers["etag"]
    for headers in (GZIP, {}):
        answer = app.get("/long", {**headers, "If-None-Match": etag})
        assert (answer.status, answer.headers["vary"], answer.headers["etag"]) == (304, "Accept-Encoding", etag)


def test_head_has_no_body(app):
    with app.connection() as connection:
        for path in ("/long", "/much", "/long"):
            answer = app.request("HEAD", path, headers=GZIP, connection=connection)
            assert (answer.status, answer.body, answer.headers["vary"]) == (200, b"", "Accept-Encoding")
            assert answer.headers["content-encoding"] == "gzip" and "content-length" not in answer.headers


def open_raw(app, path, version="1.1"):
    host, port = app.address().rsplit(":", 1)
    client = socket.create_connection((host, int(port)), 30)
    client.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    return client


def test_an_old_client_gets_the_body_as_it_is(app):
    with open_raw(app, "/long", "1.0") as client, client.makefile("rb") as file:
        head, body = file.read().split(b"\r\n\r\n", 1)
    assert b"content-encoding" not in head and body == LONG


def test_what_was_written_can_be_read_before_the_next_piece(app):
    response = http.client.HTTPResponse(open_raw(app, "/stream"))
    response.begin()
    assert (response.headers["content-encoding"], response.headers["transfer-encoding"]) == ("gzip", "chunked")
    inflater = zlib.decompressobj(31)
    for piece in (b"first", b"second", b"third"):
        got = b""
        while got != piece:
            got += inflater.decompress(response.read1())
            assert piece.startswith(got)
        if piece != b"third":
            app.get("/go")
    assert response.read() == b"" and inflater.eof


def test_a_stream_without_a_type_or_of_events_is_not_compressed(app):
    assert app.get("/late", GZIP).body == b"ab"
    answer = app.get("/events", GZIP)
    assert "content-encoding" not in answer.headers and b"The quick" in answer.body


def test_a_long_stream_waits_for_its_client(app):
    answer = app.get("/much", GZIP)
    assert gzip.decompress(answer.body) == HUGE[:100000] * 200


def test_a_torn_stream_is_cut(app):
    with pytest.raises(http.client.IncompleteRead):
        app.get("/torn", GZIP)


def test_one_connection_has_them_one_after_the_other(app):
    with app.connection() as connection:
        for path in ("/long", "/short", "/huge", "/much", "/failed", "/long"):
            answer = app.request("GET", path, headers=GZIP, connection=connection)
            assert answer.headers.get("content-encoding") == (None if path in ("/short", "/failed") else "gzip")


def test_nothing_is_compressed_unless_it_is_configured(serve):
    answer = serve(APP).get("/long", GZIP)
    assert ("content-encoding" in answer.headers, "vary" in answer.headers, answer.body) == (False, False, LONG)


def test_the_configuration_says_how_small_a_body_may_be(serve):
    app = serve(APP, compress={"level": 9, "min_size": "64KiB"})
    assert "content-encoding" not in app.get("/long", GZIP).headers
    assert gzip.decompress(app.get("/huge", GZIP).body) == HUGE
