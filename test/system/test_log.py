"""The log: what applications print and log, in both forms, harmless for terminals, and never a reason to stop."""
import json
import os
import re
import threading

import pytest

HARMFUL = "a\x1b[31mred\x07 \x9b31m back\b \u202etfel\nnext\tline"


@pytest.fixture
def texts(make_service):
    service = make_service()
    service.write_conf()
    return service.start_ready()


@pytest.fixture
def records(make_service):
    service = make_service()
    service.write_conf(log_format="json")
    return service.start_ready()


@pytest.mark.basic
def test_print_is_a_line_of_the_log_with_the_name_of_its_worker(texts):
    texts.request("POST", "/print", "hello")
    row = texts.slot(0)
    texts.wait_log(f"web/0[{row['pid']}] hello    2    nil    true\n")
    line = next(line for line in texts.log().splitlines() if "hello    2" in line)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    web/0\[\d+\] ", line)


@pytest.mark.basic
def test_log_fields_follow_the_message(texts):
    texts.request("POST", "/log", "two words")
    texts.wait_log("two words")
    line = next(line for line in texts.log().splitlines() if "] two words" in line)
    assert " warning web/0[" in line
    assert set(re.findall(r'(\w+=(?:"[^"]*"|\S+))', line)) == {"number=1", "yes=true", 'text="two words"'}


@pytest.mark.basic
def test_json_records_have_time_level_worker_and_fields(records):
    records.request("POST", "/log", "two words")
    record = records.wait_record(msg="two words")
    assert {key: record[key] for key in ("level", "pool", "slot", "pid", "number", "yes", "text")} == {
        "level": "warning", "pool": "web", "slot": 0, "pid": records.slot(0)["pid"], "number": 1, "yes": True,
        "text": "two words"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])
    records.request("POST", "/print", "printed")
    assert records.wait_record(msg="printed\t2\tnil\ttrue")["level"] == "info"


@pytest.mark.basic
def test_control_characters_cannot_reach_a_terminal(texts):
    texts.request("POST", "/log", HARMFUL)
    texts.wait_log("next")
    harmful = {char for char in texts.log() if ord(char) < 32 or 0x7f <= ord(char) < 0xa0 or char == "\u202e"}
    assert harmful == {"\n"}
    assert "\\u001b[31mred\\u0007" in texts.log()


@pytest.mark.basic
def test_every_line_of_a_json_log_is_an_object_and_keeps_the_text(records):
    records.request("POST", "/log", HARMFUL)
    assert records.wait_record(msg=HARMFUL)["text"] == HARMFUL
    records.stop()
    assert all(isinstance(json.loads(line), dict) for line in records.log().splitlines())


def test_bytes_that_are_no_text_are_shown_and_harm_nothing(records):
    records.request("POST", "/log", b"a\xff\xfe\xc3")
    assert records.wait_record(level="warning", pool="web")["msg"] == "a\ufffd\ufffd\ufffd"


def test_an_error_in_a_handler_is_logged_with_its_place_and_the_request(make_service):
    service = make_service("local fsd = require 'fsd'\nlocal app = fsd.app()\n"
                           "app:get('/', function() error('no such thing') end)\nreturn app\n")
    service.write_conf(log_format="json")
    service.start_ready()
    answer = service.get("/", headers={"x-request-id": "abc-1"})
    assert answer.status == 500 and "no such thing" not in answer.text
    record = service.wait_record(level="error")
    assert record["msg"] == "error in request: app.lua:3: no such thing"
    assert record["request_id"] == "abc-1" and record["handler"] == "app.lua:3" and "app.lua:3" in record["traceback"]


def test_a_full_pipe_stops_nobody_and_the_loss_is_told(make_service):
    read_end, write_end = os.pipe()
    service = make_service()
    service.write_conf()
    service.start(stderr=write_end)
    os.close(write_end)
    service.wait_status(lambda status: status["state"] == "running", "the daemon to run")
    for _ in range(10):
        assert service.get("/flood/200").text == "flooded"
    assert service.ctl("status", timeout=30).returncode == 0
    assert service.ctl("reload", "--restart", timeout=30).returncode == 0
    parts = []
    thread = threading.Thread(target=lambda: parts.extend(iter(lambda: os.read(read_end, 65536), b"")), daemon=True)
    thread.start()
    assert service.get("/flood/1").text == "flooded"
    assert service.ctl("stop").returncode == 0
    thread.join(10)
    assert not thread.is_alive()
    os.close(read_end)
    text = b"".join(parts)
    lost = [int(number) for number in re.findall(rb"(?:log lines were dropped lines|dropped log records records)=(\d+)", text)]
    kept = text.count(b"] flood ")
    assert sum(lost) > 0
    assert kept < 2001 and kept + sum(lost) >= 2001


def test_a_flood_of_records_does_not_keep_the_master_from_its_work(texts):
    flood = texts.load("/flood/1000", connections=4).wait_ready()
    assert texts.ctl("status", timeout=30).returncode == 0
    assert texts.ctl("reload", "--restart", timeout=30).returncode == 0
    result = flood.stop().result()
    assert result["lost"] == result["cut"] == result["hung"] == 0
