"""The commands of fsdctl with a real daemon: what they do, what they print, how they exit."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from service import BUILD, wait_for

APP = """
local fsd = require "fsd"
local log = require "fsd.log"
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
app:post("/log", function(req, res) log:warning(req:text()) res:send("logged") end)
app:get("/stuck", function(req, res) log:notice("stuck") io.open(req:get("x-fifo")) end)
app:get("/exit/:code", function(req, res) os.exit(tonumber(req.params.code)) end)
return app
"""


@pytest.fixture
def service(make_service):
    one = make_service(APP, workers=2)
    one.write_conf()
    return one.start_ready()


class Stream:
    """A command that goes on, with what it prints."""

    def __init__(self, service, *words):
        self.out_path = service.folder / "stream.out"
        self.err_path = service.folder / "stream.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen([str(BUILD / "fsdctl"), *words, "-s", service.control_path], stdout=out, stderr=err)

    def lines(self):
        return self.out_path.read_text().splitlines()

    def wait_line(self, wanted):
        return wait_for(lambda: next((line for line in self.lines() if wanted in line), None), f"a line with {wanted!r}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


@pytest.fixture
def stream():
    """stream(service, *words): ended with the test."""
    made = []

    def make(*arguments):
        made.append(Stream(*arguments))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(10)


def edit_conf(service, **pool):
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    conf["pools"]["web"].update(pool)
    path.write_text(json.dumps(conf))


def done(result):
    """The output of a command that must have succeeded, without words on the side."""
    assert (result.returncode, result.stderr) == (0, ""), (result.returncode, result.stdout, result.stderr)
    return result.stdout


@pytest.mark.basic
def test_wait_for_ready_also_waits_for_the_daemon_to_start(make_service):
    service = make_service(APP)
    service.write_conf()
    with subprocess.Popen([str(BUILD / "fsdctl"), "wait", "--for=ready", "--timeout=20s", "-s", service.control_path],
                          stdout=subprocess.PIPE, text=True) as waiting:
        service.start()
        assert re.fullmatch(r"ready after \S+\n", waiting.communicate(timeout=30)[0])
    assert waiting.returncode == 0
    assert service.get("/").text == "hello"


def test_wait_gives_up_after_its_timeout(service, make_service):
    for wanted, words in (("config=99", "configuration 99 is not running after 0.1 s (it is 1)\n"),
                          ("drained", "fsd is not drained after 0.1 s (it is running); `fsdctl status` shows why\n")):
        late = service.ctl("wait", f"--for={wanted}", "--timeout", "100ms")
        assert (late.returncode, late.stdout, late.stderr) == (75, "", words)
    service.ctl("drain")
    late = service.ctl("wait", "--for=ready", "--timeout", "100ms")
    assert (late.returncode, late.stderr) == (75, "fsd is not ready after 0.1 s (it is drained); `fsdctl status` shows why\n")
    absent = make_service().ctl("wait", "--for=ready", "--timeout", "100ms")
    assert absent.returncode == 3 and "fsd is not running" in absent.stderr


@pytest.mark.basic
def test_scale_changes_the_number_of_workers_and_apply_takes_it_back(service):
    assert "scale   pool web  count 2 -> 3" in done(service.ctl("scale", "web", "3"))
    assert [row["state"] for row in service.workers()] == ["ready"] * 3
    again = service.ctl("scale", "web", "3")
    assert (again.returncode, again.stderr) == (0, 'pool "web" has 3 workers already\n') and "nothing to change" in again.stdout
    assert "pools.web.count" in done(service.ctl("config", "diff"))
    result = json.loads(done(service.ctl("scale", "web", "1", "--json")))
    assert result["schema"] == "fsd.apply/1" and result["changes"][0]["detail"] == "count 3 -> 1"
    assert service.ctl("status").returncode == 0
    service.wait_workers(lambda rows: len(rows) == 1, "the others to leave")
    assert "pool web: count 1 was set by `fsdctl scale`; apply sets it back to 2\n" in done(service.ctl("config", "plan"))
    assert "count 1 -> 2" in done(service.ctl("config", "apply"))
    assert len(service.workers("ready")) == 2


@pytest.mark.parametrize("words, reason", [(("scale", "nopool", "2"), "nopool"), (("restart", "nopool"), "nopool"),
                                           (("logs", "nopool"), "nopool"), (("crashes", "nothing"), "nothing"),
                                           (("config", "rollback", "99"), "99")])
def test_what_does_not_exist_is_named(service, words, reason):
    result = service.ctl(*words)
    assert result.returncode == 1 and reason in result.stderr and result.stdout == ""


@pytest.mark.basic
def test_restart_replaces_the_workers_of_the_pool(service):
    before = {row["pid"] for row in service.workers()}
    assert done(service.ctl("restart", "web")) == "shop  generation 1 -> 1, 2 workers replaced\n"
    after = {row["pid"] for row in service.workers("ready")}
    assert len(after) == 2 and not before & after


@pytest.mark.basic
def test_drain_lets_the_workers_leave_and_resume_brings_them_back(service):
    assert done(service.ctl("drain")).startswith("drained: ")
    status = service.ctl("status")
    assert status.returncode == 2 and "web was drained by command" in status.stdout
    assert done(service.ctl("wait", "--for=drained")).startswith("drained after ")
    assert done(service.ctl("resume", "--json")) == '{"resumed":true}\n'
    assert service.ctl("status").returncode == 0
    assert service.get("/").text == "hello"


def test_a_reload_or_restart_while_drained_says_that_workers_come_later(service):
    done(service.ctl("drain"))
    assert done(service.ctl("restart", "web")) == "shop  generation 1 -> 1, drained: new workers come with `fsdctl resume`\n"
    reload = service.ctl("reload")
    assert (reload.returncode, reload.stderr) == (0, "")  # nothing of a rolling restart
    assert reload.stdout == "shop  generation 1 -> 2, drained: new workers come with `fsdctl resume`\n"
    edit_conf(service, count=3)
    assert service.call("reload")["apps"] == [{"app": "shop", "from": 2, "to": 3, "workers": 0, "drained": True}]
    done(service.ctl("resume"))
    assert [row["generation"] for row in service.workers("ready")] == [3] * 3


@pytest.mark.basic
def test_a_configuration_is_checked_planned_applied_and_rolled_back(service):
    assert done(service.ctl("config", "check")) == "ok (1 file)\n"
    assert done(service.ctl("config", "plan")) == "nothing to change\n"
    assert done(service.ctl("config", "diff")) == "no difference: the disk says what runs\n"
    assert done(service.ctl("config", "apply")) == "nothing to change: configuration 1 runs\n"
    edit_conf(service, count=3)
    plan = done(service.ctl("config", "plan")).splitlines()
    assert plan == ["ACTION  WHAT      DETAIL", "scale   pool web  count 2 -> 3"]
    differences = done(service.ctl("config", "diff")).splitlines()
    assert differences[1].split() == ["pools.web.count", "2", "3"]
    assert "configuration 2 runs, in place of 1" in done(service.ctl("config", "apply"))
    assert len(service.workers("ready")) == 3
    assert done(service.ctl("wait", "--for=config=2")).startswith("config=2 after ")
    assert "configuration 3 runs, in place of 2" in done(service.ctl("config", "rollback"))
    assert len(service.workers("ready")) == 2
    rows = [line.split() for line in done(service.ctl("config", "history")).splitlines()]
    assert [(row[0], row[3]) for row in rows[1:]] == [("3", "rollback"), ("2", "apply"), ("1", "start")]
    assert rows[1][-1] == "running"


def test_the_values_that_run_are_shown_with_their_origin(service):
    plain = [line.split() for line in done(service.ctl("config", "show")).splitlines()]
    assert ["pools.web.count", "2"] in plain
    rows = [line.split() for line in done(service.ctl("config", "show", "--origin")).splitlines()]
    origins = {row[0]: row[-1] for row in rows[1:]}
    assert re.fullmatch(r"\S*fsd\.yaml:1:\d+", origins["pools.web.count"]) and origins["pools.web.drain"] == "default"


@pytest.mark.basic
def test_a_wrong_configuration_is_told_with_its_place_and_78(service):
    with open(service.folder / "fsd.yaml", "a", encoding="ascii") as conf:
        conf.write("\nnot: {a configuration\n")
    check = service.ctl("config", "check")
    assert check.returncode == 78 and re.search(r"fsd\.yaml:\d+:\d+: error: ", check.stdout) and check.stderr == ""
    for command in ("plan", "apply", "diff"):
        result = service.ctl("config", command)
        assert result.returncode == 78 and result.stdout == ""
        assert re.search(r"fsd\.yaml:\d+:\d+: error: ", result.stderr)
    assert service.ctl("status").returncode == 0


def is_waiting(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "S"


@pytest.mark.basic
def test_a_crash_is_listed_and_its_report_tells_what_ran(service):
    fifo = service.folder / "fifo"  # whoever opens it for reading stands still until somebody writes
    os.mkfifo(fifo)
    with service.connection() as connection:
        connection.request("GET", "/stuck", headers={"x-fifo": str(fifo)})
        service.wait_log("stuck")
        busy = wait_for(lambda: next((row for row in service.workers() if row["doing"] is not None), None), "the handler on the CPU")
        wait_for(lambda: is_waiting(busy["pid"]), "it to wait in the kernel: until then it may be preempted")
        assert "GET /stuck" in done(service.ctl("status"))
        os.kill(busy["pid"], signal.SIGSEGV)
        service.wait_replaced(busy)
    reports = wait_for(lambda: json.loads(done(service.ctl("crashes", "--json")))["crashes"], "a report")
    listed = done(service.ctl("crashes")).splitlines()
    assert listed[0].split() == ["ID", "AGO", "CLASS", "RUNNING", "CAUSE"]
    assert listed[1].startswith(reports[0]["id"]) and "GET /stuck" in listed[1]
    report = done(service.ctl("crashes", reports[0]["id"]))
    assert report.startswith(f"web/{busy['slot']}: killed by signal 11")
    for part in ("on the CPU when it died\n  GET /stuck for ", "\nfault\n  SIGSEGV: sent by a process, pid ", "\nLua stack, ",
                 "app.lua:7: ", "\nits last log lines\n"):
        assert part in report, report


def test_without_crashes_the_list_says_so(service):
    assert done(service.ctl("crashes")) == f"no crash reports in {service.folder}/state/crashes\n"


def test_a_held_pool_is_shown_with_its_cause_and_what_tells_more(make_service):
    service = make_service(APP)
    service.write_conf(intensity=1, period="60s")
    service.start_ready()
    for _ in range(2):
        victim = service.slot(0)
        os.kill(victim["pid"], signal.SIGKILL)
        service.wait_status(lambda status, pid=victim["pid"]: status["pools"][0]["state"] == "held" or
                            any(row["state"] == "ready" and row["pid"] != pid for row in status["pools"][0]["workers"]), "an end")
    service.wait_status(lambda status: status["pools"][0]["state"] == "held", "it to give up")
    began = time.monotonic()
    result = service.ctl("status")
    elapsed = time.monotonic() - began
    assert result.returncode == 2 and "DEGRADED" in result.stdout
    assert re.search(r"! web is held: .*killed by signal 9.*; next try in \S+\n    more: `fsdctl crashes \S+-web-0-\d+`, `fsdctl logs web`",
                     result.stdout), result.stdout
    assert elapsed < 5  # it answers at once; how fast is measured, not tested
    waiting = service.ctl("wait", "--for=ready", "--timeout=100ms")
    assert waiting.returncode == 75


@pytest.mark.basic
def test_logs_f_shows_what_comes_until_control_c(service, stream):
    follower = stream(service, "logs", "-f", "-n", "0", "--level", "warning", "web")
    service.wait_status(lambda status: True, "an answer")

    def say():
        service.request("POST", "/log", "so \x1b[2J it is")
        return any("so " in line for line in follower.lines())

    wait_for(say, "the record")  # the first ones may come before it listens
    line = follower.wait_line("so ")
    assert re.fullmatch(r"\S+Z warning web/\d\[\d+\] so [^\x1b]* it is( .*)?", line)
    assert follower.interrupt() == 0
    assert follower.err_path.read_text() == ""


def test_logs_shows_the_last_lines_and_those_since(service):
    for text in ("one", "two", "three"):
        service.request("POST", "/log", text)
        service.wait_log(f"] {text}")
    last = done(service.ctl("logs", "web", "-n", "2", "--level", "warning")).splitlines()
    assert [line.split(" ", 3)[3].split()[0] for line in last] == ["two", "three"]
    since = json.loads(done(service.ctl("logs", "web", "--since", "1h", "--json", "--level", "warning")))
    assert [record["msg"] for record in since["records"]] == ["one", "two", "three"]


@pytest.mark.basic
def test_events_f_ends_with_69_when_the_daemon_stops(service, stream):
    follower = stream(service, "events", "-f", "--json")
    follower.wait_line('"event":"daemon.ready"')
    assert service.ctl("stop").returncode == 0
    assert follower.process.wait(10) == 69
    assert follower.err_path.read_text() == "the end: fsd has stopped, or has cut this connection\n"
    events = [json.loads(line) for line in follower.lines()]
    assert "daemon.stopping" in [event["event"] for event in events]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)


def test_events_since_one_are_those_after_it(service):
    events = json.loads(done(service.ctl("events", "--json")))["events"]
    later = json.loads(done(service.ctl("events", "--since", str(events[0]["id"]), "--json")))["events"]
    assert [event["id"] for event in later] == [event["id"] for event in events[1:]]
    lines = done(service.ctl("events")).splitlines()
    assert any(re.search(r" daemon\.ready +fsd\[\d+\] ready id=\d+", line) for line in lines)


def test_logs_reopen_says_whether_there_is_a_file(service):
    assert done(service.ctl("logs", "reopen")) == "nothing to open: the log goes to no file\n"


def test_stop_can_say_it_as_json(service):
    assert done(service.ctl("stop", "--json")) == '{"stopped":true}\n'
    assert service.wait_exit() == 0
