"""Reloads that change the code of workers where they are: everywhere or nowhere, whatever happens in between."""
import contextlib
import os
import signal
import threading

import pytest
from fsd_process import RpcError, wait_for
from service import read_answer
from supervised import pool_of, set_worker, wait_pool

FAILED = -32000


def start(make_fake, workers=3, app=None, **conf):
    fsd = make_fake({"body": "old", **(app or {})}, workers=workers)
    fsd.write_conf(**conf)
    fsd.start_ready()
    if conf.get("standby"):
        wait_pool(fsd, "web", lambda pool: pool["standby"]["ready"] == conf["standby"], "the reserve")
    return fsd


def reload_in_thread(fsd):
    results = []

    def run():
        try:
            results.append(fsd.call("reload"))
        except (RpcError, ConnectionError) as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def finish(thread, results):
    thread.join(60)
    assert len(results) == 1, "the reload has not ended"
    return results[0]


def fail(fsd):
    with pytest.raises(RpcError) as error:
        fsd.call("reload")
    assert error.value.code == FAILED
    return error.value.message


def places(fsd):
    """Each worker that serves, or is ready to, by its place: pid and generation."""
    return {row["slot"]: (row["pid"], row["generation"]) for row in fsd.workers() if row["state"] in ("ready", "standby")}


def wait_all(fsd, count, generation):
    fsd.wait_workers(lambda rows: len(rows) == count and all(
        row["state"] in ("ready", "standby") and row["generation"] == generation for row in rows), f"generation {generation} alone")
    return places(fsd)


def bodies(fsd):
    return {fsd.get()["body"] for _ in range(10)}


# --- everywhere ---


@pytest.mark.basic
def test_all_workers_and_the_reserve_change_where_they_are(make_fake):
    fsd = start(make_fake, standby=1)
    before = places(fsd)
    fsd.write_app({"body": "new"})
    assert fsd.call("reload") == {"schema": "fsd.reload/1", "apps": [{"app": "shop", "from": 1, "to": 2, "workers": 3}], "restart": False}
    assert places(fsd) == {slot: (pid, 2) for slot, (pid, _) in before.items()}
    assert bodies(fsd) == {"new"}
    assert fsd.status()["pools"][0]["generation"] == 2
    assert "reload is done app=shop generation=2 in_ms=" in fsd.log()
    assert fsd.log().count("event=reload.prepared") == fsd.log().count("event=reload.committed") == 4


@pytest.mark.basic
def test_with_the_real_worker_connections_are_kept_and_answered_by_the_new_code(make_service):
    service = make_service(workers=2)
    service.write_conf(standby=1)
    service.start_ready()
    wait_pool(service, "web", lambda pool: pool["standby"]["ready"] == 1, "the reserve")
    peer = service.connect()

    def ask():
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return read_answer(peer)[1]

    before, first = places(service), ask()
    for generation in range(2, 12):
        service.set_version(generation)
        result = service.ctl("reload")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.endswith(f"shop  generation {generation - 1} -> {generation}, 2 workers changed over\n")
        answer = ask()
        assert (answer["x-version"], answer["x-worker"]) == (str(generation), first["x-worker"])
        assert {service.get("/").headers["x-version"] for _ in range(10)} == {str(generation)}
    assert places(service) == {slot: (pid, 11) for slot, (pid, _) in before.items()}


def test_the_reserve_serves_with_the_code_that_it_changed_to(make_fake):
    fsd = start(make_fake, workers=1, standby=1)
    fsd.write_app({"body": "new"})
    fsd.call("reload")
    old, reserve = places(fsd)[0][0], places(fsd)[None][0]
    assert fsd.get()["body"] == "new"
    os.kill(old, signal.SIGKILL)
    fsd.wait_workers(lambda rows: any((row["slot"], row["pid"]) == (0, reserve) for row in rows), "the reserve in its place")
    assert wait_all(fsd, 2, 2)[0] == (reserve, 2)
    assert fsd.get()["body"] == "new"


def test_hangup_is_a_reload_in_place(make_fake):
    fsd = start(make_fake)
    before = places(fsd)
    fsd.write_app({"body": "new"})
    fsd.signal(signal.SIGHUP)
    fsd.wait_log("reload is done")
    assert places(fsd) == {slot: (pid, 2) for slot, (pid, _) in before.items()}


def test_those_who_come_meanwhile_get_one_round_together(make_fake, tmp_path):
    gate = tmp_path / "gate"
    fsd = start(make_fake)
    fsd.write_app({"prepare": f"until:{gate}"})
    first = reload_in_thread(fsd)
    fsd.wait_log("code is bundled app=shop generation=2")
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(fsd.open_control()) for _ in range(5)]
        for other in others:
            fsd.send_call(other, "reload")
        fsd.status()  # what came before is read before
        gate.touch()
        assert finish(*first)["apps"][0]["to"] == 2
        assert [fsd.read_answer(other)["apps"][0]["to"] for other in others] == [3] * 5
    wait_all(fsd, 3, 3)


# --- nowhere ---


@pytest.mark.basic
@pytest.mark.parametrize("app, words", [
    ({"compile": "app.lua:3: syntax error"}, "app.lua:3: syntax error"),
    ({"load": "app.lua:4: no such field"}, "app.lua:4: no such field (worker web/0)"),
    ({"prepare": "app.lua:4: only there", "slots": [2]}, "app.lua:4: only there (worker web/2)"),
    ({"prepare": "app.lua:4: not in reserve", "slots": [None]}, "app.lua:4: not in reserve (worker web/-)"),
    ({"prepare": "hang", "slots": [1]}, "not prepared within 2000 ms (worker web/1)"),
])
def test_code_that_is_refused_anywhere_changes_nothing(make_fake, app, words):
    fsd = start(make_fake, standby=1, boot="2s" if "hang" in app.values() else "60s")
    before = places(fsd)
    fsd.write_app({"body": "bad", **app})
    assert fail(fsd) == words
    assert places(fsd) == before and bodies(fsd) == {"old"}
    assert "reload failed, nothing is changed: " + words in fsd.log()
    fsd.write_app({"body": "new"})
    used = 1 if "compile" in app else 2  # numbers only rise
    assert fsd.call("reload")["apps"][0] == {"app": "shop", "from": 1, "to": used + 1, "workers": 3}
    assert places(fsd) == {slot: (pid, used + 1) for slot, (pid, _) in before.items()} and bodies(fsd) == {"new"}


@pytest.mark.parametrize("what, slot, words", [
    ("exit:5", 1, "exited with code 5 (worker web/1)"),
    ("signal:9", 0, "killed by signal 9 (Killed) (worker web/0)"),
    ("signal:9", None, "killed by signal 9 (Killed) (worker web/-)"),
])
def test_a_death_while_workers_prepare_changes_nothing(make_fake, what, slot, words):
    fsd = start(make_fake, standby=1)
    before = places(fsd)
    fsd.write_app({"body": "bad", "prepare": what, "slots": [slot]})
    assert fail(fsd) == words
    after = wait_all(fsd, 4, 1)
    assert {one for one in (0, 1, 2) if one != slot and after[one] != before[one]} == set()
    assert bodies(fsd) == {"old"}
    fsd.write_app({"body": "new"})
    fsd.call("reload")
    wait_all(fsd, 4, 3)


def test_one_that_is_stopped_while_it_prepares_forgets_it_when_it_goes_on(make_fake):
    fsd = start(make_fake, boot="2s")
    before = places(fsd)
    fsd.write_app({"body": "bad", "prepare": "stop", "slots": [1]})
    assert fail(fsd) == "not prepared within 2000 ms (worker web/1)"
    os.kill(before[1][0], signal.SIGCONT)
    assert places(fsd) == before
    fsd.write_app({"body": "new"})
    fsd.call("reload")
    assert places(fsd) == {slot: (pid, 3) for slot, (pid, _) in before.items()}


@pytest.mark.basic
@pytest.mark.parametrize("old, new, words", [
    ('local VERSION = "1"', 'local VERSION = = "2"', "app.lua:8: unexpected symbol near '='"),
    ("return app", "error('no luck')", "app.lua:{line}: no luck"),
], ids=["compiles not", "raises"])
def test_broken_code_is_told_with_its_line_and_the_old_serves_on(service, old, new, words):
    before = places(service)
    line = service.app_path.read_text().count("\n")
    service.edit_app(old, new)
    result = service.ctl("reload")
    assert result.returncode == 1 and words.format(line=line) in result.stderr
    assert {slot: row for slot, row in places(service).items() if slot is not None} == {
        slot: row for slot, row in before.items() if slot is not None}
    assert {service.get("/").headers["x-version"] for _ in range(10)} == {"1"}


def test_a_bundle_tool_that_is_killed_changes_nothing(make_fake):
    fsd = start(make_fake)
    before = places(fsd)
    fsd.write_app({"compile": "hang"})
    thread, results = reload_in_thread(fsd)
    children = f"/proc/{fsd.process.pid}/task/{fsd.process.pid}/children"
    workers = {str(pid) for pid, _ in before.values()}

    def find_tool():
        with open(children, encoding="ascii") as file:
            return next(iter(set(file.read().split()) - workers), None)

    os.kill(int(wait_for(find_tool, "the bundle tool")), signal.SIGKILL)
    assert "killed by signal 9" in finish(thread, results).message
    assert places(fsd) == before


@pytest.mark.parametrize("how, words", [("stop", "the daemon is stopping"), ("drain", "the daemon was drained meanwhile")])
def test_a_stop_or_drain_while_workers_prepare_ends_the_reload(make_fake, how, words):
    fsd = start(make_fake)
    fsd.write_app({"body": "new", "prepare": "hang"})
    thread, results = reload_in_thread(fsd)
    fsd.wait_log("does not answer")
    fsd.call(how)
    assert finish(thread, results).message == words
    if how == "drain":
        fsd.call("resume")
        wait_all(fsd, 3, 1)
    else:
        assert fsd.wait_exit(60) == 0


# --- after the decision ---


@pytest.mark.parametrize("what, is_told", [
    ("exit:5", False), ("signal:9", False), ("wrong generation", False), ("hang", True), ("stop", True)])
def test_who_does_not_commit_is_replaced_by_one_that_boots_the_new_code(make_fake, what, is_told):
    fsd = start(make_fake, standby=0)
    before = places(fsd)
    fsd.write_app({"body": "new", "commit": what, "slots": [1]})
    assert fsd.call("reload")["apps"][0]["to"] == 2
    after = wait_all(fsd, 3, 2)
    assert {slot for slot in after if after[slot][0] != before[slot][0]} == {1}
    assert bodies(fsd) == {"new"}
    assert ("event=reload.killed" in fsd.log()) == is_told


def test_a_standby_that_does_not_commit_is_replaced(make_fake):
    fsd = start(make_fake, standby=1)
    before = places(fsd)
    fsd.write_app({"body": "new", "commit": "stop", "slots": [None]})
    fsd.call("reload")
    after = wait_all(fsd, 4, 2)
    assert {slot for slot in after if after[slot][0] != before[slot][0]} == {None}


# --- those that boot meanwhile ---


@pytest.mark.parametrize("is_refused", [False, True])
def test_one_that_boots_meanwhile_never_serves_code_that_was_replaced(make_fake, tmp_path, is_refused):
    fsd = start(make_fake, workers=2)
    gate, prepared = tmp_path / "gate", tmp_path / "prepared"
    set_worker(fsd, gate=str(gate))
    victim = places(fsd)[1][0]
    os.kill(victim, signal.SIGKILL)
    fsd.wait_workers(lambda rows: any(row["slot"] == 1 and row["pid"] != victim for row in rows), "its successor to boot")
    fsd.write_app({"body": "new", "prepare": f"until:{prepared}" + (":no" if is_refused else "")})
    thread, results = reload_in_thread(fsd)
    fsd.wait_log("code is bundled app=shop generation=2")
    gate.touch()
    fsd.wait_workers(lambda rows: any(row["slot"] == 1 and row["state"] == "prepared" for row in rows), "the successor to wait")
    prepared.touch()
    result = finish(thread, results)
    assert isinstance(result, RpcError) == is_refused
    after = wait_all(fsd, 2, 1 if is_refused else 2)
    assert bodies(fsd) == {"old" if is_refused else "new"}
    ready = [line for line in fsd.log().splitlines() if "worker is ready" in line and f"web/1[{after[1][0]}]" in line]
    assert len(ready) == 1
    assert sum("worker is ready" in line and " web/1[" in line for line in fsd.log().splitlines()) == 2


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_successor_of_one_that_asks_to_leave_meanwhile_has_the_code_that_runs_then(make_fake, tmp_path, is_refused):
    fsd = start(make_fake, workers=2)
    prepared = tmp_path / "prepared"
    before = places(fsd)
    fsd.write_app({"body": "new", "prepare": f"until:{prepared}" + (":no" if is_refused else ""), "slots": [0]})
    thread, results = reload_in_thread(fsd)
    fsd.wait_log("code is bundled app=shop generation=2")
    os.kill(before[1][0], signal.SIGUSR1)
    fsd.wait_workers(lambda rows: any(row["state"] == "prepared" for row in rows), "the successor to wait")
    assert places(fsd) == before
    prepared.touch()
    assert isinstance(finish(thread, results), RpcError) == is_refused
    after = wait_all(fsd, 2, 1 if is_refused else 2)
    assert after[0][0] == before[0][0] and after[1][0] != before[1][0]
    assert bodies(fsd) == {"old" if is_refused else "new"}


def test_a_slot_that_waits_for_its_next_try_gets_the_new_code_at_once(make_fake):
    fsd = start(make_fake, workers=2)
    set_worker(fsd, loaded="exit:3")
    os.kill(places(fsd)[1][0], signal.SIGKILL)
    fsd.wait_log("failures=6")
    set_worker(fsd)
    fsd.write_app({"body": "new"})
    fsd.call("reload")
    wait_all(fsd, 2, 2)
    assert bodies(fsd) == {"new"}


def test_a_pool_that_is_held_does_not_hold_a_reload_up(make_fake):
    fsd = start(make_fake, workers=2, intensity=0)
    set_worker(fsd, activated="exit:3")
    os.kill(places(fsd)[1][0], signal.SIGKILL)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "held", "the pool to be held")
    fsd.write_app({"body": "new"})
    assert fsd.call("reload")["apps"][0]["to"] == 2
    assert places(fsd)[0][1] == 2
    set_worker(fsd)
    fsd.write_app({"body": "newer"})
    fsd.call("reload")
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "the pool to be released")
    assert bodies(fsd) == {"newer"} and pool_of(fsd, "web")["generation"] == 3


def test_where_nobody_runs_a_new_worker_tries_the_code(make_fake):
    fsd = start(make_fake, workers=2, intensity=0)
    set_worker(fsd, activated="exit:3")
    for pid, _ in places(fsd).values():
        os.kill(pid, signal.SIGKILL)
    wait_pool(fsd, "web", lambda pool: pool["state"] == "held", "the pool to be held")
    set_worker(fsd)
    fsd.write_app({"load": "app.lua:4: no such field"})
    assert fail(fsd) == "app.lua:4: no such field (worker web/0)"
    pool = pool_of(fsd, "web")
    assert (pool["state"], pool["generation"]) == ("held", 1)
    fsd.write_app({"body": "new"})
    fsd.call("reload")
    assert places(fsd)[0][1] == 3  # it serves
    wait_pool(fsd, "web", lambda pool: pool["state"] == "running", "the pool to be released")
    wait_all(fsd, 2, 3)
    assert bodies(fsd) == {"new"}


def test_a_trial_that_loads_the_code_and_cannot_begin_to_serve_does_not_undo_it(make_fake):
    fsd = start(make_fake, workers=1)
    set_worker(fsd, loaded="exit:3")
    os.kill(places(fsd)[0][0], signal.SIGKILL)
    fsd.wait_log("failures=6")
    set_worker(fsd)
    fsd.write_app({"body": "new", "activate": "exit:4"})
    assert fsd.call("reload")["apps"][0]["to"] == 2
    fsd.wait_log("exited with code 4")
    fsd.write_app({"body": "newer"})
    for _ in range(20):  # a worker may die just while it is asked
        try:
            fsd.call("reload")
            break
        except RpcError as error:
            assert "exited with code 4" in error.message
    wait_all(fsd, 1, fsd.status()["pools"][0]["generation"])
    assert bodies(fsd) == {"newer"}


def test_a_stop_ends_a_trial(make_fake):
    fsd = start(make_fake, workers=1)
    set_worker(fsd, loaded="exit:3")
    os.kill(places(fsd)[0][0], signal.SIGKILL)
    fsd.wait_log("failures=6")
    fsd.write_app({"load": "hang"})
    thread, results = reload_in_thread(fsd)
    fsd.wait_workers(lambda rows: [row["generation"] for row in rows] == [2], "the trial")
    fsd.call("drain")
    assert finish(thread, results).message == "the daemon was drained meanwhile"
    set_worker(fsd)
    fsd.call("resume")
    wait_all(fsd, 1, 1)
    assert "impossible event" not in fsd.log()
