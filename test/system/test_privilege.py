"""What workers may do: whom they run as, what is taken from them, and that none of them controls the daemon."""
import contextlib
import json
import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from service import BUILD, IS_SANITIZED, ROOT, Service, find_workers, is_alive, wait_for

NOBODY = pwd.getpwnam("nobody")
DAEMON = pwd.getpwnam("daemon")
MORE_OOM = 300  # worker/core/shield.c
FORBIDDEN = -32003  # common/rpc.h

# An application that starts another program and says what that printed.
ASKS = """
local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
app:post("/run", function(req, res)
  local pipe = io.popen(req:text() .. " 2>&1")
  local text = pipe:read("a")
  pipe:close()
  res:send(text)
end)
return app
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start workers as somebody else")

not_traced = pytest.mark.skipif(IS_SANITIZED, reason="the leak check does not work in a process that strace follows")


@pytest.fixture
def make_open(no_sanitizer_reports):
    """make_open(user=None): a service, not started, in a folder that every user can read; with copies of the programs,
    since the source tree may be closed to them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fsd-privilege-"))
    folder.chmod(0o755)
    made = []

    def make_one(user=None, workers=1, app=ASKS, **keys):
        own = folder / str(len(made))
        programs = own / "build/copy"
        programs.mkdir(parents=True)
        shutil.copy(BUILD / "fsd", programs)
        shutil.copy(BUILD / "fsd-worker", programs)
        shutil.copytree(ROOT / "lua", own / "lua")
        one = Service(own, app, workers)
        one.program = programs / "fsd"
        one.worker_path = str(programs / "fsd-worker")
        one.write_conf(**keys)
        set_conf(one, user=user)
        made.append(one)
        return one

    yield make_one
    for one in made:
        one.end()
    shutil.rmtree(folder)


def set_conf(service, **keys):
    path = service.folder / "fsd.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def read_status(pid):
    """/proc/PID/status as a dict."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def read_limit(pid, name):
    """(soft, hard) as /proc/PID/limits writes them."""
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    return tuple(next(line for line in lines if line.startswith(name))[len(name):].split()[:2])


def read_score(pid):
    return int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())


def run_as(account, *words):
    """With the account's own group and no other."""
    wrapper = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return subprocess.run([*wrapper, *map(str, words)], capture_output=True, text=True, timeout=30, check=False)


ASK = """
import socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
try:
    sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\\n')
except BrokenPipeError:
    pass  # refused already
text = b""
try:
    while not text.endswith(b"\\n"):
        part = sock.recv(65536)
        if not part:
            break
        text += part
except ConnectionResetError:
    pass  # what was asked has not been read
print(text.decode())
"""


def ask_as(account, path):
    """The answer of the control socket to a process of that account."""
    done = run_as(account, "/usr/bin/python3", "-c", ASK, path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_nothing_left(status, account):
    uid, gid = str(account.pw_uid), str(account.pw_gid)
    assert status["Uid"].split() == [uid] * 4
    assert status["Gid"].split() == [gid] * 4
    assert status["Groups"].split() == [gid]
    assert [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4
    assert status["NoNewPrivs"] == "1"


@contextlib.contextmanager
def injected(pid, *options):
    """strace on a running process and its children to come."""
    command = ["strace", "-f", "-o", "/dev/null", *(word for option in options for word in ("-e", option)), "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        try:
            line = strace.stderr.readline()
            assert "attached" in line, line
            yield strace
        finally:
            strace.terminate()
            strace.communicate(timeout=30)


@pytest.mark.basic
def test_workers_of_root_become_the_user_and_keep_nothing(make_open):
    service = make_open("nobody", workers=2, standby=1).start_ready()
    assert service.get("/").text == "hello"
    service.wait_status(lambda status: status["pools"][0]["standby"]["ready"] == 1, "the standby")
    pids = find_workers(service.process.pid)
    assert len(pids) == 3
    for pid in pids:
        check_nothing_left(read_status(pid), NOBODY)
    assert read_status(service.process.pid)["Uid"].split() == ["0"] * 4
    assert all(row["memory_bytes"] > 0 for row in service.workers())
    assert "run the application's code as root" not in service.log()


def test_their_group_can_be_another_one_than_the_users(make_open):
    service = make_open("nobody")
    set_conf(service, group="daemon")
    service.start_ready()
    status = read_status(service.slot(0)["pid"])
    assert status["Gid"].split() == [str(DAEMON.pw_gid)] * 4 and status["Uid"].split() == [str(NOBODY.pw_uid)] * 4


def test_a_worker_that_is_replaced_is_the_same_user_again(make_open):
    service = make_open("nobody").start_ready()
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGKILL)
    check_nothing_left(read_status(service.wait_replaced(victim)["pid"]), NOBODY)


def test_root_without_a_user_is_warned_and_workers_gain_nothing_by_exec(make_open):
    service = make_open().start_ready()
    service.wait_log('name another user with the key "user" of the configuration')
    status = read_status(service.slot(0)["pid"])
    assert status["Uid"].split() == ["0"] * 4 and status["NoNewPrivs"] == "1"


def test_the_bundle_tool_runs_as_the_user_too_and_says_what_he_cannot_read(make_open):
    service = make_open("nobody")
    service.app_path.chmod(0o600)
    service.start()
    assert service.process.wait(20) == 66
    assert f'cannot open "{service.app_path}": Permission denied' in service.log()
    check = subprocess.run([str(BUILD / "fsd"), "check", "-c", str(service.folder / "fsd.yaml"), "--worker", service.worker_path],
                           capture_output=True, text=True, timeout=30, check=False)
    assert check.returncode == 66 and f'cannot open "{service.app_path}": Permission denied' in check.stderr
    service.app_path.chmod(0o644)
    service.start_ready()


def test_who_is_not_root_cannot_have_workers_of_another_user(make_open):
    service = make_open("root")
    service.folder.chmod(0o777)
    done = run_as(NOBODY, BUILD / "fsd", "serve", "-c", service.folder / "fsd.yaml", "--worker", service.worker_path)
    assert done.returncode == 78
    assert 'cannot run workers as user "root": fsd was started by "nobody"' in done.stderr
    assert "Start it as root or as that user" in done.stderr


def test_a_group_without_a_user_is_a_mistake_with_its_place(make_open):
    service = make_open()
    set_conf(service, group="daemon", user=None)
    service.start()
    assert service.process.wait(20) == 78
    assert f'{service.folder}/fsd.yaml:1:' in service.log() and 'group: needs the key "user" as well' in service.log()


@pytest.mark.parametrize("injection, reason", [
    ("setresuid:error=EAGAIN", "Resource temporarily unavailable"),
    ("setresgid:error=EPERM", "Operation not permitted"),
    ("setgroups:error=EPERM", "Operation not permitted"),
    ("setresuid:retval=0", "Operation not permitted"),  # says that it has, and has not
])
def test_a_worker_that_cannot_become_the_user_does_not_start(make_open, injection, reason):
    service = make_open("nobody").start_ready()
    victim = service.slot(0)
    with injected(service.process.pid, "trace=" + injection.partition(":")[0], "inject=" + injection):
        os.kill(victim["pid"], signal.SIGKILL)
        service.wait_log(f'cannot become user "nobody": {reason}')
        assert find_workers(service.process.pid) == []
    check_nothing_left(read_status(service.wait_replaced(victim)["pid"]), NOBODY)


@not_traced
def test_a_daemon_whose_bundle_tool_cannot_become_the_user_ends_with_the_reason(make_open):
    service = make_open("nobody")
    service.start(wrapper=["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=setresuid", "-e",
                           "inject=setresuid:error=EAGAIN"])
    assert service.process.wait(20) == 70
    assert 'cannot load the code: cannot become user "nobody": Resource temporarily unavailable' in service.log()


def test_capabilities_that_the_daemon_was_given_stay_with_it(make_open):
    service = make_open()
    shutil.chown(service.folder, NOBODY.pw_uid)
    service.start_ready(wrapper=["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
                                 "--inh-caps=-all,+net_bind_service", "--ambient-caps=+net_bind_service"])
    assert service.get("/").text == "hello"
    assert int(read_status(service.process.pid)["CapAmb"], 16) != 0
    row = service.slot(0)
    check_nothing_left({**read_status(row["pid"]), "Groups": str(NOBODY.pw_gid)}, NOBODY)
    assert row["memory_bytes"] > 0
    assert read_score(row["pid"]) == min(read_score(service.process.pid) + MORE_OOM, 1000)
    answer = ask_as(NOBODY, service.control_path)
    assert answer["error"]["code"] == FORBIDDEN
    assert "the application's code runs as it" in answer["error"]["message"]


def test_they_stay_with_it_also_where_a_filter_forbids_capset(make_open):
    service = make_open()
    shutil.chown(service.folder, NOBODY.pw_uid)
    service.start_ready(wrapper=["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
                                 "--inh-caps=-all,+net_bind_service", "--ambient-caps=+net_bind_service"])
    victim = service.slot(0)
    with injected(service.process.pid, "trace=capset", "inject=capset:error=EPERM"):
        os.kill(victim["pid"], signal.SIGKILL)
        status = read_status(service.wait_replaced(victim)["pid"])
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")] == [0] * 3


def test_status_knows_the_memory_of_workers_that_proc_hides(make_open):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, timeout=30, check=False).returncode != 0:
        pytest.skip("there can't be mounts of its own here")
    service = make_open()
    shutil.chown(service.folder, NOBODY.pw_uid)
    service.start_ready(wrapper=["unshare", "-m", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc; exec "$@"', "sh",
                                 "setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"])
    hidden = ["nsenter", "-m", "-t", str(service.process.pid)]
    pid = service.slot(0)["pid"]
    look = subprocess.run([*hidden, "setpriv", f"--reuid={NOBODY.pw_uid}",
                           f"--regid={NOBODY.pw_gid}", "--clear-groups", "cat", f"/proc/{pid}/statm"],
                          capture_output=True, text=True, timeout=30, check=False)
    if look.returncode == 0:
        pytest.skip("/proc cannot be mounted with hidepid here")
    assert 1 << 20 < service.slot(0)["memory_bytes"] < 1 << 30


@pytest.mark.parametrize("own, wanted", [(0, MORE_OOM), (900, 1000)])
def test_workers_are_killed_before_the_daemon_when_memory_is_out(make_open, own, wanted):
    inherited = read_score(os.getpid())
    own = max(own, inherited)
    service = make_open("nobody")
    service.start_ready(wrapper=["sh", "-c", f'echo {own} > /proc/self/oom_score_adj; exec "$@"', "sh"])
    assert read_score(service.process.pid) == own
    assert read_score(service.slot(0)["pid"]) == max(wanted, min(own + MORE_OOM, 1000))


def test_workers_may_open_as_many_files_as_the_daemon_could_and_leave_no_core(make_open):
    def set_limits():
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, 4096))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))

    service = make_open("nobody").start_ready(preexec_fn=set_limits)
    pid = service.slot(0)["pid"]
    assert read_limit(service.process.pid, "Max open files") == ("512", "4096")
    assert read_limit(pid, "Max open files") == ("4096", "4096")
    assert read_limit(pid, "Max core file size") == ("0", "0")


def is_dumpable(pid):
    """The files of an undumpable process in /proc are root's."""
    return os.stat(f"/proc/{pid}/environ").st_uid == int(read_status(pid)["Uid"].split()[0])


def test_other_processes_of_the_user_cannot_look_into_workers_nor_the_daemon(make_open):
    service = make_open()
    shutil.chown(service.folder, NOBODY.pw_uid)
    service.start_ready(wrapper=["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"],
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    for pid in (service.process.pid, service.slot(0)["pid"]):
        assert not is_dumpable(pid)
        look = run_as(NOBODY, "cat", f"/proc/{pid}/environ")
        assert look.returncode != 0 and "Permission denied" in look.stderr


@pytest.mark.skipif(IS_SANITIZED, reason="sanitized programs forbid core dumps themselves")
def test_a_daemon_that_may_dump_core_has_workers_that_may(make_open):
    service = make_open("nobody")
    service.start_ready(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096)))
    pid = service.slot(0)["pid"]
    assert is_dumpable(pid)
    assert read_limit(pid, "Max core file size") == ("4096", "4096")
    assert "core dumps are allowed" in service.log()


def test_a_developer_can_look_into_the_workers_of_fsd_run(make_service):
    service = make_service().start_ready()
    environ = pathlib.Path(f"/proc/{service.slot(0)['pid']}/environ").read_bytes()
    assert b"FSD_SHIELD" not in environ and b"FSD_MASTER_PID" in environ


def test_the_mode_of_the_socket_alone_lets_nobody_in(make_open):
    service = make_open("nobody").start_ready()
    os.chmod(service.control_path, 0o666)
    answer = ask_as(NOBODY, service.control_path)["error"]
    assert answer["code"] == FORBIDDEN and "the application's code runs as it" in answer["message"]
    answer = ask_as(DAEMON, service.control_path)["error"]
    assert answer["code"] == FORBIDDEN and 'neither root nor in the group "fsd-admin"' in answer["message"]
    done = run_as(DAEMON, BUILD / "fsdctl", "-s", service.control_path, "stop")
    assert done.returncode == 4 and "may not control this fsd" in done.stderr
    assert service.status()["state"] == "running"
    lines = [line for line in service.log().splitlines() if "event=control.refused" in line]
    assert len(lines) == 1 and "refused=1" in lines[0]  # told once a minute


@pytest.mark.parametrize("command", ["/usr/bin/python3 FOLDER/ask.py SOCKET", "FSDCTL -s SOCKET stop",
                                     "sh -c 'FSDCTL -s SOCKET stop; exit $?'", "setsid -w FSDCTL -s SOCKET stop"])
def test_what_a_worker_starts_is_refused_even_as_root(make_open, command):
    service = make_open().start_ready()
    (service.folder / "ask.py").write_text(ASK)
    for name, value in (("FOLDER", service.folder), ("SOCKET", service.control_path), ("FSDCTL", BUILD / "fsdctl")):
        command = command.replace(name, str(value))
    text = service.request("POST", "/run", command).text
    assert "was started by a worker of this fsd" in text
    assert service.status()["state"] == "running"
    service.wait_log("event=control.refused")


def test_a_child_of_a_worker_of_fsd_run_is_refused_too(make_service):
    service = make_service(ASKS).start_ready()
    text = service.request("POST", "/run", f"{BUILD}/fsdctl -s {service.control_path} stop").text
    assert "was started by a worker of this fsd" in text


@pytest.mark.basic
@pytest.mark.parametrize("user", ["nobody", None])
def test_workers_die_with_a_killed_daemon_also_when_they_are_stopped(make_open, user):
    service = make_open(user, workers=3).start_ready()
    pids = find_workers(service.process.pid)
    assert len(pids) == 3
    os.kill(pids[0], signal.SIGSTOP)
    wait_for(lambda: read_status(pids[0])["State"].startswith("T"), "the stopped worker")
    before = time.monotonic()
    service.process.kill()
    service.process.wait(10)
    wait_for(lambda: not any(map(is_alive, pids)), "the workers to die")
    print(f"gone after {(time.monotonic() - before) * 1000:.0f} ms")
    service.start_ready()  # and nothing that they left is in the way


@not_traced
def test_a_daemon_that_dies_before_its_child_is_tied_to_it_leaves_no_child(make_open):
    service = make_open("nobody").start_ready()
    master = service.process.pid
    children = pathlib.Path(f"/proc/{master}/task/{master}/children")
    old = service.slot(0)["pid"]
    with injected(master, "trace=setresuid", "inject=setresuid:delay_exit=1000000"):  # of microseconds
        os.kill(old, signal.SIGKILL)
        new = wait_for(lambda: set(children.read_text().split()) - {str(old)}, "the new child")
        service.process.kill()
        service.process.wait(10)
        wait_for(lambda: not any(is_alive(int(pid)) for pid in new), "the child to notice")
    assert find_workers(master) == []


def test_connections_of_the_operator_are_not_disturbed_by_refused_ones(make_open):
    service = make_open("nobody").start_ready()
    os.chmod(service.control_path, 0o666)
    with service.open_control() as sock:
        for _ in range(3):
            assert ask_as(NOBODY, service.control_path)["error"]["code"] == FORBIDDEN
        service.send_call(sock, "status")
        assert service.read_answer(sock)["state"] == "running"


AS_NOBODY = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]


@pytest.mark.parametrize("user, wrapper", [("nobody", []), (None, AS_NOBODY)])
def test_a_new_program_in_place_keeps_the_rules(make_open, user, wrapper):
    service = make_open(user)
    shutil.chown(service.folder, NOBODY.pw_uid)
    service.start_ready(wrapper=wrapper, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    victim = service.slot(0)
    service.process.send_signal(signal.SIGUSR2)
    service.wait_log("event=daemon.upgraded")
    os.kill(victim["pid"], signal.SIGKILL)
    worker = service.wait_replaced(victim)["pid"]
    check_nothing_left(read_status(worker) if user else {**read_status(worker), "Groups": str(NOBODY.pw_gid)}, NOBODY)
    assert not is_dumpable(worker)
    assert user is not None or not is_dumpable(service.process.pid)  # root's files are root's in either case
    os.chmod(service.control_path, 0o666)
    assert ask_as(NOBODY, service.control_path)["error"]["code"] == FORBIDDEN
