"""Stopping: requests get whole answers, limits hold, nothing is left behind."""
import os
import signal
import socket
import subprocess

import pytest
from service import BUILD, find_workers, is_alive, read_all, wait_for
from supervised import ask, pool_of, ready_pids, set_worker, wait_pool, write_pools


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
    assert service.wait_exit() == 0
    check_nothing_left(service, address)


@pytest.mark.basic
def test_a_slow_request_is_answered_before_the_daemon_ends(service):
    peer, gate = service.hold()
    service.signal(signal.SIGTERM)
    service.wait_log("stopping")
    gate.touch()
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
    assert service.wait_exit() == 0
    assert "not gone within 300 ms" in service.log()


@pytest.mark.basic
@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)])
def test_a_second_signal_ends_running_requests_at_once(service, first, second):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    service.signal(first)
    service.wait_log("stopping")
    service.signal(second)
    assert service.wait_exit() == 0
    assert read_all(peer) == b""


def test_stop_now_ends_running_requests_at_once(service):
    peer = service.connect()
    peer.sendall(b"GET /slow/60 HTTP/1.1\r\nHost: x\r\n\r\n")
    service.wait_log("slow began")
    assert service.ctl("stop", "--now").returncode == 0
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
    assert service.wait_exit() == 0
    assert all(read_all(peer) == b"" for peer in peers)


def test_ctrl_c_on_the_terminal_reaches_only_the_master(make_service):
    """A shell sends SIGINT to the whole foreground process group."""
    service = make_service(workers=2)
    service.start_ready(start_new_session=True)
    peer, gate = service.hold()
    os.killpg(service.process.pid, signal.SIGINT)
    service.wait_log("stopping")
    gate.touch()
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
    wait_for(lambda: not find_workers(service.process.pid), "the workers to be gone")


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
        assert process.wait(20) == 0


# --- in which order ---

STAYS = {"shop": {"drain": "hang"}, "shutdown": "60s"}  # a worker that does not leave when it is told to


def start_pools(make_fake, pools, supervisors=None):
    fsd = make_fake()
    write_pools(fsd, pools, supervisors)
    return fsd.start_ready()


def wait_told(fsd, name):
    """Until the only worker of the pool is told to leave; its pid."""
    pool = wait_pool(fsd, name, lambda pool: [row["state"] for row in pool["workers"]] == ["draining"], f"{name} to be stopped")
    assert pool["state"] == "stopping"
    return pool["workers"][0]["pid"]


def end(fsd, pid):
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "it to be gone")


@pytest.mark.basic
def test_what_others_need_stops_after_them_and_serves_until_then(make_fake):
    fsd = start_pools(make_fake, {"db": {}, "web": {"after": ["db"], **STAYS}})
    fsd.signal(signal.SIGTERM)
    last = wait_told(fsd, "web")
    assert fsd.status()["state"] == "stopping" and pool_of(fsd, "db")["state"] == "running"
    assert ask(fsd, "db")[0] == 200
    os.kill(last, signal.SIGKILL)
    assert fsd.wait_exit() == 0
    stopped = [line.split()[2] for line in fsd.log().splitlines() if "event=pool.stopping" in line]
    assert stopped == ["web", "db"]


def test_children_of_a_supervisor_stop_one_after_another_the_last_one_first(make_fake):
    fsd = start_pools(make_fake, {"a": STAYS, "b": STAYS, "c": STAYS},
                      {"all": {"strategy": "rest_for_one", "children": ["a", "b", "c"]}})
    fsd.signal(signal.SIGTERM)
    for name, still in (("c", "b"), ("b", "a")):
        pid = wait_told(fsd, name)
        assert ready_pids(fsd, still)
        end(fsd, pid)
    os.kill(wait_told(fsd, "a"), signal.SIGKILL)
    assert fsd.wait_exit() == 0


def test_pools_that_do_not_need_each_other_stop_at_once(make_fake):
    fsd = start_pools(make_fake, {"a": STAYS, "b": STAYS})
    fsd.signal(signal.SIGTERM)
    pids = [wait_told(fsd, "a"), wait_told(fsd, "b")]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert fsd.wait_exit() == 0


def test_a_second_signal_does_not_wait_for_the_order(make_fake):
    fsd = start_pools(make_fake, {"db": {}, "web": {"after": ["db"], **STAYS}})
    fsd.signal(signal.SIGTERM)
    wait_told(fsd, "web")
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0


def test_a_worker_that_dies_while_its_pool_waits_to_be_stopped_is_replaced(make_fake):
    fsd = start_pools(make_fake, {"db": {}, "web": {"after": ["db"], **STAYS}})
    fsd.signal(signal.SIGTERM)
    last = wait_told(fsd, "web")
    old = ready_pids(fsd, "db")
    end(fsd, old[0])
    wait_for(lambda: ready_pids(fsd, "db") not in ([], old), "its successor")
    os.kill(last, signal.SIGKILL)
    assert fsd.wait_exit() == 0


def test_a_pool_that_gives_up_while_it_waits_to_be_stopped_does_not_keep_the_daemon(make_fake):
    fsd = start_pools(make_fake, {"db": {"intensity": 0}, "web": {"after": ["db"], **STAYS}})
    fsd.signal(signal.SIGTERM)
    last = wait_told(fsd, "web")
    end(fsd, ready_pids(fsd, "db")[0])
    wait_pool(fsd, "db", lambda pool: pool["state"] == "held" and [row["state"] for row in pool["workers"]][-1] == "answers 503",
              "it to answer 503")
    os.kill(last, signal.SIGKILL)
    assert fsd.wait_exit() == 0


def test_pools_that_are_held_or_wait_for_one_that_is_stop_as_well(make_fake):
    fsd = start_pools(make_fake, {"a": {}, "b": {"intensity": 0}, "c": {}},
                      {"all": {"strategy": "one_for_all", "children": ["a", "b", "c"]}})
    set_worker(fsd, activated="exit:3")
    os.kill(ready_pids(fsd, "b")[0], signal.SIGKILL)
    for name in "abc":
        wait_pool(fsd, name, lambda pool: [row["state"] for row in pool["workers"]][-1:] == ["answers 503"], f"{name} to answer 503")
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0


def test_a_daemon_whose_pools_are_drained_stops(make_fake):
    fsd = start_pools(make_fake, {"db": {}, "web": {"after": ["db"]}})
    fsd.call("drain")
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0


def test_a_daemon_of_which_one_pool_is_still_starting_stops(make_fake):
    fsd = make_fake()
    write_pools(fsd, {"db": {"shop": {"load": "hang"}}, "web": {"after": ["db"]}, "other": {}})
    fsd.start()
    wait_pool(fsd, "other", lambda pool: pool["state"] == "running", "other to run")
    fsd.signal(signal.SIGTERM)
    assert fsd.wait_exit() == 0
