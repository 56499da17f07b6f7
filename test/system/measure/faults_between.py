"""Workers whose actors talk, while workers are killed and stopped, links reset and mailboxes full.
usage: faults_between.py [FAULTS [MESSAGES [SEED]]]  (default 200 1000000 1)

Each message has its sender and a number.  A daemon of its own for every 25 faults, because a worker that is killed often is started
again with a growing pause.  Exits with 1 when anything was lost without an error while both ends lived, came twice or out of
order, or when a monitor told more or less than once.

sent      messages; received: those that came, in workers that were not killed
checks    questions whether all that was sent has come, that were answered yes; waits: those that took more than 20 ms
downs     what monitors told, of broken links (breaks) and of workers that ended (deaths)"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from storm import KINDS, run_storm  # noqa: E402

FAULTS_EACH = 25
COLUMNS = ("seed", "seconds", *KINDS, "sent", "received", "checks", "waits", "downs", "breaks", "deaths", "restarts", "violations")


def print_row(values):
    print("".join(f"{value:>11.1f}" if isinstance(value, float) else f"{value:>11}" for value in values), flush=True)


def main():
    faults, messages, seed = (int(word) for word in (sys.argv[1:] + ["200", "1000000", "1"][len(sys.argv) - 1:])[:3])
    rounds = -(-faults // FAULTS_EACH)
    all_found = []
    print_row(COLUMNS)
    for i in range(rounds):
        count = faults * (i + 1) // rounds - faults * i // rounds
        found = {**run_storm(count, messages // rounds, seed + i), "seed": seed + i}
        violations = found["violations"]
        found["violations"] = len(violations)
        all_found.append(found)
        print_row(found[column] for column in COLUMNS)
        for text in violations:
            print("   ", text)
    print_row(["all", *(sum(found[column] for found in all_found) for column in COLUMNS[1:])])
    return any(found["violations"] for found in all_found)


if __name__ == "__main__":
    sys.exit(main())
