"""Actors of four workers talk while workers are killed and stopped, links are reset, and mailboxes are full."""
import pytest
from service import IS_SANITIZED
from storm import KINDS, run_storm

SEED = 4


@pytest.mark.slow
def test_nothing_is_lost_unsaid_doubled_or_out_of_order_while_workers_and_links_fail():
    faults, messages = (8, 10_000) if IS_SANITIZED else (20, 100_000)
    print("seed", SEED)
    found = run_storm(faults, messages, SEED)
    print(found)
    assert found["violations"] == []
    assert found["sent"] >= messages
    assert [found[kind] for kind in KINDS] == [faults / len(KINDS)] * len(KINDS)
    assert found["restarts"] == found["kill"]
    assert found["downs"] >= found["breaks"] + found["deaths"] > 0
    assert min(found["checks"], found["breaks"], found["deaths"], found["pauses"]) > 0
