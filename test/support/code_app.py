"""An application whose code is changed while it runs, and who looks whether that can be seen: every answer names the worker, the version (a
constant in the code) and the generation (what fsd says of the code that answers)."""
import contextlib
import http.client
import json
import os
import random
import select
import socket
import threading
import time
import typing

from service import Service

APP = '''local fsd = require "fsd"
local VERSION = "{version}"
local app = fsd.app()
app:use(function(req, res, next)
  local self = fsd.worker.self()
  {first}
  res:set("x-worker", self.pid)
  res:set("x-slot", self.slot)
  res:set("x-version", VERSION)
  res:set("x-generation", self.generation)
  next()
end)
app:get("/", function(req, res) res:send("hello") end)
app:post("/", function(req, res) res:send(req:text()) end)
app:get("/events", function(req, res)
  local events = res:sse()
  local state = events.state or {{}}
  while true do
    state.count = (state.count or 0) + 1
    events:send {{ data = state.count .. " " .. fsd.worker.self().generation }}
    fsd.task.sleep({pause})
  end
end)
{more}
return app
'''


def source(version, more="", first="", pause=1):
    """more: what else it declares; first: what it does with each request."""
    return APP.format(version=version, more=more, first=first, pause=pause)


class CodeService(Service):
    """A service with this application."""

    def __init__(self, folder, workers=2, more="", **options):
        self.options = options
        super().__init__(folder, source(1, more, **options), workers)

    def put(self, version, more="", first="", **files):
        """Other code on the disk; each file is there as a whole or not at all."""
        for name, text in {**files, "app": source(version, more, first, **self.options)}.items():
            part = self.app_path.parent / f"{name}.part"
            part.write_text(text)
            part.rename(self.app_path.parent / f"{name}.lua")

    def pids(self):
        """Of the workers, the one in reserve too; a slot may have none just now."""
        status = self.wait_status(lambda status: True, "an answer", 60)  # nobody answers while another master takes over
        return [row["pid"] for row in status["pools"][0]["workers"] if row["pid"] is not None]

    def wait_calm(self, seconds=60):
        """Until every slot has its one worker, all of them run the same code, and the reserve is ready; its generation."""
        def is_calm(status):
            pool = status["pools"][0]
            rows = pool["workers"]
            return (status["state"] == "running" and len({row["generation"] for row in rows}) == 1 and
                    sum(row["state"] == "ready" for row in rows) == pool["count"] and
                    all(row["state"] in ("ready", "standby") for row in rows) and
                    pool["standby"]["ready"] == pool["standby"]["wanted"])

        status = self.wait_status(is_calm, "all workers to run one generation", seconds)
        pool = status["pools"][0]
        assert {row["generation"] for row in pool["workers"]} == {pool["generation"]}, pool
        return pool["generation"]


@contextlib.contextmanager
def serving(folder, workers=2):
    """A service of so many workers and one in reserve, which serves; it is ended behind the block."""
    service = CodeService(folder, workers=workers)
    try:
        service.write_conf(standby=1)
        service.start_ready()
        yield service
    finally:
        service.end()


def draw_seed():
    """FSD_SEED of the environment, or another one each time; a test that fails shows it."""
    seed = int(os.environ.get("FSD_SEED", random.randrange(1 << 31)))
    print(f"FSD_SEED={seed}")
    return seed


class Seen(typing.NamedTuple):
    """One answer."""
    began: float
    ended: float
    version: str
    generation: int
    worker: str


class Watcher:
    """Asks all the time, on a connection of its own that it keeps, and remembers every answer.  A connection may end only together with
    its worker."""

    def __init__(self, service, method="GET", pause=0.001):
        self.service, self.method, self.pause = service, method, pause
        self.answers, self.connections, self.problems = [], 0, []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def ask(self, connection):
        began = time.monotonic()
        answer = self.service.request(self.method, "/", b"x" * 100 if self.method == "POST" else None, connection=connection)
        if answer.status != 200:
            self.problems.append(("status", answer.status, answer.text))
            return None
        headers = answer.headers
        return Seen(began, time.monotonic(), headers["x-version"], int(headers["x-generation"]), headers["x-worker"])

    def use(self, connection):
        last = None
        while not self.is_over.wait(self.pause):
            seen = self.ask(connection)
            if seen is None:
                return
            self.answers.append(seen)
            if last is not None and seen.generation < last.generation:
                self.problems.append(("went back", last, seen))
            if last is not None and seen.worker != last.worker:
                self.problems.append(("another worker", last, seen))
            last = seen

    def run(self):
        while not self.is_over.is_set():
            self.connections += 1
            with self.service.connection() as connection:
                try:
                    connection.connect()
                    connection.auto_open = 0  # not another one in its place when it was closed
                    self.use(connection)
                except (OSError, http.client.HTTPException):
                    continue

    def stop(self):
        self.is_over.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self

    def versions(self):
        return {seen.version for seen in self.answers}


@contextlib.contextmanager
def watched(service, *methods):
    """A block during which requests are made all the time; gives the watchers, which have had an answer each."""
    watchers = [Watcher(service, method) for method in methods or ("GET", "POST")]
    try:
        for one in watchers:
            wait_answers(one, 1)
        yield watchers
        for one in watchers:
            wait_answers(one, len(one.answers) + 1)
    finally:
        for one in watchers:
            one.stop()
    for one in watchers:
        assert not one.problems, one.problems[:3]


def wait_answers(watcher, count, seconds=60):
    end = time.monotonic() + seconds
    while len(watcher.answers) < count:
        assert time.monotonic() < end and watcher.thread.is_alive(), f"waited {seconds} s for {count} answers"
        time.sleep(0.001)


class Stream:
    def __init__(self):
        self.rest, self.events, self.last, self.generation, self.is_open = b"", 0, 0, 0, True

    def take(self, data, problems):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                number, generation = map(int, line[6:].split())
                if number != self.last + 1:
                    problems.append(f"event {number} behind {self.last}")
                if generation < self.generation:
                    problems.append(f"event {number} of generation {generation} behind {self.generation}")
                self.events, self.last, self.generation = self.events + 1, number, generation


class Streams:
    """Event streams that stay open, read by a thread of their own: which were closed, and whether each goes on counting."""

    def __init__(self, address, count, path="/events"):
        self.problems, self.streams, self.closed = [], {}, 0
        self.poll = select.epoll()
        self.socks = {}
        host, _, port = address.rpartition(":")
        for _ in range(count):
            sock = socket.create_connection((host, int(port)), timeout=30)
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            self.socks[sock.fileno()], self.streams[sock.fileno()] = sock, Stream()
            self.poll.register(sock.fileno(), select.EPOLLIN)
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over.is_set():
            for fd, _ in self.poll.poll(0.1):
                try:
                    data = os.read(fd, 65536)
                except ConnectionResetError:
                    data = b""
                if data:
                    self.streams[fd].take(data, self.problems)
                else:
                    self.poll.unregister(fd)
                    self.streams[fd].is_open = False
                    self.closed += 1

    def wait_all(self, reached, what, seconds=60):
        """Until this holds for each that is open."""
        end = time.monotonic() + seconds
        while not all(reached(stream) for stream in self.streams.values() if stream.is_open):
            assert time.monotonic() < end, f"waited {seconds} s for {what}"
            time.sleep(0.01)

    def close(self):
        self.is_over.set()
        self.thread.join(30)
        for sock in self.socks.values():
            sock.close()
        self.poll.close()


def read_reload(service, told):
    """What `fsdctl reload` has said, as words for an assertion."""
    return json.dumps({"exit": told.returncode, "stdout": told.stdout, "stderr": told.stderr, "log": service.log()[-2000:]}, indent=1)
