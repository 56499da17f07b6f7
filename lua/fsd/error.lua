-- fsd.error: the structured Error from Lua's side.  The class itself stands in worker/core/error.c; `new` and `wrap`
-- go through it, so that an Error made here cannot differ from one made in C.
local core = require "fsd.error.core"

local M = {}

-- fsd.error{ message = "no such user", status = 404, code = "user.missing" } -> Error, to be raised with error(e)
function M.new(fields)
  if type(fields) ~= "table" or type(fields.message) ~= "string" then
    error("fsd.error expects a table with at least a message", 2)
  end
  local copy = {}
  for key, value in pairs(fields) do copy[key] = value end
  return core.wrap(copy)
end

-- fsd.error.wrap(err, "while saving") -> Error whose message begins with what was going on; the cause is kept
function M.wrap(err, doing)
  local wrapped = core.wrap(err)
  if doing == nil then return wrapped end
  return M.new {
    name = wrapped.name, code = wrapped.code, status = wrapped.status,
    message = doing .. ": " .. tostring(wrapped.message), cause = wrapped, traceback = wrapped.traceback,
  }
end

local function settle(ok, ...)
  if ok then return ... end
  return nil, (...)
end

-- fsd.try(f, ...) -> what f returns, or nil and the Error that it raised
function M.try(f, ...)
  return settle(xpcall(f, core.traceback, ...))
end

-- fsd.check(io.open(path)) -> the values, or raises an Error made from the second one
function M.check(value, err, ...)
  if value then return value, err, ... end
  error(core.wrap(err == nil and "check failed" or err), 2)
end

return setmetatable(M, { __call = function(_, fields) return M.new(fields) end })
