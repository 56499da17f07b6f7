-- fsd.worker: which worker process this is, which others there are, and actors in any of them.
-- What it needs of actors is loaded when it is first used: an application without them is none of the others' business.
local core = require "fsd.worker.core"

local M = {}
for name, value in pairs(core) do M[name] = value end

function M.list()
  return require "fsd.node.places".list()
end

-- As actor.spawn; it runs anywhere in the pool unless options.on says where.
function M.spawn(module, args, options)
  local given = { on = "any" }
  for key, value in pairs(options or {}) do given[key] = value end
  return require "fsd.node.spawn".at(module, args, given)
end

return M
