"""Rolling restarts: new code without a failed request, and bad code without a change."""
import os
import signal
import subprocess
import threading

import pytest
from service import BUILD, IS_SANITIZED, failures, wait_for


def reload_in_thread(service, *words):
    results = []
    thread = threading.Thread(target=lambda: results.append(service.ctl("reload", *words)), daemon=True)
    thread.start()
    return thread, results


def versions(service):
    return {service.get("/").headers["x-version"] for _ in range(10)}


def wait_moved(service, generation):
    """Until only ready workers of this generation are there; their rows."""
    return service.wait_workers(
        lambda rows: len(rows) == 2 and all((row["state"], row["generation"]) == ("ready", generation) for row in rows),
        f"generation {generation} alone")


@pytest.mark.basic
def test_a_rolling_restart_serves_the_new_code_with_new_workers(service):
    old = {row["pid"] for row in service.workers()}
    service.set_version("2")
    result = service.ctl("reload", "--restart")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "shop  generation 1 -> 2, 2 workers replaced\n"
    rows = wait_moved(service, 2)
    assert versions(service) == {"2"}
    assert not old & {row["pid"] for row in rows}
    assert [row["restarts"] for row in rows] == [0, 0]


def test_when_reload_returns_no_new_connection_is_served_by_the_old_code(service):
    for version in range(2, 10 if IS_SANITIZED else 22):
        service.set_version(version)
        assert service.ctl("reload", "--restart").returncode == 0
        assert versions(service) == {str(version)}


@pytest.mark.basic
@pytest.mark.parametrize("old, new, words", [
    ('local VERSION = "1"', 'local VERSION = = "2"', "app.lua:8: unexpected symbol near '='"),
    ("return app", "error('no luck')", "app.lua:{line}: no luck"),
], ids=["compiles not", "raises"])
def test_code_that_cannot_be_loaded_changes_nothing(service, old, new, words):
    before = service.workers()
    line = service.app_path.read_text().count("\n")
    service.edit_app(old, new)
    result = service.ctl("reload", "--restart")
    assert result.returncode == 1
    assert words.format(line=line) in result.stderr
    assert result.stdout == ""
    assert versions(service) == {"1"}
    rows = wait_moved(service, 1)
    assert [(row["pid"], row["generation"]) for row in rows] == [(row["pid"], row["generation"]) for row in before]
    assert service.ctl("status").returncode == 0


def test_code_that_cannot_be_loaded_costs_no_request(service):
    load = service.load("/", connections=32).wait_ready()
    service.edit_app("return app", "error('no luck')")
    assert service.ctl("reload", "--restart").returncode == 1
    result = load.stop().result()
    assert failures(result) == {} and result["connects"] == 32


def test_a_mended_application_can_be_reloaded_afterwards(service):
    service.edit_app("return app", "error('no luck')")
    assert service.ctl("reload", "--restart").returncode == 1
    service.edit_app("error('no luck')", "return app")
    service.set_version("2")
    assert service.ctl("reload", "--restart").returncode == 0
    wait_moved(service, service.status()["pools"][0]["generation"])
    assert versions(service) == {"2"}


def test_of_two_reloads_at_once_the_second_waits_for_its_round(service):
    command = [str(BUILD / "fsdctl"), "reload", "--restart", "-s", service.control_path]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [one.communicate(timeout=30) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    rows = service.wait_workers(lambda rows: len(rows) == 2 and all(row["state"] == "ready" for row in rows), "two workers")
    assert len({row["generation"] for row in rows}) == 1
    assert service.get("/").status == 200


@pytest.mark.parametrize("which", ["old", "new"])
def test_a_worker_killed_in_the_middle_of_a_reload_leaves_one_whole_generation(make_service, tmp_path, which):
    """The second slot's new worker takes its time to load, which is when one of the first slot's is killed."""
    gate, first = tmp_path / "gate", tmp_path / "first"
    service = make_service(workers=2)
    service.write_conf()
    service.start_ready()
    service.set_version("2")
    service.edit_app("return app", f"""
if io.open("{first}") then
  while not io.open("{gate}") do end
end
io.open("{first}", "w"):close()
return app""")
    thread, results = reload_in_thread(service, "--restart")
    rows = service.wait_workers(lambda rows: any(row["state"] == "starting" and row["slot"] == 1 for row in rows),
                                "the second slot to move")
    victim = next(row for row in rows if row["slot"] == (1 if which == "old" else 0) and row["state"] == "ready")
    os.kill(victim["pid"], signal.SIGKILL)
    wait_for(lambda: f"[{victim['pid']}] worker died" in service.log(), "the death to be seen")
    gate.write_text("")
    thread.join(30)
    rows = service.wait_workers(lambda rows: len(rows) == 2 and all(row["state"] == "ready" for row in rows), "two workers")
    assert len({row["generation"] for row in rows}) == 1
    assert versions(service) == ({"2"} if results[0].returncode == 0 else {"1"})
    assert results[0].returncode == (0 if which == "old" else 1), results[0]


def test_sighup_is_a_rolling_restart(service):
    service.set_version("2")
    service.signal(signal.SIGHUP)
    service.wait_log("reload is done")
    wait_moved(service, 2)
    assert versions(service) == {"2"}


def test_a_slow_request_is_finished_by_the_old_worker(service):
    peer, gate = service.hold()
    service.set_version("2")
    assert service.ctl("reload", "--restart").returncode == 0
    gate.touch()
    answer = peer.recv(65536)
    assert b"200 OK" in answer and b"x-version: 1" in answer and answer.endswith(b"slow")
    assert b"Connection: close" in answer
    assert peer.recv(1) == b""


def test_an_idle_connection_is_served_by_the_old_worker_until_its_next_answer_and_then_closed(service):
    with service.connection() as idle:
        assert service.request("GET", "/", connection=idle).headers["x-version"] == "1"
        service.set_version("2")
        assert service.ctl("reload", "--restart").returncode == 0
        answer = service.request("GET", "/", connection=idle)
        assert answer.headers["x-version"] == "1" and answer.headers["connection"] == "close"


def test_an_idle_connection_that_asks_nothing_is_closed_after_the_drain_phase(make_service):
    service = make_service(workers=1)
    service.write_conf(drain="200ms")
    service.start_ready()
    peer = service.connect()
    peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" in peer.recv(65536)
    old = service.slot(0)["pid"]
    assert service.ctl("reload", "--restart").returncode == 0
    assert peer.recv(1) == b""
    peer.close()
    service.wait_workers(lambda rows: old not in {row["pid"] for row in rows}, "the old worker to leave")
    assert any(f"[{old}] worker left" in line and "exited with code 0" in line for line in service.log().splitlines())


@pytest.mark.parametrize("body", [None, 2000], ids=["GET", "POST"])
def test_no_request_fails_during_rolling_restarts_under_load(service, body):
    load = service.load("/", connections=32, body=body).wait_ready()
    for _ in range(5):
        assert service.ctl("reload", "--restart").returncode == 0
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    assert result["closed_idle"] == 0
    assert service.status()["pools"][0]["generation"] == 6


def test_no_request_fails_on_connections_that_are_mostly_idle(service):
    load = service.load("/", connections=64, rate=400).wait_ready()
    for _ in range(5):
        assert service.ctl("reload", "--restart").returncode == 0
        service.wait_workers(lambda rows: len(rows) == 2, "the old workers to leave")
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
