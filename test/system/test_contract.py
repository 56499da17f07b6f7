"""The contract of common/proto.h, from the master's side: the worker and its stand-in of the other tests answer alike."""
import array
import fcntl
import json
import mmap
import os
import pathlib
import signal
import socket
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import BUILD, FAKE_WORKER, wait_for  # noqa: E402

(HELLO, LOG, CONFIG, LOAD, UNAVAILABLE, LOADED, REFUSED, LISTENER, ACTIVATE, ACTIVE, RETURN, DRAIN, DRAINING, PREPARE, PREPARED,
 REJECTED, COMMIT, COMMITTED, ABORT, LEAVE, DYING, SHARED, UNSHARED, JOIN, MEMBER,
 REACH, PEER, GONE) = range(1, 29)
CHANGE_CONFIG, CHANGE_CODE = 1, 2
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


def pack(value):
    """MessagePack, as much as a configuration needs."""
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, str):
        return struct.pack(">BI", 0xDB, len(value.encode())) + value.encode()
    return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())


def sealed(data):
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd


def above(fd):
    """A copy with a number that no worker is given one of."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)


def config(**changes):
    return {"pool": "web", "app": "shop", "path": "/srv/app.lua", "settings": {}, "env": {}, "log_level": 6, "workers": 1,
            "limits": {"request_timeout_ms": 5000, "keepalive_ms": 5000, "body_bytes": 4096, "memory_bytes": 0}, **changes}


class Worker:
    """A worker process, and us as its master."""

    def __init__(self, program, bundle):
        self.bundle = bundle
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(10)
        self.log, self.log_peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        page, null = os.memfd_create("page"), os.open("/dev/null", os.O_RDWR)
        os.ftruncate(page, 4096)
        self.page = mmap.mmap(page, 4096)
        fds = [above(fd) for fd in (theirs.fileno(), page, null)]
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds, 3)]
        env = {"FSD_INCARNATION": "1", "FSD_MASTER_PID": str(os.getpid())}
        self.pid = os.posix_spawn(str(program), [str(program), "web/standby"], env, file_actions=actions)
        for fd in (*fds, page, null):
            os.close(fd)
        theirs.close()

    def heartbeat(self):
        return struct.unpack_from("=Q", self.page, 8)[0]

    def tell(self, kind, payload=b"", fd=None):
        rights = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.control.sendmsg([struct.pack("=II", kind, len(payload)) + payload], rights)

    def tell_memfd(self, kind, data, payload=b""):
        fd = sealed(data)
        self.tell(kind, payload, fd)
        os.close(fd)

    def lend(self, slot):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        self.tell(LISTENER, struct.pack("=Q64s", slot, b"http"), listener.fileno())
        return listener

    def expect(self, kind):
        packet = self.control.recv(65536)
        assert struct.unpack_from("=I", packet)[0] == kind, packet
        return packet[8:]

    def prepare(self, number, conf, what=CHANGE_CONFIG):
        self.tell_memfd(PREPARE, pack(conf), struct.pack("=QQQ", number, what, 0))

    def boot(self):
        assert struct.unpack_from("=I", self.expect(HELLO))[0] == 5
        self.tell(LOG, fd=self.log_peer.fileno())
        self.tell_memfd(CONFIG, pack(config()))

    def share(self, name, size, seed=1):
        fd = os.memfd_create("shared", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.tell(SHARED, struct.pack("=QQ64s", size, seed, name.encode()), fd)
        os.close(fd)

    def load(self):
        self.boot()
        self.tell_memfd(LOAD, self.bundle, struct.pack("=Q", 7))
        assert self.expect(LOADED) == struct.pack("=Q", 7)

    def activate(self, generation, slot):
        self.tell(ACTIVATE, struct.pack("=QQ", generation, slot))
        assert self.expect(ACTIVE) == struct.pack("=Q", generation)

    def drain(self, empties_queues=0):
        self.tell(DRAIN, struct.pack("=QQ", 1000, empties_queues))
        assert self.expect(DRAINING) == b""

    def wait_exit(self):
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def end(self):
        self.control.close()
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def make_bundle(program, folder, text):
    app = folder / "app.lua"
    app.write_text(text)
    out, null = above(os.memfd_create("bundle")), os.open("/dev/null", os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, out, 3), (os.POSIX_SPAWN_DUP2, null, 1)]
    command = [str(program), "--tool", "bundle", "--app", str(app)]
    _, status = os.waitpid(os.posix_spawn(command[0], command, {}, file_actions=actions), 0)
    assert status == 0
    data = os.pread(out, os.fstat(out).st_size, 0)
    os.close(out)
    os.close(null)
    return data


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
    with socket.create_connection(listener.getsockname(), timeout=10) as peer:
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
    with socket.create_connection(lent.getsockname(), timeout=10):
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
    assert worker.expect(REJECTED) == struct.pack("=QQQ", 3, 0, 0) + b"cannot change code in place yet"


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
    peers = [socket.create_connection(listener.getsockname(), timeout=10) for _ in range(20)]
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
    with socket.create_connection(listener.getsockname(), timeout=10) as peer:
        peer.sendall(b"GET /dying/11 HTTP/1.1\r\n\r\n")
        assert worker.expect(DYING) == struct.pack("=Q", 11)
        assert worker.wait_exit() == -signal.SIGSEGV


def test_the_stand_in_says_that_it_dies_and_does_not(start_fake):
    worker, listener = start_fake()
    with socket.create_connection(listener.getsockname(), timeout=10) as peer:
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
