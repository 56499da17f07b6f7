"""Applying a configuration when something goes wrong in between: all or nothing, and it heals afterwards."""
import json
import os
import signal
import threading

import pytest
from deploying import apply, changes, edited, list_fds, pids, pool, wait_fds
from fsd_process import FsdProcess, RpcError, is_alive, wait_for
from supervised import set_worker

LIMIT = {"body": "1KiB"}


@pytest.fixture
def make_fake(tmp_path, no_sanitizer_reports):
    """A daemon with the stand-in for the worker, three workers of one pool: make_fake(app)."""
    made = []

    def make_one(app=None, workers=3, worker=None, **values):
        folder = tmp_path / f"fake{len(made)}"
        folder.mkdir()
        made.append(FsdProcess(folder, app=app, workers=workers, worker=worker))
        made[-1].write_conf(**values)
        return made[-1].start_ready()

    yield make_one
    for one in made:
        one.kill()


def begin(fsd, method="config.apply", **params):
    control = fsd.open_control()
    fsd.send_call(control, method, **params)
    return control


def end(fsd, control):
    with control:
        return fsd.read_answer(control)


def wait_pids(fsd, condition, what):
    def find():
        found = pids(fsd)
        return found if len(found) == 3 and condition(found) else None

    return wait_for(find, what)


def configs(fsd):
    """The colours that workers serve, asked often enough to meet each."""
    return {fsd.get("/config")["settings"]["colour"] for _ in range(20)}


@pytest.mark.parametrize("answer, words", [
    ("too small for me", r"too small for me \(worker web/1\)"),
    ("exit:3", r"exited with code 3 \(worker web/1\)"),
    ("signal:9", r"killed by signal 9.*\(worker web/1\)"),
], ids=["rejects", "exits", "is killed"])
def test_a_no_to_prepare_changes_nothing(make_fake, answer, words):
    fsd = make_fake({"prepare": answer, "slots": [1]})
    before, old = fsd.status()["config"], pids(fsd)
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    with pytest.raises(RpcError, match=words):
        apply(fsd)
    assert fsd.status()["config"] == before
    new = wait_pids(fsd, lambda found: True, "three workers")
    assert (old[0], old[2]) == (new[0], new[2])
    assert (old[1] == new[1]) == (answer == "too small for me")
    assert {fsd.get("/config")["limits"]["body_bytes"] for _ in range(20)} == {10 << 20}


@pytest.mark.slow
def test_a_worker_that_does_not_answer_prepare_ends_the_change(make_fake):
    fsd = make_fake({"prepare": "hang", "slots": [2]})
    old = pids(fsd)
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    with pytest.raises(RpcError, match=r"no answer in time \(worker web/2\)"):
        apply(fsd)
    assert pids(fsd) == old


@pytest.mark.parametrize("answer", ["exit:3", "signal:9", "is not for me"])
def test_after_commit_there_is_no_way_back(make_fake, answer):
    """Whoever does not follow is replaced, and its successor has the new values."""
    fsd = make_fake({"commit": answer, "slots": [1]})
    old = pids(fsd)
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    result = apply(fsd)
    assert result["to"] == result["from"] + 1
    new = wait_pids(fsd, lambda found: found[1] != old[1], "another worker in slot 1")
    assert (new[0], new[2]) == (old[0], old[2])
    assert {fsd.get("/config")["limits"]["body_bytes"] for _ in range(20)} == {1024}


@pytest.mark.slow
def test_a_worker_that_does_not_acknowledge_the_commit_is_replaced(make_fake):
    fsd = make_fake({"commit": "hang", "slots": [1]})
    old = pids(fsd)
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    apply(fsd)
    wait_pids(fsd, lambda found: found[1] != old[1], "another worker in slot 1")
    assert "worker did not take what was committed and is replaced" in fsd.log()


@pytest.mark.parametrize("answer", ["bad colour", "exit:3", "signal:11"])
def test_a_new_worker_that_cannot_load_changes_nothing(make_fake, answer):
    fsd = make_fake()
    old, fds = pids(fsd), list_fds(fsd)
    other = fsd.folder / "other.lua"
    other.write_text(json.dumps({"load": answer, "slots": [2]}))
    with edited(fsd) as conf:
        conf["apps"]["shop"]["path"] = str(other)
    for _ in range(3):
        with pytest.raises(RpcError, match=r"\(worker web/2\)"):
            apply(fsd)
    assert pids(fsd) == old
    assert [row["restarts"] for row in fsd.workers("ready")] == [0, 0, 0]
    wait_fds(fsd, fds)


@pytest.mark.parametrize("answer", ["exit:3", "cannot begin"])
def test_a_new_worker_that_fails_when_it_is_to_serve_is_tried_again(make_fake, answer, tmp_path):
    """The old one serves on, so that nobody waits; but not for ever, since it has the old values."""
    fsd = make_fake()
    old = pids(fsd)
    other = fsd.folder / "other.lua"
    other.write_text(json.dumps({"activate": answer, "slots": [1]}))
    with edited(fsd) as conf:
        conf["apps"]["shop"]["path"] = str(other)
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    assert changes(apply(fsd)) == [("replace", "pool web")]
    wait_for(lambda: fsd.log().count("cannot begin") + fsd.log().count("exited with code 3") >= 3, "more tries")
    assert fsd.status()["state"] in ("running", "degraded")
    other.write_text("{}")
    fsd.call("reload")
    new = wait_pids(fsd, lambda found: not set(found) & set(old), "three new workers")
    assert configs(fsd) == {"blue"} and len(new) == 3


def test_a_change_while_a_reload_runs_is_refused(make_fake):
    fsd = make_fake()
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    text = (fsd.folder / "fsd.yaml").read_text()
    with edited(fsd) as conf:
        del conf["pools"]["web"]["limits"]
    fsd.write_app({"load": "hang"})
    control = begin(fsd, "reload", restart=True)
    wait_for(lambda: any(row["generation"] == 2 for row in fsd.workers()), "the reload to run")
    (fsd.folder / "fsd.yaml").write_text(text)
    for method, params in (("config.apply", {}), ("config.rollback", {}), ("scale", {"pool": "web", "count": 2})):
        with pytest.raises(RpcError) as caught:
            fsd.call(method, **params)
        assert caught.value.code in (-32001, -32000), method
    assert fsd.call("config.plan")["changes"]
    for row in fsd.workers():
        if row["generation"] == 2:
            os.kill(row["pid"], signal.SIGKILL)
    with pytest.raises(RpcError):
        end(fsd, control)
    assert changes(apply(fsd)) == [("update", "pool web")]


def test_one_change_at_a_time(make_fake):
    fsd = make_fake({"prepare": "hang", "slots": [0]})
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    control = begin(fsd)
    wait_for(lambda: fsd.status() is not None, "an answer")
    for method, params in (("config.apply", {}), ("scale", {"pool": "web", "count": 2}), ("restart", {"pool": "web"})):
        with pytest.raises(RpcError, match="another change of configuration is under way") as caught:
            fsd.call(method, **params)
        assert caught.value.code == -32001
    os.kill(pids(fsd)[0], signal.SIGKILL)
    with pytest.raises(RpcError, match=r"\(worker web/0\)"):
        end(fsd, control)
    assert fsd.status()["config"]["overrides"] == []


@pytest.mark.parametrize("values", [{"limits": LIMIT}, {"count": 5}], ids=["in place", "with new workers"])
def test_a_stop_during_a_change_ends_it_and_the_daemon(make_fake, values):
    fsd = make_fake({"prepare": "hang", "slots": [0]})
    fsd.write_app({"prepare": "hang", "load": "hang"})
    with edited(fsd) as conf:
        conf["pools"]["web"].update(values)
        conf["apps"]["shop"]["path"] = str(fsd.app_path)
    control = begin(fsd)
    children = {row["pid"] for row in fsd.workers()}
    fsd.signal(signal.SIGTERM)
    with pytest.raises((RpcError, ConnectionError)) as caught:
        end(fsd, control)
    assert "stopping" in str(caught.value)
    assert fsd.wait_exit() == 0
    assert not [pid for pid in children if is_alive(pid)]


def test_a_successor_that_comes_while_the_old_worker_is_asked_is_asked_in_its_place(make_fake):
    fsd = make_fake({"prepare": "hang"}, workers=1)
    old = pids(fsd)[0]
    gate = fsd.folder / "gate"
    set_worker(fsd, prepare="ok", gate=str(gate))
    fsd.get("/leave")
    fsd.wait_workers(lambda rows: any(row["state"] == "starting" for row in rows), "its successor to start")
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    control = begin(fsd)
    fsd.wait_log("does not answer")
    gate.touch()
    assert changes(end(fsd, control)) == [("update", "pool web")]
    assert old not in pids(fsd)
    assert fsd.get("/config")["limits"]["body_bytes"] == 1024


def test_a_stop_during_a_reload_that_brings_a_configuration_answers_it(make_fake):
    fsd = make_fake()
    fsd.write_app({"load": "hang"})
    with edited(fsd) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    control = begin(fsd, "reload")
    wait_for(lambda: any(row["generation"] == 2 for row in fsd.workers()), "new workers")
    fsd.signal(signal.SIGTERM)
    with pytest.raises(RpcError, match="stopping"):
        end(fsd, control)
    assert fsd.wait_exit() == 0


def test_a_worker_that_is_killed_while_others_boot_ends_the_change_and_heals(make_fake):
    fsd = make_fake()
    fsd.write_app({"load": "hang", "slots": [1]})
    old = pids(fsd)
    with edited(fsd) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    control = begin(fsd, "reload")
    wait_for(lambda: any(row["slot"] == 1 and row["generation"] == 2 for row in fsd.workers()), "the second new worker")
    os.kill(old[2], signal.SIGKILL)
    with pytest.raises(RpcError, match="killed by signal 9.*worker web/2"):
        end(fsd, control)
    new = wait_pids(fsd, lambda found: found[2] != old[2], "another worker in slot 2")
    assert new[:2] == old[:2] and configs(fsd) == {"red"}
    wait_for(lambda: len(fsd.workers()) == 3, "the new ones to be gone")


def test_who_is_replaced_while_others_are_asked_has_the_new_values_too(make_fake):
    """A worker of which a signal has taken leave boots its successor with what ran then."""
    fsd = make_fake()
    with edited(fsd) as conf:
        conf["pools"]["web"]["limits"] = LIMIT
    for _ in range(5):
        with edited(fsd) as conf:
            conf["pools"]["web"]["limits"] = {"body": "2KiB" if conf["pools"]["web"]["limits"] == LIMIT else "1KiB"}
            wanted = 2048 if conf["pools"]["web"]["limits"]["body"] == "2KiB" else 1024
        old = pids(fsd)
        fsd.get("/leave")
        apply(fsd)
        wait_pids(fsd, lambda found, old=old: len(set(found) & set(old)) <= 2, "a new worker")
        wait_for(lambda: len(fsd.workers()) == 3, "the old one to be gone")
        wait_for(lambda wanted=wanted: {fsd.get("/config")["limits"]["body_bytes"] for _ in range(12)} == {wanted},
                 "the new limit everywhere")


def test_clients_that_hang_up_during_an_apply_do_not_end_it(make_fake):
    fsd = make_fake()
    before = fsd.status()["config"]["number"]
    with edited(fsd) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    begin(fsd).close()
    wait_for(lambda: fsd.status()["config"]["number"] == before + 1, "the change")
    assert configs(fsd) == {"blue"}


def test_a_failed_growth_leaves_the_pool_as_it_was(make_fake):
    fsd = make_fake({"load": "no room", "slots": [4]}, intensity=0)
    old, fds = pids(fsd), list_fds(fsd)
    for _ in range(3):
        with pytest.raises(RpcError, match=r"no room \(worker web/4\)"):
            fsd.call("scale", pool="web", count=6)
    assert pids(fsd) == old
    assert (pool(fsd, "web")["state"], pool(fsd, "web")["count"]) == ("running", 3)
    assert fsd.status()["config"]["overrides"] == []
    wait_fds(fsd, fds)
    assert {fsd.get("/")["slot"] for _ in range(40)} == {0, 1, 2}


def test_while_new_workers_boot_no_connection_goes_to_their_sockets(make_fake):
    fsd = make_fake({"load": "hang", "slots": [3]})
    control = begin(fsd, "scale", pool="web", count=4)
    wait_for(lambda: any(row["slot"] == 3 for row in fsd.workers()), "the new worker")
    for _ in range(60):
        assert fsd.get("/")["slot"] in (0, 1, 2)
    os.kill(next(row["pid"] for row in fsd.workers() if row["slot"] == 3), signal.SIGKILL)
    with pytest.raises(RpcError):
        end(fsd, control)


def test_many_at_once_get_one_change_and_clear_words(make_fake):
    fsd = make_fake()
    with edited(fsd) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    told = []

    def ask():
        try:
            told.append(fsd.call("config.apply")["to"])
        except RpcError as error:
            told.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) <= {2, -32001} and 2 in told
    assert fsd.status()["config"]["number"] == 2
