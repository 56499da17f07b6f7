-- Handlers that fsd puts before those of a route: what app:param and app:hook were given, and fsd.compose.
-- worker/http/app/flatten.c asks for them while an application loads.  Holds no application state.
local own = require "fsd.http.core".own
local param_get, param_keep = own.param_get, own.param_keep

local M = {}

-- One parameter: each function gets what the one before it has made of the value.  A word ends it: "route" or "router".
local function run_param(req, res, spec, text, value)
  for _, fn in ipairs(spec) do
    local made, word = fn(req, res, value, spec.name)
    if word ~= nil then return word end
    if made ~= nil then value = made end
  end
  param_keep(req, spec.key, text, value)
end

-- specs: a list of lists of functions, with name, key and index.
function M.params(specs)
  return function(req, res, next)
    for _, spec in ipairs(specs) do
      local text, value = param_get(req, spec.key, spec.index)
      if text ~= nil then
        local word = run_param(req, res, spec, text, value)
        if word ~= nil then return next(word) end
        if res.headers_sent then return end
      end
    end
    next()
  end
end

-- Functions that see a request go by, and do not call next.
function M.hooks(functions)
  return function(req, res, next)
    for _, fn in ipairs(functions) do
      fn(req, res)
      if res.headers_sent then return end
    end
    next()
  end
end

return M
