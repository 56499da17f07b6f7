"""res:trailer."""
import socket

import pytest

APP = r'''
local fsd = require "fsd"
local app = fsd.app()
app:get("/before", function(req, res)
  assert(res:trailer("X-Sum", 7) == res)
  res:trailer("x-other", "a b"):write("body")
end)
app:get("/after", function(req, res) res:write("body") fsd.task.sleep(0) res:trailer("x-sum", "7"):finish() end)
app:get("/waits", function(req, res) res:write(("x"):rep(200000)) res:trailer("x-sum", "7") end)
app:get("/whole", function(req, res) res:trailer("x-sum", "7"):send("body") end)
app:get("/empty", function(req, res) res:trailer("x-sum", "7"):write("") end)
app:get("/mistake", function(req, res)
  for _, pair in ipairs{ { "x a", "1" }, { "x-a", "1\r\nx-in: 1" }, { "Content-Length", "1" }, { "content-type", "a/b" }, { "x-a" } } do
    local ok, err = pcall(res.trailer, res, table.unpack(pair))
    res:append("x-err", err)
  end
  res:write("body")
end)
app:get("/late", function(req, res) res:send("x") res:trailer("x-sum", "7") end)
return app
'''


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


def ask(app, path, te="TE: trailers\r\n", version="1.1"):
    """The head in lower case, and the rest, as they are."""
    host, port = app.address().rsplit(":", 1)
    with socket.create_connection((host, int(port)), 30) as client, client.makefile("rb") as file:
        client.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\n{te}Connection: close\r\n\r\n".encode())
        head, rest = file.read().split(b"\r\n\r\n", 1)
        return head.decode().lower(), rest


def test_trailers_stand_behind_the_body_and_are_announced(app):
    head, rest = ask(app, "/before")
    assert "\r\ntrailer: x-sum\r\n" in head and "\r\ntrailer: x-other\r\n" in head
    assert rest == b"4\r\nbody\r\n0\r\nX-Sum: 7\r\nx-other: a b\r\n\r\n"


def test_trailers_may_come_when_the_head_has_left(app):
    head, rest = ask(app, "/after")
    assert "trailer:" not in head and rest == b"4\r\nbody\r\n0\r\nx-sum: 7\r\n\r\n"
    assert ask(app, "/waits")[1].endswith(b"x\r\n0\r\nx-sum: 7\r\n\r\n")
    assert ask(app, "/empty")[1] == b"0\r\nx-sum: 7\r\n\r\n"


@pytest.mark.parametrize("te, version, body", [("", "1.1", b"4\r\nbody\r\n0\r\n\r\n"), ("TE: gzip\r\n", "1.1", b"4\r\nbody\r\n0\r\n\r\n"),
                                               ("TE: trailers\r\n", "1.0", b"body")])
def test_a_client_that_does_not_read_them_gets_none(app, te, version, body):
    for path in ("/before", "/after"):
        head, rest = ask(app, path, te, version)
        assert ("trailer:" in head, rest) == (False, body)


def test_an_answer_that_is_given_whole_has_none(app):
    head, rest = ask(app, "/whole")
    assert ("trailer:" in head, rest) == (False, b"body")


def test_what_cannot_be_a_trailer_is_a_mistake(app):
    head, rest = ask(app, "/mistake")
    assert rest == b"4\r\nbody\r\n0\r\n\r\n"
    for part in ("a header name can't have", "has a line break", "fsd sets it itself", "it has to be known before the body", "string expected"):
        assert part in head


def test_a_trailer_after_the_answer_is_a_mistake(app):
    assert ask(app, "/late")[1] == b"x"
    assert "the answer was given already" in app.wait_record(path="/late", level="error")["msg"]
