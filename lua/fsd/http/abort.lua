-- http.abort and http.assert: the end of a request with a status, from anywhere below its handler.
local own = require "fsd.http.core".own
local errors = require "fsd.error.core"

local M = {}

local OPTIONS = { "expose", "code", "headers", "name", "cause" }

-- 404 -> "not_found"
local function make_code(status)
  return (own.reason(status):lower():gsub("[^%a%d]+", "_"))
end

local function check(status, message, options)
  if math.type(status) ~= "integer" or status < 400 or status > 599 then
    error("http.abort: status must be a whole number from 400 to 599", 4)
  end
  if message ~= nil and type(message) ~= "string" then
    error("http.abort: message must be a string, got a " .. type(message), 4)
  end
  if options == nil then return end
  if type(options) ~= "table" then
    error("http.abort: options must be a table, got a " .. type(options), 4)
  end
  local fault = own.option_fault(options, "http.abort", OPTIONS)
    or options.headers ~= nil and type(options.headers) ~= "table" and "http.abort: headers must be a table"
    or options.expose ~= nil and type(options.expose) ~= "boolean" and "http.abort: expose must be a boolean"
  if fault then error(fault, 4) end
  local header_fault = options.headers and own.header_fault(options.headers)
  if header_fault then error("http.abort: cannot set a header: " .. header_fault, 4) end
end

local function raise(status, message, options)
  check(status, message, options)
  options = options or {}
  local expose = options.expose
  if expose == nil then expose = status < 500 end
  local headers
  if options.headers then
    headers = {} -- what was checked
    for name, value in pairs(options.headers) do headers[name] = value end
  end
  error(errors.wrap {
    name = options.name or "HttpError", code = options.code or make_code(status), status = status,
    message = message or own.reason(status), expose = expose, headers = headers, cause = options.cause,
  })
end

-- http.abort(404, "no such user", { headers = { ["retry-after"] = 5 } }): never returns
function M.abort(status, message, options)
  raise(status, message, options)
end

-- http.assert(find(id), 404, "no such user") -> the value, when there is one
function M.assert(value, status, message, options)
  if not value then raise(status, message, options) end
  return value
end

return M
