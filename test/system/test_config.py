"""Applying a configuration while the service runs: what changes, what stays, and that nobody notices."""
import json
import os
import re
import signal
import socket

import pytest
from deploying import (address_of, apply, apply_calmly, changes, choose_port, connect_to, edited, is_refused, list_fds, listening_inodes,
                       load_at, pids, plan, pool, wait_fds)
from service import IS_SANITIZED, failures, read_all, read_answer, wait_for


def get(service, listener, path="/"):
    """(status, body) over a connection of its own."""
    peer = connect_to(service, address_of(service, listener))
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    status, _, body, _ = read_answer(peer)
    return status, body.decode()


def add_pool(conf, name, path, **values):
    conf["listeners"][name] = {"listen": "127.0.0.1:0"}
    conf["apps"][name] = {"path": path}
    conf["pools"][name] = {"app": name, "listeners": [name], "count": 1, "standby": 0, **values}


@pytest.mark.basic
def test_an_unchanged_configuration_is_success_and_does_nothing(service):
    before, workers = service.status()["config"], pids(service)
    result = apply(service)
    assert (result["from"], result["to"], result["changes"]) == (before["number"], before["number"], [])
    assert result["hash"] == before["hash"]
    assert pids(service) == workers
    assert len(service.call("config.history")["entries"]) == 1


@pytest.mark.basic
def test_limits_are_taken_over_by_the_workers_that_run(service):
    workers = pids(service)
    assert service.request("POST", "/", "x" * 2000).status == 200
    with edited(service) as conf:
        conf["pools"]["web"]["limits"] = {"body": "1KiB"}
    assert plan(service) == [("update", "pool web")]
    result = apply(service)
    assert changes(result) == [("update", "pool web")] and result["to"] == result["from"] + 1
    assert pids(service) == workers
    assert [service.request("POST", "/", "x" * 2000).status for _ in range(8)] == [413] * 8
    assert service.status()["config"]["number"] == result["to"]


def test_a_new_log_level_reaches_master_and_workers_without_new_processes(service):
    workers = pids(service)
    assert service.request("POST", "/log", "a warning that is seen").status == 200
    service.wait_log("a warning that is seen")
    with edited(service) as conf:
        conf["log"]["level"] = "error"
    assert set(changes(apply(service))) == {("update", "pool web"), ("master", "log.level")}
    for _ in range(8):
        assert service.request("POST", "/log", "a warning that is not seen").status == 200
    with edited(service) as conf:
        conf["log"]["level"] = "debug"
    apply(service)
    assert service.request("POST", "/log", "the last warning").status == 200
    service.wait_log("the last warning")
    assert "that is not seen" not in service.log()
    assert pids(service) == workers


def test_new_settings_mean_new_processes_and_no_failed_request(service):
    load = service.load("/", connections=32).wait_ready()
    old = pids(service)
    for number in range(5):
        with edited(service) as conf:
            conf["apps"]["shop"]["settings"] = {"colour": f"blue{number}"}
        assert changes(apply_calmly(service)) == [("replace", "pool web")]
        answers = {service.get("/config").json()["settings"]["colour"] for _ in range(10)}
        assert answers == {f"blue{number}"}
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    assert result["closed_idle"] == 0
    assert not set(old) & set(pids(service))
    assert [row["restarts"] for row in service.workers("ready")] == [0, 0]


def test_all_workers_begin_to_serve_the_new_settings_together(make_service, tmp_path):
    """The second of two new workers loads as long as the gate is closed; until then the old settings are served alone."""
    gate, first = tmp_path / "gate", tmp_path / "first"
    service = make_service(workers=2)
    service.write_conf()
    service.start_ready()
    service.edit_app("return app", f"""
if config.settings.colour == "blue" then
  if io.open("{first}") then
    while not io.open("{gate}") do end
  end
  io.open("{first}", "w"):close()
end
return app""")
    assert service.ctl("reload", "--restart").returncode == 0
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    with service.open_control() as control:
        service.send_call(control, "config.apply")
        wait_for(first.exists, "the first new worker to be loaded")
        assert {service.get("/config").json()["settings"]["colour"] for _ in range(20)} == {"red"}
        gate.write_text("")
        service.read_answer(control)
    assert {service.get("/config").json()["settings"]["colour"] for _ in range(20)} == {"blue"}


def test_a_slow_request_is_finished_with_the_old_settings(service):
    peer, gate = service.hold()
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    apply(service)
    gate.touch()
    status, headers, body, _ = read_answer(peer)
    assert (status, body, headers["connection"]) == (200, b"slow", "close")


def test_connections_that_wait_while_the_workers_are_replaced_are_served_by_the_new_ones(make_service):
    service = make_service(workers=2)
    service.write_conf(listen=f"127.0.0.1:{choose_port()}")
    service.start_ready()
    address, old = service.address(), pids(service)
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    waiting = [service.connect() for _ in range(16)]
    for peer in waiting:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    with edited(service) as conf:
        conf["listeners"] = {"www": {"listen": address}}
        conf["pools"]["web"]["listeners"] = ["www"]
    with service.open_control() as control:
        service.send_call(control, "config.apply")
        answers = [read_all(peer) for peer in waiting]
        for pid in old:
            os.kill(pid, signal.SIGCONT)
        service.read_answer(control)
    assert all(b"200 OK" in answer for answer in answers)
    assert not any(f"x-worker: {pid}".encode() in answer for answer in answers for pid in old)


def test_a_fixed_address_is_kept_over_a_new_name(make_service):
    service = make_service(workers=2)
    service.write_conf(listen=f"127.0.0.1:{choose_port()}")
    service.start_ready()
    address, inodes = service.address(), listening_inodes(service)
    load = service.load("/", connections=16).wait_ready()
    with edited(service) as conf:
        conf["listeners"] = {"www": {"listen": address}}
        conf["pools"]["web"]["listeners"] = ["www"]
    assert set(changes(apply(service))) == {("keep", "listener www"), ("replace", "pool web")}
    assert listening_inodes(service) == inodes
    assert service.status()["listeners"] == [{"name": "www", "address": address, "pool": "web"}]
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_a_new_address_is_served_and_the_old_one_is_refused(service):
    old = service.address()
    with edited(service) as conf:
        conf["listeners"]["web"]["listen"] = f"127.0.0.1:{choose_port()}"
    assert set(changes(apply(service))) == {("open", "listener web"), ("replace", "pool web"), ("close", "listener web")}
    assert address_of(service, "web") != old
    assert get(service, "web") == (200, "hello")
    wait_for(lambda: is_refused(old), "the old address to be closed")


def test_listeners_come_and_go_without_a_failed_request_on_those_that_stay(service):
    load = service.load("/", connections=16).wait_ready()
    inodes = listening_inodes(service)
    for _ in range(3):
        with edited(service) as conf:
            conf["listeners"]["more"] = {"listen": "127.0.0.1:0"}
            conf["pools"]["web"]["listeners"] = ["web", "more"]
        assert set(changes(apply_calmly(service))) == {("open", "listener more"), ("replace", "pool web")}
        more = address_of(service, "more")
        assert get(service, "more") == (200, "hello")
        with edited(service) as conf:
            del conf["listeners"]["more"]
            conf["pools"]["web"]["listeners"] = ["web"]
        assert set(changes(apply_calmly(service))) == {("close", "listener more"), ("replace", "pool web")}
        wait_for(lambda: is_refused(more), "the listener to be closed")
    assert listening_inodes(service) == inodes
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_an_address_that_becomes_wider_takes_over_its_own_port(make_service):
    port = choose_port()
    service = make_service(workers=2)
    service.write_conf(listen=f"127.0.0.1:{port}")
    service.start_ready()
    with edited(service) as conf:
        conf["listeners"]["web"]["listen"] = f"0.0.0.0:{port}"
    apply(service)
    wait_for(lambda: len(listening_inodes(service)) == 2, "the old sockets to be closed")
    assert [get(service, "web") for _ in range(8)] == [(200, "hello")] * 8


@pytest.mark.parametrize("counts", [(4, 2), (2, 4), (1, 3)])
def test_a_listener_that_moves_to_another_pool_keeps_its_connections(make_service, counts):
    """Also when the pools have not the same number of workers."""
    service = make_service(workers=counts[0])
    service.write_conf(listen=f"127.0.0.1:{choose_port()}")
    service.start_ready()
    load = service.load("/", connections=16).wait_ready()
    with edited(service) as conf:
        add_pool(conf, "other", str(service.app_path), count=counts[1])
        conf["pools"]["other"]["listeners"] = ["web"]
        conf["pools"]["web"]["listeners"] = []
        del conf["listeners"]["other"]
    assert ("keep", "listener web") in changes(apply(service))
    workers = [str(pid) for pid in pids(service, "other")]
    assert {service.get("/").headers["x-worker"] for _ in range(40)} <= set(workers)
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]
    wait_for(lambda: len(listening_inodes(service)) == counts[1], "a socket for each worker")
    seen = {service.get("/").headers["x-worker"] for _ in range(60)}
    assert seen == set(workers)


@pytest.mark.basic
def test_a_pool_is_added_and_taken_away(service):
    workers = pids(service)
    with edited(service) as conf:
        add_pool(conf, "more", str(service.app_path))
    assert set(changes(apply(service))) == {("open", "listener more"), ("start", "pool more")}
    assert get(service, "more") == (200, "hello")
    more = address_of(service, "more")
    with edited(service) as conf:
        for section in ("listeners", "apps", "pools"):
            del conf[section]["more"]
    assert set(changes(apply(service))) == {("close", "listener more"), ("stop", "pool more")}
    wait_for(lambda: is_refused(more), "its address to be closed")
    assert [row["name"] for row in service.status()["pools"]] == ["web"]
    assert pids(service) == workers


def test_a_pool_that_is_taken_away_finishes_its_slow_request_and_leaves_its_address_at_once(service):
    with edited(service) as conf:
        add_pool(conf, "more", str(service.app_path))
        conf["listeners"]["more"]["listen"] = f"127.0.0.1:{choose_port()}"
    apply(service)
    peer, more = connect_to(service, address_of(service, "more")), address_of(service, "more")
    worker = pids(service, "more")[0]
    _, gate = service.hold(peer)
    whole = (service.folder / "fsd.yaml").read_text()
    with edited(service) as conf:
        for section in ("listeners", "apps", "pools"):
            del conf[section]["more"]
    apply(service)
    wait_for(lambda: is_refused(more), "its address to be closed")
    (service.folder / "fsd.yaml").write_text(whole)
    apply(service)  # somebody has changed his mind: the address is free again
    assert get(service, "more") == (200, "hello")
    assert os.path.exists(f"/proc/{worker}")
    gate.touch()
    status, _, body, _ = read_answer(peer)
    assert (status, body) == (200, b"slow")


def test_another_path_is_another_application(service):
    other = service.folder / "other.lua"
    other.write_text(service.app_path.read_text().replace('VERSION = "1"', 'VERSION = "2"'))
    generation = pool(service, "web")["generation"]
    load = service.load("/", connections=16).wait_ready()
    with edited(service) as conf:
        conf["apps"]["shop"]["path"] = str(other)
    assert changes(apply(service)) == [("replace", "pool web")]
    assert {service.get("/").headers["x-version"] for _ in range(10)} == {"2"}
    assert pool(service, "web")["generation"] > generation
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_supervisors_are_changed_without_a_new_process(service):
    with edited(service) as conf:
        add_pool(conf, "more", str(service.app_path))
    apply(service)
    workers = pids(service) + pids(service, "more")
    with edited(service) as conf:
        conf["supervisors"] = {"shop": {"strategy": "rest_for_one", "children": ["web", "more"]}}
        conf["pools"]["more"]["after"] = ["web"]
    assert set(changes(apply(service))) == {("adjust", "supervisor shop"), ("adjust", "pool more")}
    assert pids(service) + pids(service, "more") == workers
    with edited(service) as conf:
        del conf["supervisors"]
        del conf["pools"]["more"]["after"]
    apply(service)
    assert pids(service) + pids(service, "more") == workers


def test_what_needs_a_restart_is_said_each_time_and_not_done(service):
    before = service.status()["config"]["number"]
    with edited(service) as conf:
        conf["control"]["path"] += ".new"
    assert changes(apply(service)) == [("needs-restart", "control.path")]
    assert service.status()["config"]["number"] == before + 1
    assert plan(service) == [("needs-restart", "control.path")]
    result = apply(service)
    assert (result["from"], result["to"]) == (before + 1, before + 1)
    assert changes(result) == [("needs-restart", "control.path")]


@pytest.mark.basic
@pytest.mark.parametrize("text, words", [
    ("version: 1\nlisteners: {web: {listen: nonsense}}\n", r"fsd\.yaml:2:\d+: error: "),
    ("version: 1\n  bad:\n", r"fsd\.yaml:\d+:\d+: error: "),
    ("", "error"),
], ids=["a wrong value", "no YAML", "nothing"])
def test_a_bad_file_is_refused_with_its_place_and_changes_nothing(service, text, words):
    before, workers, fds = service.status()["config"], pids(service), list_fds(service)
    (service.folder / "fsd.yaml").write_text(text)
    for command in ("check", "plan", "apply"):
        if command == "check":
            result = service.call("config.check")
            assert not result["ok"] and any(re.search(words, line) for line in result["problems"])
            continue
        with pytest.raises(Exception, match=words) as caught:
            service.call(f"config.{command}")
        assert caught.value.code == -32002
    assert (service.status()["config"], pids(service)) == (before, workers)
    wait_fds(service, fds)


@pytest.mark.basic
def test_settings_that_the_application_cannot_load_with_change_nothing(service):
    service.edit_app("return app", 'assert(config.settings.colour == "red", "no such colour")\nreturn app')
    assert service.ctl("reload", "--restart").returncode == 0
    before, workers = service.status()["config"], pids(service)
    load = service.load("/", connections=16).wait_ready()
    with edited(service) as conf:
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
    with pytest.raises(Exception, match=r"(?s)no such colour.*\(worker web/[01]\)") as caught:
        apply(service)
    assert caught.value.code == -32000
    assert (service.status()["config"], pids(service)) == (before, workers)
    assert service.get("/config").json()["settings"]["colour"] == "red"
    result = load.stop().result()
    assert failures(result) == {}, result["errors"]


def test_a_port_that_is_taken_changes_nothing_and_leaks_nothing(service):
    fds, before = list_fds(service), service.status()["config"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with edited(service) as conf:
            add_pool(conf, "more", str(service.app_path))
            conf["listeners"]["free"] = {"listen": "127.0.0.1:0"}
            conf["listeners"]["more"]["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
            conf["pools"]["more"]["listeners"] = ["free", "more"]
        for _ in range(3):
            with pytest.raises(Exception, match="Address already in use listener=more"):
                apply(service)
    assert service.status()["config"] == before
    wait_fds(service, fds)
    apply(service)
    assert get(service, "more") == get(service, "free") == (200, "hello")


def test_an_application_that_is_not_there_is_refused(service):
    workers = pids(service)
    with edited(service) as conf:
        conf["apps"]["shop"]["path"] = str(service.folder / "nowhere.lua")
    with pytest.raises(Exception, match="nowhere.lua"):
        apply(service)
    assert pids(service) == workers


def test_fifty_applies_forth_and_back_leave_the_descriptors_as_they_were(service):
    texts = [(service.folder / "fsd.yaml").read_text()]
    with edited(service) as conf:
        add_pool(conf, "more", str(service.app_path))
        conf["pools"]["web"]["count"] = 3
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
        conf["listeners"]["web2"] = {"listen": "127.0.0.1:0"}
        conf["pools"]["web"]["listeners"] = ["web", "web2"]
    texts.append((service.folder / "fsd.yaml").read_text())

    def turn(times):
        for number in range(times):
            (service.folder / "fsd.yaml").write_text(texts[(number + 1) % 2])
            apply_calmly(service)

    def read_kib():
        with open(f"/proc/{service.process.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    turn(10)
    service.wait_workers(lambda rows: len(rows) == 2, "two workers alone")
    wait_for(lambda: len(listening_inodes(service)) == 2, "two sockets")
    fds, kib = list_fds(service), read_kib()
    turn(10 if IS_SANITIZED else 50)
    service.wait_workers(lambda rows: len(rows) == 2, "two workers alone")
    wait_fds(service, fds)
    grown = read_kib() - kib
    print(f"the master has grown by {grown} KiB")
    assert grown < 4096 or IS_SANITIZED  # those keep what was freed


def test_every_value_that_runs_is_shown_with_its_origin(service):
    values = {row["key"]: (row["value"], row["origin"]) for row in service.call("config.show")["values"]}
    assert values["pools.web.count"][0] == "2" and "fsd.yaml:1:" in values["pools.web.count"][1]
    assert values["pools.web.limits.request_timeout"] == ("30s", "default")
    with edited(service) as conf:
        conf["pools"]["web"]["count"] = 3
    diff = service.call("config.diff")
    assert diff["differences"] == [{"key": "pools.web.count", "running": "2", "disk": "3"}]
    assert diff["running_hash"] == service.status()["config"]["hash"] != diff["disk_hash"]
    json.dumps(diff)
