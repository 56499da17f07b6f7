"""What the tests of supervision share: configurations of several pools, and how to ask one of them."""
import collections
import json
import socket
import urllib.error
import urllib.request

from fsd_process import FsdProcess, wait_for


def write_pools(fsd, pools, supervisors=None):
    """A configuration with these pools, by name and in order, each with an application (key "shop", a dict for the fake worker), a
    listener and a count of one unless it says otherwise."""
    conf = {"version": 1, "listeners": {}, "apps": {}, "pools": {}, "supervisors": supervisors or {},
            "log": {"level": "debug"}, "control": {"path": fsd.control_path}, "state": {"path": str(fsd.folder / "state")}}
    for name, settings in pools.items():
        settings = dict(settings)
        app = fsd.folder / f"{name}.lua"
        app.write_text(json.dumps(settings.pop("shop", {})))
        conf["listeners"][name] = {"listen": "127.0.0.1:0"}
        conf["apps"][name] = {"path": str(app)}
        conf["pools"][name] = {"app": name, "listeners": [name], "count": 1, "standby": 0, **settings}
    (fsd.folder / "fsd.yaml").write_text(json.dumps(conf))


def set_worker(fsd, **what):
    """What workers of the fake kind do that are started from now on."""
    path = fsd.folder / "worker.json"
    path.with_suffix(".new").write_text(json.dumps(what))
    path.with_suffix(".new").replace(path)


def pool_of(fsd, name):
    return next(pool for pool in fsd.status()["pools"] if pool["name"] == name)


def ready_pids(fsd, name="web"):
    return [row["pid"] for row in pool_of(fsd, name)["workers"] if row["state"] == "ready"]


def wait_pool(fsd, name, condition, what, seconds=20.0):
    def check(status):
        return condition(next(pool for pool in status["pools"] if pool["name"] == name))

    fsd.wait_status(check, what, seconds)
    return pool_of(fsd, name)


def find_address(fsd, name):
    return next(row["address"] for row in fsd.status()["listeners"] if row["pool"] == name)


def ask(fsd, name="web", path="/"):
    """One request: (status, headers, body)."""
    try:
        with urllib.request.urlopen(f"http://{find_address(fsd, name)}{path}", timeout=30) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def poke(fsd, path, name="web"):
    """A connection on which this was asked, for whom it does not matter when it is answered."""
    host, _, port = find_address(fsd, name).rpartition(":")
    peer = socket.create_connection((host, int(port)), timeout=30)
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return peer


def count_answers(fsd, name="web", times=40):
    """How many of so many requests each worker has answered, by pid; of a connection each, so that they come to all sockets."""
    return collections.Counter(ask(fsd, name)[2]["pid"] for _ in range(times))


def choose_victim(fsd, choose):
    """A random one of the workers that have answered a request: one that has not yet counts as one that failed to start."""
    def find():
        rows = [row for row in fsd.workers("ready") if row["requests"] > 0]
        return rows and choose.choice(rows)

    return wait_for(find, "a worker that has answered")


def count_starts(fsd):
    return fsd.log().count("worker is started")


def reports(fsd):
    """The crash reports, newest first."""
    return [fsd.call("crashes", id=row["id"]) for row in fsd.call("crashes")["crashes"]]


__all__ = ["FsdProcess", "ask", "choose_victim", "count_answers", "count_starts", "poke", "pool_of", "ready_pids", "reports", "set_worker", "wait_pool",
           "write_pools"]
