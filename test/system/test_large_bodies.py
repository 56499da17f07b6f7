"""Large bodies: where they are kept, and that a refusal arrives."""
import gzip
import http.client
import json
import pathlib
import socket
import threading

import pytest

from app_process import AppProcess
from fsd_process import wait_for

MIB = 1024 * 1024

APP = '''
local fsd = require "fsd"
local app = fsd.app()
local go = false
app:post("/size", function(req) return { #req:text() } end)
app:post("/hold", function(req)
  while not go do fsd.task.sleep(0.01) end
  local sum = 0
  for piece in req:chunks(100000) do sum = (sum * 31 + #piece + piece:byte(1) + piece:byte(-1)) % 1000003 end
  return { sum }
end)
app:get("/go", function() go = true; return "gone on" end)
return app
'''


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    process = AppProcess(tmp_path_factory.mktemp("app"), APP)
    process.write_conf(log_format="json", limits={"body": "9MiB", "request_timeout": "60s"})
    process.start_ready()
    yield process
    process.kill()


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def send_all_then_read(app, head, body):
    """A client that looks at the answer only when it has sent everything, and whether the connection was closed."""
    with socket.create_connection(split(app.address()), timeout=60) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        response.read()
        return response.status, response.getheader("connection")


@pytest.mark.parametrize("size", [9 * MIB + 1, 10 * MIB + 1, 17 * MIB, 40 * MIB])  # a little above, and above what libh2o takes
def test_a_413_reaches_a_client_that_sends_all_first(app, size):
    head = f"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: {size}"
    for _ in range(3):
        assert send_all_then_read(app, head, b"x" * size) == (413, "close")


@pytest.mark.parametrize("count", [10, 12, 30])
def test_a_413_reaches_a_client_that_sends_chunks(app, count):
    chunk = f"{MIB:x}\r\n".encode() + b"x" * MIB + b"\r\n"
    head = "POST /size HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked"
    for _ in range(3):
        assert send_all_then_read(app, head, chunk * count + b"0\r\n\r\n") == (413, "close")


def test_a_body_at_the_limit_is_taken(app):
    assert app.request("POST", "/size", b"x" * (9 * MIB)).json() == [9 * MIB]


def spooled(app):
    """Files without a name that the worker has bodies in."""
    maps = pathlib.Path(f"/proc/{app.workers()[0]['pid']}/maps").read_text()
    return maps.count("/fsd-body-")


def test_a_large_body_is_kept_in_a_file_while_it_is_needed(app):
    body = bytes(range(251)) * 33000  # 8 MB
    expected = 0
    for at in range(0, len(body), 100000):
        piece = body[at:at + 100000]
        expected = (expected * 31 + len(piece) + piece[0] + piece[-1]) % 1000003
    answers = []
    asking = threading.Thread(target=lambda: answers.append(app.request("POST", "/hold", body).json()))
    asking.start()
    try:
        wait_for(lambda: spooled(app) == 1, "the body to be in a file")
    finally:
        app.get("/go")
        asking.join(60)
    assert answers == [[expected]]
    wait_for(lambda: spooled(app) == 0, "the file to go")


LONG = '''
local fsd = require "fsd"
local json = require "fsd.json"
local app = fsd.app()
local busy, kept = false, {}
for i = 1, 60000 do kept[i] = { id = i, name = "row number " .. i, tags = { "a", "b" } } end
app:get("/busy", function() return { busy } end)
local function long(path, call)
  app:post(path, function(req)
    busy = true
    local result = call(req)
    busy = false
    return { result }
  end)
end
long("/read", function(req) return #req:json{ limit = "16mb" } end)
long("/write", function(req) return #json.decode(json.encode(kept)) end)
long("/inflate", function(req) return #req:text() end)
long("/form", function(req) return #req:form{ limit = "16mb" }.a end)
return app
'''

ROWS = json.dumps([{"id": i, "name": f"row number {i}", "tags": ["a", "b"]} for i in range(60_000)]).encode()

# path, body, headers, result
CALLS = [
    ("/read", ROWS, {}, 60_000),
    ("/write", b"", {}, 60_000),
    ("/inflate", gzip.compress(ROWS, 1), {"content-encoding": "gzip"}, len(ROWS)),
    ("/form", b"&".join([b"a=" + b"%41" * 3000] * 900), {}, 900),
]


@pytest.mark.parametrize("path, body, headers, result", CALLS, ids=[call[0] for call in CALLS])
def test_others_are_answered_while_a_large_body_is_at_work(tmp_path, path, body, headers, result):
    app = AppProcess(tmp_path, LONG)
    app.write_conf(limits={"body": "16MiB", "cpu": "60s", "request_timeout": "60s"})
    app.start_ready()
    seen, answers = threading.Event(), []

    def call_until_seen():
        while not seen.is_set():
            answers.append(app.request("POST", path, body, headers).json())

    calling = threading.Thread(target=call_until_seen)
    try:
        calling.start()
        wait_for(lambda: app.get("/busy").json() == [True], "an answer in the middle of the call", 60)
    finally:
        seen.set()
        calling.join(60)
        app.kill()
    assert answers == [[result]] * len(answers)


LEFT = '''
local fsd = require "fsd"
local app = fsd.app()
local begun, codes = 0, {}
local function late(path, call)
  app:post(path, function(req)
    begun = begun + 1
    local _, err = fsd.try(function()
      for _ = 1, 100 do call(req) end
    end)
    local _, again = fsd.try(require("fsd.task").sleep, 0) -- who was told may go on
    codes[#codes + 1] = again and "told twice" or err and err.code or "none"
    fsd.try(call, req) -- again, when the body has gone
  end)
end
late("/json", function(req) req:json{ limit = "16mb" } end)
late("/form", function(req) req:form{ limit = "16mb" } end)
late("/multipart", function(req) req:multipart() end)
late("/inflate", function(req) req:text() end)
app:get("/begun", function() return { begun } end)
app:get("/codes", function(req, res) res:json(fsd.json.array(codes)) end)
return app
'''

LEAVING = [
    ("/json", ROWS, ""),
    ("/form", CALLS[3][1], ""),
    ("/multipart", b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"\r\n-" * 100_000 + b"\r\n" for _ in range(10)) + b"--x--",
     "content-type: multipart/form-data; boundary=x\r\n"),
    ("/inflate", gzip.compress(ROWS, 1), "content-encoding: gzip\r\n"),
]


@pytest.mark.parametrize("path, body, header", LEAVING, ids=[row[0] for row in LEAVING])
def test_a_client_that_leaves_takes_its_body_with_it(tmp_path, path, body, header):
    app = AppProcess(tmp_path, LEFT)
    app.write_conf(limits={"body": "16MiB", "cpu": "60s", "request_timeout": "60s"})
    app.start_ready()
    try:
        for round in range(1, 4):
            with socket.create_connection(split(app.address()), timeout=60) as connection:
                connection.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\n{header}content-length: {len(body)}\r\n\r\n".encode() + body)
                wait_for(lambda: app.get("/begun").json() == [round], "the handler to begin")
        codes = wait_for(lambda: len(found := app.get("/codes").json()) == 3 and found, "the handlers to end", 60)
        assert set(codes) == {"aborted"}
        assert len(app.workers()) == 1 and not app.workers()[0]["restarts"]
    finally:
        app.kill()
