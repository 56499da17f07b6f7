"""The contract of common/proto.h, from the master's side: the worker and its stand-in of the other tests answer alike."""
import json
import os
import pathlib
import signal
import socket
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from as_master import (ABORT, ACTIVATE, ACTIVE, CHANGE_CODE, COMMIT, COMMITTED, config, DRAIN, DRAINING,  # noqa: E402
                       DYING, LEAVE, LOAD, LOADED, make_bundle, pack, PREPARED, REJECTED, RETURN,
                       UNAVAILABLE, UNSHARED, Worker)
from fsd_process import BUILD, FAKE_WORKER, wait_for  # noqa: E402

LUA_APP = '''
local fsd = require "fsd"
local app = fsd.app()
app:get("/shared", function()
  local found = {}
  for _, name in ipairs{ "a", "b" } do
    local dictionary = fsd.try(fsd.shared.open, name)
    found[name] = dictionary and fsd.try(function() return dictionary:info().capacity // 32768 end)
  end
  return found
end)
app:get("/", function() return { slot = fsd.worker.self().slot, generation = fsd.worker.self().generation } end)
return app'''


@pytest.fixture
def start(tmp_path):
    started = []

    def start_one(program, text):
        started.append(Worker(program, make_bundle(program, tmp_path, text)))
        return started[-1]

    yield start_one
    for one in started:
        one.end()


@pytest.fixture(params=["real", "fake"])
def worker(request, start):
    return start(BUILD / "fsd-worker", LUA_APP) if request.param == "real" else start(FAKE_WORKER, "{}")


@pytest.fixture
def start_fake(start):
    """A stand-in that is told what to do; returns it and its listener."""
    def start_one(**app):
        worker = start(FAKE_WORKER, json.dumps(app))
        worker.load()
        listener = worker.lend(0)
        worker.activate(7, 0)
        return worker, listener

    return start_one


def ask(listener, path="/"):
    """Status, head in small letters and body."""
    with socket.create_connection(listener.getsockname(), timeout=30) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return read_answer(peer)


def read_answer(peer):
    data = b""
    while piece := peer.recv(4096):
        data += piece
    head, _, body = data.decode().partition("\r\n\r\n")
    return int(head.split()[1]), head.lower(), json.loads(body)


def test_a_standby_learns_its_slot_when_it_is_activated(worker):
    worker.load()
    listener = worker.lend(3)
    worker.activate(7, 3)
    status, _, body = ask(listener)
    assert status == 200 and body["slot"] == 3 and body["generation"] == 7
    worker.drain()
    assert worker.wait_exit() == 0


def test_a_lent_listener_is_served_until_it_is_returned(worker):
    worker.load()
    own = worker.lend(3)
    worker.activate(7, 3)
    lent = worker.lend(5)
    assert ask(lent)[2]["slot"] == 3
    worker.tell(RETURN, struct.pack("=Q", 5))
    assert ask(worker.lend(6))[0] == 200  # by now it has been obeyed
    with socket.create_connection(lent.getsockname(), timeout=30):
        lent.accept()[0].close()  # nobody else has
    assert ask(own)[0] == 200


def test_a_held_pool_is_answered_with_503(worker):
    worker.boot()
    worker.tell(UNAVAILABLE, struct.pack("=Q", 30))
    assert worker.expect(LOADED) == struct.pack("=Q", 0)
    listener = worker.lend(0)
    worker.activate(0, 0)
    status, head, _ = ask(listener)
    assert status == 503 and "retry-after: 30" in head and "connection: close" in head
    worker.drain()
    assert worker.wait_exit() == 0


def test_a_change_is_prepared_and_committed_or_forgotten(worker):
    worker.load()
    worker.prepare(1, config(workers=4))
    assert worker.expect(PREPARED) == struct.pack("=QQQ", 1, 0, 0)
    worker.tell(ABORT, struct.pack("=QQQ", 1, 0, 0))
    worker.tell(COMMIT, struct.pack("=QQQ", 1, 0, 0))  # ignored
    worker.prepare(2, config(workers=5))
    assert worker.expect(PREPARED) == struct.pack("=QQQ", 2, 0, 0)
    worker.tell(COMMIT, struct.pack("=QQQ", 2, 0, 0))
    assert worker.expect(COMMITTED) == struct.pack("=QQQ", 2, 0, 7)
    worker.prepare(3, config(), CHANGE_CODE)
    assert worker.expect(REJECTED)[:24] == struct.pack("=QQQ", 3, 0, 0)  # of a generation that is no newer one


def test_shared_dictionaries_come_and_go_at_any_time(worker):
    def ask_shared():
        """By name, how large they are in units of 64 KiB."""
        return {name: found if isinstance(found, int) else found["size"] // 65536
                for name, found in ask(listener, "/shared")[2].items()}

    worker.boot()
    worker.share("a", 65536)
    worker.tell_memfd(LOAD, worker.bundle, struct.pack("=Q", 7))
    worker.expect(LOADED)
    listener = worker.lend(0)
    worker.activate(7, 0)
    wait_for(lambda: ask_shared() == {"a": 1}, "the first one")
    worker.share("b", 65536 + 4096)
    worker.share("a", 65536 + 8192)
    wait_for(lambda: set(ask_shared()) == {"a", "b"}, "the second one")
    worker.tell(UNSHARED, struct.pack("=QQ64s", 0, 0, b"a"))
    worker.tell(UNSHARED, struct.pack("=QQ64s", 0, 0, b"never was"))
    wait_for(lambda: set(ask_shared()) == {"b"}, "the first one to be gone")
    worker.share("a", 2 * 65536)
    wait_for(lambda: ask_shared().get("a", 0) >= 2, "a larger one")
    worker.drain()
    assert worker.wait_exit() == 0


def test_a_drain_answers_what_waits_when_it_is_told_to(worker):
    worker.load()
    listener = worker.lend(0)
    peers = [socket.create_connection(listener.getsockname(), timeout=30) for _ in range(20)]
    for peer in peers:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    os.kill(worker.pid, signal.SIGSTOP)
    worker.tell(ACTIVATE, struct.pack("=QQ", 7, 0))
    worker.tell(DRAIN, struct.pack("=QQ", 1000, 1))
    os.kill(worker.pid, signal.SIGCONT)
    worker.expect(ACTIVE)
    worker.expect(DRAINING)
    for peer in peers:
        assert read_answer(peer)[0] == 200
        peer.close()
    assert worker.wait_exit() == 0


def test_a_worker_that_has_nothing_to_do_still_beats(worker):
    worker.load()
    before = worker.heartbeat()
    wait_for(lambda: worker.heartbeat() > before, "a heartbeat")


# --- what only the stand-in does ---


def test_the_stand_in_leaves_and_dies_as_it_is_told(start_fake):
    worker, listener = start_fake()
    ask(listener, "/leave")
    assert worker.expect(LEAVE) == b""
    with socket.create_connection(listener.getsockname(), timeout=30) as peer:
        peer.sendall(b"GET /dying/11 HTTP/1.1\r\n\r\n")
        assert worker.expect(DYING) == struct.pack("=Q", 11)
        assert worker.wait_exit() == -signal.SIGSEGV


def test_the_stand_in_says_that_it_dies_and_does_not(start_fake):
    worker, listener = start_fake()
    with socket.create_connection(listener.getsockname(), timeout=30) as peer:
        peer.sendall(b"GET /dying/6/hang HTTP/1.1\r\n\r\n")
        assert worker.expect(DYING) == struct.pack("=Q", 6)
        assert os.waitpid(worker.pid, os.WNOHANG) == (0, 0)


@pytest.mark.parametrize("path, end", [("/freeze", signal.SIGABRT), ("/freeze/hard", signal.SIGKILL)])
def test_the_stand_in_freezes(start_fake, path, end):
    worker, listener = start_fake()
    assert ask(listener, path)[0] == 200
    worker.tell(DRAIN, struct.pack("=QQ", 0, 0))  # not obeyed
    os.kill(worker.pid, signal.SIGABRT)
    if end == signal.SIGKILL:
        os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait_exit() == -end


def test_the_heart_of_the_stand_in_stops_while_it_serves(start_fake):
    worker, listener = start_fake(heartbeat="stop")
    before = worker.heartbeat()
    for _ in range(3):
        assert ask(listener)[0] == 200
    assert worker.heartbeat() == before


def test_the_stand_in_rejects_and_ignores_changes(start_fake):
    worker, _ = start_fake(prepare="no way")
    worker.prepare(1, config())
    assert worker.expect(REJECTED) == struct.pack("=QQQ", 1, 0, 0) + b"no way"
    worker, listener = start_fake(prepare="hang")
    worker.prepare(1, config())
    assert ask(listener)[0] == 200
    worker, listener = start_fake(commit="hang")
    worker.prepare(1, config(workers=5))
    worker.expect(PREPARED)
    worker.tell(COMMIT, struct.pack("=QQQ", 1, 0, 0))
    wait_for(lambda: ask(listener, "/config")[2]["workers"] == 5, "the change")
    worker.drain()  # which is the next thing that it says
