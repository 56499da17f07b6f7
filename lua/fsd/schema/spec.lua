-- fsd.schema.spec: what a schema is written as becomes nodes, which check.lua runs and export.lua writes.  A mistake in a schema
-- raises when it is made, with the path of the field.
--   spec.object(fields [, options], where) -> node; spec.is_node(value)
local options = require "fsd.mw.options"

local M = {}

local Node = { __name = "fsd.schema.node" }
M.Node = Node

-- Options of a field, by type: what each may have besides those of every field.
local EVERY = { "optional", "default", "description", "example", "check" }
local BY_KIND = {
  string = { "min", "max", "pattern", "one_of", "format", "trim" },
  integer = { "min", "max", "one_of" },
  number = { "min", "max", "one_of" },
  boolean = {},
  list = { "of", "min", "max", "unique" },
  map = { "of", "keys", "max" },
  object = { "fields", "unknown" },
  any = {},
}

local FORMATS = { email = true, uuid = true, date = true, ["date-time"] = true, uri = true }
local MAX_WHERE = 4096
local UNKNOWN = { drop = true, refuse = true, keep = true }

local function sorted_keys(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function fail(where, message) error(("fsd.schema: %s: %s"):format(where, message), 0) end

local function options_of(kind)
  local known = {}
  for _, name in ipairs(EVERY) do known[name] = true end
  for _, name in ipairs(BY_KIND[kind]) do known[name] = true end
  return known
end

local function check_known(field, kind, where)
  local known = options_of(kind)
  for name in pairs(field) do
    if name ~= 1 and not known[name] then
      fail(where, ("unknown option %q of a %s%s"):format(tostring(name), kind, options.meant(name, sorted_keys(known))))
    end
  end
end

local function check_bound(node, name, is_number, where)
  local value = node[name]
  local good = value == nil or (is_number and type(value) == "number")
    or (not is_number and math.type(value) == "integer" and value >= 0)
  if not good then fail(where, ("%s must be a %s"):format(name, is_number and "number" or "whole number, at least 0")) end
end

local function check_types(node, where)
  local is_number = node.kind == "integer" or node.kind == "number"
  check_bound(node, "min", is_number, where)
  check_bound(node, "max", is_number, where)
  if node.min and node.max and node.min > node.max then fail(where, "min is more than max") end
  if node.pattern ~= nil then
    if type(node.pattern) ~= "string" then fail(where, "pattern must be a Lua pattern") end
    local good, message = pcall(string.find, "", node.pattern)
    if not good then fail(where, "pattern: " .. message) end
  end
  if node.format ~= nil and not FORMATS[node.format] then
    fail(where, ("unknown format %q%s"):format(tostring(node.format), options.meant(node.format, sorted_keys(FORMATS))))
  end
  if node.unknown ~= nil and not UNKNOWN[node.unknown] then fail(where, "unknown must be \"drop\", \"refuse\" or \"keep\"") end
  if node.check ~= nil and type(node.check) ~= "function" then fail(where, "check must be a function") end
  if node.one_of ~= nil then
    if type(node.one_of) ~= "table" or #node.one_of == 0 then fail(where, "one_of must be a list of values") end
    node.values = {}
    for _, value in ipairs(node.one_of) do node.values[value] = true end
  end
end

local to_node

function M.is_node(value) return getmetatable(value) == Node end

local function to_fields(fields, where)
  local nodes, names = {}, {}
  for name, field in pairs(fields) do
    if type(name) ~= "string" then fail(where, ("field names must be strings, got %s"):format(tostring(name))) end
    nodes[name] = to_node(field, where == "" and name or where .. "." .. name)
    names[#names + 1] = name
  end
  table.sort(names)
  return nodes, names
end

local function from_table(field, where)
  local kind = field[1]
  if BY_KIND[kind] == nil then
    fail(where, ("unknown type %q%s"):format(tostring(kind), options.meant(kind, sorted_keys(BY_KIND))))
  end
  check_known(field, kind, where)
  local node = { kind = kind }
  for name, value in pairs(field) do
    if name ~= 1 then node[name] = value end
  end
  check_types(node, where)
  if kind == "list" or kind == "map" then
    node.of = to_node(field.of == nil and "any" or field.of, where .. "[]")
    if node.keys ~= nil and type(node.keys) ~= "string" then fail(where, "keys must be a Lua pattern") end
  elseif kind == "object" then
    if type(field.fields) ~= "table" then fail(where, "an object needs fields") end
    node.fields, node.names = to_fields(field.fields, where)
    node.unknown = node.unknown or "drop"
  end
  return setmetatable(node, Node)
end

-- A field: a type's name, { type, options }, a table of fields, or another schema.  Each level makes where longer.
function to_node(field, where)
  if #where > MAX_WHERE then fail(where:sub(1, 64) .. "...", "too deep: a schema can't be a part of itself") end
  if M.is_node(field) then return field end
  if type(field) == "table" and M.is_node(rawget(field, "node")) then return field.node end
  if type(field) == "string" then return from_table({ field }, where) end
  if type(field) ~= "table" then fail(where, ("a type, a table or a schema expected, got %s"):format(type(field))) end
  if field[1] ~= nil then return from_table(field, where) end
  return from_table({ "object", fields = field }, where)
end

M.to_node = to_node

return M
