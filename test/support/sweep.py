"""The sweep of N-th failures: one cycle of a daemon's life for each system call that its master makes in it, with that one
call failing.

Instead of an error the call may be where a SIGTERM or SIGKILL meets the master: then it must end in order; or its workers be gone
within a second, and the next start in the same place work.

A cycle is: start, serve a request, lose a worker, apply a configuration that needs new workers, another socket and one slot
more, reload, stop.  strace counts and fails the calls of the master alone; its workers run undisturbed.  Each cycle must
work (an operation that is refused with a reason must work when it is asked for again), or the daemon must end by itself with
an exit code above 0 and an error in its log; it may not hang, die of a signal, leak a descriptor or leave anything behind."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from fsd_process import RpcError, wait_for
from service import Service, find_workers

LIMIT_S = 30
APP = """local app = require("fsd").app()
app:get("/", function(req, res) res:send("hello") end)
return app
"""

# What is counted together and fails alike: name, the system calls of the kernel, the errors.
ROWS = [
    ("fork", "clone,clone3,fork,vfork", "EAGAIN ENOMEM"),
    ("openat", "openat,open", "EMFILE EACCES"),
    ("mmap", "mmap", "ENOMEM"),
    ("socketpair", "socketpair", "EMFILE"),
    ("socket", "socket", "EMFILE"),
    ("bind", "bind", "EADDRINUSE"),
    ("listen", "listen", "EADDRINUSE"),
    ("connect", "connect", "EACCES"),
    ("getsockname", "getsockname", "ENOBUFS"),
    ("getsockopt", "getsockopt", "ENOBUFS"),
    ("setsockopt", "setsockopt", "ENOBUFS"),
    ("epoll_create1", "epoll_create1", "EMFILE"),
    ("epoll_ctl", "epoll_ctl", "ENOMEM"),
    ("signalfd4", "signalfd4", "EMFILE"),
    ("timerfd_create", "timerfd_create", "EMFILE"),
    ("timerfd_settime", "timerfd_settime", "ENOMEM"),
    ("read", "read", "EIO"),
    ("write", "write", "ENOSPC"),
    ("writev", "writev,pwrite64", "ENOSPC"),
    ("sendto", "sendto", "EPIPE"),
    ("sendmsg", "sendmsg", "ENOBUFS EAGAIN"),
    ("recvfrom", "recvfrom", "ECONNRESET"),
    ("recvmsg", "recvmsg", "ENOMEM"),
    ("fsync", "fsync,fdatasync", "EIO"),
    ("rename", "rename,renameat,renameat2", "ENOSPC"),
    ("link", "link,linkat", "ENOSPC"),
    ("unlink", "unlink,unlinkat", "EACCES"),
    ("mkdir", "mkdir,mkdirat", "ENOSPC"),
    ("chmod", "chmod,fchmod,fchmodat", "EPERM"),
    ("stat", "stat,lstat,fstat,newfstatat,statx", "EACCES"),
    ("getdents", "getdents64", "EIO"),
    ("accept4", "accept4", "EMFILE ECONNABORTED"),
    ("pipe2", "pipe2", "EMFILE"),
    ("fcntl", "fcntl", "EMFILE"),
    ("dup", "dup,dup2,dup3", "EMFILE"),
    ("memfd_create", "memfd_create", "EMFILE"),
    ("ftruncate", "ftruncate", "ENOSPC"),
    ("getrandom", "getrandom", "ENOSYS"),
    ("pidfd_open", "pidfd_open", "EMFILE"),
    ("pidfd_send_signal", "pidfd_send_signal", "EPERM"),
    ("waitid", "waitid,wait4", "ECHILD"),
    ("sched_getaffinity", "sched_getaffinity", "EPERM"),
]
# Where a signal meets the master: calls that are made throughout its life.
SIGNALLED = ("fork", "sendmsg", "epoll_ctl", "waitid", "recvmsg", "fsync")
# The file of the control socket that could not be removed, or not be known as ours, is stale at the next start.
LEAVES_SOCKET = {"unlink", "stat"}
# Needs nothing and so can't fail in the kernel; libsystemd relies on that.
IMPOSSIBLE = "EPOLL_CTL_DEL"
FIRST_OF_MAIN = 'openat(AT_FDCWD, "/dev/null", O_RDWR)'  # before it the dynamic loader is at work, which is not ours


class Bad(Exception):
    """What must not happen."""


class Cycle:
    """One cycle in a folder of its own; run() returns "worked" or "clean error"."""

    def __init__(self, folder, inject=None, tolerates_socket=False, fds=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.trace = self.folder / "trace"
        self.service = Service(self.folder, APP)
        self.inject = inject  # (calls, error or signal, N)
        self.tolerates_socket = tolerates_socket
        self.fds = fds  # how many descriptors the master has after an undisturbed reload
        self.notes = []  # what was refused
        self.was_met = False  # by its signal, before its order to stop

    def wrapper(self):
        command = ["strace", "-D", "-q", "-o", str(self.trace)]
        if self.inject is None:
            calls = ",".join("?" + call for row in ROWS for call in row[1].split(","))
            return [*command, "-e", "trace=" + calls]
        calls, fault, when = self.inject
        calls = ",".join("?" + call for call in calls.split(","))
        kind = "signal" if fault.startswith("SIG") else "error"
        return [*command, "-e", "trace=" + calls, "-e", f"inject={calls}:{kind}={fault}:when={when}"]

    def has_ended(self):
        return self.service.process.poll() is not None

    def ends_soon(self, seconds=0.5):
        """A connection that breaks may be the first thing that is seen of the daemon's end."""
        try:
            self.service.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask(self, method, **params):
        """Once more when it is refused or unheard; what was refused must have a reason."""
        for _ in range(2):
            try:
                return self.service.call(method, **params)
            except RpcError as error:
                if not error.message.strip():
                    raise Bad(f"{method} was refused without a reason") from error
                self.notes.append(f"{method}: {error.message}")
                if "stopping" in error.message and self.ends_soon(LIMIT_S):
                    return None
                self.wait(self.has_only_wanted_workers, "end of the workers that leave")
            except (OSError, ValueError) as error:
                if self.ends_soon():
                    return None
                self.notes.append(f"{method}: {error!r}")
        raise Bad(f"{method} was refused twice")

    def wait(self, condition, what):
        """False when the daemon has ended meanwhile."""
        end = time.monotonic() + LIMIT_S
        while not self.has_ended():
            try:
                if condition():
                    return True
            except (RpcError, OSError, ValueError, LookupError, AssertionError):
                pass  # not yet
            if time.monotonic() > end:
                raise Bad(f"hangs: no {what} within {LIMIT_S} s")
            time.sleep(0.002)
        return False

    def serves(self):
        status = self.service.call("status")
        rows = [row for row in status["pools"][0]["workers"] if row["state"] == "ready"]
        self.service.known_address = status["listeners"][0]["address"]
        return (status["state"] == "running" and len(rows) == self.service.workers_count and
                self.service.get("/").text == "hello")

    def write_conf(self, **more):
        self.service.write_conf(shutdown="2s", drain="1s", **more)

    def change_conf(self):
        """New settings, one slot more and a second socket."""
        self.service.workers_count = 2
        self.write_conf()
        path = self.folder / "fsd.yaml"
        conf = json.loads(path.read_text())
        conf["listeners"]["more"] = {"listen": "127.0.0.1:0"}
        conf["apps"]["shop"]["settings"] = {"colour": "blue"}
        conf["pools"]["web"]["listeners"] = ["web", "more"]
        path.write_text(json.dumps(conf))

    def pids(self):
        rows = self.service.call("status")["pools"][0]["workers"]
        return [row["pid"] for row in rows if row["state"] == "ready"]

    def kill_worker(self):
        """And waits for the one that takes its place."""
        old = []

        def find():
            old.extend(self.pids())
            return old

        if not self.wait(find, "worker that could be killed"):
            return False
        os.kill(old[0], signal.SIGKILL)
        return self.wait(lambda: self.pids() != old and self.serves(), "replacement")

    def has_only_wanted_workers(self):
        return len(find_workers(self.service.process.pid)) <= self.service.workers_count

    def count_fds(self):
        return len(os.listdir(f"/proc/{self.service.process.pid}/fd"))

    def live(self):
        """Everything between start and stop; False as soon as the daemon has ended."""
        if not self.wait(self.serves, "service after the start"):
            return False
        if not self.kill_worker():
            return False
        self.change_conf()
        for method in ("config.apply", "reload"):
            if self.ask(method) is None or not self.wait(self.serves, f"service after {method}"):
                return False
        if self.fds is None:
            self.wait(self.has_only_wanted_workers, "end of the old workers")
            self.fds = self.count_fds()
        return self.wait(lambda: self.count_fds() <= self.fds, f"fall to {self.fds} descriptors")

    def stop(self):
        if not self.has_ended():
            self.service.process.terminate()
        try:
            return self.service.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise Bad(f"hangs: no end within {LIMIT_S} s of SIGTERM") from error

    def check_workers_gone(self):
        pid = self.service.process.pid
        try:
            wait_for(lambda: not find_workers(pid), "the workers to be gone")
        except AssertionError as error:
            raise Bad(f"left the workers {find_workers(pid)}") from error

    def check_nothing_left(self):
        self.check_workers_gone()
        left = [path.name for path in self.folder.glob("control.sock*")]
        if left and not self.tolerates_socket:
            raise Bad(f"left {left}")

    def check_error(self, code):
        lines = (self.service.log() + self.service.out()).splitlines()
        words = ("error", "cannot", "fsd:")
        if code == 0 or not any(word in line for line in lines for word in words):
            raise Bad(f"ended by itself with exit code {code} and without an error:\n{self.service.log()}")

    def start(self, wrapper=()):
        self.write_conf()
        # the leak sanitizer wants to trace it too
        leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.service.start(wrapper=wrapper, env={**os.environ, "ASAN_OPTIONS": leaks})

    def judge_again(self):
        """After SIGKILL, which leaves its socket and whatever was half written."""
        self.check_workers_gone()
        self.start()
        if not self.wait(self.serves, "service after the next start") or self.stop() != 0:
            raise Bad(f"the next start failed:\n{self.service.log()[-2000:]}")
        self.check_nothing_left()
        return "worked"

    def judge(self):
        self.start(self.wrapper())
        is_up = self.live()
        code = self.stop()
        fault = "" if self.inject is None else self.inject[1]
        self.was_met = not is_up
        if fault == "SIGKILL" and code == -signal.SIGKILL:
            return self.judge_again()
        if fault == "SIGTERM" and (code == 0 or (code == -signal.SIGTERM and self.service.log() == "")):
            self.check_nothing_left()  # without a log it was not yet a daemon
            return "worked"
        if code < 0:
            raise Bad(f"died of signal {-code}:\n{self.service.log()[-2000:]}")
        has_worked = is_up and code == 0
        if not has_worked:
            self.check_error(code)
        self.check_nothing_left()
        return "worked" if has_worked else "clean error"

    def run(self):
        try:
            return self.judge()
        finally:
            self.clean_up()

    def clean_up(self):
        self.service.kill()
        for pid in find_workers(self.service.process.pid):
            os.kill(pid, signal.SIGKILL)

    def lines(self):
        """Of the trace, once strace has written it to its end."""
        wait_for(lambda: "+++ " in self.trace.read_text(errors="replace")[-200:], "the end of the trace")
        return self.trace.read_text(errors="replace").splitlines()

    def injected(self):
        """The call that failed; None: fewer calls were made this time."""
        if self.inject[1].startswith("SIG"):
            return self.inject[1] if self.was_met else None
        return next((line for line in self.lines() if "(INJECTED)" in line), None)


def count_calls(folder):
    """One undisturbed cycle: which calls of each row are ours, as a range, and how many descriptors the master has at
    its end."""
    cycle = Cycle(folder)
    result = cycle.run()
    assert result == "worked" and not cycle.notes, (result, cycle.notes, cycle.service.log())
    rows = {call: name for name, calls, _ in ROWS for call in calls.split(",")}
    lines = cycle.lines()
    main = next(i for i, line in enumerate(lines) if line.startswith(FIRST_OF_MAIN))
    counts = {name: range(1, 1) for name, _, _ in ROWS}
    for i, line in enumerate(lines):
        found = re.match(r"(\w+)\(", line)
        if found:
            name = rows[found[1]]
            old = counts[name]
            counts[name] = range(old.start + (i < main), old.stop + 1)
    return counts, cycle.fds


class Result:
    """Of one cycle with a fault."""

    def __init__(self, name, error, when, outcome, text, call):
        self.name = name
        self.error = error
        self.when = when
        self.outcome = outcome  # worked, clean error, not counted (no such call was reached, or it can't fail), BAD
        self.text = text
        self.call = call


def run_one(folder, row, error, when, fds):
    """One cycle in which the N-th call of a row fails with the error, or is met by the signal; keeps the folder only when it ends badly."""
    name, calls, _ = row
    cycle = Cycle(folder, (calls, error, when), name in LEAVES_SOCKET, fds)
    try:
        outcome, text = cycle.run(), ""
    except (Bad, AssertionError, OSError) as problem:
        outcome, text = "BAD", f"{problem}\nrefused: {cycle.notes}"
    call = cycle.injected()
    if outcome != "BAD":
        shutil.rmtree(folder)
    if IMPOSSIBLE in (call or "") or (call is None and outcome != "BAD"):
        outcome = "not counted"
    return Result(name, error, when, outcome, text or "; ".join(cycle.notes), call)
