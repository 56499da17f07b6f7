"""Requests of several kinds, beside nginx + lua, Fastify and Express where they are installed: one process each on one CPU, wrk on another.
The figure to trust is the CPU time that the server takes for a request, user and system, of all its processes."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from endless import build_client
from report import Row
from start import HERE, ROOT, started, wait_for

SUBJECT = "HTTP, one worker, 64 connections"
PACED = "HTTP at 10,000 requests/s"
WEB = HERE / "web"
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
RATE = 10000
SERVER_CPU, CLIENT_CPU = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")
MODULES = "/usr/lib/nginx/modules"
FILES = {"small.txt": 13, "large.bin": 100 * 1024}

# name, path, script of wrk, wanted beside nginx (beside nginx + lua but for files)
WORK = [
    ("hello", "/", None, ">= 1.0 x nginx"),
    ("two parameters, as JSON", "/users/7/posts/9", None, ">= 1.0 x nginx"),
    ("POST of 948 bytes of JSON, decoded and encoded", "/echo", "echo.lua", ">= 1.5 x nginx"),
    ("a file of 13 bytes", "/static/small.txt", None, ">= 1.0 x nginx"),
    ("a file of 100 KiB", "/static/large.bin", None, ">= 1.0 x nginx"),
    ("5 middlewares, 20 rows as JSON", "/real/rows", None, ""),
    ("5 middlewares, 20 rows as a page", "/real/page", None, ""),
]
SERVES_NO_FILES = ("Fastify",)


def tree_ticks(root):
    """CPU time of a process and all below it."""
    parents, ticks = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        ticks[int(entry.name)] = int(fields[11]) + int(fields[12])

    def is_below(pid):
        while pid != root and pid > 1:
            pid = parents.get(pid, 0)
        return pid == root

    return sum(count for pid, count in ticks.items() if is_below(pid))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Server:
    def __init__(self, name, pid, port):
        self.name, self.pid, self.port = name, pid, port

    def load(self, path, script):
        """Microseconds of CPU for each request, and requests a second."""
        before = tree_ticks(self.pid)
        command = ["taskset", "-c", CLIENT_CPU, "wrk", "-t1", "-c64", f"-d{SECONDS}s"]
        command += ["-s", WEB / script] if script else []
        done = subprocess.run([*command, f"http://127.0.0.1:{self.port}{path}"], check=True, capture_output=True, text=True).stdout
        ticks = tree_ticks(self.pid) - before
        if "Non-2xx" in done or "Socket errors" in done:
            raise RuntimeError(f"{self.name} {path}: {done}")
        count = int(re.search(r"(\d+) requests in", done)[1])
        return ticks / TICKS * 1e6 / count, float(re.search(r"Requests/sec: *([\d.]+)", done)[1])

    def pace(self, client):
        """p50 and p99 in microseconds, at a fixed rate."""
        command = ["taskset", "-c", CLIENT_CPU, client, str(RATE), str(SECONDS), "127.0.0.1", str(self.port), "/"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if found["failed"] or found["unanswered"]:
            raise RuntimeError(f"{self.name}: requests were not answered: {found}")
        return found["p50"] * 1000, found["p99"] * 1000


@contextlib.contextmanager
def peer(name, command, port, **environment):
    process = subprocess.Popen(["taskset", "-c", SERVER_CPU, *command], env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_listening(port) or process.poll() is not None, f"{name} to listen")
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        yield Server(name, process.pid, port)
    finally:
        process.terminate()
        process.wait()


def nginx(folder, files):
    port = free_port()
    user = "user nobody nogroup;" if os.geteuid() == 0 else ""
    conf = folder / "nginx.conf"
    conf.write_text((WEB / "nginx.conf").read_text().format(modules=MODULES, user=user, folder=folder, here=WEB, port=port, files=files))
    return peer("nginx", ["nginx", "-p", folder, "-c", conf], port)


def node(name, files):
    port = free_port()
    return peer(name, ["node", WEB / f"{name.lower()}.js"], port, PORT=str(port), BENCH_FILES=str(files), NODE_ENV="production")


def has_node(module):
    """Whether Node finds it, from here or by NODE_PATH."""
    found = shutil.which("node") and subprocess.run(["node", "-e", f"require.resolve('{module}')"], cwd=WEB, capture_output=True, check=False)
    return bool(found) and found.returncode == 0


@contextlib.contextmanager
def servers():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        shutil.copytree(WEB, folder / "web")
        files = folder / "web/files"
        files.mkdir()
        for name, size in FILES.items():
            (files / name).write_bytes(b"x" * size)
        own = stack.enter_context(started("web", app=folder / "web/app.lua"))
        host, _, port = own.address().rpartition(":")
        for worker in [own.process.pid, *[row["pid"] for row in own.workers("ready")]]:
            subprocess.run(["taskset", "-a", "-p", "-c", SERVER_CPU, str(worker)], check=True, capture_output=True)
        found = [Server("fsd", own.process.pid, int(port))]
        if shutil.which("nginx") and pathlib.Path(MODULES, "ngx_http_lua_module.so").exists():
            found.append(stack.enter_context(nginx(folder, files)))
        for name in ("Fastify", "Express"):
            if has_node(name.lower()):
                found.append(stack.enter_context(node(name, files)))
            else:
                print(f"Node does not find {name.lower()} (npm install, NODE_PATH): no figures of it", file=sys.stderr)
        yield found


def rows_of(name, wanted, unit, values):
    """One row beside each peer; values are by server."""
    ours = values.pop("fsd")
    if not values:
        yield Row(SUBJECT, name, unit, ours, wanted=wanted)
    for peer_name, theirs in values.items():
        yield Row(SUBJECT, name, unit, ours, theirs, peer_name, wanted if peer_name == "nginx" else "")


def measure(rounds):
    if not (shutil.which("wrk") and shutil.which("taskset")):
        print("wrk and taskset are needed (scripts/packages bench)", file=sys.stderr)
        return
    with servers() as found:
        for name, path, script, wanted in WORK:
            able = [server for server in found if not (path.startswith("/static") and server.name in SERVES_NO_FILES)]
            for server in able:
                server.load(path, script)  # warm
            loads = [[(server.name, *server.load(path, script)) for server in able] for _ in range(rounds)]
            yield from rows_of(name, wanted, "CPU us", {server.name: [cpu for row in loads for who, cpu, _ in row if who == server.name]
                                                        for server in able})
            yield from rows_of(name, "", "req/s", {server.name: [rate for row in loads for who, _, rate in row if who == server.name]
                                                   for server in able})
        client = build_client()
        paced = [[(server.name, *server.pace(client)) for server in found] for _ in range(rounds)]
        for place, name, wanted in ((1, "p50", ""), (2, "p99", ">= 0.83 x nginx")):
            values = {server.name: [row[place] for paced_round in paced for row in paced_round if row[0] == server.name] for server in found}
            yield from (row._replace(subject=PACED) for row in rows_of(name, wanted, "us", values))
