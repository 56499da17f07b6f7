"""Answers in pieces: what res:write makes of them on the wire, who waits for whom, and what becomes of a client that leaves."""
import contextlib
import socket
import threading

import pytest

from fsd_process import wait_for

APP = '''
local fsd = require "fsd"
local app = fsd.app()
local progress = {}   -- by name
local kept = {}

app:get("/two", function(req, res) res:write("one") fsd.task.sleep(0) res:write("") res:write("two") end)
app:get("/numbers", function(req, res) res:write(1) res:write(2.5) res:flush() res:finish(3) end)
app:get("/status/:code", function(req, res)
  res:status(tonumber(req.params.code)):set("x-a", "b"):write("x")
  fsd.task.sleep(0)
  res:finish()
end)
app:get("/at_once", function(req, res) for i = 1, 1000 do res:write("0123456789") end end)
app:get("/empty", function(req, res) res:write("") end)
app:get("/flushed", function(req, res) res:flush() progress.flushed = true fsd.task.sleep(30) end)
app:get("/returned", function(req, res) res:write("written") return "returned" end)

app:get("/fixed", function(req, res)
  res:status(202):write("")
  local codes = {}
  for i, call in ipairs{
    function() res:status(404) end, function() res:set("x-a", "b") end, function() res:type("json") end,
    function() res:send("x") end, function() res:json{} end, function() res:redirect("/") end, function() res:sse() end,
  } do
    local _, err = fsd.try(call)
    codes[i] = err and err.code or "none"
  end
  res:write(table.concat(codes, " ") .. " " .. tostring(res.headers_sent) .. " " .. res.status_code)
end)
app:get("/ended", function(req, res)
  res:write("x")
  res:finish("y")
  local _, err = fsd.try(res.write, res, "z")
  progress.ended = err.code
  fsd.task.sleep(0)
  _, err = fsd.try(res.finish, res, "z")
  progress.ended = progress.ended .. " " .. err.code
end)
app:get("/wrong", function(req, res) res:write({}) end)

app:get("/error/:when", function(req, res)
  res:write("begun")
  if req.params.when == "late" then fsd.task.sleep(0) end
  error{ message = "the handler fails", status = req.query.status and tonumber(req.query.status) or nil }
end)
app:get("/timeout", function(req, res) res:write("begun") fsd.task.sleep(30) end)

-- 32 MiB in pieces of the size that is asked for
app:get("/much/:name/:size", function(req, res)
  local size, name = tonumber(req.params.size), req.params.name
  local piece, left = ("x"):rep(size), 32 * 1024 * 1024
  progress[name] = 0
  local guard <close> = setmetatable({}, { __close = function(_, err)
    progress[name .. ".end"] = err and err.code or "well"
    progress[name .. ".aborted"] = req.aborted
  end })
  while left > 0 do
    res:write(left >= size and piece or piece:sub(1, left))
    left = left - math.min(size, left)
    progress[name] = progress[name] + size
  end
end)

app:get("/sleeps/:name", function(req, res)
  local name = req.params.name
  progress[name] = "sleeping"
  local guard <close> = setmetatable({}, { __close = function(_, err) progress[name] = err.code end })
  res:write("begun")
  fsd.task.sleep(30)
end)
app:get("/stubborn", function(req, res)
  res:write("begun")
  pcall(fsd.task.sleep, 30)
  local _, err = fsd.try(res.write, res, "more")
  progress.stubborn = err.code
  progress.setter = res:set("x-a", "b") == res
end)

-- another request writes into this one
app:get("/keep", function(req, res)
  res:write("") kept.res = res
  fsd.task.sleep(30)
end)
app:get("/feed", function(req, res)
  for i = 1, 3 do kept.res:write(("%d"):format(i):rep(tonumber(req.query.size))) end
  if req.query.ends then kept.res:finish("!") end
  return "fed"
end)

app:get("/in_tostring", function(req, res)
  tostring(setmetatable({}, { __tostring = function() res:write("x") return "" end }))
end)
app:get("/endless", function(req, res) while true do res:write("x") end end)
app:get("/progress/:name", function(req) return { value = progress[req.params.name] } end)
app:get("/ok", function() return "ok" end)
return app
'''
MUCH = 32 * 1024 * 1024
# What the kernel may hold of one connection, both ends together, and our own limit.
HELD_MAX = 16 * 1024 * 1024


@pytest.fixture(scope="module")
def app(serve):
    return serve(APP)


@pytest.fixture(autouse=True)
def alive(app):
    """The worker that began the test is the one that ends it."""
    pid = app.workers()[0]["pid"]
    yield
    assert app.get("/ok").text == "ok"
    assert app.workers()[0]["pid"] == pid, app.log()[-3000:]


def connect(app):
    host, port = app.address().rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30)


def ask(sock, path, version="1.1", method="GET", headers=""):
    sock.sendall(f"{method} {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n".encode())


@contextlib.contextmanager
def asked(app, path, **options):
    """A connection that has asked and does not read."""
    with connect(app) as sock:
        ask(sock, path, **options)
        yield sock


def read_until(sock, end):
    data = b""
    while not data.endswith(end):
        piece = sock.recv(65536)
        assert piece, data
        data += piece
    return data


def read_all(sock):
    data = bytearray()
    while piece := sock.recv(65536):
        data += piece
    return bytes(data)


def chunks(body):
    """The chunks of a whole body."""
    found, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        chunk = body[end + 2:end + 2 + size]
        assert body[end + 2 + size:end + 4 + size] == b"\r\n"
        at = end + 4 + size
        if size == 0:
            assert at == len(body)
            return found
        found.append(chunk)


def head_and_body(data):
    head, body = data.split(b"\r\n\r\n", 1)
    return head.decode().lower(), body


def progress(app, name):
    return app.get(f"/progress/{name}").json().get("value")


def wait_progress(app, name, value):
    wait_for(lambda: progress(app, name) == value, f"{name} to be {value!r}, it is {progress(app, name)!r}")


def raw(app, path, **options):
    """Everything that comes until the server closes."""
    with asked(app, path, headers=options.pop("headers", "Connection: close\r\n"), **options) as sock:
        return head_and_body(read_all(sock))


def test_pieces_of_http_1_1_are_chunks(app):
    head, body = raw(app, "/two")
    assert "transfer-encoding: chunked" in head and "content-length" not in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_pieces_of_http_1_0_end_with_the_connection(app):
    head, body = raw(app, "/two", version="1.0", headers="Connection: keep-alive\r\n")
    assert "transfer-encoding" not in head and "connection: close" in head
    assert body == b"onetwo"


def test_numbers_are_written_as_text(app):
    assert app.get("/numbers").text == "12.53"


def test_what_is_written_before_the_handler_waits_is_one_chunk(app):
    assert raw(app, "/at_once")[1] == b"2710\r\n" + b"0123456789" * 1000 + b"\r\n0\r\n\r\n"


def test_an_empty_piece_fixes_the_head(app):
    assert raw(app, "/empty")[1] == b"0\r\n\r\n"
    assert app.get("/fixed").text == "headers_sent " * 7 + "true 202"


def test_flush_sends_the_head_alone(app):
    with asked(app, "/flushed") as sock:
        assert b"transfer-encoding: chunked" in read_until(sock, b"\r\n\r\n")
        wait_progress(app, "flushed", True)


@pytest.mark.parametrize("status", [200, 201, 404, 500, 599])
def test_every_status_keeps_its_connection(app, status):
    with connect(app) as sock:
        for _ in range(2):
            ask(sock, f"/status/{status}")
            head, body = head_and_body(read_until(sock, b"0\r\n\r\n"))
            assert head.startswith(f"http/1.1 {status} ") and "connection: keep-alive" in head and "x-a: b" in head
            assert body == b"1\r\nx\r\n0\r\n\r\n"


@pytest.mark.parametrize("method, path", [("GET", "/status/204"), ("GET", "/status/205"), ("GET", "/status/304"), ("HEAD", "/two"),
                                          ("HEAD", "/status/404"), ("HEAD", "/numbers")])
def test_where_no_body_may_be_what_is_written_is_dropped(app, method, path):
    with connect(app) as sock:
        ask(sock, path, method=method)
        ask(sock, "/ok")
        data = read_until(sock, b"ok")
    first, second = data.split(b"HTTP/1.1 ")[1:]
    head, body = head_and_body(first)
    assert "transfer-encoding" not in head and body == b""
    assert ("content-length" in head) == ("205" in path)
    assert second.endswith(b"\r\n\r\nok")


def test_head_of_an_answer_without_end_leaves_the_worker_to_others(app):
    with asked(app, "/endless", method="HEAD") as sock:
        read_until(sock, b"\r\n\r\n")
        assert [app.get("/ok").text for _ in range(20)] == ["ok"] * 20


def test_a_connection_is_used_again_after_a_stream(app):
    with connect(app) as sock:
        for _ in range(3):
            ask(sock, "/two")
            assert read_until(sock, b"0\r\n\r\n").endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_pipelined_requests_are_answered_in_order(app):
    request = "GET {} HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(app) as sock:
        sock.sendall("".join(request.format(path) for path in ("/two", "/ok", "/at_once", "/numbers", "/ok")).encode())
        ask(sock, "/two", headers="Connection: close\r\n")
        answers = read_all(sock).split(b"HTTP/1.1 ")[1:]
    ends = [b"two\r\n0\r\n\r\n", b"ok", b"789\r\n0\r\n\r\n", b"3\r\n0\r\n\r\n", b"ok", b"two\r\n0\r\n\r\n"]
    assert len(answers) == len(ends)
    for answer, end in zip(answers, ends):
        assert answer.endswith(end)


def test_what_a_handler_returns_after_writing_is_no_answer(app):
    assert app.get("/returned").text == "written"


def test_after_the_end_writing_raises(app):
    assert app.get("/ended").text == "xy"
    wait_progress(app, "ended", "headers_sent headers_sent")


def test_a_piece_that_is_no_text_raises_before_anything_is_fixed(app):
    assert app.get("/wrong").status == 500


@pytest.mark.parametrize("when", ["early", "late"])
@pytest.mark.parametrize("status", [404, 500])
def test_an_error_after_the_head_cuts_the_answer_and_is_logged_once(app, when, status):
    path = f"/error/{when}"
    before = sum(record.get("path") == path for record in app.records() if record["level"] == "error")
    with asked(app, f"{path}?status={status}") as sock:
        head, body = head_and_body(read_all(sock))
    assert head.startswith("http/1.1 200") and body == b"5\r\nbegun\r\n"
    wait_for(lambda: sum(r.get("path") == path for r in app.records() if r["level"] == "error") > before, "the record")
    app.get("/ok")
    assert sum(record.get("path") == path for record in app.records() if record["level"] == "error") == before + 1


def test_an_error_in_an_answer_that_ends_with_the_connection_resets_it(app):
    with asked(app, "/error/late", version="1.0") as sock:
        with pytest.raises(ConnectionResetError):
            read_all(sock)


@pytest.mark.parametrize("size", [1000, 16384, 65536, 65537, 1000000, MUCH])
def test_whoever_writes_waits_for_a_client_that_does_not_read(app, size):
    name = f"slow{size}"
    with asked(app, f"/much/{name}/{size}", headers="Connection: close\r\n") as sock:
        wait_for(lambda: progress(app, name) is not None, "the handler to begin")
        if size < MUCH:
            wait_for(lambda: progress(app, name) > 0, "the handler to write")
        assert progress(app, name) < HELD_MAX and progress(app, f"{name}.end") is None
        head, body = head_and_body(read_all(sock))
    pieces = chunks(body)
    assert (sum(map(len, pieces)), max(map(len, pieces)) <= 65536) == (MUCH, True)
    wait_progress(app, f"{name}.end", "well")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("size", [1000, 100000])
def test_a_client_that_leaves_ends_the_write(app, size, version):
    name = f"left{size}{version}"
    with asked(app, f"/much/{name}/{size}", version=version):
        wait_for(lambda: progress(app, name) is not None, "the handler to begin")
    wait_progress(app, f"{name}.end", "aborted")
    assert progress(app, f"{name}.aborted") is True


@pytest.mark.parametrize("kind", ["close", "reset", "half"])
def test_a_client_that_leaves_ends_a_handler_that_waits_elsewhere(app, kind):
    name = f"sleeper-{kind}"
    sock = connect(app)
    ask(sock, f"/sleeps/{name}")
    read_until(sock, b"begun\r\n")
    if kind == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if kind == "half":
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b""
    sock.close()
    wait_progress(app, name, "aborted")


def test_writing_after_the_client_has_left_raises_and_setters_do_nothing(app):
    with asked(app, "/stubborn") as sock:
        read_until(sock, b"begun\r\n")
    wait_progress(app, "stubborn", "aborted")
    wait_progress(app, "setter", True)


@pytest.mark.parametrize("size", [10, 60000, 100000])
def test_other_requests_may_write_too(app, size):
    with asked(app, "/keep", headers="Connection: close\r\n") as sock:
        read_until(sock, b"\r\n\r\n")
        with asked(app, f"/feed?size={size}&ends=1", headers="Connection: close\r\n") as other:
            assert b"".join(chunks(read_all(sock))) == b"1" * size + b"2" * size + b"3" * size + b"!"
            assert read_all(other).endswith(b"fed")


def test_a_task_that_waits_in_the_answer_of_another_request_ends_with_that(app):
    with asked(app, "/keep") as sock:
        read_until(sock, b"\r\n\r\n")
        with asked(app, f"/feed?size={8 * 1024 * 1024}", headers="Connection: close\r\n") as other:
            while b"111" not in sock.recv(65536):  # from here on it waits: 24 MiB are more than the kernel holds
                pass
            sock.close()
            assert b" 499 " in read_all(other)


def test_writing_where_nobody_can_wait_raises_whether_there_is_room_or_not(app):
    assert app.get("/in_tostring").status == 500
    assert "cannot wait here" in app.wait_record(level="error", path="/in_tostring")["msg"]


def test_a_handler_that_writes_nothing_more_in_time_is_cut(serve):
    app = serve(APP, limits={"request_timeout": "100ms"})
    with asked(app, "/timeout") as sock:
        assert read_all(sock).endswith(b"begun\r\n")
    app.wait_record(level="error", path="/timeout", code="timeout")


def test_a_client_that_takes_nothing_in_time_is_cut(serve):
    app = serve(APP, limits={"write_timeout": "200ms"})
    with asked(app, "/much/stalled/100000"):
        wait_progress(app, "stalled.end", "aborted")
        wait_for(lambda: app.workers()[0]["connections"] <= 1, "the connection to be closed")


def test_a_slow_answer_may_last_longer_than_a_request_as_long_as_it_moves(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) for i = 1, 12 do res:write("x") fsd.task.sleep(0.1) end end)
return app
''', limits={"request_timeout": "600ms"})
    assert app.get("/").text == "x" * 12


def test_a_long_piece_may_take_longer_than_a_request_as_long_as_it_moves(serve):
    app = serve(APP, limits={"request_timeout": "600ms"})
    with asked(app, f"/much/long/{MUCH}", headers="Connection: close\r\n") as sock:
        read, pause = 0, threading.Event()
        while piece := sock.recv(1024 * 1024, socket.MSG_WAITALL):
            read += len(piece)
            pause.wait(0.05)  # in all 1.6 s: it is the client's slowness that is tested
    assert read > MUCH
    wait_progress(app, "long.end", "well")
