"""What one `while true do end` a second does to a worker's other requests, of which 1,000 come in each second: by the histogram of the
loop's turns, and as a client outside sees it that asks at a fixed rate (endless/paced.c: time counts from when a request was due)."""
import http.client
import json
import subprocess
import threading

from report import Row
from start import BUILD, HERE, started

SUBJECT = "1,000 requests/s beside one `while true do end` a second (worker's own CPU limit: 1 s)"
RATE = 1000
SECONDS = 3
PHASES = 3  # in each round, of each kind
LOOPS_A_SECOND = 1


def build_client():
    program = BUILD / "bench/paced"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, HERE / "endless/paced.c"], check=True)
    return program


class Loops(threading.Thread):
    """Asks for one more endless loop at each tick; who is asked answers with 503 when it has cut the loop off."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.over = threading.Event()
        self.connections = []

    def run(self):
        while not self.over.is_set():
            connection = http.client.HTTPConnection(self.address, timeout=30)
            connection.request("GET", "/endless")
            self.connections.append(connection)
            self.over.wait(1 / LOOPS_A_SECOND)

    def end(self):
        """Waits for all of them, so that the next round begins in silence."""
        self.over.set()
        self.join()
        for connection in self.connections:
            connection.getresponse().read()
            connection.close()


def lag_p99(before, after):
    """Milliseconds that 99 of 100 turns between the two did not reach; the counts are by powers of two."""
    counts = [now - then for then, now in zip(before, after)]
    passed = 0
    for power, count in enumerate(counts):
        passed += count
        if passed >= 0.99 * sum(counts):
            return 2 ** power
    return 0


def pace(client, process):
    host, _, port = process.address().rpartition(":")
    before = process.ask("/lag")
    done = subprocess.run([client, str(RATE), str(SECONDS), host, port, "/"], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    if found["failed"] or found["unanswered"]:
        raise RuntimeError(f"requests were not answered: {found}")
    return {**found, "lag": lag_p99(before, process.ask("/lag"))}


def measure_round(client):
    """Pairs of what was found without the loops and with them."""
    with started("endless", limits={"cpu": "1s"}) as process:
        for _ in range(PHASES):
            alone = pace(client, process)
            loops = Loops(process.address())
            loops.start()
            beside = pace(client, process)
            loops.end()
            yield alone, beside


def measure(rounds):
    client = build_client()
    alone, beside = zip(*(pair for _ in range(rounds) for pair in measure_round(client)))
    for key, name in (("p50", "client: p50"), ("p99", "client: p99"), ("lag", "p99 of the loop's turns, below")):
        without = [found[key] for found in alone]
        with_loops = [found[key] for found in beside]
        yield Row(SUBJECT, f"{name}, without", "ms", without)
        yield Row(SUBJECT, f"{name}, with", "ms", with_loops)
        moved = [after - before for before, after in zip(without, with_loops)]
        yield Row(SUBJECT, f"{name}, moved by", "ms", moved, wanted="< 4 (two slices)" if key != "p50" else "")
