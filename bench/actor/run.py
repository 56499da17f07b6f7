#!/usr/bin/python3
"""What actors cost in one worker, the median of some rounds; Erlang in the same rounds where it is installed.

usage: bench/actor/run.py [ROUNDS]      MODE=release is built already (make)
"""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test/support"))
sys.dont_write_bytecode = True
from app_process import AppProcess  # noqa: E402

MEASUREMENTS = ("scalar", "tuple", "call", "spawn", "idle", "gc")


def measure(what):
    """Numbers by "measurement name", from a worker of its own: what an earlier one did to the heap would count."""
    with tempfile.TemporaryDirectory() as folder:
        process = AppProcess(pathlib.Path(folder), HERE / "app.lua")
        process.write_conf(limits={"request_timeout": "300s"})
        try:
            process.start_ready()
            found = json.loads(process.get("/" + what).body)
        finally:
            process.kill()
    return {f"{what} {name}": value for name, value in found.items()}


def measure_erlang():
    if shutil.which("erlc") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["erlc", "-o", folder, HERE / "pingpong.erl"], check=True)
        done = subprocess.run(["erl", "+S", "1:1", "-noshell", "-pa", folder, "-s", "pingpong", "main"],
                              check=True, capture_output=True, text=True)
    return {f"{line.split()[0]} ns": float(line.split()[1]) for line in done.stdout.splitlines()}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append({name: value for what in MEASUREMENTS for name, value in measure(what).items()})
        theirs.append(measure_erlang())
    print(f"{'':<24}{'fsd':>12}{'erlang':>12}{'speed':>8}")
    for name in ours[0]:
        value = statistics.median(found[name] for found in ours)
        line = f"{name:<24}{value:>12.1f}"
        if name in theirs[0]:
            other = statistics.median(found[name] for found in theirs)
            line += f"{other:>12.1f}{other / value:>8.2f}"
        print(line)


main()
