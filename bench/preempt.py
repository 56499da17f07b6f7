"""What it costs that any loop can be preempted, and how long a pattern may search.  Two workers of the same program run the same loops in
turn, and in one of them the timer that takes the CPU away is never set (preempt/still.c); where it is installed, the plain interpreter runs
them as well.  Times are of the CPU."""
import shutil
import subprocess

from report import Row
from start import BUILD, HERE, started

SUBJECT = "preemption"
LOOPS = ("fib", "string", "table")
PAIRS = 11  # in each round


def build_still_worker():
    """A worker program that never preempts."""
    folder = BUILD / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    library, worker = folder / "still.so", folder / "fsd-worker-still"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "preempt/still.c"], check=True)
    worker.write_text(f'#!/bin/sh\nLD_PRELOAD="{library}" exec "{BUILD}/fsd-worker" "$@"\n')
    worker.chmod(0o755)
    return worker


def run_plain(loop):
    """None without an interpreter."""
    interpreter = shutil.which("lua5.4")
    if interpreter is None:
        return []
    done = subprocess.run([interpreter, HERE / "preempt/loops.lua", loop], check=True, capture_output=True, text=True)
    return [float(done.stdout)]


def measure_turns(usual, still, found):
    """Adds the CPU milliseconds of runs one after the other; in every second turn the other worker goes first."""
    for turn in range(PAIRS):
        for loop, (with_it, without, plain) in found.items():
            order = [(usual, with_it), (still, without)]
            for process, values in order if turn % 2 == 0 else order[::-1]:
                values.append(process.ask("/" + loop)["cpu"] * 1000)
            plain.extend(seconds * 1000 for seconds in run_plain(loop))


def measure(rounds):
    worker = build_still_worker()
    found = {loop: ([], [], []) for loop in LOOPS}
    patterns = []
    for _ in range(rounds):
        with started("preempt") as usual, started("preempt", worker=worker) as still:
            measure_turns(usual, still, found)
            patterns.append(usual.ask("/pattern")["ms"])
    for loop, (with_it, without, plain) in found.items():
        costs = [(first / second - 1) * 100 for first, second in zip(with_it, without)]
        yield Row(SUBJECT, f"{loop} loop: CPU, with", "ms", with_it, without, "never preempted")
        if plain:
            yield Row(SUBJECT, f"{loop} loop: CPU, with", "ms", with_it, plain, "lua5.4 alone")
        yield Row(SUBJECT, f"{loop} loop: what preemption costs", "%", costs, wanted="< 3")
    yield Row(SUBJECT, "pattern that would try 2^40 ways on 40 bytes", "ms", patterns, wanted="<= 50")
