"""An application in several workers, in which a test runs Lua text in an actor of one of them, which can start actors in the
others: there(n, text, ...) in the n-th other one."""
from actor_app import FILES, PRELUDE, ActorApp
from fsd_process import wait_for

MORE = PRELUDE + '''
local core = require "fsd.actor.core"
local worker = require "fsd.worker"
local function others() local list = core.members() table.sort(list, function(a, b) return a.slot < b.slot end) return list end
local function there(n, text, ...) return (worker.spawn("do", {text = text, args = {...}}, {on = others()[n]})) end
'''

REMOTE_FILES = dict(FILES) | {
    "do.lua": FILES["do.lua"].replace(PRELUDE, MORE),
}


class RemoteApp(ActorApp):
    """Workers that know each other."""

    def __init__(self, process, workers):
        super().__init__(process)
        self.workers = workers
        self.wait_met()

    def wait_met(self):
        """Until whoever answers knows all others, several times in a row: each of them answers some."""
        def is_met():
            return all(self.run("return #core.members()") == [self.workers - 1] for _ in range(4 * self.workers))
        wait_for(is_met, "workers that know each other", 20)
