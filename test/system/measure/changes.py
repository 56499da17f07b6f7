"""Random changes of the code and deaths of workers, under clients that look at every answer: the long run of test_reload_property.py.
usage: changes.py [CHANGES [SEED [EACH]]]  (default 500 1 50)

A daemon of its own for EACH changes, because a worker that is killed often is started again with a growing pause.  Exits with 1
when a connection went back to an older generation, or an answer came from code that was not in place then."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from code_app import serving  # noqa: E402
from code_changes import KINDS, run_changes  # noqa: E402

COLUMNS = (*KINDS, "rolled back", "answers", "generation", "violations")


def run(count, seed):
    with tempfile.TemporaryDirectory() as folder, serving(folder) as service:
        return run_changes(service, count, seed)


def main():
    count, seed, each = (int(word) for word in (sys.argv[1:] + ["500", "1", "50"][len(sys.argv) - 1:])[:3])
    missed = 0
    print("".join(f"{name:>16}" for name in ("seed", *COLUMNS)))
    for i in range(-(-count // each)):
        found = run(min(each, count - i * each), seed + i)
        violations = found.pop("violations")
        missed += len(violations)
        print("".join(f"{value:>16}" for value in (seed + i, *(found.get(name, 0) for name in COLUMNS[:-1]), len(violations))), flush=True)
        for text in violations[:10]:
            print("   ", text)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
