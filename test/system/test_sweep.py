"""The N-th call of the master fails, or is where a signal meets it, for a sample of all N; `scripts/sweep` runs them all.

What a cycle is, and what is good and bad, is in test/support/sweep.py."""
import concurrent.futures

import pytest
import sweep
from service import IS_SANITIZED

SAMPLE = 4 if IS_SANITIZED else 14
NOT_SANITIZED = {"mmap"}  # the sanitizer's own allocator ends the program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return sweep.count_calls(tmp_path_factory.mktemp("count") / "cycle")


def pick(numbers, sample):
    """All, or an even sample with the first and the last."""
    if len(numbers) <= sample:
        return list(numbers)
    return sorted({numbers[round(i * (len(numbers) - 1) / (sample - 1))] for i in range(sample)})


def run(row, faults, numbers, fds, folder):
    """A cycle for each number, two at a time; the faults take turns."""
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        jobs = [two.submit(sweep.run_one, folder / str(when), row, faults[at % len(faults)], when, fds)
                for at, when in enumerate(numbers)]
        results = [job.result() for job in jobs]
    bad = [f"{one.name}:{one.error}:when={one.when}: {one.call}\n{one.text}" for one in results if one.outcome == "BAD"]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("row", sweep.ROWS, ids=[row[0] for row in sweep.ROWS])
def test_a_call_of_the_master_that_fails_once_ends_in_a_working_service_or_a_clear_error(row, counted, tmp_path):
    if IS_SANITIZED and row[0] in NOT_SANITIZED:
        pytest.skip("the sanitizer does not survive this")
    counts, fds = counted
    run(row, row[2].split(), pick(counts[row[0]], SAMPLE), fds, tmp_path)


@pytest.mark.parametrize("fault", ["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("row", [row for row in sweep.ROWS if row[0] in sweep.SIGNALLED], ids=lambda row: row[0])
def test_whenever_it_comes_term_ends_in_order_and_kill_leaves_nothing_in_the_way(row, fault, counted, tmp_path):
    counts, fds = counted
    run(row, [fault], pick(counts[row[0]], SAMPLE // 2), fds, tmp_path)
