"""Workers and the bundler that are killed or stopped in the middle of a change of code: it ends, what it says is so, and all workers run one
generation."""
import os
import signal

import pytest
from code_app import source, watched
from fsd_process import is_alive, wait_for
from held_change import HeldService, kill


@pytest.fixture
def site(tmp_path, request):
    one = HeldService(tmp_path, workers=2)
    try:
        one.write_conf(standby=1, **getattr(request, "param", {}))
        one.start_ready()
        one.wait_calm()
        yield one
    finally:
        one.let_all()
        one.end()


def pid_of(site, who):
    """Of a slot, or of the worker in reserve."""
    return next(row["pid"] for row in site.workers() if (row["state"] == "standby" if who == "standby" else row["slot"] == who))


@pytest.mark.parametrize("who", [0, 1, "standby"])
def test_a_worker_killed_while_it_prepares(site, who):
    """Nothing is changed then."""
    victim = pid_of(site, who)
    site.put_held(2)
    with watched(site) as watchers:
        reload = site.begin()
        ready = set()
        while (held := site.wait_next(ready)) != victim:
            site.let(held)
            ready.add(held)
        kill(victim)
        told = site.finish(reload, 2)
        site.let_all()
    assert told.returncode == 1
    for one in watchers:
        assert one.versions() == {"1"}


@pytest.mark.parametrize("who", [0, 1, "standby"])
def test_a_worker_killed_when_it_has_prepared(site, who):
    """Right before COMMIT: nothing is changed, too."""
    victim = pid_of(site, who)
    site.put_held(2)
    with watched(site) as watchers:
        reload = site.begin()
        ready, held = site.prepare_but_last()
        if victim == held:
            ready, victim = ready - {victim}, next(iter(ready))
        kill(victim)
        wait_for(lambda: f"[{victim}] worker died" in site.log(), "the death to be seen", 60)
        site.let_all()
        told = site.finish(reload, 2)
    assert told.returncode == 1
    for one in watchers:
        assert one.versions() == {"1"}


@pytest.mark.parametrize("who", [0, 1, "standby"])
def test_a_worker_killed_in_the_moment_of_commit(site, who):
    """Whatever comes first."""
    site.put_held(2)
    with watched(site) as watchers:
        reload = site.begin()
        _, held = site.prepare_but_last()
        victim = pid_of(site, who)
        site.let(held)
        kill(victim)
        told = site.finish(reload, 2)
        site.let_all()
    for one in watchers:
        assert one.versions() <= ({"1", "2"} if told.returncode == 0 else {"1"})


@pytest.mark.parametrize("who, end", [(0, "killed"), ("standby", "killed"), (0, "left alone")])
@pytest.mark.parametrize("site", [{"heartbeat": "1s"}], indirect=True, ids=["heartbeat"])
def test_a_worker_that_stands_still_at_commit_is_killed_and_its_replacement_runs_the_new_code(site, who, end):
    site.put_held(2)
    with watched(site):
        reload = site.begin()
        ready, held = site.prepare_but_last()
        victim = pid_of(site, who)
        if victim == held:
            victim = next(iter(ready))
        os.kill(victim, signal.SIGSTOP)
        site.let(held)
        site.wait_status(lambda status: status["pools"][0]["generation"] > 1, "the commit", 60)
        if end == "killed":
            kill(victim)
        told = site.finish(reload, 2)
    assert told.returncode == 0, told
    assert not is_alive(victim)


@pytest.mark.parametrize("site", [{"heartbeat": "1s"}], indirect=True, ids=["heartbeat"])
def test_a_worker_that_stands_still_from_the_beginning(site):
    """It is ended, and the reload fails, or goes on with its successor."""
    victim = pid_of(site, 0)
    os.kill(victim, signal.SIGSTOP)
    site.put(2)
    told = site.finish(site.begin(), 2)
    assert told.returncode == 1 or not is_alive(victim)


def test_all_workers_killed_at_once_while_they_prepare(site):
    site.put_held(2)
    reload = site.begin()
    site.prepare_but_last()
    for row in site.workers():
        os.kill(row["pid"], signal.SIGKILL)
    assert site.finish(reload, 2).returncode == 1


def test_who_asked_is_killed_while_workers_prepare(site):
    """The reload goes on without him."""
    site.put_held(2)
    reload = site.begin()
    _, held = site.prepare_but_last()
    reload.kill()
    reload.communicate()
    site.let(held)
    site.wait_status(lambda status: status["pools"][0]["generation"] == 2, "the new code", 60)
    assert site.wait_calm() == 2
    assert site.get("/").headers["x-version"] == "2"


def test_the_bundler_killed(site):
    site.put_held(2)
    site.hold_bundler()
    with watched(site) as watchers:
        reload = site.begin()
        os.kill(site.wait_bundler(), signal.SIGKILL)
        told = site.finish(reload, 2)
    assert told.returncode == 1
    assert all(one.versions() == {"1"} for one in watchers)
    site.put_held(3)
    site.let_all()
    assert site.finish(site.begin(), 3).returncode == 0


def test_a_worker_killed_while_the_bundler_reads(site):
    """What is replaced meanwhile takes part."""
    site.put_held(2)
    site.hold_bundler()
    reload = site.begin()
    bundler, victim = site.wait_bundler(), site.slot(0)
    site.let_all()
    os.kill(victim["pid"], signal.SIGKILL)
    site.wait_replaced(victim)
    os.kill(bundler, signal.SIGCONT)
    assert site.finish(reload, 2).returncode == 0


@pytest.mark.parametrize("which", ["one", "all"])
def test_workers_killed_while_a_deploy_is_half_written_run_the_running_code(site, which):
    site.put(2)
    assert site.ctl("reload").returncode == 0
    generation, old = site.wait_calm(), site.workers()
    site.app_path.write_text(source(3)[:300])
    (site.app_path.parent / "other.lua").write_text("return {")
    victims = old if which == "all" else [site.slot(0)]
    for row in victims:
        os.kill(row["pid"], signal.SIGKILL)
    wait_for(lambda: not {row["pid"] for row in victims} & {row["pid"] for row in site.workers()}, "others", 60)
    assert site.wait_calm() == generation
    assert {site.get("/").headers["x-version"] for _ in range(10)} == {"2"}
    assert site.ctl("reload").returncode == 1
    assert site.wait_calm() == generation
