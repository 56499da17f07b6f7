-- Methods of req that arrange calls of others.
local core = require "fsd.http.core"
local task = require "fsd.task"

local Request, own = core.methods "request", core.own

-- req:spawn(fn, ...) -> task: one that belongs to the request, which waits for it when its handlers have ended
function Request:spawn(fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'spawn' (function expected, got %s)"):format(type(fn)), 2)
  end
  local handle = task.spawn(fn, ...)
  own.adopt(self, handle)
  return handle
end

-- req:on_abort(fn): when the client has gone before it had the whole answer
function Request:on_abort(fn)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'on_abort' (function expected, got %s)"):format(type(fn)), 2)
  end
  self.res:on("close", function(outcome)
    if not outcome.complete then fn(outcome) end
  end)
  return self
end
