"""Many at once: control connections, requests for a reload, stops.  The service does not notice, all are answered, nothing is left.

Times are printed (pytest -s), not judged, but where the limit is generous."""
import json
import os
import pathlib
import signal
import socket
import statistics
import threading
import time

import pytest
from deploying import choose_port
from fsd_process import RpcError
from service import IS_SANITIZED, failures, find_workers, read_all, wait_for

GROWTH_KB = 256


def count_fds(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def measure_rss_kb(service):
    text = pathlib.Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


def connect(service):
    """A control connection that waits for its turn, where one with a time limit is refused while the backlog is full."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(service.control_path)
    return peer


def measure_status_ms(service, times=20):
    """How long `status` takes on a connection of its own, each time."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        with connect(service) as peer:
            service.send_call(peer, "status")
            service.read_answer(peer)
        found.append((time.monotonic() - began) * 1000)
    return found


@pytest.fixture
def served(service):
    """A service with load on it that must not notice anything: no failed request, and the same workers at the end."""
    pids = {row["pid"] for row in service.workers()}
    load = service.load("/", connections=8).wait_ready()
    yield service
    result = load.stop().result()
    assert result["ok"] > 0 and failures(result) == {}
    assert {row["pid"] for row in service.workers()} == pids


# --- control clients ---


def test_clients_that_are_slow_silent_deaf_or_gone_disturb_nobody(served):
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status", "params": {}}).encode() + b"\n"
    before = count_fds(served)
    ended = threading.Event()
    slow, silent, deaf, half = (connect(served) for _ in range(4))

    def drip():
        for i in range(len(request)):
            slow.sendall(request[i:i + 1])
            if ended.wait(0.02):
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    deaf.settimeout(0.2)
    for _ in range(20000):  # never reads an answer: some time its own buffers are full, and the daemon's share of them
        try:
            deaf.sendall(request)
        except OSError:
            break
    half.sendall(request[:-10])
    half.close()
    for _ in range(50):  # gone in the middle of a command, and before an answer
        with connect(served) as peer:
            peer.sendall(request[:20])
        with connect(served) as peer:
            peer.sendall(request)
    times = measure_status_ms(served)
    print(f"\nstatus beside slow clients: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")
    thread.join(10)
    assert not thread.is_alive()
    assert json.loads(slow.makefile("rb").readline())["result"]["state"] == "running"
    for peer in (slow, silent, deaf):
        peer.close()
    ended.set()
    wait_for(lambda: count_fds(served) <= before, "the descriptors to be as before")


def test_of_commands_whose_sender_is_gone_all_or_nothing_is_done(make_service):
    service = make_service(workers=1)
    service.write_conf()
    service.start_ready()
    whole = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "reload", "params": {"restart": True}}).encode() + b"\n"
    with connect(service) as peer:
        peer.sendall(whole[:-1])  # no newline: not a command
    assert service.status()["pools"][0]["generation"] == 1
    with connect(service) as peer:
        peer.sendall(whole)
    service.wait_status(lambda status: status["pools"][0]["generation"] == 2, "the reload that was asked for")
    assert service.get("/").text == "hello"


@pytest.mark.slow
@pytest.mark.alone
def test_a_thousand_control_connections_keep_nobody_out(served):
    before = count_fds(served)
    peers = [connect(served) for _ in range(1000)]
    assert count_fds(served) < before + 70
    times = measure_status_ms(served)
    print(f"\nstatus beside 1,000 connections: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")
    assert statistics.median(times) < 50 or IS_SANITIZED
    assert served.ctl("status").returncode == 0
    for peer in peers:
        peer.close()
    answers = []

    def ask():
        with connect(served) as peer:
            served.send_call(peer, "status")
            answers.append(served.read_answer(peer)["state"])

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(200)]  # and of those who ask at once all are heard
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == ["running"] * 200
    wait_for(lambda: count_fds(served) <= before, "the descriptors to be as before")


# --- reloads ---


def reload_in_parallel(service, times, connections):
    """Returns what came of each: a result or an error."""
    numbers = iter(range(times))
    lock = threading.Lock()
    results = []

    def run():
        while True:
            with lock:
                if next(numbers, None) is None:
                    return
            try:
                results.append(service.call("reload"))
            except (RpcError, OSError) as error:
                results.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def wait_settled(service, count):
    service.wait_status(lambda status: [row["state"] for row in status["pools"][0]["workers"]] == ["ready"] * count,
                        "the old workers to be gone")


@pytest.mark.slow
@pytest.mark.alone
def test_a_thousand_requests_for_a_reload_are_merged_and_leave_nothing(service):
    load = service.load("/", connections=8).wait_ready()
    assert len(reload_in_parallel(service, 200, 50)) == 200  # so that what is allocated once is there
    wait_settled(service, 2)
    fds, rss_kb = count_fds(service), measure_rss_kb(service)  # fewer are fine: the last question may still be among them
    generation = service.status()["pools"][0]["generation"]
    times = 200 if IS_SANITIZED else 1000
    began = time.monotonic()
    results = reload_in_parallel(service, times, 50)
    took_s = time.monotonic() - began
    assert len(results) == times and took_s <= 60
    assert all(isinstance(one, dict) for one in results)
    rounds = service.status()["pools"][0]["generation"] - generation
    wait_settled(service, 2)
    wait_for(lambda: count_fds(service) <= fds, f"{fds} descriptors again")
    growth_kb = measure_rss_kb(service) - rss_kb
    print(f"\n{times} reloads in {took_s:.1f} s, {rounds} rounds, the master grew by {growth_kb} kB")
    assert 0 < rounds <= times / 2
    assert growth_kb <= GROWTH_KB or IS_SANITIZED
    assert failures(load.stop().result()) == {}


# --- stops ---


@pytest.mark.slow
@pytest.mark.alone
def test_50_stops_under_load_leave_nothing_behind(make_service):
    cycles = 10 if IS_SANITIZED else 50
    service = make_service(workers=2)
    service.write_conf(listen=f"127.0.0.1:{choose_port()}")
    seen = set(service.folder.iterdir())
    for _ in range(cycles):
        service.start_ready()  # which needs the port and the control socket
        load = service.load("/", connections=16).wait_ready()
        slow = service.connect()
        slow.sendall(b"GET /slow/0.02 HTTP/1.1\r\nHost: x\r\n\r\n")
        service.wait_log("slow began")
        service.log_path.unlink()
        service.signal(signal.SIGTERM)
        assert read_all(slow).endswith(b"slow")
        slow.close()
        assert service.wait_exit() == 0
        result = load.stop().result()
        assert result["ok"] > 0 and result["cut"] == result["wrong_status"] == result["hung"] == 0
        assert find_workers(service.process.pid) == []
        assert not list(service.folder.glob("control.sock*"))
    new = {path.name for path in service.folder.iterdir()} - {path.name for path in seen}
    assert new == {"state", "stdout"}
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host, _, port = service.address().rpartition(":")
        again.bind((host, int(port)))
        again.listen()


LOADS_SLOWLY = """local fsd = require "fsd"
local began = os.clock()
while os.clock() - began < 0.1 do end
local app = fsd.app()
app:get("/", function(req, res) res:send("hello") end)
return app
"""


@pytest.mark.parametrize("method, params", [("reload", {}), ("config.apply", {}), ("restart", {"pool": "web"})])
def test_stop_in_the_middle_of_a_change_ends_both_and_says_so(make_service, method, params):
    service = make_service(LOADS_SLOWLY, workers=2)
    service.write_conf()
    service.start_ready()
    conf_path = service.folder / "fsd.yaml"
    conf_path.write_text(conf_path.read_text().replace('"red"', '"blue"'))
    with service.open_control() as peer:
        service.send_call(peer, method, **params)
        wait_for(lambda: len(find_workers(service.process.pid)) > 2, "a worker that loads")
        service.signal(signal.SIGTERM)
        with pytest.raises(RpcError) as error:
            service.read_answer(peer)
    assert "stopping" in error.value.message
    assert service.wait_exit() == 0
    assert find_workers(service.process.pid) == []
