"""Signals that reach a worker but are not meant for it, and the black box that each worker has."""
import os
import pathlib
import signal

import pytest
from service import find_workers, wait_for


def count_boxes(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text().count("memfd:fsd-blackbox")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTIN,
                                    signal.SIGTTOU, signal.SIGINT, signal.SIGPIPE])
def test_a_worker_ignores_signals_that_are_orders_to_the_master(service, number):
    pids = [service.slot(slot)["pid"] for slot in (0, 1)]
    for pid in pids:
        os.kill(pid, number)
    served = {service.get("/").headers["x-worker"] for _ in range(20)}
    assert served <= {str(pid) for pid in pids}
    assert [service.slot(slot)["pid"] for slot in (0, 1)] == pids
    assert [service.slot(slot)["restarts"] for slot in (0, 1)] == [0, 0]


def test_the_master_maps_one_black_box_a_worker_for_as_long_as_it_lives(service):
    master = service.process.pid
    assert count_boxes(master) == len(find_workers(master))
    for number in (signal.SIGKILL, signal.SIGSEGV):
        victim = service.slot(0)
        assert count_boxes(victim["pid"]) == 1
        os.kill(victim["pid"], number)
        service.wait_replaced(victim)
        wait_for(lambda: count_boxes(master) == len(find_workers(master)), "the box of the dead one to be unmapped")
