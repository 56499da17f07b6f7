"""The recent past and the present over the control socket, and the places that the log goes to: file, pipe, journal."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess

import pytest

from service import wait_for


class Follower:
    """A connection that follows the log or the events."""

    def __init__(self, service, method, **params):
        self.sock = service.open_control()
        self.lines = self.sock.makefile("rb")
        service.send_call(self.sock, method, follow=True, **params)
        self.answer = self.read()

    def read(self):
        line = self.lines.readline()
        assert line, "the daemon hung up"
        return json.loads(line)

    def read_until(self, wanted):
        """Reads notifications until one is wanted; returns all of them."""
        read = [self.read()]
        while not wanted(read[-1]):
            read.append(self.read())
        return read

    def close(self):
        self.lines.close()
        self.sock.close()


@pytest.fixture
def follow():
    """follow(service, method, **params): closed at the end of the test."""
    made = []

    def make(*arguments, **params):
        made.append(Follower(*arguments, **params))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def with_file(make_service):
    """A service that logs to a file; its path is service.file."""
    service = make_service()
    service.write_conf()
    conf_path = service.folder / "fsd.yaml"
    conf = json.loads(conf_path.read_text())
    service.file = service.folder / "fsd.log"
    conf["log"]["path"] = str(service.file)
    conf_path.write_text(json.dumps(conf))
    return service


def is_log(text):
    return lambda notice: notice["method"] == "log" and notice["params"]["msg"] == text


@pytest.mark.basic
def test_logs_f_shows_what_was_and_what_comes(service, follow):
    service.request("POST", "/log", "before")
    service.wait_log("] before")
    follower = follow(service, "logs")
    result = follower.answer["result"]
    assert result["schema"] == "fsd.logs/1" and result["lost"] == 0
    assert "before" in [record["msg"] for record in result["records"]]
    service.request("POST", "/log", "after")
    record = follower.read_until(is_log("after"))[-1]["params"]
    assert record["level"] == "warning" and record["pool"] == "web" and record["number"] == 1
    assert record["slot"] in (0, 1) and record["pid"] == service.slot(record["slot"])["pid"]
    assert abs(record["time"] - max(row["time"] for row in result["records"])) < 60000


def test_logs_can_be_narrowed(service, follow):
    service.request("POST", "/print", "of level info")
    service.request("POST", "/log", "of level warning")
    service.wait_log("] of level warning")
    follower = follow(service, "logs", pool="web", level="warning")
    assert [record["msg"] for record in follower.answer["result"]["records"]] == ["of level warning"]
    service.request("POST", "/print", "again of level info")
    service.call("logs.reopen")
    service.request("POST", "/log", "again of level warning")
    assert follower.read()["params"]["msg"] == "again of level warning"
    assert [record["msg"] for record in service.call("logs", lines=1, pool="web")["records"]] == ["again of level warning"]
    assert service.call("logs", since_ms=4102444800000)["records"] == []
    for params in ({"pool": "wbe"}, {"level": "loud"}, {"folow": True}):
        with pytest.raises(Exception, match="pool|level|folow"):
            service.call("logs", **params)


@pytest.mark.basic
def test_events_f_tells_what_happens_once_with_rising_ids(with_file, follow):
    with_file.start_ready()
    follower = follow(with_file, "events")
    assert follower.answer["result"]["schema"] == "fsd.events/1"
    assert with_file.call("logs.reopen") == {"reopened": True}
    first = follower.read()
    assert first["method"] == "event" and first["params"]["event"] == "log.reopened"
    with_file.signal(signal.SIGUSR1)
    second = follower.read()["params"]
    assert second["event"] == "log.reopened" and second["id"] == first["params"]["id"] + 1
    assert second["path"] == str(with_file.file) and second["level"] == "notice"
    again = with_file.call("events", since_id=first["params"]["id"])
    assert again == {"schema": "fsd.events/1", "events": [second], "lost": 0}
    assert with_file.file.read_text().count("event=log.reopened\n") == 2


def test_a_follower_that_stalls_is_told_what_it_lost_and_nobody_waits_for_it(service, follow):
    follower = follow(service, "logs")
    floods = 0
    while service.call("logs", lines=1000000)["lost"] < 4000:  # of what the memory holds, most has gone twice
        assert service.request("GET", "/flood/500").text == "flooded"
        floods += 500
    end = is_log("signal without a meaning is ignored")
    service.signal(signal.SIGALRM)  # the master's own word: a worker might drop its
    notices = follower.read_until(end)
    lost = sum(notice["params"]["records"] for notice in notices if notice["method"] == "lost")
    assert lost > 0 and 0 < sum(is_log("flood")(notice) for notice in notices) < floods
    service.signal(signal.SIGALRM)
    assert {notice["method"] for notice in follower.read_until(end)} == {"log"}


def connect_silent(service):
    """Waits its turn, which a socket with a timeout does not when the backlog is full."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(service.control_path)
    return sock


def test_followers_are_few_and_questions_are_still_answered(with_file, follow):
    service = with_file.start_ready()
    followers = [follow(service, "events") for _ in range(16)]
    assert all("result" in follower.answer for follower in followers)
    assert "too many" in follow(service, "events").answer["error"]["message"]
    silent = [connect_silent(service) for _ in range(500)]
    assert service.ctl("status", timeout=30).returncode == 0  # it waits its turn too
    service.call("logs.reopen")
    for follower in followers:
        assert follower.read()["params"]["event"] == "log.reopened"
    for sock in silent:
        sock.close()
    followers[0].close()

    def follow_again():
        one = follow(service, "events")
        return "result" in one.answer

    wait_for(follow_again, "the place of the one that left")


def test_the_last_words_reach_who_follows(service, follow):
    follower = follow(service, "logs")
    service.signal(signal.SIGTERM)
    assert follower.read_until(is_log("stopped"))
    assert service.wait_exit() == 0


@pytest.mark.basic
def test_the_log_is_a_file_that_can_be_moved_away(with_file):
    with_file.start_ready()
    with_file.request("POST", "/log", "before")
    wait_for(lambda: "] before" in with_file.file.read_text(), "a line in the file")
    assert with_file.file.stat().st_mode & 0o777 == 0o640
    assert with_file.log() == ""
    moved = with_file.file.with_suffix(".1")
    with_file.file.rename(moved)
    with_file.signal(signal.SIGUSR1)
    wait_for(with_file.file.exists, "a new file")
    with_file.request("POST", "/log", "after")
    wait_for(lambda: "] after" in with_file.file.read_text(), "a line in the new file")
    assert "] after" not in moved.read_text()


def test_a_file_that_cannot_be_opened_anew_leaves_the_old_one(with_file):
    with_file.start_ready()
    moved = with_file.file.with_suffix(".1")
    with_file.file.rename(moved)
    with_file.file.mkdir()
    with pytest.raises(Exception, match="Is a directory"):
        with_file.call("logs.reopen")
    with_file.signal(signal.SIGUSR1)
    wait_for(lambda: "event=log.failed" in moved.read_text(), "the failure in the old file")
    assert with_file.status()["state"] == "running"


def test_a_log_file_that_cannot_be_opened_at_start_is_no_reason_not_to_serve(with_file):
    with_file.file.mkdir()
    with_file.start_ready()
    assert "event=log.failed" in with_file.log()
    with_file.file.rmdir()
    assert with_file.call("logs.reopen") == {"reopened": True}
    with_file.request("POST", "/log", "after")
    wait_for(lambda: "] after" in with_file.file.read_text(), "a line in the file")


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


def test_a_full_disk_costs_lines_and_heals_by_itself(with_file, small_disk):
    conf_path = with_file.folder / "fsd.yaml"
    file = small_disk / "fsd.log"
    conf_path.write_text(conf_path.read_text().replace(str(with_file.file), str(file)))
    with_file.start_ready()
    for _ in range(30):
        assert with_file.request("GET", "/flood/20").text == "flooded"
    wait_for(lambda: file.stat().st_size > 50000, "a full disk")
    assert with_file.status()["state"] == "running"
    with open(file, "r+b") as shortened:
        shortened.truncate(0)
    with_file.request("POST", "/log", "healed")
    wait_for(lambda: "] healed" in file.read_text(), "a line after the disk had room again")
    assert file.read_text().count("log lines were dropped lines=") == 1
    records = with_file.call("logs")["records"]  # memory has them all, but for what the worker dropped
    dropped = sum(record["records"] for record in records if record["msg"] == "worker dropped log records")
    assert len([record for record in records if record["msg"] == "flood"]) + dropped == 600


def parse_journal(packet):
    """The fields of one record in the journal's native protocol."""
    fields = {}
    while packet:
        name, _, packet = packet.partition(b"\n")
        (size,) = struct.unpack_from("<Q", packet)
        fields[name.decode()] = packet[8:8 + size].decode()
        packet = packet[8 + size + 1:]
    return fields


def can_hide_the_journal():
    return os.getuid() == 0 and shutil.which("unshare") and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_hide_the_journal(), reason="needs root and a mount namespace")
def test_with_stderr_at_the_journal_records_have_fields(make_service):
    service = make_service()
    service.write_conf()
    folder = service.folder / "run"
    (folder / "journal").mkdir(parents=True)
    stderr = os.open(service.folder / "stderr", os.O_CREAT | os.O_WRONLY)
    info = os.fstat(stderr)
    env = dict(os.environ, JOURNAL_STREAM=f"{info.st_dev}:{info.st_ino}")
    script = f'mkdir -p /run/systemd && mount --bind {folder} /run/systemd && exec "$@"'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(folder / "journal" / "socket"))
        journal.settimeout(10)
        service.start_ready(stderr=stderr, env=env, wrapper=["unshare", "-m", "sh", "-c", script, "sh"])
        os.close(stderr)
        service.request("POST", "/log", "two\nlines")
        fields = {}
        while fields.get("FSD_TEXT") != "two\nlines":
            fields = parse_journal(journal.recv(1 << 20))
        assert fields["PRIORITY"] == "4" and fields["SYSLOG_IDENTIFIER"] == "fsd"
        assert fields["FSD_POOL"] == "web" and fields["FSD_SLOT"] == "0" and fields["FSD_NUMBER"] == "1"
        assert fields["FSD_PID"] == str(service.slot(0)["pid"])
        assert fields["MESSAGE"].startswith(f"web/0[{fields['FSD_PID']}] two ")
        for _ in range(5):  # nobody reads the journal now
            assert service.request("GET", "/flood/200").text == "flooded"
        assert service.ctl("status", timeout=30).returncode == 0
        assert service.stop() == 0
    assert (service.folder / "stderr").read_text() == ""
