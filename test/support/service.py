"""A whole service for the system tests: real master, real worker, an application in Lua, load, and a check at the end
that nothing is left behind."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import typing

from app_process import AppProcess
from fsd_process import BUILD, ROOT, is_alive, wait_for

PROBE = ROOT / "test/system/probe.lua"
LOAD = BUILD / "test/support/load"
REPORTS = BUILD / "reports"  # of the sanitizers
IS_SANITIZED = BUILD.name == "asan"


def is_report(path):
    """The leak sanitizer also writes down that the process was killed while it looked; that is no finding."""
    with contextlib.suppress(FileNotFoundError):
        return any("Unable to get registers from thread" not in line for line in path.read_text(errors="replace").splitlines())
    return False


def list_reports():
    return set(filter(is_report, REPORTS.glob("*"))) if REPORTS.is_dir() else set()


def find_workers(master_pid):
    """The pids of all processes that this master started, however they are related to it now."""
    wanted = f"FSD_MASTER_PID={master_pid}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0") and is_alive(int(entry.name)):
                    found.append(int(entry.name))
            except OSError:
                continue  # it has just ended
    return found


class Load:
    """test/support/load against one address; result() has what came of the requests."""

    def __init__(self, address, path="/", connections=8, body=None, rate=None, seconds=None, requests=None):
        host, _, port = address.rpartition(":")
        options = {"-c": connections, "-b": body, "-r": rate, "-d": seconds, "-n": requests}
        words = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
        self.process = subprocess.Popen([str(LOAD), *words, host, port, path], stdout=subprocess.PIPE, text=True)

    def wait_ready(self):
        """Until every connection has had an answer."""
        assert self.process.stdout.readline() == "ready\n"
        return self

    def stop(self):
        """No new requests; result() then waits for the answers of those under way."""
        self.process.terminate()
        return self

    def result(self):
        lines = self.process.communicate(timeout=120)[0].splitlines()
        return json.loads(lines[-1])

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


class Kill(typing.NamedTuple):
    """One worker that was killed; seconds of the monotonic clock."""
    pid: int
    began: float
    replaced: float


def failures(result):
    """The kinds of failed requests with their numbers; empty is good."""
    kinds = ("wrong_status", "older", "lost", "cut", "refused", "hung")
    return {kind: result[kind] for kind in kinds if result[kind] > 0}


def failed_elsewhere(result, kills):
    """The errors of a load that no killed worker explains.  A connection that never had an answer does not know its worker: a worker
    that was killed while it was open may have been it."""
    def is_explained(error):
        if error["worker"]:
            return any(error["worker"] == str(kill.pid) for kill in kills)
        return any(error["since"] <= kill.replaced and kill.began <= error["at"] for kill in kills)

    return [error for error in result["errors"] if not is_explained(error)]


class Service(AppProcess):
    """With test/system/probe.lua when no application is given."""

    def __init__(self, folder, app=None, workers=1):
        self.loads = []
        self.peers = []
        super().__init__(folder, app if app is not None else PROBE.read_text(), workers)

    def edit_app(self, old, new):
        text = self.app_path.read_text()
        assert old in text
        self.app_path.write_text(text.replace(old, new))

    def set_version(self, version):
        text = self.app_path.read_text()
        at = text.index("VERSION = ")
        self.app_path.write_text(f'{text[:at]}VERSION = "{version}"{text[text.index(chr(10), at):]}')

    def ctl(self, *words, env=None, timeout=60):
        command = [str(BUILD / "fsdctl"), *words, "-s", self.control_path]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=env)

    def load(self, path="/", **limits):
        self.loads.append(Load(self.address(), path, **limits))
        return self.loads[-1]

    def connect(self):
        """A plain TCP connection; closed at the end of the test."""
        host, _, port = self.address().rpartition(":")
        self.peers.append(socket.create_connection((host, int(port)), timeout=30))
        return self.peers[-1]

    def hold(self, peer=None):
        """A request to probe.lua that has begun: its connection, and the file that it waits for to be answered with "slow"."""
        peer, gate = peer or self.connect(), self.folder / "gate"
        name = str(gate).encode()
        peer.sendall(b"POST /until HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))
        self.wait_log("slow began")
        return peer, gate

    def exchange(self, data):
        """Sends these bytes on a new connection and returns all that comes until the server closes it."""
        peer = self.connect()
        peer.sendall(data)
        return read_all(peer)

    def slot(self, number):
        """The row of the ready worker of a slot, or None."""
        return next((row for row in self.workers("ready") if row["slot"] == number), None)

    def wait_replaced(self, old):
        """Waits for a ready worker of the same slot with another pid, and returns its row."""
        def find(status):
            for row in status["pools"][0]["workers"]:
                if row["slot"] == old["slot"] and row["state"] == "ready" and row["pid"] != old["pid"]:
                    return True
            return False

        self.wait_status(find, f"a new worker for slot {old['slot']}")
        return self.slot(old["slot"])

    def kill_worker(self, victim, number=signal.SIGKILL):
        """Ends the worker of this row; returns what failed_elsewhere wants to know of it, when another one serves."""
        began = time.monotonic()
        os.kill(victim["pid"], number)
        self.wait_replaced(victim)
        return Kill(victim["pid"], began, time.monotonic())

    def end(self):
        """For the end of a test: in order if it can be, by force if not; then nobody may be left."""
        for one in self.loads:
            one.kill()
        for peer in self.peers:
            peer.close()
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        end = time.monotonic() + 30
        while (left := find_workers(self.process.pid)) and time.monotonic() < end:
            time.sleep(0.01)
        for pid in left:
            os.kill(pid, 9)
        assert not left, f"the workers {left} outlived their master:\n{self.log()}"


def read_all(peer):
    """Everything until end of file; a reset ends it too, since what was received before it counts."""
    data = b""
    while True:
        try:
            part = peer.recv(65536)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


def read_answer(peer, data=b""):
    """One answer with a Content-Length: (status, headers, body, what came behind it)."""
    while b"\r\n\r\n" not in data:
        part = peer.recv(65536)
        assert part, f"the connection ended within the head {data!r}"
        data += part
    head, _, data = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    size = int(headers["content-length"])
    while len(data) < size:
        part = peer.recv(65536)
        assert part, f"the connection ended within the body {data!r}"
        data += part
    return int(lines[0].split(" ")[1]), headers, data[:size], data[size:]


__all__ = ["BUILD", "IS_SANITIZED", "Load", "PROBE", "ROOT", "Service", "failures", "find_workers", "is_alive",
           "list_reports", "read_all", "read_answer", "wait_for"]


@contextlib.contextmanager
def serving(folder, limits, app=None, workers=1):
    """A service for all tests of a module, whatever they do to it: at the end no worker was started again, and no sanitizer has
    complained."""
    before = list_reports()
    service = Service(folder, app, workers)
    service.write_conf(limits=limits)
    try:
        service.start_ready()
        yield service
        assert service.workers()[0]["restarts"] == 0, service.log()
    finally:
        service.end()
    assert list_reports() == before
