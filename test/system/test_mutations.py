"""Well-formed requests with something changed in them at random: whatever the server takes for a request, the strictest reader does,
too, and sees the same in it."""
import random
import re

import pytest
from service import IS_SANITIZED, read_all, wait_for
from strict_http import read_requests

APP = """
local fsd = require "fsd"
local app = fsd.app()
app:use(function(req, res)
  local body = req:text() or ""
  res:set("x-seen", ("%s %d"):format(req.method, #body)):send("x")
end)
return app
"""
COUNT = 10000
BODY = b"GET /in_the_body HTTP/1.1\r\nHost: x\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n\r\n"
REQUESTS = [
    b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nX-One: two\r\n\r\n" % len(BODY) + BODY,
    b"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Basic eA==\r\n\r\n",
    b"DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: \"a\"\r\n\r\n",
]
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b"0", b"\x7f", b"\xff", b"\x0b", b"\r\n ", b"\r\n\r\n", b"Content-Length: 3\r\n",
          b"content-length: 0\r\n", b"Content-Length: +1\r\n", b"Transfer-Encoding: chunked\r\n", b"transfer-encoding: identity\r\n",
          b"Transfer-Encoding : chunked\r\n", b"Host: y\r\n", b"Host:\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
          b"Upgrade: h2c\r\n", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"http://y/", b"//", b"*", b"%00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
KNOWN = {200, 204, 304, 400, 404, 405, 408, 413, 414, 415, 417, 431,
         499}  # of a handler that was made to wait, and its client had said that it sends nothing more
TAKEN = {200, 204, 304, 415}


def change(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at, kind = rng.randrange(len(data)), rng.randrange(6)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.choice([1, 1, 2, 5, 20])]
        elif kind == 2:
            data[at:at] = rng.choice(PIECES)
        elif kind == 3:  # where a line begins
            starts = [match.end() for match in re.finditer(rb"\r\n", data)] or [0]
            at = rng.choice(starts)
            data[at:at] = rng.choice(PIECES)
        elif kind == 4:
            data[at:at] = data[at:at + rng.choice([1, 3, 10, 40])]
        else:
            data[at] = data[at] ^ (1 << rng.randrange(8))
        if not data:
            data = bytearray(b"x")
    return bytes(data)


def read_answers(data):
    """[(status, what the handler saw)]"""
    found = []
    data = data.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    for match in re.finditer(rb"HTTP/1\.1 (\d\d\d) [^\r]*\r\n(.*?)\r\n\r\n", data, re.DOTALL):
        seen = re.search(rb"\r\nx-seen: (\S+) (\d+)", b"\r\n" + match[2])
        found.append((int(match[1]), (seen[1], int(seen[2])) if seen else None))
    return found


def check(sent, answer):
    assert answer == b"" or answer.startswith(b"HTTP/1.1 "), (sent, answer)
    answers = read_answers(answer)
    assert all(status in KNOWN for status, _ in answers), (sent, answer)
    wanted = read_requests(sent)
    taken = [one for one in answers if one[0] in TAKEN]
    assert len(taken) <= len(wanted), (sent, answer)
    for (_, seen), (method, _, length) in zip(taken, wanted):
        if seen is not None:
            assert seen[0] == method and (length is None or seen[1] == length), (sent, answer)


def test_requests_that_were_changed_at_random_are_read_in_one_way_or_refused(make_service):
    service = make_service(APP)
    service.write_conf(limits={"header_timeout": "5s", "body_timeout": "5s"})
    service.start_ready()
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    for number in range(COUNT):
        sent = change(rng, rng.choice(REQUESTS)) + NEXT
        peer = service.connect()
        peer.sendall(sent)
        peer.shutdown(1)
        check(sent, read_all(peer))
        service.peers.pop().close()
        if number % 500 == 0:
            assert service.get("/good").text == "x"
    assert service.workers()[0]["restarts"] == 0, service.log()
    wait_for(lambda: service.slot(0)["connections"] == 0, "the connections to be gone")


@pytest.mark.skipif(IS_SANITIZED, reason="nothing of ours runs")
def test_the_strict_reader_reads_the_requests_before_they_are_changed():
    for request in REQUESTS:
        assert len(read_requests(request)) == 1 and (request is REQUESTS[2] or len(read_requests(request + NEXT)) == 2)
    for bad in (b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n b\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"):
        assert read_requests(bad) == []
