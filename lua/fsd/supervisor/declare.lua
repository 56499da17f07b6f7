-- fsd.supervisor.declare: the judge of app:supervisor{...}.  Called while an application loads, by worker/http/app/app.c.
require "fsd.actor"
local core = require "fsd.actor.core"
local specs = require "fsd.supervisor.spec"

-- The options as they are kept, with a name; nil and a sentence when they are wrong.  declared: those before it.
return function(options, declared)
  local spec, why = specs.any(options)
  if not spec then return nil, why end
  for _, other in ipairs(declared) do
    if spec.name ~= nil and other.name == spec.name then
      return nil, ("there is a supervisor %q already"):format(spec.name)
    end
  end
  local copied, copy = pcall(core.copy, options)
  if not copied then return nil, copy end
  return copy
end
