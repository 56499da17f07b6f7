-- Tables of options, checked against what there is: a name that nothing knows raises, and says which one may have been meant.
-- For what requests call with few options; fsd.mw.options, which judges more and takes longer, is for what applications are made of.
local core = require "fsd.body.core"
local own = require "fsd.http.core".own

local M = {}

-- What is known, in rows or kinds by name -> its names in their order; made once for each such table
local lists = setmetatable({}, { __mode = "k" })

local function list_names(known)
  local names = lists[known]
  if names then return names end
  names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  lists[known] = names
  return names
end

-- find_unknown("fsd.mw.cors", { orign = "*" }, rows) -> 'fsd.mw.cors: unknown option "orign"; did you mean "origin"?', or nil
function M.find_unknown(who, given, known)
  return own.option_fault(given, who, list_names(known))
end

-- "100kb" or a number of bytes -> bytes, or nil
function M.to_bytes(value)
  if type(value) == "string" then return core.size(value) end
  if math.type(value) == "integer" and value >= 0 then return value end
  return nil
end

-- A kind of value -> what makes the option of what was given, nil where it can't be
local kinds = {
  bytes = M.to_bytes,
  count = function(value) return math.type(value) == "integer" and value >= 0 and value or nil end,
}

local words = {
  bytes = [[a number of bytes or a text like "100kb"]],
  count = "an integer that is not negative",
}

local function take(who, name, kind, value)
  if type(kind) == "table" and kind.max then
    if math.type(value) == "integer" and value >= kind.min and value <= kind.max then return value end
    error(("%s: option %q must be an integer from %d to %d, not %s"):format(who, name, kind.min, kind.max, tostring(value)), 4)
  elseif type(kind) == "table" then -- one of these words
    for _, word in ipairs(kind) do if word == value then return value end end
    error(("%s: option %q must be one of %q"):format(who, name, table.concat(kind, " ")), 4)
  end
  local make = kinds[kind]
  local taken = value
  if make then taken = make(value)
  elseif not (" " .. kind .. " "):find(" " .. type(value) .. " ", 1, true) then taken = nil end
  if taken == nil then
    error(("%s: option %q must be %s, not %s"):format(who, name, words[kind] or "a " .. kind:gsub(" ", " or "), tostring(value)), 4)
  end
  return taken
end

-- check("fsd.body.json", given, { limit = "bytes", strict = "boolean" }, { limit = 102400 }) -> a table of its own
function M.check(who, given, known, defaults)
  local options = {}
  for name, value in pairs(defaults) do options[name] = value end
  if given == nil then return options end
  if type(given) ~= "table" then error(("%s: a table of options is expected, not a %s"):format(who, type(given)), 3) end
  local fault = M.find_unknown(who, given, known)
  if fault then error(fault, 3) end
  for name, value in pairs(given) do options[name] = take(who, name, known[name], value) end
  return options
end

return M
