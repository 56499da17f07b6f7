"""The machine fails the master: no processes, no descriptors, no room on the disk, nobody who reads its log; and the master itself
is stopped, killed, and process 1.  The service goes on, one line of the log says so, and it heals by itself."""
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest
from service import IS_SANITIZED, failures, find_workers, is_alive, wait_for

FORK = "clone,clone3,fork,vfork"


@contextlib.contextmanager
def failing(service, calls, error):
    """These calls of the running master fail for as long as this lasts."""
    pid = service.process.pid
    command = ["strace", "-qq", "-p", str(pid), "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        status = pathlib.Path(f"/proc/{pid}/status")
        wait_for(lambda: "TracerPid:\t0\n" not in status.read_text() or tracer.poll() is not None, "strace to be there")
        assert tracer.poll() is None, tracer.stderr.read()
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)


def count_fds(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def count_cpu_s(service):
    fields = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def count_errors(service, event):
    return sum(f"event={event}" in line and " error " in line for line in service.log().splitlines())


def is_whole(count):
    """Are so many workers there, all ready?"""
    return lambda status: status["state"] == "running" and [row["state"] for row in status["pools"][0]["workers"]] == ["ready"] * count


def start(make_service, workers=2, **pool):
    service = make_service(workers=workers)
    service.write_conf(**pool)
    return service.start_ready()


# --- processes and descriptors ---


@pytest.mark.skipif(IS_SANITIZED, reason="the leak sanitizer does not work under a tracer")
def test_without_processes_the_other_workers_serve_on_and_one_line_says_so(make_service):
    service = start(make_service, intensity=2)
    with failing(service, FORK, "EAGAIN"):
        load = service.load("/", connections=8).wait_ready()
        os.kill(service.slot(0)["pid"], signal.SIGKILL)
        service.wait_workers(lambda rows: rows[0]["restarts"] > 4, "more failed starts than the pool would survive as crashes")
        status = service.status()
        assert status["state"] == "degraded"
        assert "cannot fork" in status["pools"][0]["workers"][0]["last_exit"]
    service.wait_status(is_whole(2), "two workers again", 20)
    result = load.stop().result()
    assert result["ok"] > 0 and result["refused"] == 0 and result["hung"] == 0
    assert count_errors(service, "worker.start_failed") == 1


@pytest.mark.skipif(IS_SANITIZED, reason="the leak sanitizer does not work under a tracer")
def test_without_processes_a_reload_is_refused_and_everything_serves_on(make_service):
    service = start(make_service)
    before = {row["pid"] for row in service.workers()}
    with failing(service, FORK, "EAGAIN"):
        told = service.ctl("reload")
        assert told.returncode != 0 and "cannot fork" in told.stderr
        applied = service.call("config.apply")
        assert applied["changes"] == []  # so nothing is needed
        assert service.get("/").text == "hello"
    assert {row["pid"] for row in service.workers()} == before
    assert service.ctl("reload").returncode == 0


def test_without_descriptors_the_workers_serve_on_and_the_control_socket_heals(make_service):
    service = start(make_service)
    address = service.address()
    pid = service.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    load = service.load("/", connections=8).wait_ready()
    victim = service.slot(0)["pid"]
    began = count_cpu_s(service)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count_fds(service), hard))
    os.kill(victim, signal.SIGKILL)
    waiting = []
    for _ in range(3):  # the kernel takes them; the daemon can't, or only one
        waiting.append(service.open_control())
        service.send_call(waiting[-1], "status")
    service.wait_log("cannot start a worker")
    time.sleep(2.5)  # a loop that turns without end would use all of it
    used = count_cpu_s(service) - began
    assert used < 1, f"{used} s of processor time in 2.5 s"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert all(service.read_answer(peer)["pid"] == pid for peer in waiting)
    for peer in waiting:
        peer.close()
    service.wait_status(is_whole(2), "two workers again", 20)
    assert service.address() == address
    result = load.stop().result()
    assert result["ok"] > 0 and result["refused"] == 0 and result["hung"] == 0
    assert count_errors(service, "worker.start_failed") == 1


def test_a_daemon_with_64_descriptors_serves_and_is_controlled_by_many(make_service):
    service = make_service(workers=2)
    service.write_conf()
    service.start_ready(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    idle = [service.open_control() for _ in range(60)]
    load = service.load("/", connections=8).wait_ready()
    os.kill(service.slot(0)["pid"], signal.SIGKILL)
    service.wait_status(is_whole(2), "two workers again", 20)
    assert service.ctl("reload").returncode == 0
    for peer in idle:
        peer.close()
    result = load.stop().result()
    assert result["ok"] > 0 and result["refused"] == 0 and result["hung"] == 0


# --- the disk and the log ---


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("cannot mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def crash_and_wait(service):
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGKILL)
    service.wait_replaced(victim)


def test_with_a_full_disk_under_the_state_crashes_are_kept_in_memory_and_written_later(make_service, small_disk):
    service = make_service(workers=2)
    service.write_conf()
    conf_path = service.folder / "fsd.yaml"
    conf_path.write_text(conf_path.read_text().replace(str(service.folder / "state"), str(small_disk)))
    service.start_ready()
    crash_and_wait(service)
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    for _ in range(3):
        crash_and_wait(service)
    wait_for(lambda: len(service.call("crashes")["crashes"]) == 4, "four reports")
    conf_path.write_text(conf_path.read_text().replace('"standby": 0', '"standby": 1'))
    assert service.call("config.apply")["to"] == 2  # of which the history can't be written
    assert service.get("/").text == "hello"
    assert count_errors(service, "crash.store_failed") == 1
    ballast.unlink()
    service.wait_log("crash reports can be written again")
    wait_for(lambda: len(list((small_disk / "crashes").glob("*.json"))) == 4, "four files")
    assert service.log().count("crash.store_failed") == 1
    assert service.log().count("config.history_failed") == 1


def test_a_log_pipe_that_nobody_reads_costs_lines_and_nothing_else(make_service):
    read_end, write_end = os.pipe()
    service = make_service(workers=2)
    service.write_conf()
    service.start(stderr=write_end)
    os.close(write_end)
    service.wait_status(is_whole(2), "the daemon to run")
    try:
        load = service.load("/", connections=8).wait_ready()
        for _ in range(40):
            service.get("/flood/50")
        assert service.ctl("reload").returncode == 0
        result = load.stop().result()
        assert result["ok"] > 0 and failures(result) == {}
        os.set_blocking(read_end, False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                data += os.read(read_end, 65536)
        service.request("POST", "/log", "the reader is back")

        def read_rest():
            nonlocal data
            with contextlib.suppress(BlockingIOError):
                data += os.read(read_end, 65536)
            return b"the reader is back" in data

        wait_for(read_rest, "a line after the reader came back")
        assert data.count(b"log lines were dropped lines=") == 1
    finally:
        os.close(read_end)


# --- time and processes ---


def can_unshare(*words):
    return shutil.which("unshare") and subprocess.run(["unshare", *words, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare("-T", "--monotonic", "86400", "--fork"), reason="needs root and a time namespace")
def test_a_monotonic_clock_of_its_own_changes_nothing(make_service):
    """Not the time of the machine's start, nor that of other processes, is in any calculation of the master."""
    service = make_service(workers=2)
    service.write_conf()
    ahead = ["unshare", "-T", "--monotonic", "864000", "--boottime", "864000", "--fork", "--kill-child"]
    service.start_ready(wrapper=ahead)
    crash_and_wait(service)
    assert service.ctl("reload").returncode == 0
    wait_for(lambda: len(service.workers()) == 2, "the old workers to be gone")
    time.sleep(2.5)  # the heartbeats are looked at once a second
    assert "heartbeat" not in service.log() and "held up" not in service.log()
    assert [row["state"] for row in service.workers()] == ["ready"] * 2
    assert service.ctl("stop").returncode == 0
    assert service.wait_exit() == 0


@pytest.mark.skipif(not can_unshare("--pid", "--fork", "--mount-proc"), reason="needs root and a process namespace")
def test_as_process_1_it_reaps_orphans_and_their_ends_mean_nothing(make_service):
    orphans = """local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
app:get("/orphan/:code", function(req, res)
  os.execute("(sleep 0.05; exit " .. req.params.code .. ") & :")
  res:send("born")
end)
return app
"""
    service = make_service(orphans, workers=2)
    service.write_conf()
    service.start_ready(wrapper=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    assert service.status()["pid"] == 1
    unshare = service.process.pid
    master = int(pathlib.Path(f"/proc/{unshare}/task/{unshare}/children").read_text())
    children = pathlib.Path(f"/proc/{master}/task/{master}/children")
    own = set(children.read_text().split())
    for code in (0, 7, 65, 70, 76, 78):
        assert service.get(f"/orphan/{code}").text == "born"
    wait_for(lambda: set(children.read_text().split()) == own, "the orphans to be reaped")
    assert [row["restarts"] for row in service.workers("ready")] == [0, 0]
    os.kill(int(own.pop()), signal.SIGKILL)  # its pid out here; what status says are the pids in there
    service.wait_status(lambda status: is_whole(2)(status) and
                        sum(row["restarts"] for row in status["pools"][0]["workers"]) == 1, "a new worker")
    os.kill(master, signal.SIGTERM)
    assert service.wait_exit() == 0
    wait_for(lambda: not is_alive(master), "the master to be gone")


# --- the master itself ---


def test_while_the_master_is_stopped_its_workers_serve(make_service):
    service = start(make_service)
    address = service.address()
    service.signal(signal.SIGSTOP)
    try:
        load = service.load("/", connections=16, requests=5000)
        result = load.result()
        assert result["ok"] == 5000 and failures(result) == {}
    finally:
        service.signal(signal.SIGCONT)
    assert service.ctl("status").returncode == 0 and service.address() == address


@pytest.mark.parametrize("turn", range(5))
def test_when_the_master_is_killed_its_workers_are_gone_and_the_next_start_works_at_once(make_service, turn):
    """The workers of the killed one may be dying still, with its sockets in their hands."""
    service = start(make_service, workers=4)
    host, _, port = service.address().rpartition(":")
    pids = find_workers(service.process.pid)
    os.kill(pids[0], signal.SIGSTOP)
    again = make_service(workers=4)
    again.control_path = service.control_path
    again.write_conf(listen=f"{host}:{port}")
    service.process.kill()
    service.process.wait(10)
    again.start_ready()
    assert again.get("/").text == "hello"
    wait_for(lambda: not any(map(is_alive, pids)), "the workers of the killed master to be gone")


def test_a_port_that_another_program_has_is_still_refused_after_a_kill(make_service):
    service = start(make_service, workers=1)
    service.process.kill()
    service.process.wait(10)
    with socket.create_server(("127.0.0.1", 0)) as other:
        again = make_service(workers=1)
        again.control_path = service.control_path
        again.write_conf(listen=f"127.0.0.1:{other.getsockname()[1]}")
        again.start()
        assert again.wait_exit() == 71
        assert again.log().count("Address already in use") == 1
