"""kill -9 of one of two workers under load: what fails, and how long until its replacement is ready and has answered.
usage: kill.py [TIMES] [CONNECTIONS]"""
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service import Service, wait_for  # noqa: E402


def kill_once(connections):
    """A new service each time, because the second restart of a worker waits on purpose."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, workers=2)
        try:
            service.write_conf()
            service.start_ready()
            load = service.load("/", connections=connections).wait_ready()
            victim, other = service.slot(0), service.slot(1)
            killed = time.monotonic()
            os.kill(victim["pid"], signal.SIGKILL)
            row = service.wait_replaced(victim)
            wait_for(lambda: service.slot(0)["requests"] > 0, "the replacement to answer")
            result = load.stop().result()
        finally:
            service.end()
    return {
        "killed_worker": str(victim["pid"]), "other_worker": str(other["pid"]), "ok": result["ok"],
        "lost": result["lost"], "cut": result["cut"], "refused": result["refused"], "hung": result["hung"], "closed_idle": result["closed_idle"],
        "elsewhere": sum(error["worker"] != str(victim["pid"]) for error in result["errors"]),
        "gap_ms": result["gap_ms"], "ready_ms": row["ready_at"] - row["died_at"],
        "answer_ms": (result["workers"][str(row["pid"])]["first"] - killed) * 1000,
    }


def measure(times=10, connections=64):
    return [kill_once(connections) for _ in range(times)]


def main():
    times, connections = (int(word) for word in (sys.argv[1:] + ["10", "64"][len(sys.argv) - 1:]))
    rows = measure(times, connections)
    columns = ("ok", "lost", "cut", "refused", "hung", "closed_idle", "elsewhere", "gap_ms", "ready_ms", "answer_ms")
    print(f"kill -9 of one of two workers, {connections} connections; elsewhere: failed requests on other connections than its own")
    print("".join(f"{name:>12}" for name in columns))
    for row in rows:
        print("".join(f"{row[name]:>12.1f}" if isinstance(row[name], float) else f"{row[name]:>12}" for name in columns))
    for name in ("ready_ms", "answer_ms"):
        values = [row[name] for row in rows]
        print(f"{name}: median {statistics.median(values):.1f}, max {max(values):.1f}")


if __name__ == "__main__":
    main()
