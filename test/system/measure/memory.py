"""Memory and descriptors of a worker after 10^5 and after 10^6 requests.
usage: memory.py [FIRST] [LAST]"""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service import ROOT, Service, failures  # noqa: E402

PATHS = ("/", "/users/7/posts/9")


def look(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kb = {name: int(number) for name, number in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
    return {"private_kb": kb["Private_Clean"] + kb["Private_Dirty"], "rss_kb": kb["Rss"],
            "fds": len(os.listdir(f"/proc/{pid}/fd"))}


def measure(first=100_000, last=1_000_000, connections=64):
    """What is seen at the start, after the first and after the last request, all connections closed each time."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(folder, ROOT / "examples/hello/app.lua", workers=1)
        try:
            service.start_ready()
            pid = service.slot(0)["pid"]
            rows = [{"requests": 0, **look(pid)}]
            done = 0
            for total in (first, last):
                for path in PATHS:
                    result = service.load(path, connections=connections, requests=(total - done) // len(PATHS)).result()
                    assert failures(result) == {}, result["errors"]
                done = total
                service.wait_workers(lambda rows: rows[0]["connections"] == 0, "the connections to be gone")
                rows.append({"requests": total, **look(pid)})
            assert service.slot(0)["pid"] == pid and service.slot(0)["requests"] == last
            return rows
        finally:
            service.end()


def main():
    first, last = (int(word) for word in (sys.argv[1:] + ["100000", "1000000"][len(sys.argv) - 1:]))
    columns = ("requests", "private_kb", "rss_kb", "fds")
    print("".join(f"{name:>12}" for name in columns))
    for row in measure(first, last):
        print("".join(f"{row[name]:>12}" for name in columns))


if __name__ == "__main__":
    main()
