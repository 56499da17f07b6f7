"""What all system tests share: services that are gone when the test is."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import FsdProcess  # noqa: E402
from service import Service, list_reports  # noqa: E402


@pytest.fixture(autouse=True)
def no_sanitizer_reports():
    """Programs of MODE=asan write their reports to files."""
    before = list_reports()
    yield
    new = sorted(list_reports() - before)
    assert not new, "\n".join(path.read_text(errors="replace")[:4000] for path in new)


@pytest.fixture
def make_fake(tmp_path, no_sanitizer_reports):
    """Makes daemons with the fake worker that are not started yet; as FsdProcess without its folder."""
    made = []

    def make_one(*arguments, **options):
        folder = tmp_path / f"fake{len(made)}"
        folder.mkdir()
        made.append(FsdProcess(folder, *arguments, **options))
        return made[-1]

    yield make_one
    for one in made:
        one.kill()


@pytest.fixture
def make_service(tmp_path, no_sanitizer_reports):
    """Makes services that are not started yet: make_service(app=None, workers=1)."""
    made = []

    def make_one(app=None, workers=1):
        folder = tmp_path / f"service{len(made)}"
        folder.mkdir()
        made.append(Service(folder, app, workers))
        return made[-1]

    yield make_one
    problems = []
    for one in made:
        try:
            one.end()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def service(make_service):
    """One that runs: two workers with probe.lua, started with a configuration."""
    one = make_service(workers=2)
    one.write_conf()
    return one.start_ready()
