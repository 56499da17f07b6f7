-- fsd.supervisor.root: the supervisor of what the application has declared by app:supervisor.  It restarts nothing: the
-- end of a declared supervisor is its own, and the worker's (worker/actor/children.c), whose supervisor is the pool.
require "fsd.actor"
local core = require "fsd.actor.core"
local log = require "fsd.log"
local specs = require "fsd.supervisor.spec"

local function announce(word)
  if word == "started" then core.started() end
end

-- list: the options of each, as they were declared.  One without a name is the same in other code when it is the same in their order.
local function read(list)
  local children, unnamed = {}, 0
  for i, options in ipairs(list) do
    if options.name == nil then unnamed = unnamed + 1 end
    children[i] = {
      id = options.name or unnamed, name = options.name, type = "supervisor", start = { "fsd.supervisor", options },
    }
  end
  return specs.supervisor { intensity = 0, children = children }
end

return function(list)
  local spec, why = read(list)
  if not spec then
    log:error(why)
    return
  end
  spec.is_root, spec.name = true, "application" -- as the log shall call it
  require "fsd.supervisor.actor" (spec, nil, announce, read)
end
