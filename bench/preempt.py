"""What it costs that any loop can be preempted, and how long a pattern may search.  Two workers of the same program run the same loops in
turn, and in one of them the timer that takes the CPU away is never set (preempt/still.c); times are of the CPU."""
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


def measure_pairs(usual, still):
    """By loop, the CPU seconds of pairs that ran one after the other, and in every second pair the other one goes first."""
    found = {loop: ([], []) for loop in LOOPS}
    for turn in range(PAIRS):
        for loop, (with_it, without) in found.items():
            order = [(usual, with_it), (still, without)]
            for process, values in order if turn % 2 == 0 else order[::-1]:
                values.append(process.ask("/" + loop)["cpu"])
    return found


def measure(rounds):
    worker = build_still_worker()
    found = {loop: ([], []) for loop in LOOPS}
    patterns = []
    for _ in range(rounds):
        with started("preempt") as usual, started("preempt", worker=worker) as still:
            for loop, pairs in measure_pairs(usual, still).items():
                found[loop][0].extend(pairs[0])
                found[loop][1].extend(pairs[1])
            patterns.append(usual.ask("/pattern")["ms"])
    for loop, (with_it, without) in found.items():
        costs = [(first / second - 1) * 100 for first, second in zip(with_it, without)]
        yield Row(SUBJECT, f"{loop} loop: CPU, with", "ms", [value * 1000 for value in with_it],
                  [value * 1000 for value in without], "never preempted")
        yield Row(SUBJECT, f"{loop} loop: what preemption costs", "%", costs, wanted="< 3")
    yield Row(SUBJECT, "pattern that would try 2^40 ways on 40 bytes", "ms", patterns, wanted="<= 50")
