"""What the tests of the Lua API share: starting applications, and building one from rows of handlers."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from app_process import AppProcess  # noqa: E402

APPS = pathlib.Path(__file__).resolve().parent / "apps"


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """serve(app, **pool): starts an application with debug records in JSON; pool is what its pool is configured with."""
    started = []

    def start(app, **pool):
        process = AppProcess(tmp_path_factory.mktemp("app"), app)
        process.write_conf(log_format="json", **pool)
        started.append(process)
        return process.start_ready()

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def serve_refused(tmp_path):
    """serve_refused(app): runs an application that must not load, and returns what was printed."""
    def run(app):
        process = AppProcess(tmp_path, app)
        process.start()
        assert process.wait_exit() == 65
        return process.log()

    return run
