"""Who runs beside whom when several processes run the tests (pytest -n): a test marked `alone` has the machine for itself.

Every test holds a file lock while it runs with its fixtures: alone an exclusive one, else a shared one.  They come to it through
a gate, so that one that waits to be alone is not overtaken for ever.  Files are given out whole; those that last come
first, and those with a test that must be alone last, when there is least to wait for."""
import contextlib
import fcntl
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "build"


@contextlib.contextmanager
def locked(name, operation):
    with open(FOLDER / name, "w") as file:
        fcntl.flock(file, operation)
        yield


class Turns:
    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        with contextlib.ExitStack() as stack:
            with locked("turns-gate", fcntl.LOCK_EX):
                is_alone = item.get_closest_marker("alone") is not None
                stack.enter_context(locked("turns", fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH))
            yield

    def pytest_collection_modifyitems(self, items):
        alone = {item.path for item in items if item.get_closest_marker("alone")}
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: 2 if item.path in alone else 0 if item.path in slow else 1)
