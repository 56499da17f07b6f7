"""An application of several workers, in which a test runs Lua text in an actor of the worker that it names by its slot."""
import contextlib
import http.client
import json

from actor_app import FILES
from fsd_process import wait_for

NODE_FILES = dict(FILES) | {
    "app.lua": '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local app = fsd.app()
app:post("/run/:slot", function(req)
  local worker = fsd.worker.self()
  if worker.slot ~= tonumber(req.params.slot) then return { elsewhere = true } end
  local pid = actor.spawn("do", {text = req:text(), answers = true})
  local ok, err = pcall(actor.call, pid, "run", 30)
  if ok then return { values = err } end
  return { error = tostring(err.reason and (err.reason.code or err.reason) or err) }
end)
-- more
return app
''',
}


class NodeApp:
    """Asks until the worker that is meant answers: each connection comes to some worker."""

    def __init__(self, service):
        self.service = service

    def ask(self, slot, text, connection=None):
        """None: another worker has answered, or none."""
        try:
            answer = self.service.request("POST", f"/run/{slot}", text.encode(), connection=connection)
        except OSError:
            return None  # that worker has just been killed
        assert answer.status in (200, 503), (answer.text, self.service.log()[-2000:])
        found = json.loads(answer.body) if answer.status == 200 else {"elsewhere": True}
        return None if "elsewhere" in found else found

    def run(self, slot, text):
        """What the text returned in an actor there, as a list."""
        return self.check(wait_for(lambda: self.ask(slot, text), f"an answer of slot {slot}", 20))

    def check(self, found):
        assert "values" in found, (found, self.service.log()[-2000:])
        return found["values"]

    @contextlib.contextmanager
    def stay(self, slot):
        """A function that runs text there, over one connection: it works while others do not."""
        def find():
            connection = http.client.HTTPConnection(self.service.address(), timeout=30)
            if self.ask(slot, "return true", connection):
                return connection
            connection.close()
            return None

        connection = wait_for(find, f"a connection to slot {slot}")
        try:
            yield lambda text: self.check(self.ask(slot, text, connection))
        finally:
            connection.close()

    def wait(self, slot, text, wanted):
        """Until it returns what is wanted."""
        wait_for(lambda: self.run(slot, text) == wanted, f"{wanted} of {text!r} in slot {slot}")
