"""Thousands of connections that idle, and two hundred that are slow: what one of them costs in memory of a worker, and what a good
client beside them notices.

    FSD_BUILD=$PWD/build/release /usr/bin/python3 -B test/system/measure/many_connections.py

Prints one line a step and a last one with the figures; ends with 1 when a promise is broken."""
import pathlib
import re
import resource
import socket
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test/support"))
from service import Service, read_answer  # noqa: E402

IDLE, SLOW, SECONDS, PAUSE_S = 5000, 200, 15, 0.002
BYTES_MAX, P99_MAX_MS = 1536, 50
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
APP = """
local app = require("fsd").app()
local BIG = string.rep("x", 8 << 20)
app:get("/", function(req, res) res:send("hello") end)
app:get("/big", function(req, res) res:send(BIG) end)
app:post("/", function(req, res) res:send("taken") end)
return app
"""


def private_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) * 1024 for kb in re.findall(r"Private_(?:Clean|Dirty):\s+(\d+) kB", text))


def raise_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Good(threading.Thread):
    """Asks over and over, on one connection, and writes down how long each answer took."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.peer, self.times, self.failed, self.over = service.connect(), [], 0, False

    def run(self):
        while not self.over:
            began = time.monotonic()
            try:
                self.peer.sendall(GET)
                self.failed += read_answer(self.peer)[0] != 200
            except (OSError, AssertionError):
                self.failed += 1
                return
            self.times.append(time.monotonic() - began)
            time.sleep(PAUSE_S)


def connect_idle(service, count):
    peers = []
    for _ in range(count):
        peer = service.connect()
        peer.sendall(GET)
        assert read_answer(peer)[0] == 200
        peers.append(peer)
    return peers


def be_slow(service, number, over):
    """A head, a body or an answer that takes for ever; begins again when it is cut."""
    cut = 0
    while not over.is_set():
        host, _, port = service.address().rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as peer:
            try:
                if number % 3 == 0:
                    peer.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
                elif number % 3 == 1:
                    peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
                else:
                    peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                while not over.wait(0.2):
                    if number % 3 == 0:
                        if peer.recv(10) == b"":
                            break
                    else:
                        peer.sendall(b"X-A: b\r\n")
            except OSError:
                pass
            cut += not over.is_set()
    return cut


def run(service):
    pid = service.slot(0)["pid"]
    for peer in connect_idle(service, 50):  # what is made once is made now
        peer.close()
    time.sleep(0.5)
    before = private_bytes(pid)
    connect_idle(service, IDLE)
    time.sleep(2)
    each = (private_bytes(pid) - before) / IDLE
    print(f"{IDLE} idle connections: {each:.0f} bytes each", flush=True)
    over = threading.Event()
    slow = [threading.Thread(target=be_slow, args=(service, number, over), daemon=True) for number in range(SLOW)]
    good = Good(service)
    for thread in [*slow, good]:
        thread.start()
    time.sleep(SECONDS)
    good.over = True
    good.join(30)
    row = service.slot(0)
    over.set()
    for thread in slow:
        thread.join(40)
    times = sorted(good.times)
    p99 = times[len(times) * 99 // 100] * 1000
    print(f"{SLOW} slow ones beside: {len(times)} good answers, {good.failed} failed, p50 {times[len(times) // 2] * 1000:.2f} ms, "
          f"p99 {p99:.2f} ms, worst {times[-1] * 1000:.1f} ms; {row['timed_out']} were cut", flush=True)
    return {"bytes": each, "failed": good.failed, "p99_ms": p99, "cut": row["timed_out"]}


def measure():
    """None where there are not enough descriptors for it."""
    if raise_limit() < IDLE + SLOW + 200:
        return None
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, APP)
        service.write_conf(limits={"header_timeout": "2s", "body_timeout": "2s", "write_timeout": "2s", "keepalive": "10m"})
        try:
            service.start_ready()
            return run(service)
        finally:
            service.end()


def is_kept(row):
    return row["bytes"] <= BYTES_MAX and row["failed"] == 0 and row["p99_ms"] < P99_MAX_MS and row["cut"] > 0


if __name__ == "__main__":
    figures = measure()
    if figures is None:
        sys.exit("needs more file descriptors")
    print("kept" if is_kept(figures) else "broken")
    sys.exit(0 if is_kept(figures) else 1)
