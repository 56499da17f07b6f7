"""A random row of changes of the code, while clients ask all the time: reload, broken code, rollback, confirm, and workers that die.

What may be seen is known: of a version that was never in place no answer, on one connection never an older generation than before, and after
a command has said that it is done, nowhere."""
import collections
import contextlib
import os
import random
import signal
import subprocess
import time

from code_app import read_reload, watched
from service import BUILD

KINDS = ("reload", "broken", "rollback", "confirm", "kill", "reload_and_kill", "reload_twice")
BROKEN = ("local = 5", "error('boom')", "fsd.task.spawn(print)", "if fsd.worker.self().slot == 1 then error('here') end",
          "app:on_check(function() error('no') end)", "require('no.such')")


class Changes:
    def __init__(self, service, seed):
        self.service, self.choose = service, random.Random(seed)
        self.version, self.allowed, self.floors = 1, {"1"}, []
        self.running, self.done = "1", collections.Counter()

    def put_next(self, more=""):
        self.version += 1
        self.service.put(self.version, more)
        return str(self.version)

    def start(self, *words):
        command = [str(BUILD / "fsdctl"), *words, "-s", self.service.control_path]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def wait(process):
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def settle(self, version):
        """A command is done: from now on nobody is answered by older code."""
        done = time.monotonic()
        generation = self.service.status()["pools"][0]["generation"]
        assert not self.floors or generation >= self.floors[-1][1], (generation, self.floors[-1])
        self.floors.append((done, generation))
        self.allowed.add(version)
        self.running = version

    def judge(self, told, version):
        """The exit code is the truth: what runs then."""
        assert told.returncode in (0, 1), read_reload(self.service, told)
        if told.returncode == 0:
            self.settle(version)
        answer = self.service.get("/")
        assert answer.headers["x-version"] == self.running, (answer.headers, read_reload(self.service, told))

    def reload(self):
        version = self.put_next()
        told = self.service.ctl("reload", timeout=120)
        assert told.returncode == 0, read_reload(self.service, told)
        self.judge(told, version)

    def broken(self):
        version = self.put_next(self.choose.choice(BROKEN))
        told = self.service.ctl("reload", timeout=120)
        assert told.returncode == 1 and "app.lua:" in told.stderr, read_reload(self.service, told)
        self.judge(told, version)

    def rollback(self):
        """To what was confirmed, or else to what ran before; it may be that there is nothing."""
        before = self.service.status()["pools"][0]["generation"]
        told = self.service.ctl("rollback", timeout=120)
        assert told.returncode in (0, 1), read_reload(self.service, told)
        if told.returncode == 0:
            version = self.service.get("/").headers["x-version"]
            assert version in self.allowed
            self.settle(version)
            assert self.floors[-1][1] > before, "a rollback has a higher number"
            self.done["rolled back"] += 1

    def confirm(self):
        told = self.service.ctl("confirm", timeout=120)
        assert told.returncode == 0, read_reload(self.service, told)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # somebody may just be leaving
            os.kill(self.choose.choice(self.service.pids()), signal.SIGKILL)

    def reload_and_kill(self):
        """At some moment of it."""
        version = self.put_next()
        victim = self.choose.choice(self.service.pids())
        process = self.start("reload")
        time.sleep(self.choose.choice((0, 0.002, 0.005, 0.01, 0.02)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.judge(self.wait(process), version)

    def reload_twice(self):
        version = self.put_next()
        for told in [self.wait(process) for process in [self.start("reload") for _ in range(2)]]:
            assert told.returncode == 0, read_reload(self.service, told)
            self.judge(told, version)

    def run(self, count):
        for _ in range(count):
            kind = self.choose.choice(KINDS)
            self.service.wait_calm()
            getattr(self, kind)()
            self.done[kind] += 1
        self.service.wait_calm()

    def violations(self, watchers):
        found, versions = [], {}
        for seen in (seen for one in watchers for seen in one.answers):
            if seen.version not in self.allowed:
                found.append(("never in place", seen))
            if versions.setdefault(seen.generation, seen.version) != seen.version:
                found.append(("two versions of one generation", seen))
        floors = sorted(self.floors)
        for one in watchers:
            at = 0
            for seen in one.answers:
                while at < len(floors) and floors[at][0] < seen.began:
                    at += 1
                if at > 0 and seen.generation < floors[at - 1][1]:
                    found.append(("older than what was done before", floors[at - 1], seen))
        return found


def run_changes(service, count, seed, clients=2):
    """Of a service that runs; what was done, and what must not be."""
    changes = Changes(service, seed)
    with watched(service, *["GET", "POST"] * clients) as watchers:
        changes.run(count)
    return {**changes.done, "answers": sum(len(one.answers) for one in watchers), "generation": changes.floors[-1][1] if changes.floors else 1,
            "violations": changes.violations(watchers)}
