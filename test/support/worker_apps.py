"""Running Lua in a worker of one's choice: the application of actor_app in several workers, with a connection to each of them."""
import contextlib
import http.client
import json
import os
import signal

from actor_app import FILES
from app_process import AppProcess
from fsd_process import wait_for

APP = FILES["app.lua"].replace("return app", 'app:get("/slot", function() return tostring(fsd.worker.self().slot) end)\nreturn app')


class WorkerApps:
    """One daemon; run(slot, text) is ActorApp's run in the worker that serves the slot."""

    def __init__(self, folder, workers, **files):
        self.count = workers
        self.process = AppProcess(folder, {**FILES, "app.lua": APP, **files}, workers=workers)
        self.process.write_conf(log_format="json")
        self.process.start_ready()
        self.connections = {}

    def connect(self, slot):
        """Opens connections until one leads there."""
        def is_there():
            connection = http.client.HTTPConnection(self.process.address(), timeout=30)
            try:
                found = int(self.process.request("GET", "/slot", connection=connection).text)
            except (OSError, http.client.HTTPException):
                return False
            if found in self.connections:
                connection.close()
            else:
                self.connections[found] = connection
            return slot in self.connections

        wait_for(is_there, f"a connection to worker {slot}")
        return self.connections[slot]

    def run(self, slot, text):
        connection = self.connections.get(slot) or self.connect(slot)
        answer = self.process.request("POST", "/run", text.encode(), connection=connection)
        assert answer.status == 200, (answer.text, self.process.log()[-2000:])
        return json.loads(answer.body)

    def wait_run(self, slot, text, expected):
        """Runs it until it returns what is expected."""
        last = []

        def is_expected():
            last[:] = self.run(slot, text)
            return last == expected

        with contextlib.suppress(AssertionError):
            wait_for(is_expected, f"{expected} from worker {slot}")
        assert last == expected, f"{last} instead of {expected} from worker {slot}"

    def row(self, slot):
        return next(row for row in self.process.workers() if row["slot"] == slot)

    def kill(self, slot):
        """Kills the worker; returns when another one serves the slot."""
        before = self.row(slot)["pid"]
        os.kill(before, signal.SIGKILL)
        self.forget(slot)
        wait_for(lambda: self.row(slot)["pid"] not in (None, before) and self.row(slot)["state"] == "ready", "a successor")

    def forget(self, slot):
        if slot in self.connections:
            self.connections.pop(slot).close()

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.process.kill()
