"""The running program is replaced in place: nobody who uses the service notices, and a bad new program changes nothing."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
from fsd_process import RpcError
from service import BUILD, IS_SANITIZED, failures, is_alive, wait_for

# A stand-in for a new program: what it does in the trial, and what it does when it has taken over.
STAND_IN = """#!/usr/bin/python3
import ctypes, os, signal, sys, time
OPTION, NUMBERS = sys.argv[1], [int(word) for word in sys.argv[2].split(":")]
def trial():
    {trial}
def take_over(state, back, note):
    {take_over}
if OPTION == "--upgrade-probe":
    trial()
else:
    take_over(*NUMBERS)
"""
GOOD_TRIAL = 'print("fsd-upgrade 9.9.9")'


def replace_program(service, program):
    """As a package manager does it: the new file takes the name of the old one."""
    new = pathlib.Path(f"{service.program}.new")
    if isinstance(program, pathlib.Path):
        shutil.copy(program, new)
    else:
        new.write_text(program)
        new.chmod(0o755)
    new.rename(service.program)


def stand_in(trial=GOOD_TRIAL, take_over="sys.exit(3)"):
    return STAND_IN.format(trial=trial, take_over=take_over)


def start(service, edit=lambda conf: None, environment=None, wrapper=(), **pool):
    """A service whose program has a file of its own, which can be replaced."""
    service.write_conf(**pool)
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    edit(conf)
    path.write_text(json.dumps(conf))
    service.program = service.folder / "fsd"
    shutil.copy(BUILD / "fsd", service.program)
    with open(service.log_path, "ab") as log:
        service.process = subprocess.Popen(
            [*wrapper, str(service.program), "serve", "--config", str(service.folder / "fsd.yaml"), "--worker",
             service.worker_path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, cwd=service.folder,
            env={**os.environ, **(environment or {})})
    service.wait_status(lambda status: status["state"] == "running", "the daemon to run")
    wanted = pool.get("count", service.workers_count) + pool.get("standby", 0)
    service.wait_workers(lambda rows: len([row for row in rows if row["state"] in ("ready", "standby")]) == wanted,
                         "the workers")
    return service


@pytest.fixture
def upgradable(make_service):
    return start(make_service(workers=2), standby=1)


def pids(service):
    return sorted(row["pid"] for row in service.workers())


def list_fds(pid):
    """What the descriptors of a process lead to."""
    kinds = []
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            kinds.append(os.readlink(entry).split("[", 1)[0].split(" ", 1)[0])
        except FileNotFoundError:
            continue
    return sorted(kinds)


def settled_fds(service):
    """The same when nobody is connected to the control socket: a socket a slot, two a worker, and the control socket."""
    wanted = service.workers_count + 2 * len(service.workers()) + 1

    def find():
        fds = list_fds(service.process.pid)
        return fds if fds.count("socket:") == wanted else None

    return wait_for(find, f"{wanted} sockets")


def refused(service):
    """The sentence of an upgrade that is refused."""
    with pytest.raises(RpcError) as caught:
        service.call("upgrade")
    return caught.value.message


def assert_untouched(service, before):
    assert service.process.poll() is None, service.log()
    assert pids(service) == before
    assert service.get("/").status == 200


@pytest.mark.basic
def test_workers_and_connections_live_through_it(upgradable):
    before = pids(upgradable)
    peer = upgradable.connect()
    result = upgradable.call("upgrade")
    assert result["schema"] == "fsd.upgrade/1"
    assert result["pid"] == upgradable.process.pid
    assert result["from"] == result["to"] == upgradable.status()["version"]
    assert pids(upgradable) == before
    peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert peer.recv(64).startswith(b"HTTP/1.1 200 ")


def test_fifty_upgrades_under_load_lose_no_request_and_leak_no_descriptor(upgradable):
    before = pids(upgradable)
    upgradable.call("upgrade")  # the descriptors of the first one come from a start
    fds = settled_fds(upgradable)
    load = upgradable.load(connections=8).wait_ready()
    for _ in range(10 if IS_SANITIZED else 50):
        upgradable.call("upgrade")
    load.stop()
    result = load.result()
    assert failures(result) == {}
    assert result["ok"] > 0
    assert pids(upgradable) == before
    assert settled_fds(upgradable) == fds
    assert not [row for row in upgradable.workers() if row["restarts"] > 0]


def test_status_goes_on_counting(upgradable):
    for _ in range(20):
        assert upgradable.get("/").status == 200
    os.kill(upgradable.slot(0)["pid"], signal.SIGKILL)
    upgradable.wait_workers(lambda rows: sum(row["restarts"] for row in rows) == 1, "the restart")
    before = upgradable.wait_status(
        lambda status: len(upgradable.workers("ready")) == 2 and status["pools"][0]["standby"]["ready"] == 1,
        "the reserve")
    upgradable.call("upgrade")
    after = upgradable.status()
    for key in ("started_at", "config", "pid", "version", "state"):
        assert after[key] == before[key], key
    kept = ("slot", "pid", "incarnation", "state", "generation", "restarts", "requests", "died_at", "ready_at",
            "started_at", "last_exit")
    for row, old in zip(after["pools"][0]["workers"], before["pools"][0]["workers"]):
        assert {key: row[key] for key in kept} == {key: old[key] for key in kept}
    assert {key: value for key, value in after["pools"][0].items() if key != "workers"} == {
        key: value for key, value in before["pools"][0].items() if key != "workers"}


def test_what_still_runs_on_replaced_code_is_shown_on(make_fake):
    fake = start(make_fake())
    fake.get("/laggards/4/2/" + b"request GET /slow since 12 at app.lua:40".hex())
    before = fake.wait_workers(lambda rows: rows[0]["laggards"] is not None, "the report")[0]["laggards"]
    fake.call("upgrade")
    after = fake.workers()[0]["laggards"]
    assert after["items"][0].pop("since_ms") >= before["items"][0].pop("since_ms") >= 12000
    assert after == before


def test_connections_that_wait_are_kept(make_service):
    service = start(make_service(workers=1))
    worker = service.workers()[0]["pid"]
    os.kill(worker, signal.SIGSTOP)
    try:
        peer = service.connect()
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        service.call("upgrade")
    finally:
        os.kill(worker, signal.SIGCONT)
    assert peer.recv(64).startswith(b"HTTP/1.1 200 ")


def test_a_unix_socket_is_kept_and_removed_at_the_end(make_service, tmp_path):
    path = tmp_path / "web.sock"
    service = start(make_service(workers=2), listen=f"unix:{path}")
    inode = path.stat().st_ino
    for _ in range(2):
        service.call("upgrade")
    assert path.stat().st_ino == inode
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert peer.recv(64).startswith(b"HTTP/1.1 200 ")
    assert service.stop() == 0
    assert not path.exists()
    assert not pathlib.Path(service.control_path).exists()


def test_a_worker_that_is_killed_afterwards_is_replaced(upgradable):
    upgradable.call("upgrade")
    old = upgradable.slot(1)
    os.kill(old["pid"], signal.SIGKILL)
    new = upgradable.wait_replaced(old)
    assert new["restarts"] == 1
    crashes = wait_for(lambda: upgradable.call("crashes")["crashes"], "the crash report")
    assert crashes[0]["pid"] == old["pid"]


def test_a_worker_that_died_in_between_is_replaced(make_service):
    """It dies while the old program can't see it any more."""
    service = start(make_service(workers=2))
    victim = service.slot(0)
    replace_program(service, stand_in(take_over=f"""os.kill({victim['pid']}, 9); time.sleep(0.2)
    os.execve({str(BUILD / 'fsd')!r}, sys.argv, os.environ)"""))
    service.call("upgrade")
    new = service.wait_replaced(victim)
    assert new["restarts"] == 1
    assert service.slot(1)["restarts"] == 0


def test_reload_deploy_and_stop_work_afterwards(upgradable):
    before = pids(upgradable)
    upgradable.call("upgrade")
    upgradable.set_version("after")
    upgradable.call("reload", restart=True)
    assert upgradable.status()["pools"][0]["generation"] == 2
    assert not set(before) & {row["pid"] for row in upgradable.workers("ready")}
    assert upgradable.call("scale", pool="web", count=3)["changes"]
    upgradable.wait_workers(lambda rows: len([row for row in rows if row["state"] == "ready"]) == 3, "three workers")
    number = upgradable.status()["config"]["number"]
    upgradable.call("upgrade")
    assert upgradable.status()["config"]["number"] == number
    assert len([row for row in upgradable.workers("ready")]) == 3
    assert upgradable.call("config.history")["running"] == number
    assert upgradable.stop() == 0


def test_a_drained_daemon_stays_drained(upgradable):
    upgradable.call("drain")
    upgradable.call("upgrade")
    assert upgradable.workers("ready") == []
    upgradable.call("resume")
    assert len(upgradable.workers("ready")) == 2


def test_a_held_pool_stays_held_with_its_503(make_service):
    service = start(make_service(workers=1), intensity=0)
    os.kill(service.workers("ready")[0]["pid"], signal.SIGKILL)
    service.wait_status(lambda status: status["pools"][0]["state"] == "held", "the pool to be held")
    wait_for(lambda: fetch_status(service) == 503, "the 503")
    before = service.status()["pools"][0]["cause"]
    service.call("upgrade")
    after = service.status()["pools"][0]
    assert after["state"] == "held"
    assert after["cause"] == before
    assert fetch_status(service) == 503
    service.call("restart", pool="web")
    service.wait_status(lambda status: status["pools"][0]["state"] == "running", "the pool to run", 20)


def fetch_status(service):
    try:
        return service.get("/").status
    except OSError:
        return None


def test_a_signal_asks_for_it_too(upgradable):
    before = pids(upgradable)
    upgradable.signal(signal.SIGUSR2)
    upgradable.wait_log("this program has taken over")
    assert pids(upgradable) == before


@pytest.mark.parametrize("milliseconds", [0, 2, 4, 6, 8, 10, 15, 20])
def test_an_order_to_stop_is_never_lost_on_the_way(make_service, milliseconds):
    """Whichever program is there when the signal comes, or none."""
    service = start(make_service(workers=1))
    with service.open_control() as caller:
        service.send_call(caller, "upgrade")
        time.sleep(milliseconds / 1000)  # it may hit any moment of the upgrade; the end is the same
        service.signal(signal.SIGTERM)
        assert service.wait_exit() == 0


def test_systemd_hears_of_it_as_of_a_reload(make_service, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(str(path))
        service = start(make_service(workers=1), environment={"NOTIFY_SOCKET": str(path)})
        words = wait_for_word(manager, "READY=1")
        service.call("upgrade")
        words = wait_for_word(manager, "RELOADING=1")
        assert any(word.startswith("MONOTONIC_USEC=") for word in words)
        words = wait_for_word(manager, "READY=1")
        assert "STATUS=running: web 1/1; config 1" in words
        service.signal(signal.SIGTERM)
        wait_for_word(manager, "STOPPING=1")
        assert service.wait_exit() == 0


def wait_for_word(manager, word):
    """The next message with this line."""
    while True:
        lines = manager.recv(4096).decode().splitlines()
        if word in lines:
            return lines


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as another user")
def test_workers_of_another_user_go_on_and_new_ones_are_of_that_user(make_service):
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in BUILD.parents):
        pytest.skip("the source tree is closed to other users")
    service = make_service(workers=1)
    for folder in (service.folder, *service.folder.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    start(service, edit=lambda conf: conf.update(user="nobody"))
    uid = pwd.getpwnam("nobody").pw_uid
    old = service.slot(0)
    assert os.stat(f"/proc/{old['pid']}").st_uid in (uid, 0)  # root's when it is not dumpable
    service.call("upgrade")
    os.kill(old["pid"], signal.SIGKILL)
    new = service.wait_replaced(old)
    status = pathlib.Path(f"/proc/{new['pid']}/status").read_text()
    assert f"\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status


def test_fsd_run_can_be_upgraded(make_service):
    service = make_service(workers=2).start_ready()
    before = pids(service)
    service.call("upgrade")
    assert pids(service) == before
    assert service.get("/").status == 200
    assert service.stop() == 0


def test_the_command_line_stays_readable(upgradable):
    for _ in range(2):
        upgradable.call("upgrade")
    words = pathlib.Path(f"/proc/{upgradable.process.pid}/cmdline").read_text().split("\0")[:-1]
    assert words[0] == str(upgradable.program)
    assert words[1] == "--upgrade-state"
    assert words[3:] == ["serve", "--config", str(upgradable.folder / "fsd.yaml"), "--worker", upgradable.worker_path]
    assert pathlib.Path(f"/proc/{upgradable.process.pid}/comm").read_text() == "fsd\n"


TRIALS = {
    "exits": ("print('no such option'); sys.exit(64)", "exited with code 64 in its trial: no such option"),
    "exits without a word": ("sys.exit(1)", "exited with code 1 in its trial"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11"),
    "is something else": ("print('hello')", "is no fsd that can go on"),
    "says nothing": ("pass", "exited with code 0 in its trial"),
}


@pytest.mark.parametrize("name", TRIALS)
def test_a_program_that_fails_its_trial_changes_nothing(upgradable, name):
    before = pids(upgradable)
    trial, words = TRIALS[name]
    replace_program(upgradable, stand_in(trial=trial))
    assert words in refused(upgradable)
    assert_untouched(upgradable, before)
    replace_program(upgradable, BUILD / "fsd")
    assert upgradable.call("upgrade")["pid"] == upgradable.process.pid


@pytest.mark.slow
def test_a_program_that_hangs_in_its_trial_is_given_up_after_10_s(upgradable):
    before = pids(upgradable)
    replace_program(upgradable, stand_in(trial="time.sleep(600)"))
    with upgradable.open_control() as waiting:
        upgradable.send_call(waiting, "upgrade")
        wait_for(lambda: "under way" in refused(upgradable), "the second one to be refused")
        with pytest.raises(RpcError) as caught:
            upgradable.read_answer(waiting)
    assert "did not finish its trial within 10 s" in caught.value.message
    assert_untouched(upgradable, before)


@pytest.mark.parametrize("content, words", [(None, "No such file"), ("no program", "Exec format error")])
def test_a_program_that_cannot_be_executed_changes_nothing(upgradable, content, words):
    before = pids(upgradable)
    if content is None:
        upgradable.program.unlink()
    else:
        replace_program(upgradable, content)
    assert words in refused(upgradable)
    assert_untouched(upgradable, before)


def test_a_program_that_vanishes_after_its_trial_changes_nothing(upgradable):
    before = pids(upgradable)
    replace_program(upgradable, stand_in(trial=f"os.unlink({str(upgradable.program)!r}); {GOOD_TRIAL}"))
    assert "cannot become" in refused(upgradable)
    assert_untouched(upgradable, before)


GO_BACK = """os.pwrite(note, b"it is too cold here", 0)
    os.execve(back, [sys.argv[0], "--upgrade-back", f"{state}:{note}"], os.environ)"""


def test_a_program_that_goes_back_changes_nothing(upgradable):
    before = pids(upgradable)
    upgradable.call("upgrade")  # the descriptors of the first one come from a start
    fds = settled_fds(upgradable)
    replace_program(upgradable, stand_in(take_over=GO_BACK))
    for _ in range(2):
        assert refused(upgradable) == "it is too cold here"
        assert_untouched(upgradable, before)
    assert settled_fds(upgradable) == fds
    replace_program(upgradable, BUILD / "fsd")
    assert upgradable.call("upgrade")["pid"] == upgradable.process.pid
    assert_untouched(upgradable, before)


def test_an_fsd_that_cannot_go_on_goes_back_and_the_second_failure_ends_it(make_service):
    """A descriptor of the state is lost on the way: neither program can go on, and both say why."""
    service = start(make_service(workers=2))
    before = pids(service)
    replace_program(service, stand_in(take_over=f"""for fd in range(3, 200):
        if fd not in (state, back, note):
            try:
                os.close(fd)
            except OSError:
                pass
    os.execve({str(BUILD / 'fsd')!r}, sys.argv, os.environ)"""))
    with pytest.raises(ConnectionError):
        service.call("upgrade")
    assert service.wait_exit() == 70
    assert service.log().count("cannot go on in place of the program before: descriptor ") == 2
    wait_for(lambda: not any(is_alive(pid) for pid in before), "the workers to end with their master")


def test_an_fsd_that_cannot_go_on_goes_back(make_service, tmp_path):
    """What the configuration refers to is gone when the new program has taken over, and there again for the old one."""
    secret = tmp_path / "secret"
    secret.write_text("hush")
    service = start(make_service(workers=2),
                    edit=lambda conf: conf["apps"]["shop"]["env"].update(KEY=f"${{FILE:{secret}}}"))
    before = pids(service)
    old = tmp_path / "fsd"
    shutil.copy(BUILD / "fsd", old)
    way_back = tmp_path / "way_back"
    way_back.write_text(f"""#!/usr/bin/python3
import os, sys
os.rename({f"{secret}.away"!r}, {str(secret)!r})
os.execve({str(old)!r}, ["fsd", *sys.argv[1:]], os.environ)
""")
    way_back.chmod(0o755)
    replace_program(service, stand_in(take_over=f"""os.rename({str(secret)!r}, {f"{secret}.away"!r})
    back = os.open({str(way_back)!r}, os.O_PATH)
    os.set_inheritable(back, True)
    os.execve({str(BUILD / 'fsd')!r}, ["fsd", "--upgrade-state", f"{{state}}:{{back}}:{{note}}"], os.environ)"""))
    why = refused(service)
    assert "has gone back: this fsd cannot read the configuration: " in why
    assert str(secret) in why
    assert_untouched(service, before)
    assert "--upgrade-back" in pathlib.Path(f"/proc/{service.process.pid}/cmdline").read_text()
    replace_program(service, BUILD / "fsd")
    assert service.call("upgrade")["pid"] == service.process.pid
    assert_untouched(service, before)


def add_second_pool(conf):
    """Two pools, of which the second waits for the first."""
    conf["listeners"]["side"] = {"listen": "127.0.0.1:0"}
    conf["pools"]["web"]["intensity"] = 0
    conf["pools"]["side"] = {**conf["pools"]["web"], "listeners": ["side"], "intensity": 1000}
    conf["supervisors"] = {"both": {"strategy": "rest_for_one", "children": ["web", "side"]}}


def pool_states(service):
    return [pool["state"] for pool in service.status()["pools"]]


def test_supervisors_go_on_where_they_were(make_service):
    service = start(make_service(workers=1), edit=add_second_pool)
    service.call("upgrade")
    assert pool_states(service) == ["running", "running"]
    os.kill(service.workers("ready")[0]["pid"], signal.SIGKILL)
    wait_for(lambda: pool_states(service)[0] == "held" and pool_states(service)[1] != "running",
             "the first to be held and the second to be stopped")
    before = pool_states(service)
    wait_for(lambda: upgrade_when_free(service), "the upgrade")
    assert pool_states(service) == before
    service.call("restart", pool="web")
    wait_for(lambda: pool_states(service) == ["running", "running"], "both to run", 20)


def upgrade_when_free(service):
    try:
        return service.call("upgrade")
    except RpcError:
        return None


def test_an_upgrade_waits_for_a_worker_that_is_starting(make_service):
    service = start(make_service(workers=2))
    service.edit_app("local VERSION", "for _ = 1, 2e7 do end\nlocal VERSION")
    service.call("reload", restart=True)
    old = service.slot(1)
    os.kill(service.slot(0)["pid"], signal.SIGKILL)
    service.wait_workers(lambda rows: any((row["slot"], row["state"]) == (0, "starting") for row in rows), "its successor to start")
    service.call("upgrade")
    assert service.slot(0)["state"] == "ready"
    assert service.slot(1)["pid"] == old["pid"]


def test_the_options_are_for_fsd_alone():
    for words in (["--upgrade-probe", "3"], ["--upgrade-probe", "x"], ["--upgrade-state", "x"],
                  ["--upgrade-state", "100:101:102"], ["--upgrade-back", "100:101"]):
        result = subprocess.run([str(BUILD / "fsd"), *words], capture_output=True, text=True, timeout=30, check=False)
        assert result.returncode in (1, 64, 70), (words, result)
        assert result.stderr, words


def test_an_upgrade_is_told_in_the_events(upgradable):
    upgradable.call("upgrade")
    events = [event["event"] for event in upgradable.call("events")["events"]]
    assert "daemon.upgraded" in events
    ids = [event["id"] for event in upgradable.call("events")["events"]]
    assert ids == sorted(ids)
