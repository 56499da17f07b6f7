"""Several workers, in each of which a test can run Lua: a connection that is kept leads to one and the same worker."""
import contextlib
import http.client
import json
import os

from fsd_process import wait_for
from link_faults import find_links
from remote_app import REMOTE_FILES

WHO = "local s = worker.self() return s.slot, s.pid, #core.members()"


class Fleet:
    """The workers of a service that runs REMOTE_FILES, by slot."""

    FILES = REMOTE_FILES

    def __init__(self, service):
        self.service = service
        self.size = service.workers_count
        self.connections = {}
        self.pids = {}
        self.meet()

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def post(self, connection, text):
        answer = self.service.request("POST", "/run", text.encode(), connection=connection)
        assert answer.status == 200, (answer.text, self.service.log()[-3000:])
        return json.loads(answer.body)

    def run(self, slot, text):
        """What the text returned in an actor of the worker that serves the slot."""
        return self.post(self.connections[slot], text)

    def drop(self, slot):
        if slot in self.connections:
            self.connections.pop(slot).close()

    def find(self, slot):
        """Connects until the worker of a slot answers."""
        for _ in range(50):
            connection = http.client.HTTPConnection(self.service.address(), timeout=60)
            try:
                found, pid, _ = self.post(connection, WHO)
            except (OSError, http.client.HTTPException):
                connection.close()
                return False
            self.drop(found)
            self.connections[found], self.pids[found] = connection, pid
            if found == slot:
                return True
        return False

    def meet(self):
        """Until every slot is served, and everybody knows all others."""
        for slot in range(self.size):
            if slot not in self.connections:
                wait_for(lambda slot=slot: self.find(slot), f"the worker of slot {slot}", 30)
        for slot in range(self.size):
            wait_for(lambda slot=slot: self.run(slot, WHO)[2] == self.size - 1, "workers that know each other", 20)

    def end(self, slot, number):
        """A signal to the worker of a slot, which is another one after this."""
        pid = self.pids[slot]
        self.drop(slot)
        os.kill(pid, number)
        self.wait_successor(slot, pid)

    def wait_successor(self, slot, pid):
        def is_there():
            row = self.service.slot(slot)
            return row is not None and row["pid"] != pid

        self.drop(slot)
        wait_for(is_there, f"a successor in slot {slot}", 40)
        self.meet()

    def talk(self, one, other):
        """Makes a link between the two workers."""
        assert self.run(one, f'return call((worker.spawn("do", {{text = "actor.reply(select(2, receive()), 1)"}}, {{on = {other}}})), 1)') == [1]

    def links(self, one, other):
        return find_links(self.pids[one], self.pids[other])

    def wait_report(self, slot, name, count, seconds=20):
        """The messages that a collector got, when there are so many."""
        def ask():
            found = self.run(slot, f'return call("{name}", "report", 30)')[0]
            return found if len(found) >= count else None

        return wait_for(ask, f"{count} messages", seconds)


@contextlib.contextmanager
def fleet_of(service):
    one = Fleet(service)
    try:
        yield one
    finally:
        one.close()


def memory_of(pid):
    """Bytes of memory that the process has to itself."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line and "-" not in line.split(":")[0])
    return int(fields["Pss_Anon"].split()[0]) * 1024
