"""Starting a real fsd with the fake worker, and asking it over its control socket.

Everything is bounded in time: waits poll a condition, and a test that leaves a daemon behind has it killed by pid."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FSD_BUILD", ROOT / "build/release"))
FAKE_WORKER = ROOT / "test/support/fake_worker.py"


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]


def wait_for(condition, what, seconds=20.0):
    """Polls until condition() is truthy and returns that; fails after the given seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.01)


def is_alive(pid):
    """Is it running, zombies not counted?"""
    try:
        return "\nState:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


class FsdProcess:
    """One daemon in a folder of its own."""

    def __init__(self, folder, app=None, workers=1, worker=None, worker_path=None):
        self.folder = pathlib.Path(folder)
        self.control_path = str(self.folder / "control.sock")
        self.app_path = self.folder / "app.lua"
        self.log_path = self.folder / "stderr"
        self.out_path = self.folder / "stdout"
        self.workers_count = workers
        self.watches = False  # a test that writes files says itself when they are loaded
        self.process = None
        self.program = BUILD / "fsd"
        self.worker_path = worker_path or str(self.folder / "fsd-worker")
        if worker_path is None:
            shutil.copy(FAKE_WORKER, self.worker_path)
        (self.folder / "worker.json").write_text(json.dumps(worker or {}))
        self.write_app(app or {})

    def write_app(self, app):
        """The application of the fake worker: what it shall do."""
        self.app_path.write_text(json.dumps(app))

    def write_conf(self, listen="127.0.0.1:0", log_format="text", standby=0, intensity=1000, **pool):
        """Makes it `fsd serve` with this configuration: no reserve, and no giving up, unless a test is about that."""
        conf = {
            "version": 1,
            "listeners": {"web": {"listen": listen}},
            "apps": {"shop": {"path": str(self.app_path), "settings": {"colour": "red"}, "env": {"KEY": "value"}}},
            "pools": {"web": {"app": "shop", "listeners": ["web"], "count": self.workers_count, "standby": standby,
                              "intensity": intensity, **pool}},
            "log": {"level": "debug", "format": log_format},
            "control": {"path": self.control_path},
            "state": {"path": str(self.folder / "state")},
        }
        (self.folder / "fsd.yaml").write_text(json.dumps(conf))

    def start(self, arguments=(), wrapper=(), stderr=None, **options):
        conf = self.folder / "fsd.yaml"
        if conf.exists():
            command = ["serve", "--config", str(conf)]
        else:
            command = ["run", str(self.app_path), "--port", "0", "--control", self.control_path,
                       "--workers", str(self.workers_count), *([] if self.watches else ["--no-watch"])]
        command = [*wrapper, str(self.program), *command, "--worker", self.worker_path, *arguments]
        with open(self.log_path, "ab") as log, open(self.out_path, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=stderr or log,
                                            cwd=self.folder, **options)
        return self

    def start_ready(self, *arguments, **options):
        self.start(*arguments, **options)
        self.wait_status(lambda status: status["state"] == "running", "the daemon to run")
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def out(self):
        return self.out_path.read_text()

    def wait_log(self, text, seconds=20.0):
        wait_for(lambda: text in self.log() or self.has_ended(text), f"{text!r} in the log", seconds)

    def has_ended(self, what):
        assert self.process.poll() is None, f"fsd ended with {self.process.returncode} before {what}:\n{self.log()}"

    def open_control(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(20)
        try:
            sock.connect(self.control_path)
        except OSError:
            sock.close()
            raise
        return sock

    @staticmethod
    def send_call(sock, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        sock.sendall(json.dumps(request).encode() + b"\n")

    @staticmethod
    def read_answer(sock):
        with sock.makefile("rb") as lines:
            line = lines.readline()
        if not line:
            raise ConnectionResetError("closed without an answer")
        answer = json.loads(line)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def call(self, method, **params):
        with self.open_control() as sock:
            self.send_call(sock, method, **params)
            return self.read_answer(sock)

    def status(self):
        """None while nobody answers yet."""
        try:
            return self.call("status")
        except (FileNotFoundError, ConnectionError):
            self.has_ended("it answered")
            return None

    def wait_status(self, condition, what, seconds=20.0):
        def check():
            status = self.status()
            return status if status and condition(status) else None

        return wait_for(check, what, seconds)

    def workers(self, state=None):
        rows = self.status()["pools"][0]["workers"]
        return [row for row in rows if state in (None, row["state"])]

    def wait_workers(self, condition, what, seconds=20.0):
        """Waits until the rows of the first pool's workers are as wanted."""
        return self.wait_status(lambda status: condition(status["pools"][0]["workers"]), what,
                                seconds)["pools"][0]["workers"]

    def get(self, path="/"):
        address = self.status()["listeners"][0]["address"]
        with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
            return json.loads(answer.read())

    def get_broken(self, path):
        """A request of which the worker dies."""
        try:
            self.get(path)
        except (urllib.error.URLError, ConnectionError, OSError):
            return
        raise AssertionError(f"{path} was answered")

    def signal(self, number):
        os.kill(self.process.pid, number)

    def wait_exit(self, seconds=20.0):
        return self.process.wait(seconds)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait_exit()

    def kill(self):
        """For the end of a test: whatever is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
