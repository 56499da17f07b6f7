"""An application in which a test runs any Lua text as an actor.  Code of actors is named by module, so there is one that
compiles what it is given.  gate(name) is a channel that all of them share: one stands still until another one opens it."""
import json

# The actor's body gets the names of this prelude; `spawn(text, ...)` makes another one of the same kind.
PRELUDE = '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local json = require "fsd.json"
local gate = require "gate"
local send, receive, call, self, exit = actor.send, actor.receive, actor.call, actor.self, actor.exit
local function spawn(text, options, ...) return actor.spawn("do", {text = text, args = {...}}, options) end
local function wait_end(pid)
  local ref = actor.monitor(pid)
  return receive(function(m) return m[1] == "$down" and m[2] == ref end)[4]
end
local function try(...) local _, err = fsd.try(...) return err and (err.code .. ": " .. err.message:gsub("^%w+:%d+: ", "")) end
local args = ...
'''

FILES = {
    "app.lua": '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local app = fsd.app()
app:post("/run", function(req)
  local pid = actor.spawn("do", {text = req:text(), answers = true})
  return actor.call(pid, "run", 60)
end)
app:post("/handler", function(req) return {load(req:text(), "=handler", "t")()} end)
return app
''',
    "gate.lua": '''
local task = require "fsd.task"
local gates = {}
return function(name)
  gates[name] = gates[name] or task.channel(1)
  return gates[name]
end
''',
    "do.lua": f'''
local actor = require "fsd.actor"
local prelude = [==[{PRELUDE}]==]
return function(work)
  local f = assert(load(prelude:gsub("\\n", " ") .. work.text, "=test", "t"))
  if not work.answers then return f(work.args) end
  local _, from = actor.receive()
  actor.reply(from, {{f()}})
end
''',
}


class ActorApp:
    """Runs Lua in actors, and in handlers, of an application that serve() has started."""

    def __init__(self, process):
        self.process = process

    def run(self, text):
        """What the text returned in an actor, as a list."""
        return self.post("/run", text)

    def handle(self, text):
        """What the text returned in a handler."""
        return self.post("/handler", 'local fsd = require "fsd" local actor = require "fsd.actor" ' + text)

    def post(self, path, text):
        answer = self.process.request("POST", path, text.encode())
        assert answer.status == 200, (answer.text, self.process.log()[-2000:])
        return json.loads(answer.body)
