"""What streaming answers cost the worker, and what becomes of them when it leaves."""
import pathlib
import re
import signal
import socket

import pytest

from app_process import AppProcess
from fsd_process import wait_for
from service import IS_SANITIZED

ABORTS = 1000
AT_ONCE = 50
SLOW_CLIENTS = 100
BODY = 64 * 1024 * 1024

APP = '''
local fsd = require "fsd"
local app = fsd.app()
local left, begun, told = 0, 0, {}

local function on_leave() left = left + 1 end
app:get("/write", function(req, res)
  begun = begun + 1
  local guard <close> = setmetatable({}, { __close = on_leave })
  local piece = ("x"):rep(100000)
  for _ = 1, 640 do res:write(piece) end
end)
app:get("/events", function(req, res)
  begun = begun + 1
  local guard <close> = setmetatable({}, { __close = function(_, err) told[#told + 1] = err.code on_leave() end })
  local events = res:sse{ retry = 4 }
  for i = 1, math.huge do events:send{ id = i, data = ("y"):rep(2000) } fsd.task.sleep(0.01) end
end)
app:get("/quiet", function(req, res)
  begun = begun + 1
  local guard <close> = setmetatable({}, { __close = function(_, err)
    fsd.log:info("farewell", { code = err and err.code or "none" })
    on_leave()
  end })
  local events = res:sse{ keepalive = false }
  if req.query.retry then events:send{ retry = tonumber(req.query.retry) } end
  fsd.task.sleep(1e6)
end)
app:get("/slow", function(req, res)
  begun = begun + 1
  res:write("begun")
  fsd.task.sleep(tonumber(req.query.s))
  res:write("ended")
end)
app:get("/counts", function() return { left = left, begun = begun } end)
app:get("/lua_bytes", function()
  told = {}
  collectgarbage() collectgarbage()
  return { bytes = math.floor(collectgarbage("count") * 1024) }
end)
return app
'''


@pytest.fixture
def app(tmp_path, no_sanitizer_reports):
    process = AppProcess(tmp_path, APP)
    process.write_conf(log_format="json", drain="20s")  # nothing here may wait for that
    yield process.start_ready()
    process.kill()


def ask(app, path, receive_buffer=None, version="1.1"):
    host, port = app.address().rsplit(":", 1)
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(20)
    sock.connect((host, int(port)))
    sock.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\n\r\n".encode())
    return sock


def read_all(sock):
    data = bytearray()
    while piece := sock.recv(65536):
        data += piece
    return bytes(data)


def read_until(sock, wanted):
    data = b""
    while wanted not in data:
        piece = sock.recv(65536)
        assert piece, data
        data += piece
    return data


def counts(app):
    return app.get("/counts").json()


def resources(app):
    """Descriptors, bytes of Lua and resident bytes of the worker, while it has nothing to do."""
    pid = app.workers()[0]["pid"]
    wait_for(lambda: app.workers()[0]["connections"] == 0 and app.workers()[0]["running"] == 0, "the connections to close")
    lua_bytes = app.get("/lua_bytes").json()["bytes"]
    wait_for(lambda: app.workers()[0]["connections"] == 0, "the connection to close")
    folder = pathlib.Path(f"/proc/{pid}")
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", (folder / "status").read_text())[1]) * 1024
    return len(list((folder / "fd").iterdir())), lua_bytes, resident


def abort_many(app, path, count):
    """Clients that leave in the middle: some have read a part, some nothing, some reset the connection."""
    before = counts(app)
    for start in range(0, count, AT_ONCE):
        socks = [ask(app, path) for _ in range(AT_ONCE)]
        for i, sock in enumerate(socks):
            if i % 3 == 0:
                sock.recv(1000)
            if i % 3 == 1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wait_for(lambda: counts(app)["begun"] == before["begun"] + start + AT_ONCE, "the handlers to begin")
        for sock in socks:
            sock.close()
    wait_for(lambda: counts(app)["left"] == before["left"] + count, "the handlers to end", seconds=30)


@pytest.mark.parametrize("path", ["/write", "/events", "/quiet"])
def test_clients_that_leave_leave_nothing_behind(app, path):
    pid = app.workers()[0]["pid"]
    abort_many(app, path, ABORTS // 2)
    descriptors, lua_bytes, resident = resources(app)
    abort_many(app, path, ABORTS)
    after_descriptors, after_lua_bytes, after_resident = resources(app)
    assert after_descriptors == descriptors
    assert after_lua_bytes < lua_bytes + ABORTS * 16  # a few idle coroutines more or less
    if not IS_SANITIZED:  # whose allocator keeps what was freed for a while; malloc's own holes come and go by some megabytes
        assert after_resident < resident + ABORTS * 8192
    assert app.workers()[0]["pid"] == pid
    app.signal(signal.SIGTERM)
    assert app.wait_exit(30) == 0  # the leak sanitizer speaks now


@pytest.mark.skipif(IS_SANITIZED, reason="its allocator uses more memory")
def test_slow_clients_cost_no_more_than_the_limit_each(app):
    assert app.get("/counts").json()["begun"] == 0
    before = resources(app)[-1]
    socks = [ask(app, "/write", receive_buffer=4096) for _ in range(SLOW_CLIENTS)]
    wait_for(lambda: counts(app)["begun"] == SLOW_CLIENTS, "the handlers to begin")
    pid = app.workers()[0]["pid"]
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    grown = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024 - before
    for sock in socks:
        sock.close()
    # 64 KiB are held for each; the piece that a handler is about to write is its own, 100 kB
    assert grown < SLOW_CLIENTS * 3 * 65536 + 4 * 1024 * 1024


def test_a_drain_ends_streams_of_events_with_a_hint_and_no_error(app):
    socks = [ask(app, "/quiet") for _ in range(20)]
    wait_for(lambda: counts(app)["begun"] == 20, "the handlers to begin")
    app.signal(signal.SIGTERM)
    ends = []
    for sock in socks:
        data = read_all(sock)
        assert data.endswith(b"\n\n\r\n0\r\n\r\n")
        ends.append(int(re.search(rb"retry: (\d+)\n\n", data)[1]))
        sock.close()
    assert app.wait_exit() == 0
    assert all(500 <= end < 1500 for end in ends) and len(set(ends)) > 10, ends
    records = app.records()
    assert [r["level"] for r in records if r["level"] == "error"] == []
    assert sum(r.get("code") == "shutdown" for r in records if r["msg"] == "farewell") == 20


def test_events_that_are_asked_for_in_a_drain_end_at_once(app):
    with ask(app, "/slow?s=0.3") as busy, ask(app, "/counts") as sock:
        read_until(busy, b"begun\r\n")
        read_until(sock, b"}")
        app.signal(signal.SIGTERM)
        app.wait_log("worker is told to leave")
        read_until(busy, b"ended")
        sock.sendall(b"GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n")
        data = read_all(sock)
        assert b"connection: close" in data.lower() and data.endswith(b"\r\n0\r\n\r\n") and b"retry: " in data
    assert app.wait_exit() == 0
    assert not any(record["level"] == "error" for record in app.records())


def test_the_hint_follows_the_time_that_the_application_has_set(app):
    with ask(app, "/events") as sock:
        assert b"retry: 4000\n\n" in read_until(sock, b"id: 3\n")
        app.signal(signal.SIGTERM)
        last = re.findall(rb"retry: (\d+)\n\n", read_all(sock))[-1]
    assert 2000 <= int(last) < 6000
    assert app.wait_exit() == 0


def test_a_drain_lets_other_streams_finish(app):
    with ask(app, "/slow?s=0.3") as sock, ask(app, "/slow?s=0.3", version="1.0") as old:
        read_until(sock, b"begun\r\n")
        read_until(old, b"begun")
        app.signal(signal.SIGTERM)
        assert read_all(sock).endswith(b"5\r\nended\r\n0\r\n\r\n")
        assert read_all(old).endswith(b"ended")
    assert app.wait_exit() == 0
    assert not any(record["level"] == "error" for record in app.records())


def test_a_stream_that_outlasts_the_drain_is_cut(tmp_path):
    app = AppProcess(tmp_path, APP)
    app.write_conf(log_format="json", shutdown="300ms")
    try:
        app.start_ready()
        with ask(app, "/slow?s=30") as sock:
            read_until(sock, b"begun\r\n")
            app.signal(signal.SIGTERM)
            assert not cut(sock).endswith(b"0\r\n\r\n")
        app.wait_exit()
    finally:
        app.kill()


def cut(sock):
    try:
        return read_all(sock)
    except ConnectionResetError:
        return b""


def test_events_are_dismissed_when_their_worker_is_replaced(app):
    old = app.workers()[0]["pid"]
    with ask(app, "/quiet") as sock:
        wait_for(lambda: counts(app)["begun"] == 1, "the handler to begin")
        app.call("restart", pool="web")
        assert b"retry: " in read_all(sock)
    app.wait_workers(lambda rows: all(row["pid"] != old for row in rows), "a new worker")
