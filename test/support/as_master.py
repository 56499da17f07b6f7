"""Being the master of one worker: what common/proto.h says, without a daemon."""
import array
import fcntl
import mmap
import os
import signal
import socket
import struct

(HELLO, LOG, CONFIG, LOAD, UNAVAILABLE, LOADED, REFUSED, LISTENER, ACTIVATE, ACTIVE, RETURN, DRAIN, DRAINING, PREPARE, PREPARED,
 REJECTED, COMMIT, COMMITTED, ABORT, LEAVE, DYING, SHARED, UNSHARED, JOIN, MEMBER,
 REACH, PEER, GONE) = range(1, 29)
LAGGARDS = 38
CHANGE_CONFIG, CHANGE_CODE = 1, 2
ABORT_LATE = 1


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
        self.bundle, self.config = bundle, config()
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

    def receive(self, kind):
        """The next packet; what is said of laggards comes at any time, and is only looked at by who waits for it."""
        while True:
            packet = self.control.recv(65536)
            if kind == LAGGARDS or struct.unpack_from("=I", packet)[0] != LAGGARDS:
                return packet

    def expect(self, kind):
        packet = self.receive(kind)
        assert struct.unpack_from("=I", packet)[0] == kind, packet
        return packet[8:]

    def expect_behind_join(self, kind):
        """Code that asks for actors makes the worker join the others."""
        packet = self.receive(kind)
        if struct.unpack_from("=I", packet)[0] == JOIN:
            return self.expect(kind)
        assert struct.unpack_from("=I", packet)[0] == kind, packet
        return packet[8:]

    def prepare(self, number, conf, what=CHANGE_CONFIG):
        self.tell_memfd(PREPARE, pack(conf), struct.pack("=QQQ", number, what, 0))

    def boot(self):
        assert struct.unpack_from("=I", self.expect(HELLO))[0] == 6
        self.tell(LOG, fd=self.log_peer.fileno())
        self.tell_memfd(CONFIG, pack(self.config))

    def share(self, name, size, seed=1):
        fd = os.memfd_create("shared", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.tell(SHARED, struct.pack("=QQ64s", size, seed, name.encode()), fd)
        os.close(fd)

    def load(self):
        self.boot()
        self.tell_memfd(LOAD, self.bundle, struct.pack("=Q", 7))
        assert self.expect_behind_join(LOADED) == struct.pack("=Q", 7)

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
