"""Workers that die in every way, and a master that does: what is replaced, what goes on, what is said."""
import os
import signal
import time

import pytest
from service import failed_elsewhere, failures, find_workers, is_alive, wait_for

FAILS_WHEN_TOLD = """
local fsd = require "fsd"
if io.open("FLAG") then os.exit(7) end
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
return app
"""


def check_replaced(service, victim, words):
    """The worker has a successor that serves and the other one is untouched."""
    other = service.slot(1 - victim["slot"])
    row = service.wait_replaced(victim)
    assert row["restarts"] == 1
    assert row["last_exit"] == words
    assert row["died_at"] is not None and 0 <= row["ready_at"] - row["died_at"] < 5000
    assert service.slot(other["slot"])["pid"] == other["pid"]
    assert service.slot(other["slot"])["restarts"] == 0
    assert any(f"[{victim['pid']}] worker died" in line and words in line for line in service.log().splitlines())
    wait_for(lambda: service.get("/").headers["x-worker"] == str(row["pid"]), "an answer of the new worker")


@pytest.mark.basic
@pytest.mark.parametrize("number, words", [
    (signal.SIGKILL, "killed by signal 9 (Killed)"),
    (signal.SIGSEGV, "killed by signal 11 (Segmentation fault)"),
    (signal.SIGABRT, "killed by signal 6 (Aborted)"),
])
def test_a_worker_killed_by_a_signal_is_replaced(service, number, words):
    victim = service.slot(0)
    os.kill(victim["pid"], number)
    check_replaced(service, victim, words)


@pytest.mark.basic
@pytest.mark.parametrize("code, words", [(0, "exited with code 0 without being asked to"), (3, "exited with code 3")])
def test_a_worker_that_exits_by_itself_is_replaced(service, code, words):
    peer = service.connect()
    peer.sendall(b"GET /exit/%d HTTP/1.1\r\nHost: x\r\n\r\n" % code)
    assert peer.recv(4096) == b""
    rows = service.wait_workers(lambda rows: any(row["restarts"] == 1 and row["state"] == "ready" for row in rows),
                                "its successor")
    row = next(row for row in rows if row["restarts"] == 1)
    assert row["last_exit"] == words
    assert service.get("/").text == "hello"


def test_the_other_worker_serves_while_one_is_being_replaced(service):
    load = service.load("/", connections=16).wait_ready()
    victim = service.slot(0)
    kill = service.kill_worker(victim)
    result = load.stop().result()
    assert result["refused"] == 0 and result["hung"] == 0 and result["wrong_status"] == 0
    assert failed_elsewhere(result, [kill]) == []
    survivor = result["workers"][str(service.slot(1)["pid"])]
    assert survivor["answers"] > 0 and result["gap_ms"] < 1000


def test_all_workers_killed_at_once_are_all_replaced(make_service):
    service = make_service(workers=4)
    service.write_conf()
    service.start_ready()
    victims = service.workers("ready")
    for victim in victims:
        os.kill(victim["pid"], signal.SIGKILL)
    for victim in victims:
        assert service.wait_replaced(victim)["restarts"] == 1
    assert service.get("/").text == "hello"
    assert service.ctl("status").returncode == 0


def test_connections_that_wait_for_a_dead_worker_are_served_by_its_successor(make_service):
    service = make_service(workers=1)
    service.write_conf()
    service.start_ready()
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGSTOP)
    peers = [service.connect() for _ in range(8)]
    for peer in peers:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    os.kill(victim["pid"], signal.SIGKILL)
    assert all(b"200 OK" in peer.recv(65536) for peer in peers)
    service.wait_replaced(victim)  # which has answered, but may not have said yet that it is ready


def test_a_crash_loop_backs_off_and_is_told(make_service, tmp_path):
    flag = tmp_path / "flag"
    service = make_service(FAILS_WHEN_TOLD.replace("FLAG", str(flag)), workers=2)
    service.write_conf()
    service.start_ready()
    flag.write_text("")
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGKILL)
    began = time.monotonic()
    service.wait_workers(lambda rows: any(row["slot"] == 0 and row["restarts"] >= 5 for row in rows), "five restarts")
    assert time.monotonic() - began > 0.8 * (0.1 + 0.2 + 0.4)  # the first is at once; each wait varies by 20 %
    status = service.status()
    assert status["state"] == "degraded" and status["pools"][0]["state"] == "degraded"
    row = next(row for row in service.workers() if row["slot"] == 0)
    assert row["last_exit"] == "exited with code 7"
    told = service.ctl("status")
    assert told.returncode == 2
    assert "DEGRADED" in told.stdout and "web/0: exited with code 7" in told.stdout
    starts = service.log().count("worker is started")
    assert starts <= 3 + service.status()["pools"][0]["workers"][0]["restarts"]  # none but these
    flag.unlink()
    service.wait_status(lambda status: status["state"] == "running", "the pool to heal")
    assert service.ctl("status").returncode == 0


def test_a_pool_of_which_every_worker_crashes_costs_little(make_service, tmp_path):
    flag = tmp_path / "flag"
    service = make_service(FAILS_WHEN_TOLD.replace("FLAG", str(flag)), workers=4)
    service.write_conf()
    service.start_ready()
    flag.write_text("")
    for row in service.workers("ready"):
        os.kill(row["pid"], signal.SIGKILL)
    service.wait_workers(lambda rows: all(row["restarts"] >= 4 for row in rows), "four restarts each")
    with open(f"/proc/{service.process.pid}/stat", encoding="ascii") as stat:
        ticks = sum(map(int, stat.read().rpartition(")")[2].split()[11:13]))
    assert ticks / os.sysconf("SC_CLK_TCK") < 2  # a master that spins would have used all of it
    assert service.ctl("status").returncode == 2


@pytest.mark.basic
def test_the_workers_of_a_killed_master_are_gone_as_well(service):
    master = service.process.pid
    assert len(find_workers(master)) == 2
    os.kill(master, signal.SIGKILL)
    wait_for(lambda: not find_workers(master), "the workers to be gone")


def test_a_stopped_worker_is_gone_too_when_its_master_is_killed(service):
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGSTOP)
    service.kill()
    wait_for(lambda: not is_alive(victim["pid"]), "the stopped worker to be gone")
    wait_for(lambda: find_workers(service.process.pid) == [], "the other one to be gone")


def test_a_worker_that_was_stopped_goes_on_where_it_was(service):
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGSTOP)
    load = service.load("/", connections=8)
    os.kill(victim["pid"], signal.SIGCONT)
    load.wait_ready().stop()
    assert failures(load.result()) == {}
    assert service.slot(0)["pid"] == victim["pid"]
