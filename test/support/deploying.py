"""Changing the configuration of a service that runs: editing its file, applying it, and looking at what became of it."""
import contextlib
import json
import os
import pathlib
import random
import socket
import time
from collections import Counter

from service import Load


@contextlib.contextmanager
def edited(service):
    """The configuration on the disk as a dict; what the block makes of it is written."""
    path = service.folder / "fsd.yaml"
    conf = json.loads(path.read_text())
    yield conf
    part = path.with_suffix(".part")
    part.write_text(json.dumps(conf))
    part.rename(path)


def plan(service):
    """The changes that an apply would make, as (action, what)."""
    return [(row["action"], row["what"]) for row in service.call("config.plan")["changes"]]


def apply(service):
    """Applies what is on the disk and returns the result."""
    result = service.call("config.apply")
    assert result["schema"] == "fsd.apply/1"
    return result


def apply_calmly(service):
    """The same when earlier workers have left: a slot has room for a few at a time, and those of MODE=asan are slow to end."""
    def has_room(status):
        return all(row["state"] in ("ready", "standby") for one in status["pools"] for row in one["workers"])

    service.wait_status(has_room, "all earlier workers to leave", 30)
    return apply(service)


def changes(result):
    return [(row["action"], row["what"]) for row in result["changes"]]


def pool(service, name):
    return next((row for row in service.status()["pools"] if row["name"] == name), None)


def pids(service, name="web"):
    """The processes of a pool that serve, in the order of their slots."""
    return [row["pid"] for row in pool(service, name)["workers"] if row["state"] == "ready" and row["slot"] is not None]


def address_of(service, listener):
    return next(row["address"] for row in service.status()["listeners"] if row["name"] == listener)


def load_at(service, address, path="/", **limits):
    host, _, port = address.rpartition(":")
    service.loads.append(Load(f"{host}:{port}", path, **limits))
    return service.loads[-1]


def connect_to(service, address):
    """A connection that is closed at the end of the test."""
    host, _, port = address.rpartition(":")
    service.peers.append(socket.create_connection((host, int(port)), timeout=30))
    return service.peers[-1]


def is_refused(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


def list_fds(service):
    """What the descriptors of the master are; numbers in the names do not count."""
    folder = f"/proc/{service.process.pid}/fd"
    names = Counter()
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            names[os.readlink(f"{folder}/{fd}").partition(":[")[0]] += 1
    return names


def listening_inodes(service):
    """The inodes of the master's listening TCP sockets."""
    folder = f"/proc/{service.process.pid}/fd"
    mine = set()
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            mine.add(os.readlink(f"{folder}/{fd}"))
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
                    found.add(int(fields[9]))
    return found


def choose_port():
    """A port that was free a moment ago, and that nobody else gets: not of those that the kernel gives to who asks for any."""
    first_given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", random.randrange(10000, first_given))) as server:
            return server.getsockname()[1]


def wait_fds(service, before):
    """Until the master has no more descriptors than before.  Fewer are fine: then a client was just about to be closed."""
    end = time.monotonic() + 30
    while more := list_fds(service) - before:
        assert time.monotonic() < end, f"too many: {dict(more)}"
        time.sleep(0.01)
