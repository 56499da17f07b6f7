"""The N-th call of the master fails, for a sample of all N of each system call; `scripts/sweep` runs them all.

What a cycle is, and what is good and bad, is in test/support/sweep.py."""
import concurrent.futures

import pytest
import sweep
from service import IS_SANITIZED

SAMPLE = 4 if IS_SANITIZED else 16
NOT_SANITIZED = {"mmap"}  # the sanitizer's own allocator ends the program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return sweep.count_calls(tmp_path_factory.mktemp("count") / "cycle")


def pick(numbers):
    """All, or an even sample with the first and the last."""
    if len(numbers) <= SAMPLE:
        return list(numbers)
    return sorted({numbers[round(i * (len(numbers) - 1) / (SAMPLE - 1))] for i in range(SAMPLE)})


@pytest.mark.parametrize("row", sweep.ROWS, ids=[row[0] for row in sweep.ROWS])
def test_a_call_of_the_master_that_fails_once_ends_in_a_working_service_or_a_clear_error(row, counted, tmp_path):
    if IS_SANITIZED and row[0] in NOT_SANITIZED:
        pytest.skip("the sanitizer does not survive this")
    counts, fds = counted
    errors = row[2].split()
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        jobs = [two.submit(sweep.run_one, tmp_path / str(when), row, errors[at % len(errors)], when, fds)
                for at, when in enumerate(pick(counts[row[0]]))]
        results = [job.result() for job in jobs]
    bad = [f"{one.name}:error={one.error}:when={one.when}: {one.call}\n{one.text}" for one in results if one.outcome == "BAD"]
    assert not bad, "\n".join(bad)
