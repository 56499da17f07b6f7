"""What `fsdctl reload` shows while it goes on, and what it leaves behind for who does not wait."""
import json
import os
import pathlib
import pty
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fsd_process import BUILD, wait_for  # noqa: E402
from service import read_all  # noqa: E402


def ctl(fake, *words):
    return subprocess.run([BUILD / "fsdctl", *words, "-s", fake.control_path], capture_output=True, text=True, timeout=60, check=False)


def on_terminal(fake, *words):
    """The exit code, and what a person sees."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", LC_ALL="C")
        os.execv(BUILD / "fsdctl", ["fsdctl", *words, "-s", fake.control_path])
    screen = b""
    while True:
        try:
            screen += os.read(terminal, 4096)
        except OSError:  # it has ended
            break
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen.decode().splitlines()


def start(make_fake, workers=2):
    fake = make_fake(workers=workers)
    fake.write_conf()
    return fake.start_ready()


def test_with_json_each_step_of_a_worker_is_a_line_before_the_result(make_fake):
    fake = start(make_fake)
    result = ctl(fake, "reload", "--restart", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    *steps, last = map(json.loads, result.stdout.splitlines())
    assert (last["schema"], last["apps"][0]["to"]) == ("fsd.reload/1", 2)
    assert steps[0]["event"] == "reload.begin"
    ready = [(step["pool"], step["slot"], step["generation"]) for step in steps if step["event"] == "worker.ready"]
    assert ready == [("web", 0, 2), ("web", 1, 2)]
    assert [step["id"] for step in steps] == sorted(step["id"] for step in steps)


def test_code_that_changes_in_place_is_prepared_by_all_before_any_changes(make_fake):
    fake = start(make_fake)
    result = ctl(fake, "reload", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    *steps, last = map(json.loads, result.stdout.splitlines())
    names = [(step["event"], step.get("slot")) for step in steps]
    assert names[0] == ("reload.begin", None)
    assert sorted(names[1:3]) == [("reload.prepared", 0), ("reload.prepared", 1)]
    assert sorted(names[3:]) == [("reload.committed", 0), ("reload.committed", 1)]
    assert (last["restart"], last["apps"][0]["to"]) == (False, 2)


def test_on_a_terminal_it_is_told_which_worker_does_not_take_the_code(make_fake):
    fake = start(make_fake)
    fake.write_app({"prepare": "app.lua:3: no\nstack traceback:", "slots": [1]})
    code, screen = on_terminal(fake, "reload")
    assert code == 1
    assert "web/1 worker does not take the code, generation 2: app.lua:3: no" in screen
    assert screen[-2:] == ["app.lua:3: no (worker web/1)", "stack traceback:"]
    assert fake.status()["pools"][0]["generation"] == 1


def test_with_json_a_failure_is_the_last_line(make_fake):
    fake = start(make_fake)
    fake.write_app({"load": "app.lua:3: no", "slots": [1]})
    result = ctl(fake, "reload", "--restart", "--json")
    assert result.returncode == 1
    *steps, last = map(json.loads, result.stdout.splitlines())
    assert last["error"]["message"] == result.stderr.rstrip("\n")
    assert "app.lua:3: no" in result.stderr and "web/1" in result.stderr
    assert [step["slot"] for step in steps if step["event"] == "worker.refused"] == [1]


def test_on_a_terminal_each_step_of_a_worker_is_a_line(make_fake):
    fake = start(make_fake)
    code, screen = on_terminal(fake, "reload", "--restart")
    assert code == 0
    assert screen[0] == "reload begins"
    assert [line for line in screen if "ready" in line] == ["web/0 worker is ready, generation 2", "web/1 worker is ready, generation 2"]
    assert screen[-1] == "shop  generation 1 -> 2, 2 workers replaced"


def test_on_a_pipe_there_is_nothing_but_the_result(make_fake):
    result = ctl(start(make_fake), "reload", "--restart")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "shop  generation 1 -> 2, 2 workers replaced\n"


def test_who_does_not_wait_gets_it_all_the_same(make_fake):
    fake = start(make_fake)
    result = ctl(fake, "reload", "--restart", "--no-wait")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("reload is accepted; ")
    fake.wait_status(lambda status: status["pools"][0]["generation"] == 2, "the new code", 30)


def test_what_does_not_come_to_pass_is_in_the_log_of_who_does_not_wait(make_fake):
    fake = start(make_fake)
    fake.write_app({"compile": "app.lua:1: oops"})
    assert ctl(fake, "reload", "--no-wait").returncode == 0
    fake.wait_log("event=reload.failed", 30)
    assert "app.lua:1: oops" in fake.log()
    assert fake.status()["pools"][0]["generation"] == 1


def test_a_reload_that_runs_turns_nobody_away_who_does_not_wait(make_fake):
    fake = start(make_fake)
    fake.write_app({"compile": "hang"})
    assert ctl(fake, "reload", "--no-wait").returncode == 0
    assert ctl(fake, "reload", "--no-wait").returncode == 0
    assert fake.log().count("event=reload.begin") == 1


def test_who_does_not_wait_is_told_of_what_stands_in_the_way(make_fake):
    fake = make_fake(app={"compile": "hang"})
    fake.write_conf()
    fake.start()
    wait_for(fake.status, "the daemon to answer", 30)
    result = ctl(fake, "reload", "--no-wait")
    assert (result.returncode, result.stderr) == (1, "the daemon is still loading its code\n")


# Requests wait at a gate that all versions know.
APP = '''
local fsd = require "fsd"
local app = fsd.app()
local kept = fsd.state("kept", { gate = fsd.task.channel(), waiting = 0 })
app:get("/", function() return { version = VERSION, waiting = kept.waiting, said = kept.said } end)
app:get("/wait", function()
  kept.waiting = kept.waiting + 1
  local _, err = fsd.try(kept.gate.get, kept.gate)
  kept.said = err and err.code or "let through"
  return { version = VERSION }
end)
app:get("/open", function() kept.gate:put(true) return {} end)
return app'''


def start_real(make_service, **limits):
    service = make_service(app=APP.replace("VERSION", "1"))
    service.write_conf(limits=limits)
    service.start_ready()
    peer = service.connect()
    peer.settimeout(60)
    peer.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    wait_for(lambda: service.get("/").json()["waiting"] == 1, "the request to wait", 30)
    service.write_app(APP.replace("VERSION", "2"))
    assert service.ctl("reload").returncode == 0
    return service, peer


def wait_laggards(service, wanted):
    status = service.wait_status(lambda status: wanted(status["pools"][0]["workers"][0]["laggards"]), "what runs on old code", 30)
    return status["pools"][0]["workers"][0]


def test_a_request_that_goes_on_on_old_code_is_told_below_its_worker(make_service):
    service, peer = start_real(make_service)
    row = wait_laggards(service, bool)
    assert (row["generation"], row["laggards"]["generation"], row["laggards"]["count"]) == (2, 1, 1)
    item = row["laggards"]["items"][0]
    assert (item["kind"], item["what"], item["at"]) == ("request", "GET /wait", "app.lua:8")
    assert "  ! web/0 still runs 1 thing of generation 1: request GET /wait since " in service.ctl("status").stdout
    assert service.get("/open").status == 200
    assert b'{"version":1}' in read_all(peer)
    wait_laggards(service, lambda laggards: laggards is None)
    assert " still runs " not in service.ctl("status").stdout


def test_what_runs_on_old_code_is_cancelled_when_the_time_of_its_pool_is_over(make_service):
    service, peer = start_real(make_service, replaced="1s", request_timeout="1h")
    read_all(peer)
    assert service.get("/").json() == {"version": 2, "waiting": 1, "said": "replaced"}
    wait_laggards(service, lambda laggards: laggards is None)
