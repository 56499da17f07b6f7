"""How long calls that have much to do hold a worker's loop: the longest turn, by the histogram of its lag.
usage: long_calls.py [ROUNDS [NAME]]  (default 5, all)

Each row runs in a worker of its own, beside a request that does next to nothing; a row is added by whoever adds a call that may take
long.  LIMIT_MS is what the longest turn may have; the machine's own pauses are in it, so the row "nothing" is to be seen beside the others.
It all runs before other work on the machine, where we may, with pauses: Linux takes the CPU away from who would have it for a whole second.
Exits with 1 when a line says MISS."""
import gzip
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from app_process import AppProcess  # noqa: E402

LIMIT_MS = 10
PAUSE_PART = 0.5  # of what a call took, behind it
MIB = 1024 * 1024

HEAD = '''
local fsd = require "fsd"
local json = require "fsd.json"
local app = fsd.app()
local kept
app:get("/tick", function() return "tick" end)
app:get("/lag", function(req, res) res:json(fsd.worker.lag()) end)
'''


def rows_of(count):
    return [{"id": i, "name": f"row number {i}", "price": i * 1.5, "tags": ["a", "b"], "ok": True} for i in range(count)]


ROWS = json.dumps(rows_of(120_000)).encode()  # about 10 MB
ROWS = ROWS[:10 * MIB].rsplit(b"}, {", 1)[0] + b"}]"
TEXTS = json.dumps([("word " * 200) + str(i) for i in range(10_000)]).encode()
UMLAUTS = json.dumps(["äöü " * 200 for _ in range(7_000)], ensure_ascii=False).encode()
FORM = "&".join(f"name{i}=" + "value+" * 1700 for i in range(1000)).encode()
PARTS = (b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"y" * (5 * MIB) + b"\r\n") * 2 + b"--x--\r\n"
MAKE_ROWS = '''
kept = {}
for i = 1, 100000 do kept[i] = { id = i, name = "row number " .. i, price = i * 1.5, tags = { "a", "b" }, ok = true } end
'''

# name, what POST /prepare runs before, handler (req, res), body, headers; `kept` is for what both know
CALLS = [
    ("nothing", "", "return 204", b"", {}),
    ("req:text, 10 MB", "", "req:text() return 204", ROWS, {}),
    ("req:json, 10 MB of objects", "", 'req:json{ limit = "16mb" } return 204', ROWS, {}),
    ("req:json, 10 MB of texts", "", 'req:json{ limit = "16mb" } return 204', TEXTS, {}),
    ("req:json, 10 MB of umlauts", "", 'req:json{ limit = "16mb" } return 204', UMLAUTS, {}),
    ("json.decode, 10 MB", "", "json.decode(req:text()) return 204", ROWS, {}),
    ("json.encode, 10 MB", MAKE_ROWS, "json.encode(kept) return 204", b"", {}),
    ("res:json, 10 MB", MAKE_ROWS, "res:json(kept)", b"", {}),
    ("return of a table, 10 MB", MAKE_ROWS, "return kept", b"", {}),
    ("inflate of 10 MB", "", "req:text() return 204", gzip.compress(ROWS, 6), {"content-encoding": "gzip"}),
    ("inflate and req:json, 10 MB", "", 'req:json{ limit = "16mb" } return 204', gzip.compress(ROWS, 6), {"content-encoding": "gzip"}),
    ("req:form, 10 MB", "", 'req:form{ limit = "16mb" } return 204', FORM, {}),
    ("req:multipart, 10 MB", "", "req:multipart() return 204", PARTS, {"content-type": "multipart/form-data; boundary=x"}),
    ("req:multipart to the disk, 10 MB", "", 'req:multipart{ storage = "disk" } return 204', PARTS,
     {"content-type": "multipart/form-data; boundary=x"}),
]


def tick(app, is_over):
    with app.connection() as connection:
        while not is_over.is_set():
            app.request("GET", "/tick", connection=connection)
            time.sleep(0.001)


def longest_ms(before, after):
    """The longest turn between the two: exactly if it is the longest ever, else the end of its bucket."""
    if after["max"] > before["max"]:
        return after["max"] * 1000
    counts = before["counts"] + [0] * (len(after["counts"]) - len(before["counts"]))
    return 2 ** max(i for i, count in enumerate(after["counts"]) if count > counts[i])


def measure(row, rounds):
    """The longest turn in milliseconds, and how long a call took on the average."""
    name, before, handler, body, headers = row
    with tempfile.TemporaryDirectory() as folder:
        source = f'{HEAD}app:post("/prepare", function(req) {before} return 204 end)\napp:post("/call", function(req, res) {handler} end)\nreturn app'
        app = AppProcess(pathlib.Path(folder), source)
        app.write_conf(limits={"body": "16MiB", "cpu": "60s", "request_timeout": "60s"})
        app.start_ready()
        try:
            app.request("POST", "/prepare")
            before = app.get("/lag").json()
            is_over = threading.Event()
            ticking = threading.Thread(target=tick, args=(app, is_over))
            ticking.start()
            took_s = 0
            for _ in range(rounds):
                begun = time.monotonic()
                answer = app.request("POST", "/call", body, headers)
                call_s = time.monotonic() - begun
                assert answer.status < 300, (name, answer.status, answer.body)
                took_s += call_s
                time.sleep(call_s * PAUSE_PART)
            is_over.set()
            ticking.join()
            return longest_ms(before, app.get("/lag").json()), took_s * 1000 / rounds
        finally:
            app.kill()


def take_precedence():
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        print("we may not take precedence over other processes: their work is in the figures", file=sys.stderr)


def main(calls):
    take_precedence()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    missed = False
    print(f"{'call':36} {'longest turn':>12} {'call':>9}")
    for row in calls:
        if wanted in row[0]:
            turn_ms, took_ms = measure(row, rounds)
            is_missed = turn_ms > LIMIT_MS
            missed = missed or is_missed
            print(f"{row[0]:36} {turn_ms:9.0f} ms {took_ms:6.0f} ms{'  MISS' if is_missed else ''}", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main(CALLS)
