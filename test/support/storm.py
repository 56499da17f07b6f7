"""Faults while the actors of storm_app talk: kill, SIGSTOP, a link that is reset, receivers that take nothing for a while."""
import collections
import http.client
import os
import random
import signal
import tempfile
import time

from fsd_process import wait_for
from link_faults import reset_links
from service import Service
from storm_app import STORM_FILES

WORKERS = 4
KINDS = ("kill", "stop", "reset", "full")
SUMMED = ("sent", "received", "checks", "waits", "downs", "breaks", "deaths", "pauses", "senders")


class Storm:
    """A service whose workers talk; each is asked by a connection of its own."""

    def __init__(self, folder, seed, senders=4, rest=0.002):
        self.choose = random.Random(seed)
        self.begin_with = {"workers": WORKERS, "senders": senders, "rest": rest}
        self.connections = {}
        self.pids = {}
        self.tallies = {}  # by pid: those of the dead too
        self.done = collections.Counter()
        self.service = Service(folder, STORM_FILES, WORKERS)
        self.service.write_conf(log_format="json")

    def start(self):
        self.service.start_ready()
        for slot in range(WORKERS):
            wait_for(lambda slot=slot: slot in self.connections or self.find(slot), f"the worker of slot {slot}", 30)
        for slot in range(WORKERS):
            wait_for(lambda slot=slot: self.ask(slot, "GET", "/who")["others"] == WORKERS - 1, "workers that know each other", 30)
        for slot in range(WORKERS):
            self.ask(slot, "POST", "/begin", self.begin_with)

    def ask(self, slot, method, path, body=None):
        answer = self.service.request(method, path, body, connection=self.connections[slot])
        assert answer.status == 200, (answer.text, self.service.log()[-3000:])
        return answer.json()

    def find(self, slot):
        """Connects until the worker of a slot answers; not one that has ended."""
        for _ in range(60):
            connection = http.client.HTTPConnection(self.service.address(), timeout=60)
            try:
                found = self.service.request("GET", "/who", connection=connection).json()
            except (OSError, http.client.HTTPException):
                connection.close()
                return False
            if found["slot"] in self.connections:
                connection.close()
                continue
            self.connections[found["slot"]] = connection
            self.pids[found["slot"]] = found["pid"]
            if found["slot"] == slot:
                return True
        return False

    def look(self, slot):
        self.tallies[self.pids[slot]] = self.ask(slot, "GET", "/tally")

    def totals(self):
        for slot in self.connections:
            self.look(slot)
        found = {key: sum(tally[key] for tally in self.tallies.values()) for key in SUMMED}
        found["violations"] = [text for tally in self.tallies.values() for text in tally["violations"]]
        return found

    def kill(self):
        slot = self.choose.randrange(WORKERS)
        old = self.pids[slot]
        self.look(slot)
        self.connections.pop(slot).close()
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: self.find(slot), f"a successor in slot {slot}", 60)
        assert self.pids[slot] != old
        self.ask(slot, "POST", "/begin", self.begin_with)

    def stop(self):
        pid = self.choose.choice(list(self.pids.values()))
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.choose.uniform(0.05, 0.5))  # far below the heartbeat's limit
        os.kill(pid, signal.SIGCONT)

    def reset(self):
        one, other = self.choose.sample(sorted(self.pids.values()), 2)
        wait_for(lambda: reset_links(one, other), "a link", 30)

    def full(self):
        slot = self.choose.randrange(WORKERS)
        self.ask(slot, "POST", "/pause", {"seconds": self.choose.uniform(0.05, 0.3)})

    def run(self, faults, messages):
        """So many faults, over so many messages at least; as many of each kind."""
        kinds = [KINDS[i % len(KINDS)] for i in range(faults)]
        self.choose.shuffle(kinds)
        for i, kind in enumerate(kinds):
            wanted = messages * (i + 1) / (faults + 1)
            wait_for(lambda wanted=wanted: self.totals()["sent"] >= wanted, "messages", 120)
            getattr(self, kind)()
            self.done[kind] += 1
        wait_for(lambda: self.totals()["sent"] >= messages, "messages", 120)

    def finish(self):
        """All that was sent has come, then: what there is to be said."""
        for slot in self.connections:
            self.ask(slot, "POST", "/stop")

        def have_ended():
            self.totals()
            return all(self.tallies[pid]["ended"] == self.tallies[pid]["senders"] for pid in self.pids.values())

        wait_for(have_ended, "all senders to end", 120)
        restarts = sum(row["restarts"] for row in self.service.workers("ready"))
        return {**self.totals(), "restarts": restarts, **{kind: self.done[kind] for kind in KINDS}}

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.service.end()


def run_storm(faults, messages, seed, **options):
    """A daemon for it alone; returns what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        storm = Storm(folder, seed, **options)
        began = time.monotonic()
        try:
            storm.start()
            storm.run(faults, messages)
            return {**storm.finish(), "seconds": time.monotonic() - began}
        finally:
            storm.close()
