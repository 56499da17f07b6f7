"""What actors cost inside one worker.  A worker and a VM are new for each measurement: what an earlier one did to the heap would
count.  Times are of the CPU, which on a quiet machine is the time that passes, and on a busy one all that can be compared."""
import erlang
from report import Row
from start import HERE, started

SUBJECT = "inside one worker"
MEASUREMENTS = ("scalar", "tuple", "call", "spawn", "idle", "gc")

# name of what is measured, of what it is called in the table, unit, what is wanted
LINES = (
    ("scalar cpu_ns", "ping-pong, an integer: a message", "ns", ">= 1.5 x"),
    ("tuple cpu_ns", 'ping-pong, {pid, "get", 42, "key"}: a message', "ns", ">= 1.0 x"),
    ("call cpu_ns", "call and reply", "ns", ""),
    ("spawn cpu_ns", "spawn until it waits in receive", "ns", "<= 2000"),
    ("idle rss_bytes", "idle actor, of 100,000: resident", "bytes", "<= 1600"),
    ("idle lua_bytes", "idle actor, of 100,000: in Lua", "bytes", ""),
    ("gc longest_step_ms", "longest step of the GC, 10,000 actors", "ms", "printed"),
)


def measure_ours():
    found = {}
    for what in MEASUREMENTS:
        with started("inside") as process:
            found.update({f"{what} {name}": value for name, value in process.ask("/" + what).items()})
    return found


def measure_erlang():
    source = HERE / "inside/pingpong.erl"
    return {**erlang.run(source, 1), **erlang.run(source, 1, "idle")}


def measure(rounds):
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measure_ours())
        theirs.append(measure_erlang())
    for key, name, unit, wanted in LINES:
        peer = [found[key] for found in theirs if key in found]
        yield Row(SUBJECT, name, unit, [found[key] for found in ours], peer, erlang.NAME if peer else "", wanted)
