"""The master's supervision, with a fake worker that does what each test wants (test/support/fake_worker.py)."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import FAKE_WORKER, FsdProcess, RpcError, is_alive, wait_for  # noqa: E402

FAILED, BUSY, BAD_PARAMS = -32000, -32001, -32602
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def make(tmp_path):
    made = []

    def make_one(*arguments, **options):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(FsdProcess(folder, *arguments, **options))
        return made[-1]

    yield make_one
    for one in made:
        one.kill()


def pids(rows):
    return {row["pid"] for row in rows}


def all_ready(count, generation=None):
    def check(rows):
        ready = [row for row in rows if row["state"] == "ready" and generation in (None, row["generation"])]
        return len(rows) == count and len(ready) == count

    return check


def without_leak_check():
    """The environment for a daemon under strace: the leak sanitizer wants to trace it too."""
    return {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def start_in_thread(fsd, method, **params):
    """Calls a method that answers late: it is sent when this returns the thread that waits, and a list that gets the result or the error."""
    results = []
    sock = fsd.open_control()
    fsd.send_call(sock, method, **params)

    def run():
        with sock:
            try:
                results.append(fsd.read_answer(sock))
            except (RpcError, ConnectionError) as error:  # one that the daemon has not read when it ends is reset
                results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


# --- start and stop ---


@pytest.mark.basic
def test_run_greets_serves_and_leaves_nothing_behind(make):
    fsd = make({"body": "hi"}, workers=2).start_ready()
    status = fsd.status()
    address = status["listeners"][0]["address"]
    assert fsd.out().splitlines() == [
        f"app: listening on http://{address}",
        f"control: {fsd.control_path} (fsdctl -s {fsd.control_path} status)",
    ]
    assert fsd.get()["body"] == "hi"
    left = pids(fsd.workers())
    assert fsd.stop() == 0
    assert not any(is_alive(pid) for pid in left)
    assert not os.path.exists(fsd.control_path)


@pytest.mark.basic
def test_status_has_the_documented_shape(make):
    fsd = make(workers=1)
    fsd.write_conf()
    fsd.start_ready()
    fsd.get()
    status = fsd.wait_status(lambda s: s["pools"][0]["requests_total"] == 1, "the request to be counted")
    assert status["schema"] == "fsd.status/1"
    assert status["pid"] == fsd.process.pid
    assert set(status) == {"schema", "pid", "version", "state", "started_at", "config", "apps", "listeners", "pools"}
    assert status["listeners"][0].keys() == {"name", "address", "pool"}
    pool = status["pools"][0]
    assert {key: pool[key] for key in ("name", "app", "generation", "state", "requests_total")} == {
        "name": "web", "app": "shop", "generation": 1, "state": "running", "requests_total": 1}
    worker = pool["workers"][0]
    assert set(worker) == {"slot", "pid", "incarnation", "state", "generation", "restarts", "requests", "connections", "accepted", "running", "heartbeat_age_ms",
                           "memory_bytes", "lua_bytes", "refused", "timed_out", "access_lost", "died_at", "ready_at", "started_at", "last_exit", "doing", "laggards"}
    assert worker["state"] == "ready" and worker["requests"] == 1 and worker["memory_bytes"] > 1000000
    assert worker["died_at"] is None and worker["last_exit"] is None
    assert status["started_at"] <= worker["started_at"] <= worker["ready_at"]


@pytest.mark.basic
def test_a_worker_gets_only_its_descriptors_environment_and_configuration(make):
    fsd = make(workers=1)
    fsd.write_conf()
    fsd.start_ready(env={"PATH": os.environ["PATH"], "SECRET": "x", "TZ": "UTC", "NOTIFY_SOCKET": "/nowhere"})
    fds = fsd.get("/fds")
    assert fds["0"] == "/dev/null"
    assert fds["1"] == fds["2"] == str(fsd.log_path)
    assert fds["3"].startswith("socket:") and fds["4"].startswith("/memfd:fsd-page")
    env = fsd.get("/env")
    assert set(env) <= {"PATH", "TZ", "FSD_INCARNATION", "FSD_MASTER_PID", "FSD_SHIELD", "LC_CTYPE"}
    assert env["FSD_INCARNATION"] == "1" and env["FSD_MASTER_PID"] == str(fsd.process.pid)
    config = fsd.get("/config")
    assert config["pool"] == "web" and config["settings"] == {"colour": "red"} and config["env"] == {"KEY": "value"}
    arguments = pathlib.Path(f"/proc/{fsd.workers()[0]['pid']}/cmdline").read_bytes().split(b"\0")
    assert b"web/0" in arguments


@pytest.mark.basic
@pytest.mark.parametrize("app, worker, code, words", [
    ({"compile": "app.lua:3: unexpected symbol"}, {}, 65, "app.lua:3: unexpected symbol"),
    ({"load": "app.lua:7: no field 'rout'"}, {}, 65, "app.lua:7: no field 'rout'"),
    ({"activate": "app.lua:8: no"}, {}, 65, "app.lua:8: no"),
    ({}, {"protocol": 99}, 76, "speaks protocol 99, this fsd speaks 6: install both from the same version"),
    ({"load": "exit:3"}, {}, 65, "exited with code 3"),
    ({"compile": "exit:66"}, {}, 66, "the bundle tool exited with code 66"),
    ({"compile": "signal:11"}, {}, 70, "the bundle tool killed by signal 11"),
    ({"compile": "huge"}, {}, 70, "the bundle is too large: it has 129 MiB, the limit is 128 MiB"),
])
def test_what_cannot_run_at_first_start_ends_the_program(make, app, worker, code, words):
    fsd = make(app, worker=worker).start()
    assert fsd.wait_exit() == code
    assert words in fsd.log()
    assert not os.path.exists(fsd.control_path)


@pytest.mark.basic
def test_a_missing_worker_program_is_named(make):
    fsd = make()
    os.unlink(fsd.worker_path)
    fsd.start()
    assert fsd.wait_exit() == 70
    assert fsd.worker_path in fsd.log()


@pytest.mark.basic
def test_a_taken_port_is_told_and_nothing_is_started(make):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        fsd = make(workers=2)
        fsd.write_conf(listen="127.0.0.1:%d" % taken.getsockname()[1])
        fsd.start()
        assert fsd.wait_exit() == 71
        assert f'cannot bind "127.0.0.1:{taken.getsockname()[1]}": Address already in use listener=web' in fsd.log()
    assert "worker is started" not in fsd.log()


def test_a_second_daemon_on_one_control_socket_is_refused(make):
    first = make().start_ready()
    second = make()
    second.control_path = first.control_path
    second.start()
    assert second.wait_exit() == 71
    assert first.status()["state"] == "running"


@pytest.mark.basic
def test_a_unix_listener_is_served_and_removed_at_the_end(make, tmp_path):
    path = tmp_path / "web.sock"
    fsd = make({"body": "unix"}, workers=2)
    fsd.write_conf(listen=f"unix:{path}")
    fsd.start_ready()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(str(path))
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"200 OK" in peer.recv(65536)
    assert fsd.stop() == 0
    assert not path.exists()


def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(make, tmp_path):
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    fsd = make()
    fsd.write_conf(listen=f"unix:{path}")
    fsd.start_ready()
    second = make()
    second.write_conf(listen=f"unix:{path}")
    second.start()
    assert second.wait_exit() == 71
    assert path.exists()


@pytest.mark.basic
def test_all_addresses_means_ipv4_and_ipv6(make):
    fsd = make({"body": "dual"})
    fsd.write_conf(listen=":0")
    fsd.start_ready()
    port = int(fsd.status()["listeners"][0]["address"].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=30):
        pass
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        with socket.create_connection(("::1", port), timeout=30):
            pass


def test_stop_waits_for_the_shutdown_limit_and_then_kills(make):
    fsd = make({"drain": "hang"})
    fsd.write_conf(shutdown="300ms")
    fsd.start_ready()
    assert fsd.stop() == 0
    assert "worker is killed: not gone within 300 ms" in fsd.log()


@pytest.mark.basic
def test_a_second_signal_stops_at_once(make):
    fsd = make({"drain": "hang"}, workers=2)
    fsd.write_conf(shutdown="60s")
    fsd.start_ready()
    fsd.signal(signal.SIGTERM)
    status = fsd.wait_status(lambda s: s["state"] == "stopping", "stopping")
    assert {row["state"] for row in status["pools"][0]["workers"]} == {"draining"}
    fsd.signal(signal.SIGINT)
    assert fsd.wait_exit() == 0


@pytest.mark.basic
def test_stop_is_a_method(make):
    fsd = make({"drain": "hang"})
    fsd.write_conf(shutdown="60s")
    fsd.start_ready()
    with pytest.raises(RpcError) as error:
        fsd.call("stop", now="yes")
    assert error.value.code == BAD_PARAMS
    assert fsd.call("stop", now=True) == {"stopping": True}
    assert fsd.wait_exit() == 0


def test_a_stopped_worker_does_not_keep_the_daemon(make):
    fsd = make()
    fsd.write_conf(shutdown="300ms")
    fsd.start_ready()
    os.kill(fsd.workers()[0]["pid"], signal.SIGSTOP)
    assert fsd.status()["state"] == "running"
    assert fsd.stop() == 0


@pytest.mark.basic
@pytest.mark.parametrize("app", [{"compile": "hang"}, {"load": "hang"}])
def test_stop_while_starting_ends_everything(make, app):
    fsd = make(app)
    fsd.write_conf()
    fsd.start()
    fsd.wait_status(lambda s: s["state"] == "starting", "starting")
    assert fsd.stop() == 0


def test_readiness_is_told_to_systemd(make, tmp_path):
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(10)
        fsd = make().start_ready(env={**os.environ, "NOTIFY_SOCKET": str(path)})

        def told(word):
            """Beside it the descriptors that systemd is to keep, and the time that a slow machine needs."""
            while (message := notify.recv(4096)).startswith((b"FDSTORE=1", b"EXTEND_TIMEOUT_USEC=")):
                pass
            return message.startswith(word)

        assert told(b"READY=1")
        fsd.stop()
        assert told(b"STOPPING=1")


def test_workers_die_with_the_master_even_when_stopped(make):
    fsd = make(workers=3).start_ready()
    left = pids(fsd.workers())
    os.kill(min(left), signal.SIGSTOP)
    fsd.process.kill()
    fsd.process.wait(10)
    wait_for(lambda: not any(is_alive(pid) for pid in left), "the workers to be gone")
    again = FsdProcess.start_ready(fsd)  # nothing needs to be cleaned up by hand
    assert again.status()["state"] == "running"


# --- death and restart ---


@pytest.mark.basic
def test_a_killed_worker_is_replaced_and_its_queue_is_served(make):
    fsd = make(workers=2)
    fsd.write_conf()
    fsd.start_ready()
    victim = fsd.workers()[0]
    os.kill(victim["pid"], signal.SIGKILL)
    rows = fsd.wait_workers(lambda rows: all_ready(2)(rows) and victim["pid"] not in pids(rows), "a new worker")
    row = next(row for row in rows if row["slot"] == victim["slot"])
    assert row["restarts"] == 1 and row["last_exit"] == "killed by signal 9 (Killed)"
    assert 0 <= row["ready_at"] - row["died_at"] < 2000
    assert row["incarnation"] == 3
    assert "worker died: killed by signal 9 (Killed) generation=1" in fsd.log()
    assert {fsd.get()["generation"] for _ in range(20)} == {1}


@pytest.mark.basic
@pytest.mark.parametrize("path, words", [
    ("/exit/3", "exited with code 3"),
    ("/exit/0", "exited with code 0 without being asked to"),
    ("/signal/11", "killed by signal 11 (Segmentation fault)"),
    ("/say/4", "LOAD came from the wrong side"),
    ("/say/10", "said active while active"),
    ("/close", "closed its control channel"),
])
def test_every_way_to_die_is_named(make, path, words):
    fsd = make()
    fsd.write_conf()
    fsd.start_ready()
    try:
        fsd.get(path)
    except OSError:
        pass  # dead before it answered
    rows = fsd.wait_workers(lambda rows: all_ready(1)(rows) and rows[0]["restarts"] == 1, "a new worker")
    assert rows[0]["last_exit"] == words
    assert words in fsd.log()


@pytest.mark.basic
@pytest.mark.parametrize("worker, app, words", [
    ({"hello": "exit:4"}, {}, "exited with code 4"),
    ({"hello": "garbage"}, {}, "worker broke the protocol"),
    ({"hello": "twice"}, {}, "said hello while loading"),
    ({"hello": "close"}, {}, "closed its control channel"),
    ({"hello": "hang"}, {}, "not ready within 1000 ms"),
    ({}, {"load": "hang"}, "worker that does not finish loading is given up: not ready within 1000 ms"),
    ({}, {"load": "signal:6"}, "killed by signal 6 (Aborted)"),
    ({}, {"load": "wrong generation"}, "spoke of another generation"),
    ({}, {"load": "active"}, "said active while loading"),
    ({}, {"activate": "hang"}, "worker that does not begin to serve is given up: not ready within 1000 ms"),
])
def test_a_worker_that_cannot_boot_backs_off_and_the_daemon_answers(make, worker, app, words):
    fsd = make(app, worker=worker)
    fsd.write_conf(boot="1s" if "hang" in (worker.get("hello"), *app.values()) else "30s")
    fsd.start()
    rows = fsd.wait_workers(lambda rows: any(row["state"] == "backoff" and row["retry_in_ms"] > 0 for row in rows),
                            "backoff")
    row = next(row for row in rows if row["state"] == "backoff")
    assert row["restarts"] >= 2 and row["died_at"] is not None and row["pid"] is None
    assert words in fsd.log()
    assert fsd.status()["state"] == "starting"
    assert fsd.stop() == 0


def test_a_pool_that_fails_later_is_degraded_and_heals_by_a_reload(make):
    fsd = make({"load": "gone.lua:1: missing", "slots": [1]}, workers=2)
    fsd.write_app({})
    fsd.write_conf()
    fsd.start_ready()
    os.unlink(fsd.worker_path)  # the next start fails
    os.kill(fsd.workers()[1]["pid"], signal.SIGKILL)
    fsd.wait_status(lambda s: s["state"] == "degraded", "degraded")
    fsd.wait_log("cannot execute")
    shutil.copy(FAKE_WORKER, fsd.worker_path)
    result = fsd.call("reload", restart=True)
    assert result["apps"] == [{"app": "shop", "from": 1, "to": 2, "workers": 2}]
    assert fsd.status()["state"] == "running"


def test_fork_failures_back_off_and_heal(make):
    fsd = make(workers=2)
    fsd.write_conf()
    fsd.start(wrapper=["strace", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3,fork,vfork",
                       "-e", "inject=clone,clone3,fork,vfork:error=EAGAIN:when=3..5"],
              env=without_leak_check())
    fsd.wait_log("cannot fork: Resource temporarily unavailable")
    status = fsd.wait_status(lambda s: s["state"] == "running", "running")
    assert sum(row["restarts"] for row in status["pools"][0]["workers"]) == 3
    fsd.call("stop", now=True)
    fsd.wait_exit()


def test_a_storm_of_deaths_leaves_no_zombie_and_no_descriptor(make):
    fsd = make(workers=4)
    fsd.write_conf()
    fsd.start_ready()

    def count_fds():
        return len(os.listdir(f"/proc/{fsd.process.pid}/fd"))

    before = wait_for(lambda: count_fds(), "descriptors")
    for _ in range(3):
        dead = pids(fsd.workers("ready"))
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        fsd.wait_workers(lambda rows, dead=dead: all_ready(4)(rows) and not dead & pids(rows), "four new workers")
    wait_for(lambda: count_fds() <= before + 1, "the descriptors to be as before")
    children = pathlib.Path(f"/proc/{fsd.process.pid}/task/{fsd.process.pid}/children").read_text().split()
    assert {int(pid) for pid in children} == pids(fsd.workers())


def test_foreign_children_are_reaped(make):
    def adopt_orphans():
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    fsd = make()
    fsd.write_conf()
    fsd.start_ready(preexec_fn=adopt_orphans)
    for _ in range(5):
        fsd.get("/fork")
    ours = pids(fsd.workers())
    children = pathlib.Path(f"/proc/{fsd.process.pid}/task/{fsd.process.pid}/children")
    wait_for(lambda: {int(pid) for pid in children.read_text().split()} == ours, "the orphans to be reaped")
    assert fsd.workers()[0]["restarts"] == 0


# --- reload ---


@pytest.mark.basic
def test_reload_brings_new_code_to_every_worker_one_at_a_time(make):
    fsd = make({"body": "old"}, workers=3)
    fsd.write_conf()
    fsd.start_ready()
    old = pids(fsd.workers())
    fsd.write_app({"body": "new"})
    assert fsd.call("reload", restart=True) == {
        "schema": "fsd.reload/1", "apps": [{"app": "shop", "from": 1, "to": 2, "workers": 3}], "restart": True}
    rows = fsd.wait_workers(all_ready(3, 2), "the new workers alone")
    assert not old & pids(rows)
    assert fsd.status()["pools"][0]["generation"] == 2
    assert {fsd.get()["body"] for _ in range(10)} == {"new"}
    assert [row["restarts"] for row in rows] == [0, 0, 0]


@pytest.mark.basic
@pytest.mark.parametrize("app, words", [
    ({"compile": "app.lua:3: syntax error"}, "app.lua:3: syntax error"),
    ({"load": "app.lua:4: no such field"}, "app.lua:4: no such field (worker web/0)"),
    ({"load": "app.lua:4: only there", "slots": [2]}, "app.lua:4: only there (worker web/2)"),
    ({"activate": "exit:5", "slots": [1]}, "exited with code 5 (worker web/1)"),
    ({"load": "hang", "slots": [1]}, "not ready within 2000 ms (worker web/1)"),
])
def test_a_reload_that_fails_changes_nothing_in_the_end(make, app, words):
    fsd = make({"body": "old"}, workers=3)
    fsd.write_conf(boot="2s" if "hang" in app.values() else "30s")
    fsd.start_ready()
    fsd.write_app({"body": "bad", **app})
    with pytest.raises(RpcError) as error:
        fsd.call("reload", restart=True)
    assert (error.value.code, error.value.message) == (FAILED, words)
    fsd.wait_workers(all_ready(3, 1), "the old code everywhere")
    assert {fsd.get()["body"] for _ in range(10)} == {"old"}
    fsd.write_app({"body": "new"})
    used = 1 if "compile" in app else 2  # numbers only rise
    assert fsd.call("reload", restart=True)["apps"][0] == {"app": "shop", "from": 1, "to": used + 1, "workers": 3}


def test_no_connection_fails_during_a_reload(make):
    fsd = make({"body": "x"}, workers=2)
    fsd.write_conf()
    fsd.start_ready()
    failures = []
    done = threading.Event()

    def hammer():
        while not done.is_set():
            try:
                fsd.get()
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=hammer, daemon=True)
    thread.start()
    for _ in range(5):
        fsd.call("reload", restart=True)
    done.set()
    thread.join(10)
    assert failures == []
    assert fsd.status()["pools"][0]["generation"] == 6


def test_the_old_worker_is_listed_while_it_drains(make):
    fsd = make({"drain": "hang"})
    fsd.write_conf(shutdown="60s")
    fsd.start_ready()
    fsd.call("reload", restart=True)
    states = sorted((row["slot"], row["state"], row["generation"]) for row in fsd.workers())
    assert states == [(0, "draining", 1), (0, "ready", 2)]


def fill_slot(make):
    """One slot with a worker that serves and three that do not leave."""
    fsd = make({"drain": "hang"})
    fsd.write_conf(shutdown="60s")
    fsd.start_ready()
    for _ in range(3):
        fsd.call("reload", restart=True)
    assert len(fsd.workers()) == 4
    return fsd


def find_leaver(fsd):
    return next(row for row in fsd.workers() if row["state"] == "draining")


def test_a_reload_waits_for_an_older_worker_when_the_slot_is_full(make):
    fsd = fill_slot(make)
    thread, results = start_in_thread(fsd, "reload", restart=True)
    fsd.wait_log("event=worker.waits")
    assert len(fsd.workers()) == 4 and results == []
    assert fsd.status()["pools"][0]["waiting"] == 1
    leaver = find_leaver(fsd)
    os.kill(leaver["pid"], signal.SIGKILL)
    thread.join(10)
    assert isinstance(results[0], dict), results
    states = sorted((row["state"], row["generation"]) for row in fsd.workers())
    assert len(states) == 4 and states[-1] == ("ready", 5)
    assert fsd.status()["state"] == "running" and fsd.status()["pools"][0]["waiting"] == 0


def test_a_worker_that_dies_in_a_full_slot_gets_a_successor_and_so_does_one_that_waited(make):
    fsd = fill_slot(make)
    thread, results = start_in_thread(fsd, "reload", restart=True)
    fsd.wait_log("event=worker.waits")
    os.kill(next(row["pid"] for row in fsd.workers() if row["state"] == "ready"), signal.SIGKILL)
    thread.join(10)
    assert len(results) == 1
    fsd.wait_workers(lambda rows: sum(row["state"] == "ready" for row in rows) == 1, "a worker that serves")
    fsd.get("/")
    assert "impossible event" not in fsd.log()


def test_who_waits_for_room_is_dropped_when_all_are_told_to_stop(make):
    fsd = fill_slot(make)
    thread, results = start_in_thread(fsd, "reload", restart=True)
    fsd.wait_log("event=worker.waits")
    fsd.signal(signal.SIGTERM)
    fsd.wait_log("event=daemon.stopping")
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0
    thread.join(10)
    assert results[0].message == "the daemon is stopping"
    assert "impossible event" not in fsd.log()


@pytest.mark.slow
def test_a_configuration_waits_for_room_longer_than_workers_may_take_to_boot(make):
    fsd = fill_slot(make)
    fsd.write_conf(shutdown="60s", boot="1s")
    fsd.call("config.apply")
    fsd.write_conf(shutdown="60s", boot="1s", limits={"request_timeout": "20s"})
    fsd.write_app({"drain": "hang", "new": True})
    thread, results = start_in_thread(fsd, "reload")
    fsd.wait_log("event=worker.waits")
    thread.join(13)  # twice the time to boot, and 10 s
    assert results == []
    os.kill(find_leaver(fsd)["pid"], signal.SIGKILL)
    thread.join(10)
    assert isinstance(results[0], dict), results
    assert fsd.status()["config"]["number"] == 3


@pytest.mark.parametrize("with_config", [False, True])
def test_a_drain_ends_a_reload_that_replaces_workers(make, with_config):
    fsd = fill_slot(make)
    if with_config:
        fsd.write_conf(shutdown="60s", limits={"request_timeout": "20s"})
    thread, results = start_in_thread(fsd, "reload", restart=True)
    fsd.wait_log("event=worker.waits")
    drain, drained = start_in_thread(fsd, "drain")
    thread.join(10)
    assert results[0].message == "the daemon was drained meanwhile"
    assert len(fsd.call("scale", pool="web", count=2)["changes"]) == 1  # nothing is under way any more
    for row in fsd.workers():
        os.kill(row["pid"], signal.SIGKILL)
    drain.join(10)
    assert drained == [{"drained": True}]
    fsd.call("resume")
    assert [row["generation"] for row in fsd.workers("ready")] == [4, 4]
    assert "impossible event" not in fsd.log()


def test_a_resume_does_not_wait_for_those_that_leave_and_ends_the_drain(make):
    fsd = make({"drain": "hang"})
    fsd.write_conf(shutdown="60s")
    fsd.start_ready()
    thread, results = start_in_thread(fsd, "drain")
    fsd.wait_workers(lambda rows: [row["state"] for row in rows] == ["draining"], "the worker to leave")
    assert fsd.call("resume") == {"resumed": True}
    thread.join(10)
    assert results[0].message == "the daemon was resumed meanwhile"
    assert sorted(row["state"] for row in fsd.workers()) == ["draining", "ready"]
    fsd.get("/")


def test_a_drain_ends_a_resume(make):
    fsd = make()
    fsd.write_conf()
    fsd.start_ready()
    fsd.call("drain")
    fsd.write_app({"load": "hang"})
    fsd.call("reload")
    thread, results = start_in_thread(fsd, "resume")
    fsd.wait_workers(lambda rows: [row["state"] for row in rows] == ["starting"], "the worker to start")
    assert fsd.call("drain") == {"drained": True}
    thread.join(10)
    assert results[0].message == "the daemon was drained meanwhile"


def test_a_second_reload_waits_for_its_round_and_stop_ends_both(make):
    fsd = make()
    fsd.write_conf()
    fsd.start_ready()
    fsd.write_app({"load": "hang"})
    thread, results = start_in_thread(fsd, "reload", restart=True)
    fsd.wait_workers(lambda rows: len(rows) == 2, "the new worker to load")
    second, more = start_in_thread(fsd, "reload", restart=True)
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0
    thread.join(10)
    second.join(10)
    assert (results[0].code, results[0].message) == (FAILED, "the daemon is stopping")
    assert len(more) == 1


def test_reload_while_starting_is_refused(make):
    fsd = make({"compile": "hang"})
    fsd.write_conf()
    fsd.start()
    fsd.wait_status(lambda s: s["state"] == "starting", "starting")
    with pytest.raises(RpcError) as error:
        fsd.call("reload", restart=True)
    assert error.value.code == BUSY


def test_the_old_worker_may_crash_while_its_successor_loads(make):
    fsd = make({"body": "old"}, workers=2)
    fsd.write_conf(boot="2s")
    fsd.start_ready()
    fsd.write_app({"load": "hang", "slots": [1]})
    thread, results = start_in_thread(fsd, "reload", restart=True)
    rows = fsd.wait_workers(lambda rows: any(row["state"] == "starting" and row["slot"] == 1 for row in rows),
                            "the second slot to move")
    for row in rows:
        if row["state"] == "ready" and row["slot"] == 1:
            os.kill(row["pid"], signal.SIGKILL)
    thread.join(10)
    assert results[0].message == "not ready within 2000 ms (worker web/1)"
    fsd.wait_workers(all_ready(2, 1), "the old code everywhere")


def test_a_new_worker_that_crashes_during_the_reload_turns_it_back(make):
    fsd = make({"body": "old"}, workers=2)
    fsd.write_conf(boot="10s")
    fsd.start_ready()
    fsd.write_app({"load": "hang", "slots": [1]})
    thread, results = start_in_thread(fsd, "reload", restart=True)
    rows = fsd.wait_workers(lambda rows: any(row["state"] == "starting" and row["slot"] == 1 for row in rows),
                            "the second slot to move")
    moved = next(row for row in rows if row["state"] == "ready" and row["slot"] == 0)
    assert moved["generation"] == 2
    os.kill(moved["pid"], signal.SIGKILL)
    thread.join(10)
    assert results[0].message == "killed by signal 9 (Killed) (worker web/0)"
    fsd.wait_workers(all_ready(2, 1), "the old code everywhere")


def test_hangup_reloads_and_a_storm_of_it_is_survived(make):
    fsd = make({"body": "old"}, workers=2)
    fsd.write_conf()
    fsd.start_ready()
    fsd.write_app({"body": "new"})
    for _ in range(200):
        fsd.signal(signal.SIGHUP)
    fsd.wait_workers(lambda rows: len(rows) == 2 and all(row["generation"] >= 2 for row in rows), "the new code")
    fsd.wait_log("reload is done")
    assert fsd.stop() == 0


# --- the log ---


@pytest.mark.basic
def test_the_log_of_workers_is_harmless_for_terminals(make):
    fsd = make()
    fsd.write_conf()
    fsd.start_ready()
    fsd.get("/log/one%1B%0Atwo")
    pid = fsd.workers()[0]["pid"]
    fsd.wait_log(f"info    web/0[{pid}] one\\u001b n=1 f=1.5 ok=true none=nil text=\"two words\"\n    two\n")
    fsd.get("/rawlog/93010203")
    fsd.wait_log("log record of 4 bytes is malformed")
    assert "\x1b" not in fsd.log()
    assert fsd.workers()[0]["restarts"] == 0


@pytest.mark.basic
def test_json_log_lines_are_json(make):
    fsd = make()
    fsd.write_conf(log_format="json")
    fsd.start_ready()
    fsd.get("/log/hi%0Athere")
    fsd.wait_log("there")
    fsd.stop()
    records = [json.loads(line) for line in fsd.log().splitlines()]
    ready = next(record for record in records if record["msg"] == "worker is ready")
    assert ready["pool"] == "web" and ready["slot"] == 0 and ready["generation"] == 1 and ready["level"] == "notice"
    said = next(record for record in records if record["msg"] == "hi\nthere")
    assert said["n"] == 1 and said["ok"] is True and said["none"] is None and said["text"] == "two words"


def test_a_full_disk_and_a_closed_pipe_do_not_stop_the_daemon(make):
    with open("/dev/full", "wb") as full:
        fsd = make()
        fsd.write_conf()
        fsd.start_ready(stderr=full)
        assert fsd.call("reload", restart=True)["restart"] is True
        assert fsd.stop() == 0
    read_end, write_end = os.pipe()
    second = make()
    second.write_conf()
    second.start_ready(stderr=write_end)
    os.close(read_end)
    os.close(write_end)
    assert second.call("reload", restart=True)["restart"] is True
    assert second.stop() == 0


def test_a_log_reader_that_sleeps_costs_lines_and_not_the_daemon(make):
    read_end, write_end = os.pipe()
    fsd = make()
    fsd.write_conf()
    fsd.start_ready(stderr=write_end)
    os.close(write_end)
    long_word = "x" * 3000
    for _ in range(60):
        fsd.get("/log/" + long_word)
    assert fsd.status()["state"] == "running"
    text = os.read(read_end, 1 << 20)
    fsd.get("/log/after")
    with os.fdopen(read_end, "rb") as reader:
        fsd.stop()
        text += reader.read()
    assert b"log lines were dropped" in text
    assert all(line[:4] in (b"", b"2026", b"    ") or line.startswith(b"20") for line in text.split(b"\n"))


def test_the_noise_of_a_failing_bundle_tool_is_bounded_and_cleaned(make):
    fsd = make({"compile": "noise"}).start()
    assert fsd.wait_exit() == 65
    assert "\x1b" not in fsd.log()
    assert len(fsd.log()) < 40000
