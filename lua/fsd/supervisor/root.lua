-- fsd.supervisor.root: the supervisor of what the application has declared by app:supervisor.  It restarts nothing: the
-- end of a declared supervisor is its own, and the worker's (worker/actor/children.c), whose supervisor is the pool.
require "fsd.actor"
local core = require "fsd.actor.core"
local log = require "fsd.log"
local specs = require "fsd.supervisor.spec"

local function announce(word)
  if word == "started" then core.started() end
end

-- list: the options of each, as they were declared
return function(list)
  local children = {}
  for i, options in ipairs(list) do
    children[i] = {
      id = options.name or i, name = options.name, type = "supervisor", start = { "fsd.supervisor", options },
    }
  end
  local spec, why = specs.supervisor { intensity = 0, children = children }
  if not spec then
    log:error(why)
    return
  end
  spec.is_root, spec.name = true, "application" -- as the log shall call it
  require "fsd.supervisor.actor" (spec, nil, announce)
end
