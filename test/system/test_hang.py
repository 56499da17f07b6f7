"""Workers that hang, limits of time, and what the daemon does by signals while everything serves."""
import os
import signal
import time

import pytest
from service import failures, is_alive, wait_for
from supervised import ask, count_answers, poke, pool_of, ready_pids, reports, set_worker, wait_pool, write_pools


def start(fsd, **pool):
    fsd.write_conf(**pool)
    return fsd.start_ready()


def wait_other(fsd, *old):
    """Until none of these serves, and as many others do."""
    return wait_for(lambda: len(found := ready_pids(fsd)) == fsd.workers_count and not set(found) & set(old) and found,
                    "other workers")


# --- hang ---


@pytest.mark.basic
@pytest.mark.parametrize("path, words", [
    ("/freeze", "killed by fsd: it hung, its heartbeat had stopped"),
    ("/freeze/hard", "killed by fsd: it hung, its heartbeat had stopped"),
])
def test_a_worker_that_stands_still_is_replaced_at_once_and_then_ended(make_fake, path, words):
    fsd = start(make_fake(), heartbeat="1s")
    old = ready_pids(fsd)[0]
    ask(fsd, path=path)
    wait_other(fsd, old)
    if path == "/freeze/hard":  # it has 2 s to end by SIGABRT, and does not
        assert is_alive(old)
    report = wait_for(lambda: reports(fsd), "its report")[0]
    assert (report["class"], report["pid"]) == ("hang", old) and report["cause"].startswith(words)
    assert report["signal_name"] == ("SIGKILL" if path == "/freeze/hard" else "SIGABRT")
    assert f"web/0[{old}] worker hangs: no heartbeat for " in fsd.log()
    assert "not ready within" not in fsd.log()
    assert not is_alive(old)


def test_a_stopped_worker_is_replaced_and_ended_and_its_connections_are_answered(make_service):
    service = start(make_service(workers=2), heartbeat="1s")
    old = service.slot(0)
    os.kill(old["pid"], signal.SIGSTOP)
    peers = [poke(service, "/") for _ in range(20)]
    service.wait_replaced(old)
    assert all(peer.recv(65536).startswith(b"HTTP/1.1 200") for peer in peers)
    wait_for(lambda: not is_alive(old["pid"]), "the stopped one to be ended")
    assert wait_for(lambda: reports(service), "its report")[0]["class"] == "hang"


def test_a_stopped_worker_that_is_continued_after_it_was_replaced_serves_no_more(make_service):
    service = start(make_service(workers=1), heartbeat="1s")
    old = service.slot(0)
    os.kill(old["pid"], signal.SIGSTOP)
    row = service.wait_replaced(old)
    os.kill(old["pid"], signal.SIGCONT)
    wait_for(lambda: not is_alive(old["pid"]), "the old one to be gone")
    assert service.get("/").headers["x-worker"] == str(row["pid"])


def test_a_worker_in_reserve_that_stands_still_is_replaced(make_service):
    service = start(make_service(workers=1), standby=1, heartbeat="1s")
    wait_pool(service, "web", lambda pool: pool["standby"]["ready"] == 1, "a worker in reserve")
    spare = service.workers("standby")[0]["pid"]
    os.kill(spare, signal.SIGSTOP)
    wait_for(lambda: not is_alive(spare), "it to be ended")
    wait_for(lambda: any(row["pid"] != spare for row in service.workers("standby")), "another one")
    assert service.slot(0)["restarts"] == 0


def test_a_busy_worker_is_told_from_one_that_does_not_start(make_fake):
    fsd = make_fake()
    start(fsd, heartbeat="1s", boot="1s")
    old = ready_pids(fsd)[0]
    set_worker(fsd, hello="hang")
    os.kill(old, signal.SIGKILL)
    fsd.wait_log("worker that does not start is given up: not ready within 1000 ms")
    assert "worker hangs" not in fsd.log()
    report = wait_for(lambda: len(found := reports(fsd)) >= 2 and found, "its report")[0]
    assert report["class"] == "boot_timeout"
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "it to heal", 20)


@pytest.mark.slow
def test_idle_workers_are_not_taken_for_hanging_with_the_shortest_limit(make_service):
    service = start(make_service(workers=4), standby=1, heartbeat="1s")
    rows = service.wait_workers(lambda rows: len(rows) == 5, "all five")
    before = {row["pid"] for row in rows}
    time.sleep(10)  # nothing is to happen
    assert {row["pid"] for row in service.workers()} == before


@pytest.mark.parametrize("standby", [0, 1])
def test_nobody_is_ended_because_the_master_was_late(make_service, standby):
    service = start(make_service(workers=2), standby=standby, heartbeat="1s")
    before = service.wait_workers(lambda rows: len(rows) == 2 + standby, "all workers")
    service.signal(signal.SIGSTOP)
    time.sleep(3.5)  # longer than what a heartbeat may be late
    service.signal(signal.SIGCONT)
    service.wait_log("the daemon itself was held up")
    heard = time.monotonic()
    wait_for(lambda: time.monotonic() > heard + 2.5, "the next looks at the heartbeats")
    assert [(row["pid"], row["restarts"]) for row in service.workers()] == [(row["pid"], 0) for row in before]


def test_a_worker_that_starts_is_not_ended_because_the_master_was_late(make_fake):
    fsd = start(make_fake(), boot="1s")
    old = ready_pids(fsd)[0]
    os.kill(old, signal.SIGKILL)
    fsd.wait_log("incarnation=2")
    fsd.signal(signal.SIGSTOP)
    time.sleep(2)  # longer than it may take to start
    fsd.signal(signal.SIGCONT)
    wait_other(fsd, old)
    assert "not ready within" not in fsd.log()
    assert fsd.workers()[0]["restarts"] == 1


# --- orders ---


@pytest.mark.basic
@pytest.mark.parametrize("how", ["signal", "call"])
def test_drain_lets_everybody_leave_and_resume_answers_what_waited(make_service, how):
    service = start(make_service(workers=2), standby=1)
    old = {row["pid"] for row in service.workers()}
    busy = poke(service, "/slow/0.3")
    service.wait_log("slow began")
    if how == "signal":
        service.signal(signal.SIGWINCH)
        service.call("wait", **{"for": "drained"})
    else:
        assert service.call("drain") == {"drained": True}
    assert busy.recv(65536).startswith(b"HTTP/1.1 200")
    assert not any(is_alive(pid) for pid in old)
    assert pool_of(service, "web")["state"] == "drained"
    peers = [poke(service, "/") for _ in range(10)]
    assert service.call("resume") == {"resumed": True}
    assert all(peer.recv(65536).startswith(b"HTTP/1.1 200") for peer in peers)
    assert service.status()["state"] == "running"
    assert reports(service) == []


def test_what_happens_while_drained_does_not_start_anybody(make_fake):
    fsd = start(make_fake(workers=2))
    fsd.call("drain")
    fsd.call("reload", restart=True)
    assert pool_of(fsd, "web")["workers"] == []
    fsd.call("resume")
    assert {row["generation"] for row in fsd.workers("ready")} == {2}


@pytest.mark.basic
def test_a_storm_of_hangups_is_merged_and_costs_no_request(make_service):
    service = start(make_service(workers=2))
    load = service.load("/", connections=16).wait_ready()
    for _ in range(1000):
        service.signal(signal.SIGHUP)
    service.wait_log("reload is done")
    wait_for(lambda: service.log().count("reload is done") == service.log().count("code is bundled") - 1, "the last round")
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    assert service.log().count("reload is done") < 500
    assert service.status()["state"] == "running"


def test_signals_make_a_pool_larger_and_smaller(make_service):
    service = start(make_service(workers=2))
    first = service.slot(0)["pid"]
    load = service.load("/", connections=16).wait_ready()
    service.signal(signal.SIGTTIN)
    wait_pool(service, "web", lambda pool: pool["count"] == 3 and len(pool["workers"]) == 3 and pool["state"] == "running", "three")
    for count in (2, 1):
        service.signal(signal.SIGTTOU)
        wait_pool(service, "web", lambda pool, count=count: pool["count"] == count and len(pool["workers"]) == count, "fewer")
    service.signal(signal.SIGTTOU)
    service.call("status")  # behind the signal
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    assert [row["pid"] for row in service.workers("ready")] == [first]


def test_brutal_kill_waits_for_nobody(make_fake):
    fsd = start(make_fake({"drain": "hang"}, workers=2), shutdown="brutal_kill")
    old = ready_pids(fsd)
    fsd.call("reload", restart=True)
    wait_for(lambda: not any(is_alive(pid) for pid in old), "the old ones to be gone")
    assert reports(fsd) == []
    assert fsd.stop() == 0


def test_infinity_waits_for_a_worker_until_a_second_signal(make_fake):
    fsd = start(make_fake({"drain": "hang"}), shutdown="infinity")
    old = ready_pids(fsd)[0]
    fsd.call("reload", restart=True)
    wait_other(fsd, old)
    assert [row["pid"] for row in fsd.workers("draining")] == [old]
    fsd.signal(signal.SIGTERM)
    fsd.wait_log("stopping")
    assert is_alive(old)
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0
    assert not is_alive(old) and "not gone within" not in fsd.log()


def test_pools_with_different_limits_of_time_keep_to_their_own(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"fast": {"heartbeat": "1s"}, "slow": {"heartbeat": "1h"}})
    fsd.start_ready()
    fast, slow = ready_pids(fsd, "fast")[0], ready_pids(fsd, "slow")[0]
    os.kill(slow, signal.SIGSTOP)
    os.kill(fast, signal.SIGSTOP)
    wait_for(lambda: fast not in ready_pids(fsd, "fast") and ready_pids(fsd, "fast"), "the fast one to be replaced")
    assert ready_pids(fsd, "slow") == [slow]
    os.kill(slow, signal.SIGCONT)
    assert set(count_answers(fsd, "slow", 5)) == {slow}
