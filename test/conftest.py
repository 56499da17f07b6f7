"""What all tests share that pytest runs: their order, and who runs beside whom."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))
from turns import Turns  # noqa: E402


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" in os.environ:
        config.pluginmanager.register(Turns())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A broken basis shall fail first."""
    items.sort(key=lambda item: 2 if item.get_closest_marker("slow") else 0 if item.get_closest_marker("basic") else 1)
