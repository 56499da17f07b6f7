"""Reloads beside everything else that changes a service: the long run of test_reload_storm.py.
usage: reload_storm.py [ROUNDS [SEED]]  (default 10 1)

Each round is a daemon of its own.  Exits with 1 when a command hung, said what was not so, or the end was not as the last of them said."""
import collections
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from code_app import serving  # noqa: E402
from reload_storm import run_reload_storm  # noqa: E402

PLAN = {"reload": (3, 15), "apply": (1, 8), "scale": (1, 8), "upgrade": (1, 4), "rollback": (1, 6), "confirm": (1, 4), "kill": (1, 15)}


def run(seed):
    with tempfile.TemporaryDirectory() as folder, serving(folder, workers=3) as service:
        return run_reload_storm(service, seed, PLAN)


def main():
    rounds, seed = (int(word) for word in (sys.argv[1:] + ["10", "1"][len(sys.argv) - 1:])[:2])
    missed, total = 0, collections.Counter()
    for i in range(rounds):
        began = time.monotonic()
        found = run(seed + i)
        problems = found.pop("problems")
        missed += len(problems)
        total.update(found)
        print(f"seed {seed + i}: {time.monotonic() - began:.1f} s, {found}, {len(problems)} problems", flush=True)
        for text in problems[:10]:
            print("   ", text)
    print(f"all: {dict(total)}, {missed} problems")
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
