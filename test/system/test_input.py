"""What clients send: malformed heads, odd chunks, bodies over the limit, half-closed and vanished connections."""
import re
import socket
import struct

import pytest
from service import read_all, read_answer, serving, wait_for

BODY_LIMIT = 64 * 1024
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all rows: what a row breaks, the next one sees."""
    with serving(tmp_path_factory.mktemp("input"), {"body": BODY_LIMIT, "keepalive": "5s"}) as service:
        yield service


@pytest.fixture
def service(server):
    yield server
    while server.peers:
        server.peers.pop().close()
    assert "a smuggled request was served" not in server.log()
    assert server.get("/").text == "hello"


def statuses(data):
    return [int(number) for number in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)]


def post(*lines, body=b""):
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *lines, b"", b""]) + body


def get(*lines):
    return b"\r\n".join([b"GET / HTTP/1.1", *lines, b"", b""])


HEADS = {
    "two lengths, the same": post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "two lengths, other ones": post(b"Content-Length: 5", b"Content-Length: 40", body=b"hello"),
    "two lengths, the first shorter": post(b"Content-Length: 0", b"Content-Length: 5", body=b"hello"),
    "length before chunked": post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked before length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
    "two codings": post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "identity, chunked": post(b"Transfer-Encoding: identity, chunked", body=b"0\r\n\r\n"),
    "xchunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "space before the colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "chunked on HTTP/1.0": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded line": get(b"Host: x", b"X-One: a", b" b"),
    "folded length": post(b"Content-Length:", b" 5", body=b"hello"),
    "line ends without CR": b"GET / HTTP/1.1\nHost: x\n\n",
    "one line end without CR": b"GET / HTTP/1.1\r\nHost: x\nX-One: a\r\n\r\n",
    "CR in a value": get(b"Host: x", b"X-One: a\rb"),
    "NUL in a value": get(b"Host: x", b"X-One: a\0b"),
    "NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    "length +3": post(b"Content-Length: +3", body=b"abc"),
    "length -1": post(b"Content-Length: -1", body=b"abc"),
    "length 0x3": post(b"Content-Length: 0x3", body=b"abc"),
    "length 3, 3": post(b"Content-Length: 3, 3", body=b"abc"),
    "length empty": post(b"Content-Length:", body=b"abc"),
    "length over 64 bit": post(b"Content-Length: 18446744073709551617", body=b"a"),
    "no host": get(),
    "two hosts": get(b"Host: x", b"Host: y"),
    "too many headers": get(b"Host: x", *[b"X-%d: a" % number for number in range(120)]),
}


@pytest.mark.basic
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_can_be_read_in_two_ways_gets_400_and_a_closed_connection(service, head):
    answer = service.exchange(head + SMUGGLED)
    assert statuses(answer) == [400]
    assert b"smuggled" not in answer


@pytest.mark.parametrize("head", [b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"], ids=["TRACE", "CONNECT"])
def test_methods_for_proxies_get_405_and_a_closed_connection(service, head):
    answer = service.exchange(head + SMUGGLED)
    assert statuses(answer) == [405] and b"\r\nallow: GET, HEAD, " in answer
    assert b"smuggled" not in answer


@pytest.mark.basic
@pytest.mark.parametrize("size, status", [(8192, 404), (8193, 414), (70000, 414)])
def test_a_url_is_taken_up_to_its_limit_and_then_414(service, size, status):
    url = b"/" + b"a" * 1000 + b"?" + b"b" * (size - 1002)
    assert len(url) == size
    assert statuses(service.exchange(b"GET " + url + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + SMUGGLED)) == [status]


@pytest.mark.basic
@pytest.mark.parametrize("count, status", [(63, 200), (64, 200), (65, 431), (100, 431), (101, 400), (1000, 400)])
def test_header_fields_are_taken_up_to_their_number_and_then_431(service, count, status):
    """Above 100, libh2o says 400 by itself."""
    lines = [b"Host: x", b"Connection: close", *[b"X-%d: a" % number for number in range(count - 2)]]
    assert statuses(service.exchange(get(*lines) + SMUGGLED)) == [status]


@pytest.mark.basic
@pytest.mark.parametrize("size, status", [(32 * 1024, 200), (32 * 1024 + 1, 431), (300 * 1024, 431), (420 * 1024, 400)])
def test_header_fields_are_taken_up_to_their_size_and_then_431(service, size, status):
    lines = [b"Host: x", b"Connection: close", b"X-Filler: "]
    lines[2] += b"a" * (size - sum(len(line) + 2 for line in lines))
    assert statuses(service.exchange(get(*lines) + SMUGGLED)) == [status]


CHUNKS = {  # the data, what the handler sees; None: it sees nothing
    "plain": (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "two chunks": (b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b"hello"),
    "extension": (b"5;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
    "extension that ends in LF": (b"5;a=b\nhello\r\n0\r\n\r\n", b"hello"),
    "lines that end in LF": (b"5\nhello\r\n0\n\r\n", b"hello"),
    "trailer": (b"5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n", b"hello"),
    "size 0x3": (b"0x3\r\nabc\r\n0\r\n\r\n", b""),
    "size overflow": (b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", None),
    "data without CRLF": (b"5\r\nhelloX0\r\n\r\n", None),
    "size is no number": (b"zz\r\nhello\r\n0\r\n\r\n", None),
}


@pytest.mark.basic
@pytest.mark.parametrize("data, seen", CHUNKS.values(), ids=CHUNKS.keys())
def test_a_request_in_chunks_is_answered_and_then_its_connection_is_closed(service, data, seen):
    answer = service.exchange(post(b"Transfer-Encoding: chunked", body=data) + SMUGGLED)
    assert statuses(answer) == [400 if seen is None else 200]
    assert b"smuggled" not in answer
    if seen is not None:
        assert answer.endswith(b"\r\n\r\n" + seen)
        assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.basic
def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_413(service):
    assert service.request("POST", "/", b"x" * BODY_LIMIT).body == b"x" * BODY_LIMIT
    answer = service.exchange(post(b"Content-Length: %d" % (BODY_LIMIT + 1), body=b"x" * (BODY_LIMIT + 1)))
    assert statuses(answer) == [413]


@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("mib", [0.07, 1, 2, 8])
def test_a_client_that_sends_too_much_and_reads_afterwards_gets_413(service, mib, in_chunks):
    """The answer comes while the client still sends, and must survive that."""
    size = int(mib * 1024 * 1024)
    peer = service.connect()
    if in_chunks:
        peer.sendall(post(b"Transfer-Encoding: chunked"))
        piece = b"2000\r\n" + b"x" * 8192 + b"\r\n"
    else:
        peer.sendall(post(b"Content-Length: %d" % size))
        piece = b"x" * 8192
    sent = 0
    try:
        while sent < size:
            peer.sendall(piece if in_chunks or size - sent >= 8192 else piece[:size - sent])
            sent += 8192
        if in_chunks:
            peer.sendall(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        pass  # it need not wait for all of it
    assert statuses(read_all(peer)) == [413], f"after {sent} bytes"


def test_a_length_far_over_the_limit_is_refused_before_the_body_comes(service):
    answer = service.exchange(post(b"Content-Length: 99999999999"))
    assert statuses(answer) == [413]


def test_expect_100_continue_is_answered(service):
    peer = service.connect()
    peer.sendall(post(b"Content-Length: 5", b"Expect: 100-continue"))
    assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.sendall(b"hello")
    assert read_answer(peer)[2] == b"hello"


def test_a_client_that_closes_its_sending_half_still_gets_its_answer(service):
    peer = service.connect()
    peer.sendall(get(b"Host: x"))
    peer.shutdown(socket.SHUT_WR)
    answer = read_all(peer)
    assert statuses(answer) == [200] and answer.endswith(b"hello")


@pytest.mark.basic
def test_requests_in_one_packet_are_answered_in_their_order(service):
    peer = service.connect()
    peer.sendall(get(b"Host: x") + post(b"Content-Length: 3", body=b"two") + b"GET /slow/0.1 HTTP/1.1\r\nHost: x\r\n\r\n"
                 + post(b"Content-Length: 4", body=b"four"))
    rest = b""
    bodies = []
    for _ in range(4):
        status, _, body, rest = read_answer(peer, rest)
        assert status == 200
        bodies.append(body)
    assert bodies == [b"hello", b"two", b"slow", b"four"] and rest == b""


def test_requests_behind_a_slow_one_wait_and_are_answered(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/0.2 HTTP/1.1\r\nHost: x\r\n\r\n" + get(b"Host: x") * 20)
    rest = b""
    bodies = []
    for _ in range(21):
        _, _, body, rest = read_answer(peer, rest)
        bodies.append(body)
    assert bodies == [b"slow"] + [b"hello"] * 20


def test_a_request_that_comes_byte_by_byte_is_answered(service):
    peer = service.connect()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in post(b"Content-Length: 5", body=b"hello"):
        peer.sendall(bytes([byte]))
    assert read_answer(peer)[2] == b"hello"


@pytest.mark.basic
def test_http_1_0_is_answered_and_closed(service):
    answer = service.exchange(b"GET / HTTP/1.0\r\n\r\n")
    assert statuses(answer) == [200] and answer.endswith(b"hello")


def test_http_1_0_with_keep_alive_stays_open(service):
    peer = service.connect()
    for _ in range(2):
        peer.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        status, headers, body, _ = read_answer(peer)
        assert (status, headers["connection"].lower(), body) == (200, "keep-alive", b"hello")


@pytest.mark.basic
def test_connection_close_is_answered_and_closed(service):
    answer = service.exchange(get(b"Host: x", b"Connection: close"))
    assert statuses(answer) == [200] and b"\r\nConnection: close\r\n" in answer


@pytest.mark.basic
def test_head_has_the_headers_of_get_and_no_body(service):
    peer = service.connect()
    peer.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + get(b"Host: x", b"Connection: close"))
    first, _, second = read_all(peer).partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: 5" in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n") and second.endswith(b"hello")


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_handler_whose_client_is_gone_is_ended_and_cleans_up(service, how):
    closed = service.log().count("hold was closed")
    began = service.log().count("hold began")
    peer = service.connect()
    peer.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: service.log().count("hold began") == began + 1, "the handler to wait")
    if how == "resets":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    wait_for(lambda: service.log().count("hold was closed") == closed + 1, "the handler to clean up")
    wait_for(lambda: service.slot(0)["connections"] == 0, "the connection to be gone")


def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_harm(service):
    for _ in range(20):
        peer = service.connect()
        peer.sendall(post(b"Content-Length: 1000", body=b"only this"))
        peer.close()
    wait_for(lambda: service.slot(0)["connections"] == 0, "the connections to be gone")


def test_a_client_that_does_not_read_a_big_answer_holds_up_nobody(service):
    peer = service.connect()
    peer.sendall(b"GET /big/8192 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert service.get("/").text == "hello"
    status, _, body, _ = read_answer(peer)
    assert (status, len(body)) == (200, 8192 * 1024)
