"""An application in which a test runs supervisors and children that tell what happens to them."""
from actor_app import FILES

# A child tells args.to "+id" when it starts and, if it traps exits, "-id" when it ends.
KID = '''
local server = require "fsd.server"
local actor = require "fsd.actor"
local fsd = require "fsd"
local Kid = server{}
local function run(text, ...) return load("local self, server, actor, fsd, args = ... " .. text, "=kid", "t")(...) end
function Kid:init(args)
  self.id, self.to = args.id, args.to
  if args.trap then actor.trap_exit(true) end
  actor.send(args.to, "+" .. args.id)
  if args.init then return run(args.init, self, server, actor, fsd, args) end
end
function Kid:handle_call(msg) return run(msg, self, server, actor, fsd) end
function Kid:handle_cast(msg) return run(msg, self, server, actor, fsd) end
function Kid:terminate(reason)
  if actor.alive(self.to) then actor.send(self.to, "-" .. self.id) end
end
return Kid
'''

# In memory of the worker: how often a text ran, so that a child can fail a number of times.
TALLY = '''
local counts = {}
return { count = function(key) counts[key] = (counts[key] or 0) + 1 return counts[key] end }
'''

HEAD = '''local sup = require "fsd.supervisor"
local function kid(id, o)
  o = o or {}
  return {id = id, start = {"kid", {to = self(), id = id, trap = o.trap ~= false, init = o.init}}, restart = o.restart,
    shutdown = o.shutdown, significant = o.significant, type = o.type, name = o.name}
end
local function events(n) local t = {} for i = 1, n do t[i] = receive(5) or "nothing" end return table.concat(t, " ") end
local function quiet() return receive(0.02) == nil end
local function child(s, id) for _, c in ipairs(sup.which_children(s)) do if c.id == id then return c end end end
local function pid(s, id) return child(s, id).pid end
local function crash(s, id) exit(pid(s, id), "kill") end
local function watch(p) local r = actor.monitor(p) return function()
  local m = receive(function(m) return type(m) == "table" and m[1] == "$down" and m[2] == r end, 5) return m and m[4] or "still there" end end
local function failing(f, ...) local _, e = fsd.try(f, ...) return e and { e.name, e.code, e.message } end
local function flags(o, ...) o.children = {...} return o end
'''.replace("\n", " ")

SUPERVISED = {**FILES, "kid.lua": KID, "tally.lua": TALLY,
              "plain.lua": 'return function(args) local a = require "fsd.actor" a.send(args, "+plain") a.receive() end',
              "broken.lua": 'error("top level")'}
