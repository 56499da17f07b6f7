-- fsd.actor.roster: which lists an actor stands in, so that it leaves them at the moment it ends.
-- Used by fsd.group, fsd.pubsub and fsd.registry.  All functions are to be called within core.atomic.
require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error"

local M = {}

local lists = {} -- pid -> { function -> true }

core.on_end(function(pid)
  local removals = lists[pid]
  lists[pid] = nil
  for remove in pairs(removals or {}) do remove(pid) end
end)

-- remove(pid) runs when the actor ends, once however often it was added.  Raises when it has ended already.
function M.add(pid, remove)
  if type(pid) ~= "userdata" then error(("bad pid: a pid expected, got %s"):format(type(pid)), 0) end
  if not core.list(pid) then
    error(errors.new {
      name = "ActorError", code = "noproc", status = 503,
      message = ("cannot list %s: the actor has ended, or is one of another worker"):format(tostring(pid)),
    }, 0)
  end
  local removals = lists[pid]
  if removals == nil then
    removals = {}
    lists[pid] = removals
  end
  removals[remove] = true
end

return M
