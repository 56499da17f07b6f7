"""Clients that mean harm, many at a time: each is refused as docs/ops/security.md says, leaves no memory behind, and costs a good
client beside it nothing."""
import pathlib
import re
import socket
import struct

import pytest
from service import IS_SANITIZED, failures, read_all, serving, wait_for

APP = """
local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
local BIG = string.rep("x", 6 << 20)  -- once: Lua collects strings when it likes to
app:get("/big", function(req, res) res:send(BIG) end)
app:get("/query", function(req, res)
  local n = 0
  for _ in pairs(req.query) do n = n + 1 end
  res:send(tostring(n))
end)
app:get("/cookies", function(req, res)
  local n = 0
  for _ in pairs(req.cookies or {}) do n = n + 1 end
  res:send(tostring(n))
end)
app:post("/json", function(req, res) res:json(req:json()) end)
app:post("/", function(req, res) res:send(tostring(#(req:text() or ""))) end)
return app
"""
MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def good(server):
    """A client that asks all the time and must get all its answers; when it has left, the worker has the memory that it had before."""
    before = resident(server)
    load = server.load("/", connections=2, rate=200).wait_ready()
    yield server
    result = load.stop().result()
    server.loads.remove(load)
    while server.peers:
        server.peers.pop().close()
    assert failures(result) == {} and result["ok"] > 0, result
    wait_for(lambda: server.slot(0)["connections"] == 0, "the connections to be gone")
    if not IS_SANITIZED:
        wait_for(lambda: resident(server) <= before + 2 * MIB, f"the memory to be {before} bytes again")


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path, {"header_timeout": "500ms", "body_timeout": "500ms", "write_timeout": "500ms", "keepalive": "5s"}, APP) as service:
        assert service.get("/").status == 200
        yield service


def statuses(data):
    return [int(number) for number in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)]


def resident(service):
    text = pathlib.Path(f"/proc/{service.slot(0)['pid']}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024


def send(service, data, count, close=False):
    """On so many connections at once; the statuses of all answers, connection by connection."""
    peers = [service.connect() for _ in range(count)]
    for peer in peers:
        try:
            peer.sendall(data)
        except OSError:
            continue  # it was refused before its end
        if close:
            peer.shutdown(socket.SHUT_WR)
    answers = [statuses(read_all(peer)) for peer in peers]
    while service.peers:
        service.peers.pop().close()
    return answers


def post(path, body):
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def get(path, *lines):
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *lines, b"", b""])


def slow_heads(service):
    assert send(service, b"GET / HTTP/1.1\r\nHost: x\r\nX-One: ", 200) == [[408]] * 200


def slow_bodies(service):
    assert send(service, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 60000, 100) == [[408]] * 100


def slow_chunks(service):
    data = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20000
    assert send(service, data, 50) == [[408]] * 50


def slow_reads(service):
    before = service.slot(0)["timed_out"]
    for _ in range(10):
        service.connect().sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: service.slot(0)["timed_out"] == before + 10, "the connections to be cut")
    while service.peers:
        service.peers.pop().close()


def big_heads(service):
    assert set(map(tuple, send(service, b"GET / HTTP/1.1\r\nHost: x\r\nX-One: " + b"a" * 300000 + b"\r\n\r\n", 50))) <= {(431,)}


def endless_heads(service):
    line = b"X-Name: some value of some length\r\n"
    assert set(map(tuple, send(service, b"GET / HTTP/1.1\r\nHost: x\r\n" + line * 1400, 50))) <= {(400,), (431,)}


def long_urls(service):
    assert send(service, get(b"/?" + b"a" * 9000), 100) == [[414]] * 100
    assert send(service, get(b"/" + b"%41" * 2700), 100) == [[404]] * 100


def many_headers(service):
    assert send(service, get(b"/", *[b"X-%d: a" % number for number in range(70)]), 100) == [[431]] * 100


def cookies(service):
    one = b"Cookie: " + b"; ".join(b"c%d=%d" % (number, number) for number in range(2500))
    assert send(service, get(b"/cookies", one[:32000]), 50) == [[200]] * 50
    assert send(service, get(b"/cookies", b"Cookie: " + b"a=b;" * 7000), 50) == [[200]] * 50
    assert send(service, get(b"/cookies", b"Cookie: " + b";" * 30000), 50) == [[200]] * 50
    assert send(service, get(b"/cookies", b"Cookie: " + b"a=" * 15000), 50) == [[200]] * 50


def queries(service):
    for query in (b"&".join(b"k%d=1" % number for number in range(900)), b"&" * 8000, b"a&" * 4000, b"a=%" * 2600, b"=&" * 4000,
                  b"a" + b"[a]" * 2600, b"a[]=1&" * 1300, b"%00=%00&" * 900, b"a[b=" * 2000, b"__proto__[a]=1"):
        assert set(map(tuple, send(service, get(b"/query?" + query), 20))) <= {(200,), (400,), (413,)}, query[:20]


def deep_json(service):
    for text in (b"[" * 60000, b"[" * 50000 + b"]" * 50000, b'{"a":' * 15000 + b"1" + b"}" * 15000, b'[{"a":' * 15000):
        assert send(service, post(b"/json", text), 20) == [[400]] * 20


def odd_json(service):
    for text in (b'"' + b"\\u0000" * 10000, b"-" * 60000, b"1" * 60000 + b"x", b"[" + b"1," * 30000, b'"\xff\xfe"', b"[1e999999999]x", b"\xef\xbb\xbf[]",
                 b'{"a":1' * 10000, b"nul", b"[" + b'"' * 20000):
        assert send(service, post(b"/json", text), 20) == [[400]] * 20, text[:20]


def pipelines(service):
    assert send(service, GET * 4999 + get(b"/"), 10) == [[200] * 5000] * 10


def pipelines_without_reading(service):
    """What is sent is not read while nobody takes the answers."""
    before = service.slot(0)["timed_out"]
    peers = [service.connect() for _ in range(5)]
    for peer in peers:
        peer.setblocking(False)
        try:
            while True:
                peer.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        except OSError:
            continue
    wait_for(lambda: service.slot(0)["timed_out"] >= before + 5, "the connections to be cut")
    while service.peers:
        service.peers.pop().close()


def tiny_chunks(service):
    data = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50000 + b"0\r\n\r\n"
    assert send(service, data, 10) == [[200]] * 10


def visitors(service):
    """Who come, and go without a word."""
    for number in range(1000):
        peer = service.connect()
        if number % 2 == 0:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if number % 3 == 0:
            peer.sendall(b"GET / HT")
        service.peers.pop().close()


def noise(service):
    for text in (b"\0" * 50000, b"\xff" * 50000, b"\r\n" * 20000, b"\n" * 50000, b" " * 50000, b"\x16\x03\x01" * 20000, b"GET" * 20000, b":" * 50000):
        assert set(map(tuple, send(service, text, 20, close=True))) <= {(400,), (414,), (431,), ()}, text[:10]


ATTACKS = [slow_heads, slow_bodies, slow_chunks, slow_reads, big_heads, endless_heads, long_urls, many_headers, cookies, queries, deep_json,
           odd_json, pipelines, pipelines_without_reading, tiny_chunks, visitors, noise]


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.__name__ for attack in ATTACKS])
def test_an_attack_is_refused_and_leaves_nothing_behind(good, attack):
    attack(good)
    attack(good)


def test_requests_of_a_client_that_has_left_are_not_served(server):
    """It has sent a thousand, and takes no answer."""
    peer = server.connect()
    before = server.slot(0)["requests"]
    peer.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
    wait_for(lambda: server.slot(0)["requests"] > before, "the first one to be served")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.peers.pop().close()
    wait_for(lambda: server.slot(0)["connections"] == 0, "the connection to be gone")
    assert server.slot(0)["requests"] < before + 50
