"""Workers that are killed under load: what fails, and how long until others serve.
usage: kill.py [TIMES]  (default 100)

takeover   death until the worker from the reserve is ready, for small and large workers.  "noticed" is when the master knew: a worker
           that catches its signal says so first; of SIGKILL nobody can know before the kernel has torn its memory down, which takes about
           40 ms for 512 MB, so there the figure is the kernel's.  Times are whole milliseconds of the master's clock, so up to 1 ms short.
random     workers killed at random under load: failed requests, by kind; elsewhere: those that no killed worker explains.
all        all workers, and the reserve, killed in one go: until the last of them is ready again.
one        a daemon for each, two workers without a reserve: what one kill costs, and the first answer of the replacement."""
import os
import pathlib
import random
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service import PROBE, Service, failed_elsewhere, is_alive, wait_for  # noqa: E402
from supervised import choose_victim  # noqa: E402

SIZES_MB = (12, 64, 512)
BASE_MB = 5  # of a worker with probe.lua
PIECE_KB = 64
# in pieces that are all different, so that each has pages of its own that are written to
BALLAST = """
local ballast = {{}}
for i = 1, {pieces} do ballast[i] = string.rep(string.format("%08d", i), {piece} // 8) end
return app
"""


def make_app(size_mb):
    pieces = max(0, size_mb - BASE_MB) * 1024 // PIECE_KB
    return PROBE.read_text().replace("return app\n", BALLAST.format(pieces=pieces, piece=PIECE_KB * 1024))


def start(folder, workers, standby, app=None):
    service = Service(folder, app, workers)
    service.write_conf(standby=standby)
    service.start_ready()
    wait_whole(service)
    return service


def wait_whole(service):
    """Until all serve and the reserve is ready."""
    def check(status):
        pool = status["pools"][0]
        return status["state"] == "running" and pool["standby"]["ready"] == pool["standby"]["wanted"]

    service.wait_status(check, "all to be well", 60)


def use(service, row):
    """Lets it answer a request: who has done nothing yet counts as one that failed to start."""
    wait_for(lambda: service.get("/").headers["x-worker"] == str(row["pid"]), "an answer of it")


def take_over(service, number):
    victim = service.slot(0)
    use(service, victim)
    killed = time.time() * 1000
    os.kill(victim["pid"], number)
    row = service.wait_replaced(victim)
    wait_for(lambda: not is_alive(victim["pid"]), "the dead one to be gone")
    wait_whole(service)
    return {"memory_mb": victim["memory_bytes"] / 2**20, "noticed_ms": row["died_at"] - killed, "ready_ms": row["ready_at"] - killed}


def measure_takeover(size_mb, number, times):
    with tempfile.TemporaryDirectory() as folder:
        service = start(folder, 2, 1, make_app(size_mb))
        try:
            return [take_over(service, number) for _ in range(times)]
        finally:
            service.end()


def measure_random(times, connections=64, workers=4):
    with tempfile.TemporaryDirectory() as folder:
        service = start(folder, workers, 1)
        choose = random.Random(1)
        try:
            load = service.load("/", connections=connections).wait_ready()
            kills = [service.kill_worker(choose_victim(service, choose)) for _ in range(times)]
            result = load.stop().result()
        finally:
            service.end()
    kinds = ("ok", "lost", "cut", "wrong_status", "refused", "hung", "closed_idle", "gap_ms")
    return {**{kind: result[kind] for kind in kinds},
            "elsewhere": len(failed_elsewhere(result, kills))}


def kill_all(service):
    old = [row["pid"] for row in service.workers()]
    killed = time.time() * 1000
    for pid in old:
        os.kill(pid, signal.SIGKILL)

    def check(rows):
        ready = [row for row in rows if row["state"] == "ready"]
        return len(ready) == service.workers_count and not {row["pid"] for row in ready} & set(old)

    rows = service.wait_workers(check, "all to be back", 60)
    wait_whole(service)
    return max(row["ready_at"] for row in rows if row["state"] == "ready") - killed


def measure_all(workers, standby, size_mb, times):
    """A new service each time, because a second loss of a slot waits on purpose."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            service = start(folder, workers, standby, make_app(size_mb))
            try:
                found.append(kill_all(service))
            finally:
                service.end()
    return found


def kill_once(connections):
    """A new service each time, because the second restart of a worker waits on purpose."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, workers=2)
        try:
            service.write_conf()
            service.start_ready()
            load = service.load("/", connections=connections).wait_ready()
            victim, other = service.slot(0), service.slot(1)
            kill = service.kill_worker(victim)
            row = service.slot(0)
            use(service, row)  # a sibling may have taken all the load over before it was ready
            answered = time.monotonic()
            result = load.stop().result()
        finally:
            service.end()
    return {
        "killed_worker": str(victim["pid"]), "other_worker": str(other["pid"]), "ok": result["ok"],
        "lost": result["lost"], "cut": result["cut"], "refused": result["refused"], "hung": result["hung"], "closed_idle": result["closed_idle"],
        "elsewhere": len(failed_elsewhere(result, [kill])),
        "gap_ms": result["gap_ms"], "ready_ms": row["ready_at"] - row["died_at"],
        "answer_ms": (min(answered, result["workers"].get(str(row["pid"]), {}).get("first", answered)) - kill.began) * 1000,
    }


def measure(times=10, connections=64):
    return [kill_once(connections) for _ in range(times)]


def summarize(values):
    """Median, the value that 99 of 100 do not exceed, and the largest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[max(0, -(-len(ordered) * 99 // 100) - 1)], ordered[-1]


def print_head(*names):
    print("".join(f"{name:>13}" for name in names))


def print_row(*values):
    print("".join(f"{value:>13.1f}" if isinstance(value, float) else f"{value:>13}" for value in values), flush=True)


def print_takeover(times):
    print(f"takeover: {times} kills each, two workers and one in reserve, ms")
    print_head("worker MB", "signal", "noticed", "noticed p99", "ready", "ready p99", "ready max")
    for size_mb in SIZES_MB:
        for number in (signal.SIGKILL, signal.SIGSEGV):
            rows = measure_takeover(size_mb, number, times)
            noticed = summarize([row["noticed_ms"] for row in rows])
            ready = summarize([row["ready_ms"] for row in rows])
            print_row(statistics.median(row["memory_mb"] for row in rows), number.name, *noticed[:2], *ready)


def print_random(times):
    row = measure_random(times)
    print(f"\nrandom: {times} kills of four workers and one in reserve, 64 connections")
    print_head(*row)
    print_row(*row.values())


def print_all(times):
    print(f"\nall: all workers killed at once, {times} times, ms until the last is back")
    print_head("workers", "reserve", "worker MB", "median", "max")
    for workers, standby, size_mb in ((2, 0, 12), (2, 1, 12), (4, 1, 12), (8, 1, 12), (4, 1, 64)):
        median, _, largest = summarize(measure_all(workers, standby, size_mb, times))
        print_row(workers, standby, size_mb, median, largest)


def print_one(times):
    print(f"\none: kill -9 of one of two workers, no reserve, 64 connections, {times} times")
    columns = ("ok", "lost", "cut", "refused", "hung", "closed_idle", "elsewhere", "gap_ms", "ready_ms", "answer_ms")
    print_head(*columns)
    for row in measure(times):
        print_row(*(row[name] for name in columns))


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print_takeover(times)
    print_random(times)
    print_all(max(1, times // 10))
    print_one(max(1, times // 20))


if __name__ == "__main__":
    main()
