-- Handlers that fsd puts before those of a route: what app:param and app:hook were given, and fsd.compose.
-- worker/http/app/flatten.c asks for them while an application loads.  Holds no application state.
local own = require "fsd.http.core".own
local task = require "fsd.task"
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

-- The end of a request: send hooks while its head is open, response hooks when it has left.
function M.finish(req, res, send, response)
  for _, fn in ipairs(send) do fn(req, res) end
  own.seal(req)
  if #response == 0 then return end
  task.yield() -- the answer leaves
  for _, fn in ipairs(response) do fn(req, res) end
end

function M.before_stream(res, send)
  for _, fn in ipairs(send) do fn(res.req, res) end
end

-- The tasks of a request, when its handlers have ended: raises what one of them raised.
M.join = task.all

function M.cancel(tasks)
  for _, one in ipairs(tasks) do one:cancel("the request that it belongs to has failed") end
end

local Composed = { ["fsd.composed"] = true, __name = "fsd.Composed" }

-- Runs the handlers from the i-th on; found.value is the first result that was not nil.
local function run_from(self, i, found, req, res, next)
  if i > #self then return next() end
  local called
  local value = self[i](req, res, function(err)
    if called then error("next() was called twice by one handler", 2) end
    called = true
    if err ~= nil then return next(err) end
    run_from(self, i + 1, found, req, res, next)
  end)
  if found.value == nil then found.value = value end
end

-- For handlers that are called by others; where it is registered, its handlers are laid flat instead.
function Composed:__call(req, res, next)
  local found = {}
  run_from(self, 1, found, req, res, next)
  return found.value
end

-- fsd.compose{ handler, ... } -> handler
function M.compose(handlers)
  if type(handlers) ~= "table" or #handlers == 0 then
    error("bad argument #1 to 'compose' (a list of handlers expected)", 2)
  end
  return setmetatable(table.move(handlers, 1, #handlers, 1, {}), Composed)
end

return M
