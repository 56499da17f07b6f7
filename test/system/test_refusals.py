"""What the log says of requests that are refused: each is counted, and a flood of them is none in the log."""
import re
import time

from service import wait_for

APP = 'local app = require("fsd").app()\nreturn app\n'
BAD = b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"  # the parser takes it
COUNT = 300


def told(service):
    """How many requests each record tells of."""
    return [int(many or 1) for many in re.findall(r"refused (?:a request|(\d+) requests, the last): 400 ", service.log())]


def test_a_flood_of_refused_requests_is_told_by_its_number(make_service):
    service = make_service(APP)
    service.start_ready()
    begun = time.monotonic()
    for _ in range(COUNT):
        assert service.exchange(BAD).startswith(b"HTTP/1.1 400 ")
        service.peers.pop().close()
    wait_for(lambda: sum(told(service)) == COUNT, "all of them")
    assert told(service)[0] == 1
    assert len(told(service)) <= 3 + (time.monotonic() - begun)  # one a second, and the first


def test_what_was_not_told_is_told_when_the_worker_leaves(make_service):
    service = make_service(APP)
    service.start_ready()
    for _ in range(3):
        service.exchange(BAD)
    service.process.terminate()
    assert service.wait_exit() == 0
    assert sum(told(service)) == 3
