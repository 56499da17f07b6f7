"""Deaths of workers: who takes the place, what clients notice of it, and what is written down."""
import os
import random
import signal
import subprocess

import pytest
from fsd_process import BUILD
from service import failed_elsewhere, failures, is_alive, wait_for
from supervised import ask, choose_victim, count_answers, count_starts, poke, pool_of, ready_pids, reports, set_worker, wait_pool

BUSY = """
local app = require("fsd").app()
app:get("/busy", function(req, res)
  require("fsd.log"):notice("busy began")
  while true do end
end)
return app
"""


def wait_standby(fsd, *but):
    """Until one waits in reserve that is none of these; its row."""
    def find():
        pool = pool_of(fsd, "web")
        rows = [row for row in pool["workers"] if row["state"] == "standby" and row["pid"] not in but]
        return rows[0] if rows and pool["standby"]["ready"] == 1 else None

    return wait_for(find, "a worker in reserve")


def start_with_standby(fsd, **pool):
    fsd.write_conf(**{"standby": 1, **pool})
    fsd.start_ready()
    return wait_standby(fsd)


def run_status(fsd):
    return subprocess.run([str(BUILD / "fsdctl"), "status", "-s", fsd.control_path], capture_output=True, text=True, check=True).stdout


def wait_serving(fsd, pid):
    wait_for(lambda: pid in ready_pids(fsd), f"{pid} to serve")


def wait_reports(fsd, count=1):
    return wait_for(lambda: len(found := reports(fsd)) >= count and found, f"{count} crash reports")


# --- the reserve ---


@pytest.mark.basic
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_the_worker_in_reserve_takes_the_place_of_one_that_dies(make_service, number):
    service = make_service(workers=2)
    spare = start_with_standby(service)
    victim, other = service.slot(0), service.slot(1)
    os.kill(victim["pid"], number)
    row = service.wait_replaced(victim)
    assert row["pid"] == spare["pid"] and row["restarts"] == 1
    assert 0 <= row["ready_at"] - row["died_at"] < 5000
    assert service.slot(1)["pid"] == other["pid"]
    assert wait_standby(service, spare["pid"])["pid"] not in (victim["pid"], other["pid"])
    wait_for(lambda: service.get("/").headers["x-worker"] == str(spare["pid"]), "an answer of the one from the reserve")
    report = wait_reports(service)[0]
    assert (report["class"], report["pid"], report["signal"]) == ("signal", victim["pid"], number)


def test_a_worker_that_says_that_it_is_dying_is_replaced_before_it_is_dead(make_fake):
    """It lives on for the 2 s that it has for its last words."""
    fsd = make_fake(workers=2)
    spare = start_with_standby(fsd)
    with poke(fsd, "/dying/11/hang"):
        wait_serving(fsd, spare["pid"])
        victim = next(row for row in fsd.workers() if row["state"] == "draining")
        assert is_alive(victim["pid"])
        assert f"[{victim['pid']}] worker died: killed by signal 11" in fsd.log()
        wait_for(lambda: not is_alive(victim["pid"]), "the dying one to be ended")
    report = wait_reports(fsd)[0]
    assert report["next"] == "the worker in reserve took its place"


def test_a_worker_in_reserve_that_dies_is_replaced_and_nobody_else(make_service):
    service = make_service(workers=2)
    spare = start_with_standby(service)
    serving = ready_pids(service)
    os.kill(spare["pid"], signal.SIGKILL)
    wait_standby(service, spare["pid"])
    assert ready_pids(service) == serving and service.status()["state"] == "running"
    report = wait_reports(service)[0]
    assert (report["class"], report["state"], report["next"]) == ("signal", "standby", "another one is started")
    assert report["slot"] is None and report["id"].split("-")[2:4] == ["web", "standby"], report["id"]


def test_the_reserve_is_renewed_when_the_code_or_the_configuration_changes(make_fake):
    fsd = make_fake({"body": "old"}, workers=2)
    first = start_with_standby(fsd)
    fsd.write_app({"body": "new"})
    fsd.call("reload", restart=True)
    second = wait_standby(fsd, first["pid"])
    assert second["generation"] == 2
    conf = fsd.folder / "fsd.yaml"
    conf.write_text(conf.read_text().replace('"red"', '"blue"'))
    fsd.call("config.apply")
    third = wait_standby(fsd, second["pid"])
    for pid in ready_pids(fsd):
        os.kill(pid, signal.SIGKILL)
    wait_serving(fsd, third["pid"])
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "both to serve")
    assert {ask(fsd)[2]["body"] for _ in range(20)} == {"new"}
    assert {ask(fsd, path="/config")[2]["settings"]["colour"] for _ in range(20)} == {"blue"}


def test_a_worker_that_dies_at_once_does_not_eat_the_reserve(make_fake):
    """Its slot waits between two tries, so there is at most one start for a try, and one for the reserve that it took."""
    fsd = make_fake(workers=2)
    spare = start_with_standby(fsd)
    set_worker(fsd, activated="exit:3")
    os.kill(spare["pid"], signal.SIGKILL)
    wait_standby(fsd, spare["pid"])
    before = count_starts(fsd)
    os.kill(ready_pids(fsd)[0], signal.SIGKILL)
    rows = fsd.wait_workers(lambda rows: any(row["restarts"] >= 5 for row in rows), "five restarts")
    restarts = max(row["restarts"] for row in rows)
    assert count_starts(fsd) - before <= restarts + 2
    assert fsd.log().count("its restart waits") >= restarts - 2
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running" and pool["standby"]["ready"] == 1, "the pool to heal", 20)


@pytest.mark.parametrize("step", ["hello", "loaded"])
def test_a_reserve_that_cannot_live_waits_longer_and_longer(make_fake, step):
    fsd = make_fake(workers=2)
    spare = start_with_standby(fsd)
    serving = ready_pids(fsd)
    set_worker(fsd, **{step: "exit:3"})
    os.kill(spare["pid"], signal.SIGKILL)
    times = sorted(report["at"] for report in wait_reports(fsd, 5))
    assert times[4] - times[0] >= 0.8 * (100 + 200 + 400)  # the first is at once; each wait varies by 20 %
    assert ready_pids(fsd) == serving and fsd.status()["state"] == "running"
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["standby"]["ready"] == 1, "the reserve to heal", 20)


def test_status_speaks_of_a_missing_reserve_when_it_has_failed_and_not_while_it_boots(make_fake):
    fsd = make_fake(workers=2)
    fsd.write_conf(standby=0)
    fsd.start_ready()
    set_worker(fsd, hello="hang")
    fsd.write_conf(standby=1)
    fsd.call("config.apply")
    booting = fsd.wait_workers(lambda rows: any(row["state"] == "standby" for row in rows), "the first one for the reserve")
    assert pool_of(fsd, "web")["standby"] == {"wanted": 1, "ready": 0, "failing": False}
    assert "in reserve" not in run_status(fsd)
    set_worker(fsd, hello="exit:3")
    os.kill(next(row["pid"] for row in booting if row["state"] == "standby"), signal.SIGKILL)
    wait_pool(fsd, "web", lambda pool: pool["standby"]["failing"], "the loss to be known")
    assert "! web has 0 of 1 workers in reserve\n" in run_status(fsd)
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["standby"] == {"wanted": 1, "ready": 1, "failing": False}, "the reserve to heal", 20)
    assert "in reserve" not in run_status(fsd)


def test_a_reserve_that_could_not_live_is_tried_at_once_with_new_code(make_fake):
    fsd = make_fake(workers=2)
    spare = start_with_standby(fsd)
    set_worker(fsd, loaded="exit:3")
    os.kill(spare["pid"], signal.SIGKILL)
    wait_reports(fsd, 6)  # the next try is in 1.6 s or so
    set_worker(fsd)
    fsd.call("reload", restart=True)
    before = count_starts(fsd)
    wait_standby(fsd)
    assert count_starts(fsd) <= before + 1


# --- sockets of slots that nobody serves ---


def count_sockets(fsd, pid):
    """The sockets that this worker holds, by its own word."""
    while True:
        _, _, fds = ask(fsd, path="/fds")
        if os.readlink(f"/proc/{pid}/fd/3") == fds["3"]:  # it was this one that answered
            return sum(target.startswith("socket:") for target in fds.values())


def test_the_socket_of_a_vacant_slot_is_lent_to_a_sibling_and_returned(make_fake):
    fsd = make_fake(workers=2)
    fsd.write_conf()
    fsd.start_ready()
    victim, sibling = ready_pids(fsd)
    before = count_sockets(fsd, sibling)
    set_worker(fsd, hello="exit:3")
    os.kill(victim, signal.SIGKILL)
    fsd.wait_workers(lambda rows: any(row["restarts"] >= 3 for row in rows), "the slot to be vacant")
    assert set(count_answers(fsd)) == {sibling}
    assert count_sockets(fsd, sibling) == before + 1
    set_worker(fsd)
    pool = wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "the slot to be served", 20)
    served = {row["pid"] for row in pool["workers"]}
    assert sibling in served and len(served) == 2
    wait_for(lambda: set(count_answers(fsd)) == served, "answers of both")
    assert count_sockets(fsd, sibling) == before


def test_what_waited_for_a_worker_that_died_is_answered_by_a_sibling(make_fake):
    fsd = make_fake(workers=3)
    fsd.write_conf()
    fsd.start_ready()
    victim, *siblings = ready_pids(fsd)
    os.kill(victim, signal.SIGSTOP)
    peers = [poke(fsd, "/") for _ in range(30)]
    set_worker(fsd, hello="exit:3")
    os.kill(victim, signal.SIGKILL)
    answers = [peer.recv(65536) for peer in peers]
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert {pid for pid in (victim, *siblings) if any(b'"pid": %d,' % pid in answer for answer in answers)} == set(siblings)


def test_the_borrower_may_die_too(make_fake):
    fsd = make_fake(workers=3)
    fsd.write_conf()
    fsd.start_ready()
    one, other, last = ready_pids(fsd)
    set_worker(fsd, hello="exit:3")
    os.kill(one, signal.SIGKILL)
    wait_for(lambda: set(count_answers(fsd)) == {other, last}, "its socket to be lent")
    os.kill(other, signal.SIGKILL)
    assert set(count_answers(fsd)) <= {other, last}
    wait_for(lambda: set(count_answers(fsd)) == {last}, "both sockets to be lent")


# --- what restart says ---


@pytest.mark.basic
@pytest.mark.parametrize("restart, path, is_restarted", [
    ("permanent", "/exit/0", True),
    ("permanent", "/exit/3", True),
    ("transient", "/exit/0", False),
    ("transient", "/exit/3", True),
    ("transient", "/signal/9", True),
    ("transient", "/dying/11", True),
    ("temporary", "/exit/0", False),
    ("temporary", "/signal/9", False),
])
def test_a_worker_is_restarted_as_the_pool_says(make_fake, restart, path, is_restarted):
    fsd = make_fake(workers=2)
    fsd.write_conf(restart=restart)
    fsd.start_ready()
    before = set(ready_pids(fsd))
    fsd.get_broken(path)
    if is_restarted:
        fsd.wait_workers(lambda rows: sum(row["state"] == "ready" for row in rows) == 2
                         and sum(row["restarts"] for row in rows) == 1, "its successor")
        return
    rows = fsd.wait_workers(lambda rows: sum(row["state"] == "done" for row in rows) == 1, "its slot to be done")
    left = {row["pid"] for row in rows if row["state"] == "ready"}
    assert left < before and len(left) == 1
    assert set(count_answers(fsd)) == left  # also what comes to the socket of the other one
    assert fsd.status()["state"] == "running"


@pytest.mark.parametrize("restart", [False, True])
def test_when_all_are_done_there_is_an_answer_and_a_reload_starts_them_again(make_fake, restart):
    fsd = make_fake(workers=2)
    fsd.write_conf(restart="temporary")
    fsd.start_ready()
    for pid in ready_pids(fsd):
        os.kill(pid, signal.SIGKILL)
    fsd.wait_workers(lambda rows: sum(row["state"] == "done" for row in rows) == 2, "both to be done")
    assert ask(fsd)[0] == 503
    fsd.call("reload", restart=restart)
    fsd.wait_workers(lambda rows: len(rows) == 2 and {row["state"] for row in rows} == {"ready"}, "both to serve")
    fresh = set(ready_pids(fsd))
    wait_for(lambda: ask(fsd)[0] == 200, "an answer")
    assert set(count_answers(fsd)) <= fresh


# --- under load ---


def test_only_connections_of_the_killed_worker_fail(make_service):
    service = make_service(workers=3)
    start_with_standby(service)
    load = service.load("/", connections=32).wait_ready()
    choose = random.Random(1)
    kills = [service.kill_worker(choose_victim(service, choose), choose.choice([signal.SIGKILL, signal.SIGSEGV]))
             for _ in range(20)]
    result = load.stop().result()
    kinds = failures(result)
    assert set(kinds) <= {"lost", "cut"}, result
    assert failed_elsewhere(result, kills) == []
    service.wait_status(lambda status: status["state"] == "running", "all to be well")


@pytest.mark.parametrize("standby", [0, 1])
def test_a_worker_told_to_leave_by_a_signal_costs_no_request(make_service, standby):
    service = make_service(workers=2)
    service.write_conf(standby=standby)
    service.start_ready()
    load = service.load("/", connections=32).wait_ready()
    for slot in (0, 1, 0, 1):
        victim = service.slot(slot)
        os.kill(victim["pid"], signal.SIGTERM)
        service.wait_replaced(victim)
        wait_for(lambda pid=victim["pid"]: not is_alive(pid), "the old one to leave")
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    assert reports(service) == []


def test_all_workers_told_to_leave_at_once_cost_no_request(make_service):
    service = make_service(workers=3)
    start_with_standby(service)
    load = service.load("/", connections=32).wait_ready()
    before = service.workers("ready")
    for row in before:
        os.kill(row["pid"], signal.SIGTERM)
    for row in before:
        service.wait_replaced(row)
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_all_workers_killed_at_once_are_back_and_so_is_the_reserve(make_fake):
    fsd = make_fake(workers=4)
    spare = start_with_standby(fsd)
    before = ready_pids(fsd)
    for pid in (*before, spare["pid"]):
        os.kill(pid, signal.SIGKILL)
    pool = wait_pool(fsd, "web", lambda pool: pool["state"] == "running" and pool["standby"]["ready"] == 1
                     and not {row["pid"] for row in pool["workers"]} & {*before, spare["pid"]}, "all to be back")
    assert sum(row["restarts"] for row in pool["workers"]) in (4, 5)  # the one in reserve may have got a place before it died
    assert set(count_answers(fsd)) <= {row["pid"] for row in pool["workers"]}


# --- crash reports ---


@pytest.mark.basic
@pytest.mark.parametrize("path, kind, state", [
    ("/exit/3", "exit", "serving"),
    ("/signal/9", "signal", "serving"),
    ("/dying/11", "signal", "serving"),
    ("/freeze", "hang", "serving"),
    ("/say/10", "protocol", "serving"),
])
def test_the_report_of_a_worker_that_served_says_what_it_was_and_what_followed(make_fake, path, kind, state):
    fsd = make_fake()
    fsd.write_conf(heartbeat="1s")
    fsd.start_ready()
    with poke(fsd, path):
        report = wait_reports(fsd)[0]
    assert (report["class"], report["state"]) == (kind, state)
    assert report["next"] == "its place is taken at once"


@pytest.mark.parametrize("worker, kind", [
    ({"hello": "exit:4"}, "boot"),
    ({"hello": "hang"}, "boot_timeout"),
    ({"hello": "garbage"}, "protocol"),
    ({"activated": "signal:9"}, "signal"),
])
def test_the_report_of_a_worker_that_could_not_start_says_so(make_fake, worker, kind):
    fsd = make_fake()
    fsd.write_conf(boot="1s" if kind == "boot_timeout" else "30s")
    fsd.start_ready()
    set_worker(fsd, **worker)
    os.kill(ready_pids(fsd)[0], signal.SIGKILL)
    report = wait_reports(fsd, 3)[0]
    assert report["class"] == kind
    assert report["next"].startswith("another one is started in ")


def test_the_report_names_the_request_that_was_running(make_service):
    service = make_service(workers=1)
    service.write_conf()
    service.start_ready()
    with poke(service, "/slow/30"):
        service.wait_log("slow began")
        os.kill(service.slot(0)["pid"], signal.SIGKILL)
        report = wait_reports(service)[0]
    assert [request["what"] for request in report["open_requests"]] == ["GET /slow/30"]


def test_the_report_names_what_was_running_when_it_stopped_answering(make_service):
    service = make_service(BUSY, workers=1)
    service.write_conf()
    service.start_ready()
    victim = service.slot(0)["pid"]
    with poke(service, "/busy"):
        service.wait_log("busy began")
        os.kill(victim, signal.SIGKILL)
        report = wait_reports(service)[0]
    assert report["running"]["what"] == "GET /busy"
    row = service.call("crashes")["crashes"][0]
    assert (row["running"], row["class"], row["next"]) == ("GET /busy", "signal", "its place is taken at once")


def test_the_report_of_one_that_did_not_leave_in_time_says_so(make_fake):
    fsd = make_fake({"drain": "hang"})
    fsd.write_conf(shutdown="300ms")
    fsd.start_ready()
    fsd.call("reload", restart=True)
    report = wait_reports(fsd)[0]
    assert (report["class"], report["state"]) == ("shutdown_timeout", "draining")
    assert report["next"] == "nothing: it had been told to leave"


def test_the_report_of_a_successor_that_failed_says_that_the_old_one_serves_on(make_fake):
    fsd = make_fake()
    fsd.write_conf()
    fsd.start_ready()
    set_worker(fsd, hello="exit:4")
    os.kill(ready_pids(fsd)[0], signal.SIGTERM)  # the fake worker dies of it
    wait_reports(fsd, 2)
    set_worker(fsd)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "it to heal", 20)
    before = len(reports(fsd))
    set_worker(fsd, hello="exit:4")
    ask(fsd, path="/leave")
    report = wait_reports(fsd, before + 1)[0]
    assert (report["class"], report["next"]) == ("boot", "the old worker serves on")
