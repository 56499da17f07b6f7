"""Changed code put in place again and again, under keep-alive load and with open event streams; beside it the same load without reloads.
usage: reloads.py [RELOADS [SECONDS [RATE [STREAMS]]]]  (default 100 60 5000 1000)

For GET and POST over 64 and 512 connections, a service of its own each: the load for SECONDS without a reload, then for SECONDS with
RELOADS of them.  A request is late from the moment that it was due at.  Memory and descriptors are those of the workers and of the master,
after the tenth reload and after the last.  As root it has the CPUs ahead of what else the machine does; else, where others use them, times
say little.  Exits with 1 when a line says MISS."""
import contextlib
import os
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from code_app import CodeService, Streams, read_reload  # noqa: E402
from service import failures  # noqa: E402

WORKERS, BODY, TENTH, LOOKS = 2, 1000, 10, 5
LATER_MS, GROWTH_KB = 20, 1024


class Report:
    """Lines with what was found and what is wanted."""

    def __init__(self):
        self.missed = 0

    def check(self, what, found, wanted, is_met):
        self.missed += not is_met
        print(f"    {what:<56}{found!s:>24}   {wanted:<22}{'PASS' if is_met else 'MISS'}", flush=True)

    @staticmethod
    def tell(what, found):
        print(f"    {what:<56}{found!s:>24}", flush=True)


def look(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {"rss_kb": int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M)[1]), "fds": len(os.listdir(f"/proc/{pid}/fd"))}


def look_at_all(service):
    """Of the master and of each worker, in reserve or not.  Of several looks the least: the master is still closing the connection of
    the last command."""
    rows = service.workers()
    pids = {"master": service.process.pid, **{f"{row['state']} {row['slot']} [{row['pid']}]": row["pid"] for row in rows}}
    looks = []
    for _ in range(LOOKS):
        time.sleep(0.01)
        looks.append({name: look(pid) for name, pid in pids.items()})
    return {name: {key: min(seen[name][key] for seen in looks) for key in ("rss_kb", "fds")} for name in pids}


def read_cpu(pids):
    """Seconds of CPU that these, and that all, have used."""
    ticks = 0
    for pid in pids:
        ticks += sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:15]))
    user, nice, system, _, _, interrupts, soft, stolen = map(int, pathlib.Path("/proc/stat").read_text(encoding="ascii").split()[1:9])
    return [value / os.sysconf("SC_CLK_TCK") for value in (ticks, user + nice + system + interrupts + soft + stolen)]


def reload_times(service, count, seconds):
    """So many reloads, evenly over the time; how long each took, and what the processes had after the tenth and the last."""
    began, took, looks = time.monotonic(), [], {}
    for i in range(count):
        time.sleep(max(0, began + i * seconds / count - time.monotonic()))
        service.put(i + 2)
        asked = time.monotonic()
        told = service.ctl("reload", timeout=120)
        took.append((time.monotonic() - asked) * 1000)
        assert told.returncode == 0, read_reload(service, told)
        if i + 1 in (min(TENTH, count), count):
            looks[i + 1] = look_at_all(service)
    time.sleep(max(0, began + seconds - time.monotonic()))
    return took, list(looks.values()), time.monotonic() - began


def judge_load(report, plain, changed, connections):
    for name, result in (("without reloads", plain), ("with reloads", changed)):
        report.tell(f"requests a second, CPUs of us, of others, {name}",
                    f"{result['ok'] / result['seconds']:.0f}, {result['ours']:.2f}, {result['others']:.2f}")
    failed = failures(changed)
    report.check("failed requests", failed or 0, "0", not failed)
    closed = changed["connects"] - connections
    report.check("connections that did not stay open", closed, "0", closed == 0)
    latency = [[result["latency_us"][share] / 1000 for share in ("p50", "p99", "p999", "max")] for result in (plain, changed)]
    for name, values in zip(("without reloads", "with reloads"), latency):
        report.tell(f"p50 p99 p99.9 max, ms, {name}", " ".join(f"{value:.1f}" for value in values))
    later = latency[1][2] - latency[0][2]
    report.check("p99.9 above the same without reloads, ms", f"{later:.1f}", f"<= {LATER_MS}", later <= LATER_MS)


def judge_processes(report, looks):
    tenth, last = looks[0], looks[-1]
    report.check("processes that were there at the tenth", f"{len(tenth.keys() & last.keys())} of {len(tenth)}", "all", tenth.keys() == last.keys())
    for name in sorted(tenth.keys() & last.keys()):
        growth = last[name]["rss_kb"] - tenth[name]["rss_kb"]
        report.check(f"{name}: growth, KiB (has {last[name]['rss_kb']})", growth, f"<= {GROWTH_KB}", growth <= GROWTH_KB)
        fds = tenth[name]["fds"], last[name]["fds"]
        report.check(f"{name}: descriptors", f"{fds[0]} -> {fds[1]}", "equal", fds[0] == fds[1])


def judge_streams(report, streams, before, generation):
    """Each goes on, on the code that runs now."""
    streams.wait_all(lambda stream: stream.last > before[stream] + 1 and stream.generation == generation or streams.closed,
                     "an event of the last code on every stream")
    report.check("closed event streams", streams.closed, "0", streams.closed == 0)
    report.check("events lost, or of older code than before", streams.problems[:3] or 0, "0", not streams.problems)


def measure(report, connections, body, reloads, seconds, rate, streams_count):
    with tempfile.TemporaryDirectory() as folder:
        service = CodeService(folder, WORKERS)
        streams = None
        try:
            service.write_conf(standby=1)
            service.start_ready()
            service.wait_calm()
            streams = Streams(service.address(), streams_count)
            streams.wait_all(lambda stream: stream.last > 0, "the first event of every stream")
            results = []
            for with_reloads in (False, True):
                load = service.load("/", connections=connections, body=body, rate=rate).wait_ready()
                ours = [os.getpid(), load.process.pid, service.process.pid, *(row["pid"] for row in service.workers())]
                before = read_cpu(ours)
                if with_reloads:
                    took, looks, lasted = reload_times(service, reloads, seconds)
                else:
                    time.sleep(seconds)
                used = [now - then for now, then in zip(read_cpu(ours), before)]
                results.append({**load.stop().result(), "ours": used[0] / seconds, "others": (used[1] - used[0]) / seconds})
            report.check("reloads, seconds", f"{len(took)}, {lasted:.1f}", f"{reloads} in {seconds:.0f} s", lasted <= seconds * 1.02 + 1)
            report.tell("a reload, ms: median, longest", f"{sorted(took)[len(took) // 2]:.0f}, {max(took):.0f}")
            judge_load(report, *results, connections)
            before = {stream: stream.last for stream in streams.streams.values()}
            judge_streams(report, streams, before, service.wait_calm())
            judge_processes(report, looks)
        finally:
            if streams is not None:
                streams.close()
            service.end()


def main():
    with contextlib.suppress(OSError):  # ahead of what else the machine does, with all that is started here
        os.setsid()
        pathlib.Path("/proc/self/autogroup").write_text("-20", encoding="ascii")
    values = [float(word) for word in sys.argv[1:]] + [100, 60, 5000, 1000][len(sys.argv) - 1:]
    reloads, seconds, rate, streams = int(values[0]), values[1], int(values[2]), int(values[3])
    report = Report()
    print(f"{reloads} reloads in {seconds:.0f} s, {rate} requests a second, {streams} event streams, {WORKERS} workers and one in reserve")
    for connections in (64, 512):
        for body in (None, BODY):
            print(f"\n{'POST' if body else 'GET'} over {connections} connections", flush=True)
            measure(report, connections, body, reloads, seconds, rate, streams)
    print(f"\n{report.missed} missed")
    return report.missed > 0


if __name__ == "__main__":
    sys.exit(main())
