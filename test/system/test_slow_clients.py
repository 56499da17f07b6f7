"""Clients that take their time: for a head, for a body, for an answer, between two requests; and a good one beside them."""
import socket

import pytest
from service import PROBE, failures, read_all, read_answer, serving, wait_for

STREAM = """
app:get("/stream/:kib", function(req, res)
  local mark <close> = setmetatable({}, { __close = function(_, err) log:notice("stream ended " .. tostring(err and err.code)) end })
  for i = 1, tonumber(req.params.kib) do res:write(string.rep("x", 1024)) end
end)
return app
"""
TIMES = {"header_timeout": "300ms", "body_timeout": "300ms", "write_timeout": "300ms"}
BRIEF = {**TIMES, "keepalive": "300ms"}  # only where it is meant: a client that is held up before its first byte is idle
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW_ANSWER = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n" \
              b'Content-Length: 44\r\n\r\n{"error":"the request did not come in time"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("slow"), TIMES, PROBE.read_text().replace("\nreturn app\n", STREAM)) as service:
        yield service


@pytest.fixture
def service(server):
    yield server
    while server.peers:
        server.peers.pop().close()
    wait_for(lambda: server.slot(0)["connections"] == 0, "the connections to be gone")


def apply(service, times):
    service.write_conf(limits=times)
    service.call("config.apply")


@pytest.fixture
def brief(service):
    apply(service, BRIEF)
    yield service
    apply(service, TIMES)


def drip(peer, data):
    """Sends a byte, waits for the server to have said something for some time, and so on: until it has."""
    peer.settimeout(0.02)
    for byte in data:
        try:
            peer.sendall(bytes([byte]))
        except OSError:
            break  # it has closed
        try:
            if peer.recv(1, socket.MSG_PEEK) is not None:
                break
        except TimeoutError:
            continue
    peer.settimeout(30)
    return read_all(peer)


UNFINISHED = {
    "the first letter": b"G",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-One:",
    "a head without its end": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "a body that does not come": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
    "chunks without their end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "lines that end in LF, and half a body": b"POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\nhello",
}


@pytest.mark.basic
@pytest.mark.parametrize("data", UNFINISHED.values(), ids=UNFINISHED.keys())
def test_a_request_that_stops_half_way_gets_408_and_a_closed_connection(service, data):
    before = service.slot(0)["timed_out"]
    answer = service.exchange(data)
    assert answer == SLOW_ANSWER
    wait_for(lambda: service.slot(0)["timed_out"] == before + 1, "it to be counted")


def test_the_request_behind_another_one_has_the_same_time(service):
    peer = service.connect()
    peer.sendall(GET + b"GET / HT")
    status, _, body, rest = read_answer(peer)
    assert (status, body) == (200, b"hello")
    assert rest + read_all(peer) == SLOW_ANSWER


def test_a_client_that_was_told_to_go_on_and_does_not_gets_408(service):
    answer = service.exchange(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 Request Timeout\r\n")


def test_a_head_that_trickles_in_gets_no_more_time(service):
    assert drip(service.connect(), b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 10000).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_trickles_in_gets_no_more_time(service):
    """50 bytes a second at most, in pieces that are much less than the limit apart."""
    peer = service.connect()
    peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n")
    assert drip(peer, b"a" * 10000).startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_is_idle_from_the_start_is_closed_without_a_word(brief):
    assert read_all(brief.connect()) == b""


def test_a_connection_that_is_idle_behind_an_answer_is_closed_without_a_word(brief):
    def ask():
        return brief.exchange(GET)  # nothing, if this side was held up before it

    answer = wait_for(ask, "an answer")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nhello") and b"onnection: close" not in answer


@pytest.mark.parametrize("path", ["/big/16384", "/stream/16384"])
def test_a_client_that_does_not_read_is_reset(service, path):
    """Much more than the kernel would hold for it."""
    before = service.slot(0)["timed_out"]
    peer = service.connect()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
    # not before: who has begun to read is slow, but not too slow
    wait_for(lambda: service.slot(0)["timed_out"] == before + 1, "it to be cut")
    with pytest.raises(ConnectionResetError):
        while peer.recv(65536):
            pass
    if path.startswith("/stream"):
        service.wait_log("stream ended aborted")


def test_a_head_that_is_too_large_is_refused_before_it_ends(service):
    for data, status in ((b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 50000, b"431"), (b"GET /" + b"a" * 50000, b"414")):
        assert service.exchange(data).startswith(b"HTTP/1.1 %s " % status)


def test_a_good_client_beside_slow_ones_loses_nothing(service):
    load = service.load("/", connections=4).wait_ready()
    for _ in range(5):
        peers = [service.connect() for _ in range(40)]
        for number, peer in enumerate(peers):
            peer.sendall(list(UNFINISHED.values())[number % len(UNFINISHED)])
        for peer in peers:
            assert read_all(peer).startswith(b"HTTP/1.1 408 ")
    result = load.stop().result()
    assert failures(result) == {} and result["ok"] > 0, result


def test_limits_of_time_change_while_connections_wait(service):
    """From a day to 300 ms."""
    apply(service, dict.fromkeys(BRIEF, "1d"))
    try:
        peers = [service.connect() for _ in range(3)]
        peers[0].sendall(b"GET /")
        peers[1].sendall(UNFINISHED["half a body"])
        assert service.get("/").text == "hello"
        apply(service, BRIEF)
        assert [read_all(peer)[9:12] for peer in peers] == [b"408", b"408", b""]
    finally:
        apply(service, TIMES)
