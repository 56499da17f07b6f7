"""A pool that cannot live beside one that does: how often it is started against what the rules allow, what the master spends on it, and
how long `status` takes meanwhile.
usage: crash_loop.py [SECONDS]  (default 30)"""
import json
import os
import pathlib
import signal
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service import PROBE, Load, Service, failures  # noqa: E402

# what is behind the application of the system tests; it fails when the flag is there
WAYS = {
    "raises at load": """
if io.open("{flag}") then error("no luck") end
return app
""",
    "dies of a request": """
app:get("/poison", function(req, res) os.exit(3) end)
return app
""",
}
BACKOFF_MS, BACKOFF_LIMIT_MS = 100, 30000


def write_conf(service, intensity, standby):
    other = service.folder / "other.lua"
    other.write_text(PROBE.read_text())
    pools = {"web": {"app": "shop", "listeners": ["web"], "count": 2, "standby": standby, "intensity": intensity, "period": "30s"},
             "other": {"app": "other", "listeners": ["other"], "count": 1, "standby": 0}}
    conf = {"version": 1, "listeners": {name: {"listen": "127.0.0.1:0"} for name in pools},
            "apps": {"shop": {"path": str(service.app_path)}, "other": {"path": str(other)}}, "pools": pools,
            "log": {"level": "debug"}, "control": {"path": service.control_path}, "state": {"path": str(service.folder / "state")}}
    (service.folder / "fsd.yaml").write_text(json.dumps(conf))


def read_cpu_s(pid):
    """What the process has used, in user and system mode."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return sum(map(int, stat.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def poison(address):
    """Two requests of which a worker dies, if that is its way, for whom nobody waits."""
    host, _, port = address.rpartition(":")
    for _ in range(2):
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(b"GET /poison HTTP/1.1\r\nHost: x\r\n\r\n")


def count_starts(service):
    return sum(" web/" in line and "worker is started" in line for line in service.log().splitlines())


def count_tries(seconds):
    """The most tries that backing off allows one slot in that time, with every wait 20 % shorter: at 0, after 100 ms, 200 ms, ..."""
    tries, at_ms, wait_ms = 1, 0, BACKOFF_MS
    while at_ms + 0.8 * wait_ms <= seconds * 1000:
        at_ms += 0.8 * wait_ms
        wait_ms = min(2 * wait_ms, BACKOFF_LIMIT_MS)
        tries += 1
    return tries


def count_allowed(intensity, standby, seconds):
    """Starts: restarts until the pool gives up, then one worker that answers 503, and a probe every 30 s; or what backing off allows
    each slot.  For the reserve what backing off allows it, and one for each slot's try that it may have been used up for."""
    tries = min(intensity, 2 * count_tries(seconds))
    return tries + 1 + int(seconds // 30) + standby * (tries + count_tries(seconds))


def measure(how, intensity, standby, seconds):
    with tempfile.TemporaryDirectory() as folder:
        flag = pathlib.Path(folder) / "flag"
        service = Service(folder, PROBE.read_text().replace("return app\n", WAYS[how].format(flag=flag)), 2)
        try:
            write_conf(service, intensity, standby)
            service.start_ready()
            addresses = {row["pool"]: row["address"] for row in service.status()["listeners"]}
            load = Load(addresses["other"], "/", connections=8, rate=200).wait_ready()
            other = service.status()["pools"][1]["workers"][0]["pid"]
            before, used_s = count_starts(service), read_cpu_s(service.process.pid)
            flag.write_text("")
            for row in service.workers("ready"):
                os.kill(row["pid"], signal.SIGKILL)
            began, took = time.monotonic(), []
            while time.monotonic() < began + seconds:
                asked = time.monotonic()
                service.status()
                took.append((time.monotonic() - asked) * 1000)
                poison(addresses["web"])
                time.sleep(0.1)
            result = load.stop().result()
            cpu = (read_cpu_s(service.process.pid) - used_s) / seconds * 100
            pools = service.status()["pools"]
            return {"starts": count_starts(service) - before, "allowed": count_allowed(intensity, standby, seconds), "cpu %": cpu,
                    "status ms": statistics.median(took), "status max": max(took), "state": pools[0]["state"],
                    "other ok": result["ok"], "other failed": sum(failures(result).values()),
                    "other same": str(pools[1]["workers"][0]["pid"] == other)}
        finally:
            service.end()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    print(f"crash loop of a pool of two for {seconds:.0f} s, beside another pool under load; status asked ten times a second")
    head = None
    for how in WAYS:
        for intensity, standby in ((5, 0), (5, 1), (1000, 0), (1000, 1)):
            row = {"how": how, "intensity": intensity, "reserve": standby, **measure(how, intensity, standby, seconds)}
            if head is None:
                head = list(row)
                print("".join(f"{name:>{20 if name == 'how' else 13}}" for name in head))
            print("".join(f"{value:>13.2f}" if isinstance(value, float) else f"{value:>{20 if name == 'how' else 13}}"
                          for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
