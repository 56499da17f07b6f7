"""More and fewer workers by command, the history of configurations, and going back."""
import os
import signal
import threading

import pytest
from deploying import apply, changes, edited, listening_inodes, pids, plan, pool
from fsd_process import RpcError
from service import failures, read_answer, wait_for


def scale(service, count, name="web"):
    return service.call("scale", pool=name, count=count)


def wait_count(service, count):
    service.wait_workers(lambda rows: len(rows) == count and all(row["state"] == "ready" for row in rows), f"{count} workers")
    wait_for(lambda: len(listening_inodes(service)) == count, f"{count} sockets")


def overrides(service):
    return service.status()["config"]["overrides"]


def served_by(service, requests=80):
    return {service.get("/").headers["x-slot"] for _ in range(requests)}


@pytest.mark.basic
def test_growing_and_shrinking_under_load_costs_no_connection(service):
    """The load keeps its connections; the others are new for each request, two at a time."""
    keeping = service.load("/", connections=16).wait_ready()
    service.address()
    is_over, statuses = threading.Event(), []

    def connect_often():
        while not is_over.is_set():
            try:
                statuses.append(service.get("/").status)
            except OSError as error:
                statuses.append(repr(error))

    threads = [threading.Thread(target=connect_often) for _ in range(2)]
    for thread in threads:
        thread.start()
    first = pids(service)
    for count in (4, 1, 3, 2, 6, 2):
        result = scale(service, count)
        assert changes(result) == [("scale", "pool web")]
        wait_count(service, count)
        assert [row["slot"] for row in service.workers("ready")] == list(range(count))
        seen = len(statuses)
        wait_for(lambda seen=seen: len(statuses) > seen + 20, "connections")
    is_over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert pids(service)[0] == first[0]  # the highest slots go first
    result = keeping.stop().result()
    assert failures(result) == {}, result["errors"]


def test_new_connections_go_to_the_slots_that_stay_while_the_others_finish(service):
    scale(service, 4)
    slow = []
    while "3" not in {headers["x-slot"] for _, headers in slow}:
        peer = service.connect()
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.append((peer, read_answer(peer)[1]))
    peer = next(peer for peer, headers in slow if headers["x-slot"] == "3")
    _, gate = service.hold(peer)
    scale(service, 2)
    assert served_by(service) == {"0", "1"}
    scale(service, 4)  # before it is done; all sockets are there again
    wait_for(lambda: served_by(service) == {"0", "1", "2", "3"}, "all slots to serve")
    gate.touch()
    assert read_answer(peer)[2] == b"slow"


def test_a_change_that_fails_does_not_end_who_leaves_since_an_earlier_one(service):
    scale(service, 3)
    peer = service.connect()
    while True:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        if read_answer(peer)[1]["x-slot"] == "2":
            break
        peer = service.connect()
    _, gate = service.hold(peer)
    scale(service, 2)
    service.edit_app("return app", "error('no luck')")
    with pytest.raises(RpcError, match="no luck"):
        service.call("reload", restart=True)
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    with pytest.raises(RpcError, match="no luck"):
        service.call("reload")
    gate.touch()
    status, _, body, _ = read_answer(peer)
    assert (status, body) == (200, b"slow")


def test_a_scale_is_an_override_that_a_reload_keeps_and_an_apply_drops(service):
    scale(service, 3)
    assert overrides(service) == ["pools.web.count=3 by scale"]
    shown = {row["key"]: (row["value"], row["origin"]) for row in service.call("config.show")["values"]}
    assert shown["pools.web.count"] == ("3", "override")
    assert plan(service) == [("scale", "pool web")]  # an apply means the files
    assert service.call("config.plan")["dropped"] == [{"pool": "web", "count": 3, "configured": 2}]
    assert service.call("config.diff")["differences"] == [{"key": "pools.web.count", "running": "3", "disk": "2"}]
    service.call("reload", restart=True)
    with edited(service) as conf:
        conf["pools"]["web"]["limits"] = {"body": "1KiB"}
    service.call("reload")
    assert overrides(service) == ["pools.web.count=3 by scale"]
    assert (pool(service, "web")["count"], service.request("POST", "/", "x" * 2000).status) == (3, 413)
    assert changes(apply(service)) == [("scale", "pool web")]
    assert overrides(service) == []
    assert service.call("config.plan")["dropped"] == []
    wait_count(service, 2)


def test_the_same_number_again_does_nothing(service):
    first = scale(service, 3)
    second = scale(service, 3)
    assert (second["from"], second["to"], second["changes"]) == (first["to"], first["to"], [])
    assert second["note"] == 'pool "web" has 3 workers already'


def test_the_number_that_auto_stands_for_is_no_change(service):
    with edited(service) as conf:
        conf["pools"]["web"]["count"] = "auto"
    number = apply(service)["to"]
    count = pool(service, "web")["count"]
    result = scale(service, count)
    assert (result["from"], result["to"], result["changes"]) == (number, number, [])
    assert overrides(service) == [] and service.call("config.history")["running"] == number


def test_a_scale_means_what_runs_and_not_what_the_disk_has(service):
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    assert changes(scale(service, 3)) == [("scale", "pool web")]
    assert service.get("/config").json()["settings"]["colour"] == "red"


@pytest.mark.parametrize("count", [0, 65, -1, "2", None])
def test_a_senseless_number_is_refused(service, count):
    with pytest.raises(RpcError) as caught:
        scale(service, count)
    assert caught.value.code == -32602


def test_signals_add_and_take_a_worker(service):
    service.signal(signal.SIGTTIN)
    wait_count(service, 3)
    service.signal(signal.SIGTTOU)
    wait_count(service, 2)
    assert overrides(service) == ["pools.web.count=2 by scale"]


def set_colour(service, colour):
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": colour}


def colours(service):
    return {service.get("/config").json()["settings"]["colour"] for _ in range(10)}


def history(service):
    return [(row["number"], row["how"]) for row in service.call("config.history")["entries"]]


@pytest.mark.basic
def test_rolling_back_to_the_one_before_and_to_a_number(service):
    for colour in ("blue", "green"):
        set_colour(service, colour)
        apply(service)
    load = service.load("/", connections=16).wait_ready()
    result = service.call("config.rollback")
    assert (result["schema"], result["from"], result["to"]) == ("fsd.apply/1", 3, 4)
    assert colours(service) == {"blue"}
    assert service.call("config.rollback", to=1)["to"] == 5
    assert colours(service) == {"red"}
    assert history(service) == [(5, "rollback"), (4, "rollback"), (3, "apply"), (2, "apply"), (1, "start")]
    assert [row["key"] for row in service.call("config.diff")["differences"]] == ["apps.shop.settings.colour"]
    entries = service.call("config.history")["entries"]
    assert entries[0]["hash"] == entries[4]["hash"] == service.status()["config"]["hash"]
    assert apply(service)["to"] == 6  # the files were never touched
    assert colours(service) == {"green"}
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_there_is_nothing_before_the_first_and_no_number_that_is_not_kept(service):
    with pytest.raises(RpcError, match="there is no configuration with other files before this one"):
        service.call("config.rollback")
    with pytest.raises(RpcError, match="there is no configuration 99 in the history"):
        service.call("config.rollback", to=99)


def test_a_rollback_that_can_not_work_changes_nothing(service):
    other = service.folder / "other.lua"
    other.write_text(service.app_path.read_text())
    with edited(service) as conf:
        conf["apps"]["shop"]["path"] = str(other)
    apply(service)
    workers = pids(service)
    service.app_path.unlink()
    with pytest.raises(RpcError, match="app.lua"):
        service.call("config.rollback")
    assert (pids(service), service.status()["config"]["number"]) == (workers, 2)


def test_the_history_outlives_the_daemon_and_its_numbers_rise(service):
    set_colour(service, "blue")
    apply(service)
    before = service.status()["config"]
    assert service.stop() == 0
    service.start_ready()
    after = service.status()["config"]
    assert (after["number"], after["hash"]) == (2, before["hash"])
    assert service.call("config.rollback")["to"] == 3
    assert colours(service) == {"red"}
    assert service.stop() == 0
    service.start_ready()  # the files are as they were: what starts is another one than what ran last
    service.known_address = None
    assert colours(service) == {"blue"}
    assert history(service)[:2] == [(4, "start"), (3, "rollback")]
    assert service.status()["config"]["applied_at"] == service.call("config.history")["entries"][0]["at"]


def test_a_comment_is_a_change_that_nobody_notices(service):
    workers, hash_before = pids(service), service.status()["config"]["hash"]
    with open(service.folder / "fsd.yaml", "a", encoding="utf-8") as file:
        file.write("\n# nothing but words\n")
    result = apply(service)
    assert (result["changes"], result["to"]) == ([], result["from"] + 1)
    assert service.status()["config"]["hash"] == result["hash"] != hash_before
    assert pids(service) == workers


def test_wait_for_a_configuration_answers_when_it_runs(service):
    with service.open_control() as control:
        service.send_call(control, "wait", **{"for": "config", "number": 2})
        with open(service.folder / "fsd.yaml", "a", encoding="utf-8") as file:
            file.write("\n# nothing but words\n")
        apply(service)
        assert service.read_answer(control)["for"] == "config"


@pytest.mark.basic
def test_a_reload_brings_a_changed_configuration_and_code_in_one_step(service):
    set_colour(service, "blue")
    service.set_version("2")
    load = service.load("/", connections=16).wait_ready()
    result = service.call("reload")
    assert changes(result) == [("replace", "pool web")]
    assert [(row["from"], row["to"]) for row in result["apps"]] == [(1, 2)]
    answers = [service.get("/config") for _ in range(10)]
    assert {(row.json()["settings"]["colour"], row.headers["x-version"]) for row in answers} == {("blue", "2")}
    assert history(service)[0] == (2, "reload")
    service.wait_log("reload is done")
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


@pytest.mark.parametrize("broken", ["code", "configuration"])
def test_broken_code_or_a_broken_configuration_stops_both(service, broken):
    workers = pids(service)
    set_colour(service, "blue")
    service.set_version("2")
    if broken == "code":
        service.edit_app("return app", "error('no luck')")
    else:
        with edited(service) as conf:
            conf["pools"]["web"]["count"] = "many"
    with pytest.raises(RpcError, match="no luck" if broken == "code" else r"fsd\.yaml:1:\d+: error: "):
        service.call("reload")
    answers = [service.get("/config") for _ in range(10)]
    assert {(row.json()["settings"]["colour"], row.headers["x-version"]) for row in answers} == {("red", "1")}
    assert (pids(service), history(service)) == (workers, [(1, "start")])


def test_a_daemon_that_is_drained_takes_a_configuration_and_starts_nothing(service):
    service.call("drain")
    set_colour(service, "blue")
    with edited(service) as conf:
        conf["listeners"]["more"] = {"listen": "127.0.0.1:0"}
        conf["pools"]["more"] = {"app": "shop", "listeners": ["more"], "count": 1, "standby": 0}
    apply(service)
    assert [row["state"] for row in service.status()["pools"]] == ["drained", "drained"]
    assert [row["workers"] for row in service.status()["pools"]] == [[], []]
    service.call("resume")
    service.wait_status(lambda status: status["state"] == "running", "both pools to run")
    assert colours(service) == {"blue"}
    assert pool(service, "more")["state"] == "running"


def test_the_history_goes_on_when_its_folder_cannot_be_written(service):
    folder = service.folder / "state/config"
    for entry in folder.iterdir():
        entry.unlink()
    os.rmdir(folder)
    folder.write_text("in the way")
    set_colour(service, "blue")
    assert apply(service)["to"] == 2
    service.wait_log("cannot keep configuration 2")
    set_colour(service, "green")
    assert apply(service)["to"] == 3
    assert service.call("config.rollback", to=2)["to"] == 4
    assert colours(service) == {"blue"}
