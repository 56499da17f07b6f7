"""Stopping: requests get whole answers, limits hold, nothing is left behind."""
import os
import signal
import socket
import subprocess
import time

import pytest
from service import BUILD, find_workers, read_all, wait_for


def check_nothing_left(service, address):
    assert find_workers(service.process.pid) == []
    assert not os.path.exists(service.control_path)
    host, _, port = address.rpartition(":")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do; a listener elsewhere would still refuse
        again.bind((host, int(port)))
        again.listen()
    told = service.ctl("status")
    assert told.returncode == 3 and len(told.stderr.splitlines()) == 1


@pytest.mark.basic
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_daemon_and_leaves_nothing(service, number):
    address = service.address()
    assert service.get("/").status == 200
    service.signal(number)
    assert service.wait_exit() == 0
    check_nothing_left(service, address)


@pytest.mark.basic
@pytest.mark.parametrize("words", [["stop"], ["stop", "--now"]])
def test_fsdctl_stop_returns_when_the_daemon_has_gone(service, words):
    address = service.address()
    result = service.ctl(*words)
    assert (result.returncode, result.stdout, result.stderr) == (0, "fsd has stopped\n", "")
    assert service.wait_exit(1) == 0
    check_nothing_left(service, address)


@pytest.mark.basic
def test_a_slow_request_is_answered_before_the_daemon_ends(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    service.signal(signal.SIGTERM)
    answer = read_all(peer)
    peer.close()
    assert b"200 OK" in answer and answer.endswith(b"slow")
    assert service.wait_exit() == 0


def test_a_slow_request_does_not_outlast_the_shutdown_limit(make_service):
    service = make_service()
    service.write_conf(shutdown="300ms")
    service.start_ready()
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    service.signal(signal.SIGTERM)
    assert read_all(peer) == b""
    assert service.wait_exit(3) == 0
    assert "not gone within 300 ms" in service.log()


@pytest.mark.basic
@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)])
def test_a_second_signal_ends_running_requests_at_once(service, first, second):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    service.signal(first)
    service.wait_log("stopping")
    began = time.monotonic()
    service.signal(second)
    assert service.wait_exit(2) == 0
    assert time.monotonic() - began < 2
    assert read_all(peer) == b""


def test_stop_now_ends_running_requests_at_once(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    assert service.ctl("stop", "--now", timeout=3).returncode == 0
    assert read_all(peer) == b""


@pytest.mark.parametrize("path, body", [("/", None), ("/big/64", None), ("/", 3000)], ids=["small", "big", "POST"])
def test_stop_under_load_gives_whole_answers(service, path, body):
    load = service.load(path, connections=64, body=body).wait_ready()
    service.signal(signal.SIGTERM)
    assert service.wait_exit() == 0
    result = load.stop().result()
    assert result["ok"] > 64
    assert result["cut"] == 0 and result["wrong_status"] == 0 and result["hung"] == 0
    # what was lost are new connections that nobody was left to accept, never a connection that was served
    assert [error for error in result["errors"] if error["kind"] == "lost" and error["worker"] != ""] == []


def test_idle_connections_do_not_keep_the_daemon(make_service):
    service = make_service(workers=2)
    service.write_conf(drain="100ms")
    service.start_ready()
    peers = [service.connect() for _ in range(10)]
    for peer in peers:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in peer.recv(65536)
    service.signal(signal.SIGTERM)
    assert service.wait_exit(8) == 0
    assert all(read_all(peer) == b"" for peer in peers)


def test_ctrl_c_on_the_terminal_reaches_only_the_master(make_service):
    """A shell sends SIGINT to the whole foreground process group."""
    service = make_service(workers=2)
    service.start_ready(start_new_session=True)
    peer = service.connect()
    peer.sendall(b"GET /slow/0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    os.killpg(service.process.pid, signal.SIGINT)
    assert read_all(peer).endswith(b"slow")
    peer.close()
    assert service.wait_exit() == 0


def test_stop_waits_as_long_as_it_is_told(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    result = service.ctl("stop", "--timeout", "200ms")
    assert result.returncode == 75 and "has not gone yet" in result.stderr
    assert service.ctl("stop", "--now").returncode == 0
    wait_for(lambda: not find_workers(service.process.pid), "the workers to be gone", 2)


def test_a_daemon_whose_log_reader_is_gone_still_stops_in_order(make_service):
    service = make_service()
    service.write_conf()
    command = [str(BUILD / "fsd"), "serve", "-c", str(service.folder / "fsd.yaml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        service.process = process
        service.wait_status(lambda status: status["state"] == "running", "the daemon to run")
        process.stderr.close()
        assert service.get("/").text == "hello"
        process.terminate()
        assert process.wait(5) == 0
