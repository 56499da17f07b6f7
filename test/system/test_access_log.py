"""The access log: where it goes, what clients can't do to it, how it changes while the service runs."""
import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from fsd_process import BUILD
from service import wait_for

APP = '''
local fsd = require "fsd"
local app = fsd.app()
app:get("/", function(req, res) res:send("id " .. req.id) end)
app:get("/pieces", function(req, res)
  for _ = 1, 3 do res:write("piece"); fsd.task.sleep(0.001) end
end)
app:get("/native", fsd.respond("as it is"))
return app
'''


def change(service, **log):
    conf_path = service.folder / "fsd.yaml"
    conf = json.loads(conf_path.read_text())
    conf["log"].update(log)
    conf_path.write_text(json.dumps(conf))


@pytest.fixture
def logging(make_service):
    """logging(format): a service that is about to start; service.access is its access log."""
    def make(text, **options):
        service = make_service(APP, **options)
        service.write_conf()
        service.access = service.folder / "access.log"
        change(service, access=text, access_path=str(service.access))
        return service

    return make


def told(service):
    """How many lines were lost, as each record says."""
    return [int(count) for count in re.findall(r"(\d+) lines? of the access log w", service.log())]


def lines(service, count):
    """The lines so far, once there are so many."""
    wait_for(lambda: service.access.exists() and service.access.read_text().count("\n") >= count, f"{count} lines")
    return service.access.read_text().splitlines()


@pytest.mark.basic
def test_combined_has_a_line_for_each_request_whoever_answers_it(logging):
    service = logging("combined")
    service.start_ready()
    service.request("GET", "/?a=%22", headers={"User-Agent": 'a "quoted" agent', "Authorization": "Basic YWxhZGRpbjpvcGVu"})
    service.request("GET", "/pieces")
    service.request("GET", "/native")
    service.request("GET", "/missing")
    shape = re.compile(r'127\.0\.0\.1 - (\S+) \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "(GET \S+ HTTP/1\.1)" (\d+) (\d+) "-" "(.*)"')
    found = [shape.fullmatch(line).groups() for line in lines(service, 4)]
    assert found[0][:3] == ("aladdin", "GET /?a=%22 HTTP/1.1", "200") and found[0][4] == r"a \x22quoted\x22 agent"
    assert [row[1:3] for row in found[1:]] == [("GET /pieces HTTP/1.1", "200"), ("GET /native HTTP/1.1", "200"), ("GET /missing HTTP/1.1", "404")]
    assert found[2][3] == str(len("as it is"))


def test_the_id_of_a_request_is_the_one_that_its_handler_sees(logging):
    service = logging("$request_id $status")
    service.start_ready()
    made = service.request("GET", "/").text.removeprefix("id ")
    given = service.request("GET", "/", headers={"X-Request-Id": "of-the-client"}).text.removeprefix("id ")
    assert given == "of-the-client"
    assert lines(service, 2) == [f"{made} 200", f"{given} 200"]


def test_nobody_writes_lines_of_his_own(logging):
    service = logging("json")
    service.start_ready()
    nasty = bytes(byte for byte in range(0x20, 0x100) if byte != 0x7f)
    service.exchange(b"GET /%0a%0d HTTP/1.1\r\nHost: x\r\nUser-Agent: " + nasty + b"\r\nReferer: \"},{\"\r\n"
                     b"X-Forwarded-For: 192.0.2.7, \"x\"\r\nConnection: close\r\n\r\n")
    line, = lines(service, 1)
    record = json.loads(line)
    assert record["uri"] == "/%0a%0d" and record["referer"] == '"},{"' and record["status"] == 404
    assert (record["remote_addr"], record["forwarded_for"]) == ("127.0.0.1", '192.0.2.7, "x"')
    assert record["user_agent"].endswith(r"\xFE\xFF") and record["worker"] == 0 and record["pool"] == "web"


def test_lines_of_workers_do_not_mix_under_load(logging):
    service = logging('$worker "$request" $status', workers=2)
    service.start_ready()
    answered, found = 0, []
    for _ in range(20):  # the kernel may give all connections to one of them
        answered += service.load("/", connections=16, requests=4000).result()["ok"]
        found = lines(service, answered)
        assert len(found) == answered
        if len(set(found)) > 1:
            break
    assert set(found) == {'0 "GET / HTTP/1.1" 200', '1 "GET / HTTP/1.1" 200'}


@pytest.mark.parametrize("how", ["signal", "command"])
def test_the_file_is_opened_anew_after_it_was_moved_away(logging, how):
    service = logging("$request_uri", workers=2)
    service.start_ready()
    service.request("GET", "/")
    assert lines(service, 1) == ["/"]
    moved = service.folder / "access.1"
    service.access.rename(moved)
    service.request("GET", "/native")  # into the file that was moved
    wait_for(lambda: moved.read_text() == "/\n/native\n", "a line in the old file")
    if how == "signal":
        service.signal(signal.SIGUSR1)
        wait_for(service.access.exists, "a new file")
    else:
        assert service.call("logs.reopen") == {"reopened": True}
    wait_for(lambda: service.request("GET", "/missing").status == 404 and "/missing\n" in service.access.read_text(), "lines in the new file")
    assert moved.read_text().startswith("/\n/native\n")


def test_the_format_changes_in_workers_that_run_and_the_log_can_be_switched_off(logging):
    service = logging("$status")
    service.start_ready()
    pid = service.slot(0)["pid"]
    service.request("GET", "/")
    assert lines(service, 1) == ["200"]
    change(service, access="$request_method $status")
    service.call("config.apply")
    service.request("GET", "/")
    assert lines(service, 2) == ["200", "GET 200"]
    change(service, access=None)
    service.call("config.apply")
    service.request("GET", "/")
    change(service, access="$status")
    service.call("config.apply")
    service.request("GET", "/missing")
    assert lines(service, 3) == ["200", "GET 200", "404"]
    assert service.slot(0)["pid"] == pid


def test_a_worker_that_takes_the_place_of_one_that_died_logs_on(logging):
    service = logging("$status $request_uri", workers=2)
    service.start_ready()
    for slot in (0, 1):
        service.kill_worker(service.slot(slot))
    service.request("GET", "/")
    assert "200 /" in lines(service, 1)


def test_a_pipe_that_nobody_reads_holds_nothing_up(logging):
    service = logging("$request_uri " + "x" * 900)
    os.mkfifo(service.access)
    reader = os.open(service.access, os.O_RDONLY | os.O_NONBLOCK)
    try:
        service.start_ready()
        result = service.load("/", connections=4, requests=500).result()  # much more than a pipe takes
        assert result["ok"] == 500
        taken = b""
        while not told(service):
            with contextlib.suppress(BlockingIOError):
                taken += os.read(reader, 1 << 16)
            service.request("GET", "/native")
        assert service.slot(0)["access_lost"] > 0
        assert all(line == b"" or line.endswith(b"x" * 900) for line in taken.split(b"\n")[:-1])
    finally:
        os.close(reader)


def test_a_full_disk_is_told_at_once_and_not_in_a_flood(logging):
    service = logging("$status $request_uri")
    change(service, access_path="/dev/full")  # never made anew, only opened
    service.start_ready()
    service.request("GET", "/native")
    service.wait_log("1 line of the access log was dropped: No space left on device")
    begun = time.monotonic()
    result = service.load("/native", connections=4, requests=2000).result()
    assert result["ok"] == 2000
    wait_for(lambda: sum(told(service)) == 2001, "all lines that were lost")
    assert len(told(service)) <= 3 + (time.monotonic() - begun) / 5  # one every five seconds, and the first
    assert service.slot(0)["access_lost"] == 2001
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_format_that_is_none_is_refused_with_its_place(logging):
    service = logging("$statsu")
    result = subprocess.run([BUILD / "fsd", "check", "-c", str(service.folder / "fsd.yaml")], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 78
    assert 'there is no variable "$statsu"' in result.stderr and 'did you mean "$status"' in result.stderr
