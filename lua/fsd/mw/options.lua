-- fsd.mw.options: the table of options of a middleware, judged when it is made: a mistyped name is told with what was meant, not ignored.
--   options.read("fsd.mw.cors", given, rows [, level]) -> table with every option of rows
-- rows: name -> { kind [, default] [, check] }; kind is a type, or several with "|" ("string|table"), among them "integer", "callable",
-- "true" and "false"; check(value) returns a sentence when the value cannot be: "must be ...".
local http_options = require "fsd.http.options"
local text = require "fsd.text.core"

local M = {}

local KINDS = {
  integer = function(value) return math.type(value) == "integer" end,
  callable = function(value)
    if type(value) == "function" then return true end
    local metatable = getmetatable(value)
    return type(metatable) == "table" and metatable.__call ~= nil
  end,
  ["true"] = function(value) return value == true end,
  ["false"] = function(value) return value == false end,
  any = function() return true end,
}

local function is_of(value, kinds)
  for kind in kinds:gmatch "[^|]+" do
    local judge = KINDS[kind]
    if judge and judge(value) or type(value) == kind then return true end
  end
  return false
end

local WORDS = { callable = "function", integer = "whole number" }

local function describe(kinds)
  return (kinds:gsub("%w+", WORDS):gsub("|", " or "))
end

local function shown(value)
  return type(value) == "string" and ("%q"):format(value) or type(value) == "table" and "a table" or tostring(value)
end

-- "; did you mean "max_age"?" or ""
function M.meant(word, names)
  local meant = text.nearest(tostring(word), names)
  return meant and ("; did you mean %q?"):format(meant) or ""
end

local function check_value(what, name, value, row, level)
  if not is_of(value, row[1]) then
    error(("%s: option \"%s\" must be a %s, got %s"):format(what, name, describe(row[1]), shown(value)), level)
  end
  local fault = row.check and row.check(value)
  if not fault then return end
  local got = fault:find "^has " and "" or ", got " .. shown(value) -- it shows what is wrong within the value already
  error(("%s: option \"%s\" %s%s"):format(what, name, fault, got), level)
end

function M.read(what, given, rows, level)
  level = (level or 2) + 1
  if given ~= nil and type(given) ~= "table" then
    error(("%s: options must be a table, got %s"):format(what, shown(given)), level)
  end
  local read = {}
  local unknown = given ~= nil and http_options.find_unknown(what, given, rows)
  if unknown then error(unknown, level) end
  for name, row in pairs(rows) do
    local value = given and given[name]
    if value == nil then
      if row.required then error(("%s: option \"%s\" is missing"):format(what, name), level) end
      value = row[2]
    else
      check_value(what, name, value, row, level + 1)
    end
    read[name] = value
  end
  return read
end

-- A size: 65536 or "64kb" -> bytes, or nil
M.to_bytes = http_options.to_bytes

-- Checks for rows.

function M.size(value)
  if not M.to_bytes(value) then return "must be a number of bytes, such as 65536 or \"64kb\"" end
end

function M.one_of(...)
  local values = { ... }
  return function(value)
    for _, known in ipairs(values) do
      if value == known then return nil end
    end
    local names = {}
    for i, known in ipairs(values) do names[i] = shown(known) end
    return "must be one of " .. table.concat(names, ", ")
  end
end

function M.at_least(least)
  return function(value)
    if type(value) == "number" and not (value >= least) then return "must be at least " .. least end
  end
end

-- A list of strings, each of which the pattern matches when there is one.
function M.texts(pattern, words)
  return function(value)
    if type(value) == "string" then value = { value } end
    if type(value) ~= "table" then return nil end
    local count = 0
    for key, item in pairs(value) do
      count = count + 1
      if math.type(key) ~= "integer" or type(item) ~= "string" or (pattern and not item:find(pattern)) then
        return "must be a list of " .. (words or "strings")
      end
    end
    if count ~= #value then return "must be a list of " .. (words or "strings") end
  end
end

-- Something that can stand in a header.
function M.header_text(value)
  if type(value) == "string" and value:find "[%c\127]" then return "must not have control characters" end
end

M.header_name = "^[%w!#$%%&'*+.^_`|~-]+$"

return M
