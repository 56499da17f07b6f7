-- fsd.schema: what a body, a query or a message must look like: checked, converted, described.
--   local S = require "fsd.schema"
--   local User = S { name = "string", age = { "integer", min = 0, optional = true } }
--   local user, problems = User:check(value)
-- spec.lua reads a schema, check.lua runs it, export.lua writes it as JSON Schema, request.lua checks requests.  Holds no state.
local check = require "fsd.schema.check"
local fail = require "fsd.schema.fail"
local spec = require "fsd.schema.spec"

local M = {}

local Schema = { __name = "fsd.Schema" }
Schema.__index = Schema

-- value -> a new value; or nil and the problems, a list of { path, message }
function Schema:check(value, options)
  return check(self.node, value, options)
end

-- value -> a new value, or raises a ValidationError
function Schema:assert(value, options)
  local result, problems = check(self.node, value, options)
  if problems then fail(problems) end
  return result
end

function Schema:json_schema()
  return require("fsd.schema.export").node(self.node)
end

function M.is(value)
  return getmetatable(value) == Schema
end

-- S{ fields }, S{ fields, unknown = ... } is not possible, since that is a field: the options stand behind.
function M.new(fields, options, level)
  local good, node = pcall(function()
    if type(fields) == "string" or (type(fields) == "table" and fields[1] ~= nil) then
      if options ~= nil then error("fsd.schema: options are for objects", 0) end
      return spec.to_node(fields, "schema")
    end
    if type(fields) ~= "table" then
      error(("fsd.schema: a table of fields expected, got %s"):format(type(fields)), 0)
    end
    local given = { "object", fields = fields }
    for name, value in pairs(options or {}) do given[name] = value end
    return spec.to_node(given, "schema")
  end)
  if not good then error(node, level or 2) end
  return setmetatable({ node = node }, Schema)
end

-- schema.handler{ body = S{...}, query = ..., params = ..., headers = ... } -> middleware; values are in req.valid
function M.handler(parts, level)
  return require("fsd.schema.request")(parts, level or 2)
end

return setmetatable(M, { __call = function(_, fields, options) return M.new(fields, options) end })
