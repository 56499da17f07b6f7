"""Going back to older code: by hand, and by itself when new code kills its workers."""
import contextlib
import http.client
import json
import os
import signal
import threading

import pytest
from fsd_process import RpcError
from kept_code import app_of, count_bundles, deploy, roles, set_probation, wait_event
from service import failures, is_alive, wait_for

OPERATION_FAILED = 1
DEGRADED = 2
SERVE = 'res:send("hello")'
DIE = 'os.exit(70)'


def make_app(answer):
    return f"""
local fsd = require "fsd"
local app = fsd.app()
local VERSION = "1"
app:get("/", function(req, res)
  res:set("x-version", VERSION)
  {answer}
end)
return app
"""


def start(make_service, workers=2, probation="1d", **pool):
    service = make_service(make_app(SERVE), workers=workers)
    service.write_conf(**{"log_format": "json", "intensity": 2, **pool})
    set_probation(service, probation)
    return service.start_ready()


def start_confirmed(make_service, **options):
    service = start(make_service, **options)
    assert service.ctl("confirm").returncode == 0
    return service


def version(service):
    return service.get("/").headers["x-version"]


def deploy_deadly(service, what="2"):
    """Code that loads well, and ends its worker at the first request."""
    service.set_version(what)
    service.edit_app(SERVE, DIE)


def rollback(service, *words):
    result = service.ctl("rollback", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def ask_until_rolled_back(service, **wanted):
    """Requests, as clients send them whatever becomes of them, until the daemon has said that it went back.  The record says under which
    number: one of these requests may end a worker that is just asked to take the old code, and then the next round has the next one."""
    def is_back():
        with contextlib.suppress(OSError, http.client.HTTPException):
            service.get("/")
        return [record for record in service.records() if record.get("event") == "reload.rolled_back"
                and all(record[key] == value for key, value in wanted.items())]

    return wait_for(is_back, "the old code to be back", 120)[0]


def wait_whole(service):
    """Until every worker serves, and the one that answers 503 has gone as well."""
    def is_whole(status):
        rows = [row["state"] for pool in status["pools"] for row in pool["workers"]]
        return status["state"] == "running" and set(rows) == {"ready"}

    service.wait_status(is_whole, "all workers", 60)


def setback(service):
    return service.status()["apps"][0]["setback"]


# --- by hand ---


@pytest.mark.basic
def test_a_rollback_brings_the_confirmed_code_back_in_place_under_a_new_number(make_service):
    service = start_confirmed(make_service)
    pids = {row["pid"] for row in service.workers()}
    for what in (2, 3):
        deploy(service, what)
    assert version(service) == "3"
    assert rollback(service) == "shop  generation 3 -> 4 (the code of 1), 2 workers changed over\n"
    assert version(service) == "1"
    assert {row["pid"] for row in service.workers()} == pids
    assert {row["generation"] for row in service.workers()} == {4}
    assert roles(service) == {4: "running confirmed", 3: "previous"}
    assert app_of(service)["generations"][0]["origin"] == 1


@pytest.mark.basic
def test_a_second_rollback_goes_to_what_the_first_one_left_and_numbers_only_rise(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    rollback(service, "shop")
    assert version(service) == "1"
    assert rollback(service, "shop") == "shop  generation 3 -> 4 (the code of 2), 2 workers changed over\n"
    assert version(service) == "2"
    assert roles(service) == {4: "running", 3: "confirmed previous"}
    rollback(service)
    assert (version(service), roles(service)) == ("1", {5: "running confirmed", 4: "previous"})
    deploy(service, 6)
    assert roles(service) == {6: "running", 5: "confirmed previous"}


def test_code_that_nobody_confirmed_goes_back_to_what_ran_before(make_service):
    service = start(make_service)
    deploy(service, 2)
    rollback(service)
    assert (version(service), roles(service)) == ("1", {3: "running", 2: "previous"})


@pytest.mark.basic
def test_where_there_is_nothing_to_go_back_to_a_rollback_says_so(make_service):
    service = start(make_service)
    result = service.ctl("rollback")
    assert result.returncode == OPERATION_FAILED
    assert result.stderr == "there is nothing to go back to: the daemon keeps no other code\n"
    assert (version(service), roles(service)) == ("1", {1: "running"})
    with pytest.raises(RpcError, match='there is no app "nope"'):
        service.call("rollback", app="nope")


def test_a_rollback_does_not_push_a_reload_aside(make_fake):
    fsd = make_fake({"body": "old"})
    fsd.write_conf()
    fsd.start_ready()
    assert fsd.call("reload")["apps"][0]["to"] == 2
    fsd.write_app({"body": "new", "compile": "hang"})
    with fsd.open_control() as asking:
        fsd.send_call(asking, "reload")
        wait_for(lambda: fsd.log().count("reload begins") == 2, "the reload to begin", 60)
        with pytest.raises(RpcError, match="a reload is running"):
            fsd.call("rollback")
    assert {row["number"] for row in app_of(fsd)["generations"] if row["running"]} == {2}


def test_going_back_and_forth_costs_no_request_and_no_descriptor(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    rollback(service)
    load = service.load("/", connections=16).wait_ready()
    for _ in range(20):
        rollback(service)
    result = load.stop().result()
    assert failures(result) == {} and result["ok"] > 0
    assert count_bundles(service) == len(roles(service)) == 2
    assert app_of(service)["generations"][0]["number"] == 23


def test_a_replaced_worker_runs_the_code_that_came_back(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    rollback(service)
    (service.app_path).write_text("this is no Lua")
    service.kill_worker(service.slot(0))
    assert {row["generation"] for row in service.workers("ready")} == {3}
    assert version(service) == "1"


def test_only_the_app_that_is_named_goes_back(make_service):
    service = make_service(make_app(SERVE))
    service.write_conf()
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["apps"]["blog"] = dict(conf["apps"]["shop"])
    conf["pools"]["blog"] = {"app": "blog", "count": 1}
    path.write_text(json.dumps(conf))
    service.start_ready()

    def running():
        return {app["app"]: app["generations"][0]["number"] for app in service.call("generations")["apps"]}

    deploy(service, 2)
    assert service.ctl("confirm", "blog").returncode == 0
    deploy(service, 3)
    assert running() == {"shop": 3, "blog": 3}
    rollback(service, "blog")
    assert running() == {"shop": 3, "blog": 4}
    assert service.ctl("confirm", "shop").returncode == 0
    deploy(service, 4)
    assert running() == {"shop": 4, "blog": 5}
    assert service.ctl("confirm", "shop").returncode == 0
    rollback(service)  # the other one is the one that has not proved itself
    assert running() == {"shop": 4, "blog": 6}


def test_a_drained_daemon_goes_back_without_a_worker(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    assert service.ctl("drain").returncode == 0
    assert rollback(service) == "shop  generation 2 -> 3 (the code of 1), drained: new workers come with `fsdctl resume`\n"
    assert service.ctl("resume").returncode == 0
    assert version(service) == "1"


def test_code_that_a_worker_cannot_take_leaves_all_as_it_was(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGSTOP)
    thread = threading.Thread(target=service.kill_worker, args=(victim,), daemon=True)
    result = []
    asking = threading.Thread(target=lambda: result.append(service.ctl("rollback", timeout=120)), daemon=True)
    asking.start()
    wait_event(service, "reload.begin")
    thread.start()
    asking.join(120)
    thread.join(120)
    assert len({row["generation"] for row in service.workers("ready")}) == 1
    assert version(service) == ("1" if result[0].returncode == 0 else "2")
    assert is_alive(service.process.pid)


# --- by itself ---


@pytest.mark.basic
def test_code_that_kills_its_workers_is_taken_back_without_a_human(make_service):
    service = start_confirmed(make_service)
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    record = ask_until_rolled_back(service)
    back = record["generation"]
    assert (record["app"], record["from"], record["code_of"], back > 2) == ("shop", 2, 1, True)
    assert "more than 2 restarts in 30 s: exited with code 70" in record["reason"]
    service.wait_workers(lambda rows: [(row["state"], row["generation"]) for row in rows] == [("ready", back)] * 2, "both workers", 60)
    assert {version(service) for _ in range(20)} == {"1"}
    assert roles(service) == {back: "running confirmed", 2: "previous"}
    assert service.status()["state"] == "running"


@pytest.mark.basic
def test_status_and_wait_tell_of_a_setback_until_somebody_has_seen_to_it(make_service):
    service = start_confirmed(make_service)
    waiting = []
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    thread = threading.Thread(target=lambda: waiting.append(service.ctl("wait", "--for", "confirmed", "--timeout", "5m", timeout=300)),
                              daemon=True)
    thread.start()
    back = ask_until_rolled_back(service)["generation"]
    thread.join(120)
    words = (f'generation 2 of app "shop" was taken back, {back} runs with the code of 1: pool web: more than 2 restarts in 30 s: '
             'exited with code 70\n')
    assert (waiting[0].returncode, waiting[0].stderr) == (OPERATION_FAILED, words)
    late = service.ctl("wait", "--for", "confirmed")
    assert (late.returncode, late.stderr) == (OPERATION_FAILED, words)
    wait_whole(service)
    assert {key: setback(service)[key] for key in ("from", "to", "origin")} == {"from": 2, "to": back, "origin": 1}
    shown = service.ctl("status")
    assert shown.returncode == DEGRADED
    assert "  ! shop: generation 2 was taken back at 2" in shown.stdout
    assert service.ctl("wait", "--for", "ready").returncode == 0
    assert service.ctl("confirm").returncode == 0
    assert service.ctl("status").returncode == 0
    assert service.ctl("wait", "--for", "confirmed").returncode == 0


def test_new_code_is_not_blamed_for_what_the_old_one_did(make_service):
    service = start_confirmed(make_service, period="1h")
    for _ in range(2):
        service.kill_worker(service.slot(0))
    deploy(service, 2)
    service.kill_worker(service.slot(1))
    assert service.status()["state"] == "running"
    assert roles(service) == {2: "running", 1: "confirmed previous"}


def test_better_code_ends_a_setback(make_service):
    service = start_confirmed(make_service)
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    back = ask_until_rolled_back(service)["generation"]
    wait_whole(service)
    service.edit_app(DIE, SERVE)
    deploy(service, 4)
    assert version(service) == "4"
    assert setback(service) is None
    assert roles(service) == {back + 1: "running", back: "confirmed previous"}


def test_the_confirmed_code_comes_back_over_several_that_were_not(make_service):
    service = start_confirmed(make_service)
    deploy(service, 2)
    deploy(service, 3)
    deploy_deadly(service, "4")
    assert service.ctl("reload").returncode == 0
    assert ask_until_rolled_back(service)["code_of"] == 1
    wait_whole(service)
    assert version(service) == "1"


def test_each_bad_deploy_is_taken_back(make_service):
    service = start_confirmed(make_service)
    good = 1
    for what in ("2", "3", "4"):
        deploy_deadly(service, what)
        assert service.ctl("reload").returncode == 0
        bad = app_of(service)["generations"][0]["number"]
        record = ask_until_rolled_back(service, **{"from": bad})
        assert (record["code_of"], good < bad < record["generation"]) == (good, True)
        good = record["generation"]
        wait_whole(service)
        assert (version(service), roles(service)) == ("1", {good: "running confirmed", bad: "previous"})
        service.edit_app(DIE, SERVE)


def test_under_load_a_bad_deploy_is_taken_back_too(make_service):
    service = start_confirmed(make_service, intensity=5)
    stop = threading.Event()

    def knock():
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                service.get("/")

    service.address()
    clients = [threading.Thread(target=knock, daemon=True) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        deploy_deadly(service)
        result = service.ctl("reload")
        assert result.returncode == 0 or "is being taken back" in result.stderr, result.stderr
        back = wait_event(service, "reload.rolled_back")["generation"]
    finally:
        stop.set()
    for client in clients:
        client.join(60)
    service.wait_workers(lambda rows: [(row["state"], row["generation"]) for row in rows] == [("ready", back)] * 2, "both workers", 60)
    assert version(service) == "1"


def test_a_reload_that_still_waits_fails_when_its_code_is_not_fit(make_fake):
    fsd = make_fake({"body": "old"}, workers=2)
    fsd.write_conf(intensity=0)
    set_probation(fsd, "1d")
    fsd.start_ready()
    fsd.call("confirm")
    fsd.write_app({"body": "new", "commit": "signal:6", "slots": [1]})
    with pytest.raises(RpcError, match='generation 2 of app "shop" is being taken back: pool web: more than 0 restarts in 30 s: killed by signal 6'):
        fsd.call("reload")
    fsd.wait_log("event=reload.rolled_back", 60)
    fsd.wait_workers(lambda rows: [(row["state"], row["generation"]) for row in rows] == [("ready", 3)] * 2, "both workers", 60)


def test_who_asks_while_workers_go_back_is_not_told_that_the_code_is_confirmed(make_fake, tmp_path):
    gate = tmp_path / "gate"
    fsd = make_fake({"body": "old", "commit": f"until:{gate}", "slots": [0]}, workers=2)
    fsd.write_conf(intensity=0)
    set_probation(fsd, "1d")
    fsd.start_ready()
    fsd.call("confirm")
    fsd.write_app({"body": "new", "commit": "signal:6", "slots": [1]})
    with pytest.raises(RpcError, match="is being taken back"):
        fsd.call("reload")
    wait_for(lambda: any(row["running"] and row["number"] > 2 for row in app_of(fsd)["generations"]), "the old code to be decided upon", 60)
    with fsd.open_control() as waiting:
        fsd.send_call(waiting, "wait", **{"for": "confirmed"})
        fsd.status()  # what came before is read before
        gate.touch()
        with pytest.raises(RpcError, match='generation 2 of app "shop" was taken back'):
            fsd.read_answer(waiting)


def test_code_that_is_confirmed_is_not_taken_back(make_service):
    service = start_confirmed(make_service, workers=1)
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    assert service.ctl("confirm").returncode == 0

    def is_held():
        with contextlib.suppress(OSError, http.client.HTTPException):
            service.get("/")
        return service.status()["pools"][0]["state"] == "held"

    wait_for(is_held, "the pool to give up", 120)
    assert roles(service) == {2: "running confirmed", 1: "previous"}
    assert setback(service) is None


def test_the_first_code_has_nothing_to_go_back_to(make_service):
    service = make_service(make_app(DIE), workers=1)
    service.write_conf(log_format="json", intensity=2)
    set_probation(service, "10ms")
    service.start_ready()

    def is_held():
        with contextlib.suppress(OSError, http.client.HTTPException):
            service.get("/")
        return service.status()["pools"][0]["state"] == "held"

    wait_event(service, "code.confirmed", generation=1)  # nobody has asked for anything yet
    wait_for(is_held, "the pool to give up", 120)
    assert roles(service) == {1: "running confirmed"}


def test_an_upgrade_of_the_daemon_keeps_the_memory_of_a_setback(make_service):
    service = start_confirmed(make_service)
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    ask_until_rolled_back(service)
    wait_whole(service)
    before = setback(service)
    result = service.ctl("upgrade")
    assert result.returncode == 0, result.stderr
    assert setback(service) == before
    assert service.ctl("status").returncode == DEGRADED
    service.edit_app(DIE, SERVE)
    deploy(service, 4)
    assert service.ctl("status").returncode == 0


def test_other_pools_of_the_app_go_back_too(make_service):
    service = start_confirmed(make_service)
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["pools"]["jobs"] = {"app": "shop", "count": 1, "standby": 0}
    path.write_text(json.dumps(conf))
    assert service.ctl("config", "apply").returncode == 0
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    back = ask_until_rolled_back(service)["generation"]
    wait_whole(service)
    assert {row["generation"] for pool in service.status()["pools"] for row in pool["workers"]} == {back}


def test_new_workers_with_bad_code_are_taken_back_as_well(make_service):
    service = start_confirmed(make_service)
    deploy_deadly(service)
    result = service.ctl("reload", "--restart")
    assert result.returncode == 0, result.stderr
    assert ask_until_rolled_back(service)["code_of"] == 1
    wait_whole(service)
    assert version(service) == "1"


def test_a_configuration_that_came_with_bad_code_stays(make_service):
    service = start_confirmed(make_service)
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["pools"]["web"]["count"] = 3
    path.write_text(json.dumps(conf))
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    record = ask_until_rolled_back(service)
    assert record["code_of"] == 1
    back = record["generation"]
    service.wait_workers(lambda rows: [(row["state"], row["generation"]) for row in rows] == [("ready", back)] * 3, "three workers", 60)
    assert service.status()["config"]["number"] == 2
    assert version(service) == "1"


def start_supervised(make_service, app):
    """Two pools of one application, neither of which may lose a worker, and which go together."""
    service = make_service(app)
    service.write_conf(log_format="json", intensity=0)
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["listeners"]["other"] = {"listen": "127.0.0.1:0"}
    conf["pools"]["other"] = dict(conf["pools"]["web"], listeners=["other"])
    conf["supervisors"] = {"both": {"strategy": "one_for_all", "intensity": 0, "children": ["web", "other"]}}
    path.write_text(json.dumps(conf))
    set_probation(service, "1d")
    service.start_ready()
    assert service.ctl("confirm").returncode == 0
    return service


def test_a_supervisor_has_nothing_to_do_where_the_old_code_helps(make_service):
    service = start_supervised(make_service, make_app(SERVE))
    other = service.status()["pools"][1]["workers"][0]["pid"]
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    assert ask_until_rolled_back(service)["code_of"] == 1
    wait_whole(service)
    assert version(service) == "1"
    assert [row["pid"] for row in service.status()["pools"][1]["workers"]] == [other]


def test_a_supervisor_hears_of_a_pool_that_the_old_code_does_not_help(make_service, tmp_path):
    flag = tmp_path / "flag"
    service = start_supervised(make_service, f'if io.open("{flag}") then error("no luck") end\n' + make_app(SERVE))
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    flag.write_text("")

    def is_told():
        with contextlib.suppress(OSError, http.client.HTTPException):
            service.get("/")
        return [record for record in service.records() if record.get("event") == "pool.suspended" and record["pool"] == "other"]

    wait_for(is_told, "the supervisor to stop the other pool", 60)
    flag.unlink()
    wait_event(service, "reload.rolled_back")


def test_a_pool_that_gave_up_alone_serves_again(make_service):
    """The only worker is gone, and 503 is answered, when the old code comes back."""
    service = start_confirmed(make_service, workers=1, intensity=0)
    deploy_deadly(service)
    assert service.ctl("reload").returncode == 0
    ask_until_rolled_back(service)
    wait_whole(service)
    assert version(service) == "1"
    assert service.ctl("wait", "--for", "ready").returncode == 0
