"""More connections than there is room for: from one address, in one worker, and in the descriptors that it has."""
import contextlib
import pathlib
import resource
import socket
import time

import pytest
from service import read_answer, wait_for

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def connect_from(service, source):
    host, _, port = service.address().rpartition(":")
    peer = socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))
    service.peers.append(peer)
    return peer


def is_closed(peer):
    """Whether the server does not want it; waits for either."""
    try:
        peer.sendall(GET)
        return peer.recv(1000) == b""
    except OSError:
        return True


def hello(peer):
    peer.sendall(GET)
    status, _, body, _ = read_answer(peer)
    assert (status, body) == (200, b"hello")


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.fixture
def start(make_service):
    def start_with(workers=1, preexec_fn=None, **limits):
        service = make_service(workers=workers)
        service.write_conf(limits=limits)
        return service.start_ready(preexec_fn=preexec_fn)

    return start_with


def test_connections_of_one_address_are_limited_and_others_are_not(start):
    service = start(connections_per_ip=5)
    mine = [connect_from(service, "127.0.0.1") for _ in range(5)]
    for peer in mine:
        hello(peer)
    assert all(is_closed(connect_from(service, "127.0.0.1")) for _ in range(20))
    for _ in range(5):
        hello(connect_from(service, "127.0.0.2"))
    assert is_closed(connect_from(service, "127.0.0.2"))
    row = service.slot(0)
    assert (row["refused"], row["connections"]) == (21, 10)
    for peer in mine:
        hello(peer)
    mine.pop().close()
    wait_for(lambda: service.slot(0)["connections"] == 9, "the connection to be gone")
    hello(connect_from(service, "127.0.0.1"))


def test_the_limit_of_an_address_changes_while_connections_are_open(start):
    """Those that were accepted before are not counted."""
    service = start()
    before = [connect_from(service, "127.0.0.1") for _ in range(4)]
    for peer in before:
        hello(peer)
    service.write_conf(limits={"connections_per_ip": 2})
    service.call("config.apply")
    for _ in range(2):
        hello(connect_from(service, "127.0.0.1"))
    assert is_closed(connect_from(service, "127.0.0.1"))
    service.write_conf()
    service.call("config.apply")
    for peer in [*before, connect_from(service, "127.0.0.1")]:
        hello(peer)
    for peer in service.peers:
        peer.close()
    wait_for(lambda: service.slot(0)["connections"] == 0, "the connections to be gone")


def test_connections_above_the_limit_wait_until_idle_ones_have_made_room(start):
    service = start(connections=8)
    peers = [service.connect() for _ in range(20)]
    for peer in peers[:8]:
        hello(peer)
    for peer in peers[8:]:
        peer.sendall(GET)  # the kernel holds it
    for peer in peers[8:]:
        assert read_answer(peer)[2] == b"hello"
        assert service.slot(0)["connections"] <= 8
    assert "as many as may be" in service.log()


def test_a_worker_that_runs_out_of_descriptors_neither_spins_nor_shuts_everybody_out(start):
    service = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    row = service.slot(0)
    idle = [service.connect() for _ in range(80)]
    service.wait_log("out of file descriptors")
    began, used = time.monotonic(), cpu_s(row["pid"])
    for peer in idle:
        with contextlib.suppress(OSError):
            peer.sendall(GET)
    good = service.connect()
    hello(good)  # in the queue behind 80
    share = (cpu_s(row["pid"]) - used) / max(time.monotonic() - began, 1)
    assert share < 0.5, f"{share} of a CPU"
    assert service.log().count("out of file descriptors") < 20
    assert service.slot(0)["pid"] == row["pid"]
