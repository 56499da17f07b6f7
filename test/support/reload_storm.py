"""Everything that changes a service, at once and at random: reloads, rollbacks, configurations, scaling, upgrades of the master, and deaths
of workers.

Nothing may hang, an exit code of 0 means that what was on the disk when the command began is what runs, and at the end all is as the last
command has made it."""
import collections
import contextlib
import http.client
import os
import random
import re
import signal
import threading
import time

from code_app import watched
from deploying import edited

LIMIT_S = 120  # of any command
TRIES = 20
KNOWN_EXITS = (0, 1, 75)
HUNG_UP = 69  # who asks in the moment in which another master takes over is hung up on: nothing was done, and nothing said


class ReloadStorm:
    def __init__(self, service, seed, plan):
        self.service, self.seed, self.plan = service, seed, plan
        self.known_exits = (*KNOWN_EXITS, HUNG_UP) if "upgrade" in plan else KNOWN_EXITS
        self.version, self.turn, self.promises = 1, threading.Lock(), []
        self.done, self.problems = collections.Counter(), []

    def command(self, *words):
        told = self.service.ctl(*words, timeout=LIMIT_S)
        self.done[f"{words[0]} {told.returncode}"] += 1
        if told.returncode not in self.known_exits or (told.returncode != 0 and not told.stderr.strip()):
            self.problems.append((words, told.returncode, told.stdout, told.stderr))
        return told

    def insist(self, *words):
        """Until it has got its turn among the others, or has tried often."""
        for _ in range(TRIES):
            if self.command(*words).returncode == 0:
                return
            time.sleep(0.005)

    def ask(self):
        """(version, generation) that a new connection gets; one that a dying worker has accepted counts for nothing."""
        for _ in range(50):
            with contextlib.suppress(OSError, http.client.HTTPException, KeyError):
                headers = self.service.get("/").headers
                return int(headers["x-version"]), int(headers["x-generation"])
        raise AssertionError("nobody answers")

    def reload(self, choose):
        time.sleep(choose.choice((0, 0, 0.02, 0.05)))  # lets others have a turn
        with self.turn:
            self.version += 1
            mine = self.version
            self.service.put(mine)
        told = self.command("reload")
        version, generation = self.ask()
        if told.returncode == 0:
            promised = int(re.search(r"generation \d+ -> (\d+)", told.stdout)[1])
            self.promises.append((promised, mine))
            # where a configuration came with it and a new worker dies just when it is to serve, the old one serves until the next try
            is_settled = "changed over" in told.stdout or "kill" not in self.plan
            if is_settled and (generation < promised or (generation == promised and version < mine)):
                self.problems.append(("reload has said that it is done", told.stdout, mine, "and there runs", generation, version))

    def apply(self, choose):
        with self.turn, edited(self.service) as conf:
            conf["apps"]["shop"]["settings"] = {"colour": f"colour{choose.randrange(1000)}"}
        self.insist("config", "apply")

    def scale(self, choose):
        self.insist("scale", "web", str(choose.randint(1, 3)))

    def upgrade(self, _):
        self.insist("upgrade")

    def rollback(self, _):
        self.insist("rollback")

    def confirm(self, choose):
        time.sleep(choose.uniform(0, 0.1))
        self.insist("confirm")

    def kill(self, choose):
        with contextlib.suppress(OSError, IndexError):
            os.kill(choose.choice(self.service.pids()), signal.SIGKILL)
        self.done["kill"] += 1
        time.sleep(choose.uniform(0.02, 0.2))

    def repeat(self, what, count, number):
        choose = random.Random(f"{self.seed} {what} {number}")
        for _ in range(count):
            try:
                getattr(self, what)(choose)
            except Exception as error:  # noqa: BLE001: a thread that ends says nothing to anybody
                self.problems.append((what, repr(error)))
                return

    def run(self):
        threads = [threading.Thread(target=self.repeat, args=(what, count, i), daemon=True)
                   for what, (number, count) in self.plan.items() for i in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
            if thread.is_alive():
                self.problems.append("a command hangs")

    def finish(self):
        """When all is quiet, one more of each is done, and is what runs."""
        self.service.wait_calm(120)
        for what in ("reload", "apply", "scale"):
            before = self.done.copy()
            getattr(self, what)(random.Random(self.seed))
            failed = {key for key in self.done - before if not key.endswith(" 0")}
            if failed:
                self.problems.append(("when all was quiet", failed))
            self.service.wait_calm(120)
        if self.ask()[0] != self.version:
            self.problems.append(("at the end there runs", self.ask(), "and not", self.version))

    def judge(self, watchers):
        """Each generation that a reload has brought is of what was on the disk when it was asked for, or later."""
        versions = {seen.generation: int(seen.version) for one in watchers for seen in one.answers}
        for generation, version in self.promises:
            if versions.get(generation, version) < version:
                self.problems.append(("generation", generation, "is of version", versions[generation], "and should be of", version))


def run_reload_storm(service, seed, plan):
    """plan: what -> (threads, times each)."""
    storm = ReloadStorm(service, seed, plan)
    with watched(service) as watchers:
        storm.run()
        storm.finish()
    storm.judge(watchers)
    return {**storm.done, "problems": storm.problems}
