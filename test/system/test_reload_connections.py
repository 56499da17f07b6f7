"""Connections that are in the middle of something when the code is replaced in place: each goes on, and is answered."""
import pytest
from code_app import CodeService, read_reload
from service import read_answer, wait_for

GATE = """
local kept = fsd.state("kept", { gate = fsd.task.channel(), waiting = 0 })
app:get("/wait", function(req, res) kept.waiting = kept.waiting + 1 kept.gate:get() res:send("waited") end)
app:get("/waiting", function() return { waiting = kept.waiting } end)
app:get("/open", function() kept.waiting = kept.waiting - 1 kept.gate:put(true) return {} end)
app:get("/pieces", function(req, res)
  res:write("one ")
  kept.waiting = kept.waiting + 1
  kept.gate:get()
  res:write("two")
end)
"""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def site(tmp_path):
    one = CodeService(tmp_path, workers=1, more=GATE)
    try:
        one.write_conf()
        one.start_ready()
        yield one
    finally:
        one.end()


def replace(site, version=2):
    site.put(version, GATE)
    told = site.ctl("reload")
    assert told.returncode == 0, read_reload(site, told)


def version_of(answer):
    return answer[0], answer[1]["x-version"]


def wait_waiting(site, count=1):
    wait_for(lambda: site.get("/waiting").json()["waiting"] == count, "a request that waits", 60)


def test_a_head_of_which_a_part_has_come_is_answered_by_the_new_code(site):
    peer = site.connect()
    peer.sendall(GET)
    assert version_of(read_answer(peer)) == (200, "1")
    peer.sendall(GET[:20])
    replace(site)
    peer.sendall(GET[20:])
    assert version_of(read_answer(peer)) == (200, "2")


def test_a_body_of_which_a_part_has_come_is_taken_whole(site):
    peer = site.connect()
    peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000)
    replace(site)
    peer.sendall(b"y" * 50000)
    status, _, body, _ = read_answer(peer)
    assert (status, body) == (200, b"x" * 50000 + b"y" * 50000)
    peer.sendall(GET)
    assert version_of(read_answer(peer)) == (200, "2")


def test_a_request_that_runs_is_answered_by_its_code_and_the_next_one_by_the_new(site):
    peer = site.connect()
    peer.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + GET)  # one behind the other
    wait_waiting(site)
    replace(site)
    site.get("/open")
    first = read_answer(peer)
    assert version_of(first) == (200, "1") and first[2] == b"waited"
    assert version_of(read_answer(peer, first[3])) == (200, "2")


def test_requests_of_three_versions_are_each_answered_by_their_own(site):
    peers = []
    for version in (1, 2, 3):
        if version > 1:
            replace(site, version)
        peers.append(site.connect())
        peers[-1].sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_waiting(site, version)
    for _ in peers:
        site.get("/open")
    assert [version_of(read_answer(peer)) for peer in peers] == [(200, "1"), (200, "2"), (200, "3")]


def test_an_answer_in_pieces_is_finished_by_its_code(site):
    peer = site.connect()
    peer.sendall(b"GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_waiting(site)
    replace(site)
    site.get("/open")
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        part = peer.recv(65536)
        assert part, data
        data += part
    assert b"x-version: 1" in data and b"one " in data and b"two" in data
    peer.sendall(GET)
    assert version_of(read_answer(peer)) == (200, "2")


def test_who_waits_for_the_word_to_go_on_gets_it(site):
    peer = site.connect()
    peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert peer.recv(1000).startswith(b"HTTP/1.1 100")
    replace(site)
    peer.sendall(b"hello")
    assert read_answer(peer)[2] == b"hello"


def test_a_connection_that_has_never_asked_anything_is_answered_by_the_new_code(site):
    peer = site.connect()
    replace(site)
    peer.sendall(GET)
    assert version_of(read_answer(peer)) == (200, "2")


def test_a_worker_that_has_all_connections_it_can_have_takes_the_code(tmp_path):
    """What the master hands over needs a descriptor, too."""
    site = CodeService(tmp_path, workers=1)
    try:
        site.write_conf()
        site.start_ready(wrapper=["prlimit", "--nofile=64:64"])
        site.wait_calm()
        pids = site.pids()
        peers = [site.connect() for _ in range(64)]
        site.wait_log("cannot accept connections")
        for version in range(2, 5):
            site.put(version)
            told = site.ctl("reload")
            assert told.returncode == 0, read_reload(site, told)
        assert site.pids() == pids
        peers[0].sendall(GET)
        assert version_of(read_answer(peers[0])) == (200, "4")
        for peer in peers:
            peer.close()
        assert site.get("/").headers["x-version"] == "4"
    finally:
        site.end()
