"""Runs inside a booted machine, as a unit: does to fsd what an operator does, and writes what happened as lines of JSON, one a
scenario.  Judges nothing: test/system/test_systemd.py does.  Each scenario begins with a service that was started anew."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request

ADDRESS = ("127.0.0.1", 8080)
SERVICE = "fsd.service"
CGROUP = pathlib.Path("/sys/fs/cgroup/system.slice/fsd.service")
CONF = pathlib.Path("/etc/fsd/fsd.yaml")
MORE_CONF = pathlib.Path("/etc/fsd/conf.d/shop.yaml")
DROP_IN = pathlib.Path("/etc/systemd/system/fsd.service.d/scenario.conf")
SOCKET_UNIT = pathlib.Path("/etc/systemd/system/fsd.socket")
APP = pathlib.Path("/srv/probe/app.lua")
BASE = {
    "version": 1,
    "listeners": {"web": {"listen": "127.0.0.1:8080"}},
    "apps": {"probe": {"path": str(APP)}},
    "pools": {"web": {"app": "probe", "listeners": ["web"], "count": 2}},
}
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def run(*command, seconds=30):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=seconds)
    return {"code": done.returncode, "text": done.stdout}


def systemctl(*words):
    return run("systemctl", *words)


def show(name):
    done = subprocess.run(["systemctl", "show", "--value", "-p", name, SERVICE], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def wait_for(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def wait_show(name, value, seconds=15):
    return wait_for(lambda: show(name) == value, f"{name}={value}, it is {show(name)}", seconds)


def get(path="/", port=ADDRESS[1], seconds=10):
    with urllib.request.urlopen(f"http://{ADDRESS[0]}:{port}{path}", timeout=seconds) as answer:
        return {"body": answer.read().decode(), "version": answer.headers["x-version"]}


def is_refused(port=ADDRESS[1]):
    with socket.socket() as sock:
        return sock.connect_ex((ADDRESS[0], port)) != 0


def processes():
    """The pids in the service's cgroup."""
    with contextlib.suppress(FileNotFoundError):
        return [int(pid) for pid in (CGROUP / "cgroup.procs").read_text().split()]
    return []


def main_pid():
    return int(show("MainPID"))


def workers():
    return [pid for pid in processes() if pid != main_pid()]


def field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split()[1:]
    return None


def journal(cursor):
    """What was logged of the service since then, as records.  Picked here: journalctl with both a filter and a cursor may
    skip a record."""
    run("journalctl", "--sync")
    done = subprocess.run(["journalctl", "-o", "json", "--after-cursor", cursor], stdout=subprocess.PIPE, text=True)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return [record for record in records if SERVICE in (record.get("_SYSTEMD_UNIT"), record.get("UNIT"))]


def journal_texts(cursor):
    return [str(record.get("MESSAGE")) for record in journal(cursor)]


def now():
    """The journal's cursor."""
    done = run("journalctl", "-n", "0", "--show-cursor")
    return done["text"].split("-- cursor: ")[1].strip()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


def drop_in(text):
    write(DROP_IN, text)
    systemctl("daemon-reload")


def call(method, **params):
    """Over the control socket, as root."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect("/run/fsd/control.sock")
        sock.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        with sock.makefile() as lines:
            return json.loads(lines.readline())


class Clients(threading.Thread):
    """A new connection and a request on it every few milliseconds, each in a thread, until stop()."""

    def __init__(self):
        super().__init__()
        self.ended = threading.Event()
        self.answered = 0
        self.slowest_ms = 0
        self.failures = []

    def ask(self):
        begin = time.monotonic()
        try:
            get(seconds=20)
            self.answered += 1
            self.slowest_ms = max(self.slowest_ms, round(1000 * (time.monotonic() - begin)))
        except (urllib.error.URLError, OSError) as error:
            self.failures.append(repr(error))

    def run(self):
        threads = []
        while not self.ended.wait(0.005):
            threads.append(threading.Thread(target=self.ask))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def stop(self):
        self.ended.set()
        self.join()
        return {"answered": self.answered, "failures": self.failures[:5], "slowest_ms": self.slowest_ms}


def wait_serving(pid_before=None):
    """A master, another one than before, that says it is ready."""
    def is_there():
        return show("ActiveState") == "active" and main_pid() not in (0, pid_before)

    wait_for(is_there, f"the service to be active again, it is {show('ActiveState')}")
    return get()["body"]


def start():
    """As installed, with the two workers of BASE."""
    systemctl("stop", "fsd.socket", SERVICE)
    for path in (DROP_IN, MORE_CONF, SOCKET_UNIT):
        path.unlink(missing_ok=True)
    systemctl("daemon-reload")
    systemctl("reset-failed", SERVICE)
    write(CONF, BASE)
    write(APP, pathlib.Path("/root/probe.lua").read_text())
    APP.parent.chmod(0o755)
    return systemctl("start", SERVICE)


@scenario
def it_starts():
    cursor = now()
    started = start()
    wait_show("StatusText", "running: web 2/2; config 1")
    return {"start": started, "state": show("SubState"), "body": get()["body"], "user": field(main_pid(), "Uid"),
            "workers": [field(pid, "Uid") for pid in workers()], "fsd": int(run("id", "-u", "fsd")["text"]),
            "records": [record for record in journal(cursor) if "FSD_EVENT" in record]}


@scenario
def units_are_sound():
    return {name: run("systemd-analyze", "verify", f"/lib/systemd/system/{name}") for name in (SERVICE, "fsd.socket")}


@scenario
def privileges():
    names = ("Uid", "CapEff", "CapPrm", "CapAmb", "CapBnd", "NoNewPrivs", "Seccomp")
    pids = {"master": main_pid(), "worker": workers()[0]}
    control = os.stat("/run/fsd/control.sock")
    return {
        **{who: {**{name: field(pid, name)[0] for name in names},
                 "oom_score_adj": int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())}
           for who, pid in pids.items()},
        "control": {"mode": oct(control.st_mode & 0o777), "gid": control.st_gid,
                    "admins": int(run("getent", "group", "fsd-admin")["text"].split(":")[2])},
        "fsd": run("runuser", "-u", "fsd", "--", "/usr/bin/fsdctl", "status"),
        "oom": {name: show(name) for name in ("OOMScoreAdjust", "OOMPolicy")},
        "folders": {path: oct(os.stat(path).st_mode & 0o777) for path in ("/run/fsd", "/var/lib/fsd")},
    }


@scenario
def restart_with_stored_sockets():
    wait_show("NFileDescriptorStore", "2")
    before, clients = main_pid(), Clients()
    clients.start()
    wait_for(lambda: clients.answered > 20, "the first answers")
    restarted = systemctl("restart", SERVICE)
    count = clients.answered
    wait_for(lambda: clients.answered > count + 20, "more answers")
    return {"restart": restarted, "is_new": main_pid() != before, "stored": show("NFileDescriptorStore"), **clients.stop()}


@scenario
def fewer_workers_after_a_restart():
    write(CONF, {**BASE, "pools": {"web": {**BASE["pools"]["web"], "count": 1}}})
    clients = Clients()
    clients.start()
    restarted = systemctl("restart", SERVICE)
    wait_show("NFileDescriptorStore", "1")
    wait_show("StatusText", "running: web 1/1; config 2")
    return {"restart": restarted, **clients.stop()}


@scenario
def reload():
    start()
    write(APP, APP.read_text().replace('VERSION = "1"', 'VERSION = "2"'))
    before, cursor = main_pid(), now()
    reloaded = systemctl("reload", SERVICE)
    return {"reload": reloaded, "version": get()["version"], "is_same": main_pid() == before,
            "state": show("SubState"), "text": show("StatusText"), "journal": journal_texts(cursor)}


@scenario
def reload_that_fails():
    write(APP, "this is no Lua")
    cursor = now()
    reloaded = systemctl("reload", SERVICE)
    return {"reload": reloaded, "version": get()["version"], "active": show("ActiveState"), "state": show("SubState"),
            "text": show("StatusText"), "journal": journal_texts(cursor)}


@scenario
def deploy_like_ansible():
    """What the template module does with `validate:`, and a handler that reloads."""
    start()
    new = {"listeners": {"more": {"listen": "127.0.0.1:8081"}},
           "pools": {"more": {"app": "probe", "listeners": ["more"], "count": 1}}}
    facts = {}
    for name, conf in (("bad", {"pools": {"more": {"app": "prob", "listeners": ["more"]}}}), ("good", new)):
        candidate = pathlib.Path("/tmp/shop.yaml")
        write(candidate, conf)
        facts[name] = run("/usr/sbin/fsd", "check", "--as", str(MORE_CONF), str(candidate))
        if facts[name]["code"] == 0:
            write(MORE_CONF, candidate.read_text())
    before = main_pid()
    facts["reload"] = systemctl("reload", SERVICE)
    facts["is_same"] = main_pid() == before
    facts["body"] = get(port=8081)["body"]
    wait_for(lambda: show("StatusText").startswith("running: "), f"the new pool to serve: {show('StatusText')}")
    facts["text"] = show("StatusText")
    return facts


@scenario
def reload_of_a_bad_configuration():
    write(MORE_CONF, {"pools": {"more": {"app": "prob", "listeners": ["more"]}}})
    cursor = now()
    return {"reload": systemctl("reload", SERVICE), "body": get(port=8081)["body"], "active": show("ActiveState"),
            "journal": journal_texts(cursor)}


@scenario
def bad_configuration_is_not_tried_again():
    """Still the bad one."""
    cursor = now()
    restarted = systemctl("restart", SERVICE)
    wait_show("ActiveState", "failed")
    time.sleep(1.5)  # longer than RestartSec: a second try would have begun by now
    return {"restart": restarted, "active": show("ActiveState"), "code": show("ExecMainStatus"),
            "restarts": show("NRestarts"), "journal": journal_texts(cursor)}


@scenario
def listeners_come_and_go():
    """The store has what is open, under the names of now."""
    start()
    wait_show("NFileDescriptorStore", "2")
    write(MORE_CONF, {"listeners": {"more": {"listen": "127.0.0.1:8081"}},
                      "pools": {"more": {"app": "probe", "listeners": ["more"], "count": 1}}})
    facts = {"more": systemctl("reload", SERVICE), "stored_more": wait_show("NFileDescriptorStore", "3")}
    MORE_CONF.unlink()
    facts.update(less=systemctl("reload", SERVICE), stored_less=wait_show("NFileDescriptorStore", "2"),
                 is_refused=is_refused(8081))
    write(CONF, {**BASE, "listeners": {"www": BASE["listeners"]["web"]},
                 "pools": {"web": {**BASE["pools"]["web"], "listeners": ["www"]}}})
    facts["rename"] = systemctl("reload", SERVICE)
    clients = Clients()
    clients.start()
    wait_for(lambda: clients.answered > 20, "the first answers")
    facts["restart"] = systemctl("restart", SERVICE)
    count = clients.answered
    wait_for(lambda: clients.answered > count + 20, "more answers")
    return {**facts, **clients.stop(), "stored_renamed": show("NFileDescriptorStore")}


@scenario
def killed_master():
    start()
    wait_show("NFileDescriptorStore", "2")
    before, old_workers, clients = main_pid(), workers(), Clients()
    clients.start()
    wait_for(lambda: clients.answered > 20, "the first answers")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in [before, *old_workers]), "all to be gone", 1)
    count = clients.answered
    body = wait_serving(before)
    wait_for(lambda: clients.answered > count + 20, "more answers")
    return {"body": body, "restarts": show("NRestarts"), "old_workers": len(old_workers), **clients.stop()}


@scenario
def stopped_master():
    drop_in("[Service]\nWatchdogSec=1s\n")
    start_again = systemctl("restart", SERVICE)
    before, cursor = main_pid(), now()
    time.sleep(2.5)  # a watchdog that is not fed would have bitten by now
    alive = main_pid() == before
    os.kill(before, signal.SIGSTOP)
    body = wait_serving(before)
    return {"start": start_again, "alive": alive, "body": body, "restarts": show("NRestarts"),
            "journal": journal_texts(cursor)}


@scenario
def upgrade():
    """The master becomes another program in place: here the same one, from a file that was put into its place."""
    start()
    drop_in("[Service]\nWatchdogSec=1s\n")
    systemctl("restart", SERVICE)
    wait_show("NFileDescriptorStore", "2")
    program = pathlib.Path("/usr/sbin/fsd")
    other = program.with_name("fsd.new")
    other.write_bytes(program.read_bytes())
    other.chmod(0o755)
    os.replace(other, program)
    before, workers_before, cursor, clients = main_pid(), sorted(workers()), now(), Clients()
    inode = os.stat(f"/proc/{before}/exe").st_ino
    clients.start()
    facts = {"answer": call("upgrade")}
    time.sleep(2.5)  # a watchdog that the other program did not feed would have bitten by now
    return {**facts, **clients.stop(), "is_same": main_pid() == before and sorted(workers()) == workers_before,
            "is_other": os.stat(f"/proc/{before}/exe").st_ino != inode, "stored": show("NFileDescriptorStore"),
            "state": show("SubState"), "text": show("StatusText"), "restart": systemctl("restart", SERVICE),
            "events": [record.get("FSD_EVENT") for record in journal(cursor)]}


@scenario
def slow_boot():
    """A worker takes longer to boot than systemd would wait, at the start and at a reload."""
    start()
    systemctl("stop", SERVICE)
    write(CONF, {**BASE, "pools": {"web": {**BASE["pools"]["web"], "count": 1}}})
    write(APP, "local stop = os.time() + 4; while os.time() < stop do end\n" + APP.read_text())
    drop_in("[Service]\nTimeoutStartSec=2s\n")
    facts = {}
    for word, states in (("start", ["start", "starting: web 0/1"]), ("reload", ["reload", "reloading: web 1/1"])):
        running = subprocess.Popen(["systemctl", word, SERVICE])

        def is_under_way():
            return show("SubState") == states[0] and show("StatusText").startswith(states[1])

        wait_for(is_under_way, f"{states}, it is {show('SubState')}, {show('StatusText')}")
        facts[word] = running.wait(30)
        facts[word + "_ends"] = [show("ActiveState"), show("SubState"), show("StatusText").partition(";")[0]]
    return {**facts, "body": get()["body"]}


@scenario
def slow_stop():
    """A request takes longer than systemd would wait; the master asks for the time that its pool allows."""
    start()
    drop_in("[Service]\nTimeoutStopSec=2s\n")
    facts = {}
    cursor = now()
    client = threading.Thread(target=lambda: facts.update(get("/slow/4", seconds=20)))
    client.start()
    wait_for(lambda: "slow began" in str(journal_texts(cursor)), "the request to run")
    begin = time.monotonic()
    stopping = subprocess.Popen(["systemctl", "stop", SERVICE])
    wait_for(lambda: show("StatusText").startswith("stopping: "), f"the status, it is {show('StatusText')}")
    facts["sub_state"] = show("SubState")
    facts["code"] = stopping.wait(30)
    facts["seconds"] = time.monotonic() - begin
    client.join()
    return {**facts, "result": show("Result"), "left": processes(), "refused": is_refused(),
            "stored": show("NFileDescriptorStore")}


@scenario
def stop_at_once():
    start()
    client = threading.Thread(target=Clients().ask)
    client.start()
    stopped = systemctl("stop", SERVICE)
    client.join()
    names = [pathlib.Path(path).read_text().strip() for path in pathlib.Path("/proc").glob("[0-9]*/comm")]
    return {"stop": stopped, "left": processes(), "names": [name for name in names if name.startswith("fsd")],
            "refused": is_refused(), "active": show("ActiveState")}


@scenario
def socket_activation():
    start()
    systemctl("stop", SERVICE)
    text = pathlib.Path("/lib/systemd/system/fsd.socket").read_text()
    write(SOCKET_UNIT, text.replace("FileDescriptorName=http", "FileDescriptorName=web").replace(
        "ListenStream=80\n", "ListenStream=127.0.0.1:8080\n"))
    systemctl("daemon-reload")
    opened = systemctl("start", "fsd.socket")
    cursor = now()
    facts = {"open": opened, "active_before": show("ActiveState"), "body": get()["body"]}
    wait_show("ActiveState", "active")  # a worker may answer before the others are ready
    before, clients = main_pid(), Clients()
    clients.start()
    wait_for(lambda: clients.answered > 20, "the first answers")
    facts["restart"] = systemctl("restart", SERVICE)
    count = clients.answered
    wait_for(lambda: clients.answered > count + 20, "more answers")
    facts.update(clients.stop(), is_new=main_pid() != before, stored=show("NFileDescriptorStore"))
    facts["warnings"] = [record["MESSAGE"] for record in journal(cursor)
                         if record.get("SYSLOG_IDENTIFIER") == "fsd" and int(record["PRIORITY"]) <= 4]
    systemctl("stop", SERVICE)
    facts["refused_when_stopped"] = is_refused()
    return facts


def main():
    with open("/root/results", "w", buffering=1) as results:
        for function in SCENARIOS:
            begin = time.monotonic()
            try:
                facts = function()
            except Exception:
                facts = {"error": traceback.format_exc(),
                         "status": systemctl("status", "-n", "0", SERVICE)["text"]
                         + run("journalctl", "-u", SERVICE, "-n", "40")["text"]}
            facts["took"] = round(time.monotonic() - begin, 2)
            results.write(json.dumps({"scenario": function.__name__, **facts}) + "\n")
        results.write(json.dumps({"scenario": "end", "failed_units": systemctl("--failed", "--plain", "--no-legend")}) + "\n")
    sys.stdout.flush()


main()
