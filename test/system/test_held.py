"""Pools that give up: what their clients meet, how they come back, and what becomes of the pools beside them."""
import os
import signal
import subprocess

import pytest
from fsd_process import BUILD, RpcError
from service import wait_for
from supervised import (ask, count_answers, count_starts, poke, pool_of, ready_pids, set_worker, wait_pool,
                        write_pools)

FAILS_WHEN_TOLD = """
local fsd = require "fsd"
if io.open("FLAG") then error("no luck") end
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
return app
"""


def wait_held(fsd, name="web"):
    return wait_pool(fsd, name, lambda pool: pool["state"] == "held", f"{name} to be held")


def run_status(fsd):
    return subprocess.run([str(BUILD / "fsdctl"), "status", "-s", fsd.control_path], capture_output=True, text=True, check=False)


def lose_all(fsd, name="web"):
    for pid in ready_pids(fsd, name):
        os.kill(pid, signal.SIGKILL)


def make_held(make_fake, **pool):
    """One with two workers that both died, and gave up at once."""
    fsd = make_fake(workers=2)
    fsd.write_conf(intensity=0, **pool)
    fsd.start_ready()
    set_worker(fsd, activated="exit:3")
    lose_all(fsd)
    wait_held(fsd)
    return fsd


# --- one pool ---


@pytest.mark.basic
def test_a_pool_with_too_many_restarts_is_held_and_what_lives_serves_on(make_fake):
    fsd = make_fake(workers=3)
    fsd.write_conf(intensity=2)
    fsd.start_ready()
    victim, *siblings = ready_pids(fsd)
    before = count_starts(fsd)
    set_worker(fsd, activated="exit:3")
    os.kill(victim, signal.SIGKILL)
    pool = wait_held(fsd)
    assert pool["cause"] == "more than 2 restarts in 30 s: exited with code 3"
    assert 0 < pool["probe_in_ms"] <= 30000
    assert [row["state"] for row in pool["workers"]] == ["held", "ready", "ready"]
    assert ready_pids(fsd) == siblings
    assert set(count_answers(fsd)) == set(siblings)  # also on the socket of the dead one
    assert count_starts(fsd) - before == 2
    assert fsd.status()["state"] == "degraded"
    assert "pool gives up" in fsd.log()
    assert run_status(fsd).returncode == 2


def lose_and_await(fsd, count):
    """All workers of the pool at once; afterwards there are so many others."""
    lost = set(ready_pids(fsd))
    assert len(lost) == count
    for pid in lost:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: lost.isdisjoint(now := ready_pids(fsd)) and len(now) == count, "all workers to be back", 20)


@pytest.mark.basic
@pytest.mark.parametrize("how", ["count", "scale"])
def test_by_default_all_workers_may_be_lost_at_once_but_not_again_soon(make_fake, how):
    fsd = make_fake()
    write_pools(fsd, {"web": {"count": 8 if how == "count" else 2, "standby": "auto", "period": "1h"}})
    fsd.start_ready()
    if how == "scale":
        fsd.call("scale", pool="web", count=8)
    lose_and_await(fsd, 8)
    assert "pool gives up" not in fsd.log()
    lose_all(fsd)
    assert wait_held(fsd)["cause"].startswith("more than 9 restarts in 3600 s")  # 8 workers and one in reserve


@pytest.mark.basic
def test_when_nobody_is_left_a_worker_without_code_answers(make_service, tmp_path):
    flag = tmp_path / "flag"
    service = make_service(FAILS_WHEN_TOLD.replace("FLAG", str(flag)), workers=2)
    service.write_conf(intensity=1)
    service.start_ready()
    flag.write_text("")
    lose_all(service)
    pool = wait_held(service)
    assert "no luck" in pool["cause"] or "killed by signal 9" in pool["cause"]
    for _ in range(20):
        answer = service.get("/any/path")
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    service.wait_workers(lambda rows: [row["state"] for row in rows if row["pid"]] == ["answers 503"], "the one that answers alone")
    flag.unlink()
    assert service.ctl("reload", "--restart").returncode == 0
    wait_for(lambda: service.get("/").status == 200, "the service to be back")
    service.wait_workers(lambda rows: [row["state"] for row in rows] == ["ready"] * 2, "two workers alone")


def test_status_leads_to_the_newest_crash_report_of_a_pool_also_after_a_restart(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"web": {"intensity": 0}, "other": {}})
    fsd.start_ready()
    assert pool_of(fsd, "web")["last_crash"] is None
    for name in ("web", "other"):
        lose_all(fsd, name)
    newest = {}
    for name in ("web", "other"):
        wait_pool(fsd, name, lambda pool: pool["last_crash"], "a crash report")
        newest[name] = next(row["id"] for row in fsd.call("crashes")["crashes"] if row["pool"] == name)
        assert pool_of(fsd, name)["last_crash"] == newest[name]
    wait_held(fsd)
    assert f"more: `fsdctl crashes {newest['web']}`" in run_status(fsd).stdout
    fsd.stop()
    fsd.start_ready()
    assert {name: pool_of(fsd, name)["last_crash"] for name in newest} == newest


def test_what_waits_when_a_pool_gives_up_is_answered(make_fake):
    fsd = make_fake(workers=1)
    fsd.write_conf(intensity=0)
    fsd.start_ready()
    victim = ready_pids(fsd)[0]
    os.kill(victim, signal.SIGSTOP)
    peers = [poke(fsd, "/") for _ in range(10)]
    os.kill(victim, signal.SIGKILL)
    assert all(peer.recv(65536).startswith(b"HTTP/1.1 503") for peer in peers)


@pytest.mark.basic
@pytest.mark.parametrize("how", ["reload", "reload in place", "restart", "apply"])
def test_an_order_of_an_operator_ends_the_hold_when_it_has_healed_the_pool(make_fake, how):
    fsd = make_held(make_fake)
    assert ask(fsd)[0] == 503
    set_worker(fsd)
    if how == "reload":
        fsd.call("reload", restart=True)
    elif how == "reload in place":
        fsd.call("reload")
    elif how == "restart":
        fsd.call("restart", pool="web")
    else:
        conf = fsd.folder / "fsd.yaml"
        conf.write_text(conf.read_text().replace('"red"', '"blue"'))
        fsd.call("config.apply")
    pool = wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "the pool to be released")
    assert pool["cause"] is None and "probe_in_ms" not in pool
    wait_for(lambda: all(row["state"] == "ready" for row in pool_of(fsd, "web")["workers"]), "the one with 503 to go")
    assert set(count_answers(fsd)) == set(ready_pids(fsd))


def test_a_restart_that_fails_leaves_the_pool_held(make_fake):
    fsd = make_held(make_fake)
    with pytest.raises(RpcError):
        fsd.call("restart", pool="web")
    assert wait_held(fsd)["cause"].startswith("more than 0 restarts")
    assert ask(fsd)[0] == 503


def test_a_worker_that_answers_503_is_replaced_when_it_dies(make_fake):
    fsd = make_held(make_fake)
    seen = set()
    for _ in range(3):
        row = wait_for(lambda: next((row for row in fsd.workers("answers 503") if row["pid"] not in seen), None), "one that answers")
        assert ask(fsd)[0] == 503
        seen.add(row["pid"])
        os.kill(row["pid"], signal.SIGKILL)
    assert ask(fsd)[0] == 503


@pytest.mark.slow
def test_the_answer_503_does_not_wait_for_a_reserve_that_cannot_live(make_fake):
    fsd = make_fake(workers=2)
    fsd.write_conf(intensity=0, standby=1)
    set_worker(fsd)
    fsd.start_ready()
    wait_pool(fsd, "web", lambda pool: pool["standby"]["ready"] == 1, "a worker in reserve")
    set_worker(fsd, loaded="exit:3")
    os.kill(next(row["pid"] for row in fsd.workers("standby")), signal.SIGKILL)
    wait_for(lambda: len(fsd.call("crashes")["crashes"]) >= 8, "eight deaths", 30)  # 6.4 s or so until the next try
    lose_all(fsd)
    with poke(fsd, "/") as peer:
        peer.settimeout(4)
        assert peer.recv(65536).startswith(b"HTTP/1.1 503")


@pytest.mark.slow
def test_a_held_pool_is_probed_and_heals_without_a_human_and_others_notice_nothing(make_fake):
    """An attempt that failed is not taken for a probe that lives, though a sibling serves."""
    fsd = make_fake()
    write_pools(fsd, {"web": {"count": 2, "intensity": 0}, "other": {"count": 2}})
    fsd.start_ready()
    others = ready_pids(fsd, "other")
    victim, sibling = ready_pids(fsd)
    set_worker(fsd, hello="exit:3")
    os.kill(victim, signal.SIGKILL)
    wait_held(fsd)
    with pytest.raises(RpcError):
        fsd.call("restart", pool="web")
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "the pool to heal", 60)
    log = fsd.log()
    assert 0 < log.index("pool is probed") < log.index("pool is no longer held")
    assert sibling in ready_pids(fsd) and len(ready_pids(fsd)) == 2
    assert ready_pids(fsd, "other") == others


def test_other_pools_go_on_while_one_cannot_live(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"web": {"count": 2, "intensity": 2}, "other": {"count": 2}})
    fsd.start_ready()
    others = ready_pids(fsd, "other")
    set_worker(fsd, activated="exit:3")
    lose_all(fsd)
    wait_held(fsd)
    assert ask(fsd)[0] == 503
    assert ready_pids(fsd, "other") == others
    assert set(count_answers(fsd, "other")) == set(others)
    assert [pool_of(fsd, "other")["state"], fsd.status()["state"]] == ["running", "degraded"]


def test_a_pool_that_is_held_can_be_drained_and_resumed(make_fake):
    fsd = make_held(make_fake)
    fsd.call("drain")
    assert pool_of(fsd, "web")["workers"] == []
    set_worker(fsd)
    with poke(fsd, "/") as waiting:
        fsd.call("resume")
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200")
    assert pool_of(fsd, "web")["state"] == "running"


# --- the tree ---


@pytest.mark.basic
def test_a_pool_is_started_when_those_that_it_comes_after_serve(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"web": {"after": ["cache"]}, "cache": {"after": ["db"]}, "db": {}})
    fsd.start_ready()
    lines = fsd.log().splitlines()

    def find(start, words):
        return next(number for number, line in enumerate(lines) if f" {start}[" in line and words in line)

    assert find("db/0", "worker is ready") < find("cache/0", "worker is started")
    assert find("cache/0", "worker is ready") < find("web/0", "worker is started")


def test_a_pool_that_waits_says_for_what(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"web": {"after": ["db"]}, "db": {"shop": {"load": "hang"}}})
    fsd.start()
    pool = wait_pool(fsd, "web", lambda pool: pool["cause"], "a cause")
    assert (pool["state"], pool["cause"], pool["workers"]) == ("starting", 'waits for pool "db"', [])


def start_three(make_fake, strategy, **last):
    fsd = make_fake()
    pools = {"a": {}, "b": {"intensity": 0}, "c": last}
    write_pools(fsd, pools, {"all": {"strategy": strategy, "children": ["a", "b", "c"]}})
    fsd.start_ready()
    return fsd, {name: ready_pids(fsd, name)[0] for name in pools}


def wait_back(fsd, pids, restarted):
    """All run again; only these pools have other workers than before."""
    fsd.wait_status(lambda status: status["state"] == "running", "all to run")
    assert {name for name, pid in pids.items() if ready_pids(fsd, name) != [pid]} == restarted


@pytest.mark.basic
@pytest.mark.parametrize("strategy, stopped", [("one_for_one", ""), ("rest_for_one", "c"), ("one_for_all", "ac")])
def test_when_a_pool_gives_up_its_siblings_are_stopped_as_the_strategy_says(make_fake, strategy, stopped):
    fsd, pids = start_three(make_fake, strategy)
    os.kill(pids["b"], signal.SIGKILL)
    wait_held(fsd, "b")
    if "c" in stopped:  # it waits for the pool before it, which waits for its probe
        pool = wait_held(fsd, "c")
        assert pool["cause"] == 'waits for pool "b"'
        wait_for(lambda: ask(fsd, "c")[0] == 503, "503 in the place of c")
    wait_for(lambda: ask(fsd, "a")[0] == 200, "an answer of a")
    assert ask(fsd, "b")[0] == 503
    fsd.call("restart", pool="b")
    wait_back(fsd, pids, {"b", *stopped})
    assert all(ask(fsd, name)[0] == 200 for name in pids)
    log = fsd.log()
    for earlier, later in ("ab", "bc"):
        if later in stopped or earlier in stopped:  # in their order
            assert log.rindex(f" {earlier}/0[{ready_pids(fsd, earlier)[0]}] worker is ready") < \
                log.rindex(f" {later}/0[{ready_pids(fsd, later)[0]}] worker is started")


def test_a_pool_that_is_stopped_with_its_siblings_while_it_is_changed_has_the_change_afterwards(make_fake):
    """The change waits for room in another pool meanwhile."""
    pools = {"a": {"shop": {"drain": "hang"}, "shutdown": "60s"}, "b": {"intensity": 0}, "c": {"count": 2}}
    siblings = {"all": {"strategy": "one_for_all", "children": ["b", "c"]}}
    fsd = make_fake()
    write_pools(fsd, pools, siblings)
    fsd.start_ready()
    for _ in range(3):
        fsd.call("restart", pool="a")
    pools["a"]["app"] = "b"
    pools["c"]["count"] = 4
    write_pools(fsd, pools, siblings)
    with fsd.open_control() as control:
        fsd.send_call(control, "config.apply")
        fsd.wait_log("event=worker.waits")
        os.kill(ready_pids(fsd, "b")[0], signal.SIGKILL)
        wait_held(fsd, "c")
        os.kill(next(row["pid"] for row in pool_of(fsd, "a")["workers"] if row["state"] == "draining"), signal.SIGKILL)
        assert len(fsd.read_answer(control)["changes"]) == 2
    fsd.call("restart", pool="b")
    wait_pool(fsd, "c", lambda pool: [row["state"] for row in pool["workers"]] == ["ready"] * 4, "all workers of c", 20)
    assert "impossible event" not in fsd.log()


def test_a_daemon_that_is_drained_while_siblings_are_stopped_comes_back_whole(make_fake):
    """The tree wants to start them again while nothing is to run."""
    fsd, pids = start_three(make_fake, "one_for_all", shop={"drain": "hang"}, shutdown="1s")
    os.kill(pids["b"], signal.SIGKILL)
    fsd.wait_log("pool is stopped because of another one")
    fsd.call("drain")
    assert all(row["state"] == "answers 503" for pool in fsd.status()["pools"] for row in pool["workers"])
    fsd.call("resume")
    wait_back(fsd, pids, {"a", "b", "c"})
    assert all(ask(fsd, name)[0] == 200 for name in pids)
