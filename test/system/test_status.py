"""What `fsdctl status` says, to programs and to people, and its exit codes."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest
from service import BUILD, wait_for

NUMBER_OR_NONE = (int, type(None))
WORKER = {"slot": int, "pid": NUMBER_OR_NONE, "incarnation": NUMBER_OR_NONE, "state": str, "generation": int, "restarts": int,
          "requests": int, "connections": int, "accepted": int, "running": int, "heartbeat_age_ms": int, "memory_bytes": int, "lua_bytes": int,
          "refused": int, "timed_out": int, "access_lost": int, "died_at": NUMBER_OR_NONE, "ready_at": NUMBER_OR_NONE,
          "started_at": NUMBER_OR_NONE, "last_exit": (str, type(None)), "doing": (dict, type(None)),
          "laggards": (dict, type(None))}
POOL = {"name": str, "app": str, "origin": str, "generation": int, "state": str, "requests_total": int, "cause": (str, type(None)),
        "count": int, "waiting": int, "standby": dict, "last_crash": (str, type(None)), "workers": list}
STATUS = {"schema": str, "pid": int, "version": str, "state": str, "started_at": int, "config": dict, "listeners": list, "apps": list,
          "pools": list}
APP = {"name": str, "generation": int, "confirmed": bool, "probation_left_ms": int, "setback": (dict, type(None))}


def check_shape(value, shape):
    assert set(value) == set(shape)
    for key, kind in shape.items():
        assert isinstance(value[key], kind), f"{key} is {value[key]!r}"


@pytest.mark.basic
def test_the_json_status_has_the_documented_fields(service):
    result = service.ctl("status", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    status = json.loads(result.stdout)
    check_shape(status, STATUS)
    assert (status["schema"], status["pid"], status["state"]) == ("fsd.status/1", service.process.pid, "running")
    for app in status["apps"]:
        check_shape(app, APP)
    for pool in status["pools"]:
        check_shape(pool, POOL)
        for worker in pool["workers"]:
            check_shape(worker, WORKER)
    rows = status["pools"][0]["workers"]
    assert [(row["slot"], row["state"], row["restarts"]) for row in rows] == [(0, "ready", 0), (1, "ready", 0)]
    assert all(os.path.exists(f"/proc/{row['pid']}") for row in rows)
    assert len({row["incarnation"] for row in rows}) == 2


@pytest.mark.basic
def test_the_status_for_people_has_a_row_for_each_worker(service):
    result = service.ctl("status")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert re.fullmatch(rf"\* fsd \S+  pid {service.process.pid}  running  up \S+  config 1 [0-9a-f]{{16}}", lines[0])
    assert lines[1] == f"  web {service.address()} (web)"
    head = next(index for index, line in enumerate(lines) if line.startswith("POOL"))
    assert lines[head].split() == ["POOL", "SLOT", "PID", "STATE", "GEN", "UPTIME", "RESTARTS", "REQUESTS", "MEMORY", "DOING"]
    rows = [line.split(None, 8) for line in lines[head + 1:]]
    assert [(row[0], row[1], row[2], row[3]) for row in rows] == [
        ("web", str(row["slot"]), str(row["pid"]), "ready") for row in service.workers()]
    assert all(re.fullmatch(r"[\d.]+ MiB  -", row[8]) for row in rows)


@pytest.mark.basic
def test_requests_are_counted_and_survive_the_worker_that_served_them(service):
    assert service.load("/", connections=8, requests=400).result()["ok"] == 400
    status = service.wait_status(lambda status: status["pools"][0]["requests_total"] == 400, "400 requests")
    assert sum(row["requests"] for row in status["pools"][0]["workers"]) == 400
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGKILL)
    service.wait_replaced(victim)
    status = service.status()
    assert service.slot(0)["requests"] == 0
    assert status["pools"][0]["requests_total"] == 400


@pytest.mark.basic
def test_the_memory_of_a_worker_is_what_the_system_says(service):
    row = service.slot(0)
    with open(f"/proc/{row['pid']}/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])
    assert abs(row["memory_bytes"] - pages * os.sysconf("SC_PAGE_SIZE")) < 1024 * 1024


def test_open_connections_are_counted(service):
    peers = [service.connect() for _ in range(12)]
    wait_for(lambda: sum(row["connections"] for row in service.workers()) == 12, "12 connections")
    for peer in peers:
        peer.close()
    wait_for(lambda: sum(row["connections"] for row in service.workers()) == 0, "no connection")


@pytest.mark.basic
@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["reload"], ["stop"]])
def test_without_a_daemon_the_exit_code_is_3(make_service, command):
    service = make_service()
    result = service.ctl(*command)
    assert result.returncode == 3
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1 and service.control_path in result.stderr


def test_a_stale_socket_means_not_running(make_service):
    service = make_service()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(service.control_path)
    assert service.ctl("status").returncode == 3


@pytest.mark.basic
@pytest.mark.parametrize("words", [["statsu"], ["status", "--jsno"], ["status", "extra"], []])
def test_a_wrong_command_line_exits_with_64(make_service, words):
    result = make_service().ctl(*words)
    assert result.returncode == 64
    assert result.stderr != ""


@pytest.mark.basic
def test_the_socket_comes_from_the_environment_when_no_option_names_it(service):
    result = subprocess.run([str(BUILD / "fsdctl"), "status"], env={**os.environ, "FSD_SOCKET": service.control_path},
                            capture_output=True, timeout=30, check=False)
    assert result.returncode == 0


def test_the_status_answers_while_a_worker_is_stuck(service):
    victim = service.slot(0)
    os.kill(victim["pid"], signal.SIGSTOP)
    try:
        assert service.ctl("status", timeout=30).returncode == 0
    finally:
        os.kill(victim["pid"], signal.SIGCONT)


def test_while_a_worker_leaves_both_are_shown_and_the_pool_is_whole(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    assert service.ctl("reload", "--restart").returncode == 0
    states = sorted(row["state"] for row in service.wait_workers(lambda rows: len(rows) == 3, "one that leaves"))
    assert states == ["draining", "ready", "ready"]
    result = service.ctl("status")
    assert result.returncode == 0 and "draining" in result.stdout
    peer.close()
    service.wait_workers(lambda rows: len(rows) == 2, "it to leave")


def say_laggards(fake, generation, count, *lines):
    text = "\n".join(lines).encode("utf-8", "surrogateescape").hex()
    fake.get(f"/laggards/{generation}/{count}/{text}")


def wait_laggards(fake, wanted):
    """Waits until the first worker has said what is wanted of it, and returns that."""
    rows = fake.wait_status(lambda status: wanted(status["pools"][0]["workers"][0]["laggards"]), "what still runs on old code")
    return rows["pools"][0]["workers"][0]["laggards"]


def test_what_still_runs_on_replaced_code_is_what_its_worker_has_said_last(make_fake):
    fake = make_fake()
    fake.write_conf()
    fake.start_ready()
    assert fake.status()["pools"][0]["workers"][0]["laggards"] is None
    say_laggards(fake, 5, 2, "request GET /slow since 12 at app.lua:40", "actor room since 70 at ?")
    first = wait_laggards(fake, bool)
    assert (first["count"], first["generation"]) == (2, 5)
    ages = [item.pop("since_ms") for item in first["items"]]
    assert first["items"] == [{"kind": "request", "what": "GET /slow", "at": "app.lua:40"},
                              {"kind": "actor", "what": "room", "at": "?"}]
    assert ages[0] >= 12000 and ages[1] - ages[0] == 58000
    wait_laggards(fake, lambda laggards: laggards["items"][0]["since_ms"] > ages[0])  # nothing is said meanwhile
    say_laggards(fake, 6, 1, "odd \x1b[2J\udcff", "")
    second = wait_laggards(fake, lambda laggards: laggards["count"] == 1)
    assert second["items"] == [{"kind": None, "what": "odd ?[2J?", "since_ms": None, "at": None}]
    say_laggards(fake, 0, 0)
    assert wait_laggards(fake, lambda laggards: laggards is None) is None


def test_no_worker_can_fill_the_status_with_what_it_says_of_old_code(make_fake):
    fake = make_fake()
    fake.write_conf()
    fake.start_ready()
    say_laggards(fake, 2 ** 64 - 1, 2 ** 64 - 1, *["x"] * 1000)
    laggards = wait_laggards(fake, bool)
    assert (laggards["count"], laggards["generation"], len(laggards["items"])) == (2 ** 63 - 1, 2 ** 63 - 1, 64)
    result = subprocess.run([BUILD / "fsdctl", "status", "-s", fake.control_path], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stdout.splitlines().count("      x") == 5


def test_what_ran_on_replaced_code_goes_with_its_worker(make_fake):
    fake = make_fake()
    fake.write_conf()
    fake.start_ready()
    say_laggards(fake, 1, 1, "task t since 1 at a:1")
    wait_laggards(fake, bool)
    fake.get_broken("/exit/3")
    fake.wait_workers(lambda rows: [row["restarts"] for row in rows if row["state"] == "ready"] == [1], "another worker")
    assert fake.status()["pools"][0]["workers"][0]["laggards"] is None
