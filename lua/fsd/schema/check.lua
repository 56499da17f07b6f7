-- fsd.schema.check: a value against the nodes of a schema.  Collects every problem up to a number of them, each with the path in the
-- value.  What it returns is new: only what the schema knows, with defaults, and converted where the source has only strings.
--   check(node, value, options) -> value | nil, problems
local json = require "fsd.json"

local PROBLEMS_MAX = 20

local NULL = json.null

local Run = {}
Run.__index = Run

function Run:fault(path, message)
  local problems = self.problems
  if #problems < PROBLEMS_MAX then problems[#problems + 1] = { path = path, message = message } end
end

local function times(count, one) return count == 1 and "1 " .. one or count .. " " .. one .. "s" end

local function between(node, one)
  local min, max = node.min, node.max
  if min and max then return min == max and times(min, one) or ("%d to %s"):format(min, times(max, one)) end
  return min and "at least " .. times(min, one) or "at most " .. times(max, one)
end

local function list_values(values)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = type(value) == "string" and ("%q"):format(value) or tostring(value) end
  return table.concat(texts, ", ")
end

local function is_date(text)
  local year, month, day = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or month < 1 or month > 12 or day < 1 then return false end
  local days = month == 2 and ((year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 29 or 28)
    or (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
  return day <= days
end

local FORMATS = {
  email = { "an e-mail address", function(text)
    return #text <= 254 and text:find "^[%w.!#$%%&'*+/=?^_`{|}~-]+@[%w][%w.-]*%.%w[%w-]*$" ~= nil and not text:find("..", 1, true)
  end },
  uuid = { "a UUID", function(text)
    return text:find "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$" ~= nil
  end },
  date = { "a date such as 2026-01-31", is_date },
  ["date-time"] = { "a time such as 2026-01-31T12:00:00Z", function(text)
    local date, hour, minute, second, zone = text:match "^(.-)[Tt](%d%d):(%d%d):(%d%d)%.?%d*(.*)$"
    if not date or not is_date(date) or hour > "23" or minute > "59" or second > "60" then return false end
    local zone_hour, zone_minute = zone:match "^[+-](%d%d):(%d%d)$"
    return zone == "Z" or zone == "z" or (zone_hour ~= nil and zone_hour <= "23" and zone_minute <= "59")
  end },
  uri = { "an absolute URL", function(text) return text:find "^%a[%w+.-]*:[^%s%c\"<>\\^`{|}]+$" ~= nil end },
}

-- In these no text, however long, makes a pattern go back again and again: clients would reach the limit of its steps.
local function trim(text)
  local first = text:find "%S"
  return first and text:match("^.*%S", first) or ""
end

local function to_number(text)
  return not text:find "[^%d.eE+-]" and tonumber(text) or nil -- without 0x10, " 1 "
end

local BY_KIND = {}

function BY_KIND.any(_, _, value) return value end

function BY_KIND.string(run, node, value, path)
  if type(value) ~= "string" then return run:fault(path, "must be a string") end
  if node.trim then value = trim(value) end
  if node.min or node.max then
    local length = utf8.len(value)
    if not length then return run:fault(path, "must be UTF-8") end
    if length < (node.min or 0) or length > (node.max or math.huge) then
      return run:fault(path, ("must have %s, has %d"):format(between(node, "character"), length))
    end
  end
  if node.pattern and not value:find(node.pattern) then return run:fault(path, "has not the right form") end
  if node.format and not FORMATS[node.format][2](value) then
    return run:fault(path, "must be " .. FORMATS[node.format][1])
  end
  return value
end

local function check_number(run, node, value, path)
  if node.min and value < node.min then return run:fault(path, ("must be at least %s, is %s"):format(node.min, value)) end
  if node.max and value > node.max then return run:fault(path, ("must be at most %s, is %s"):format(node.max, value)) end
  return value
end

function BY_KIND.integer(run, node, value, path)
  if run.coerce and type(value) == "string" then
    value = value:find "^[+-]?%d+$" and math.tointeger(tonumber(value)) or value
  end
  local whole = type(value) == "number" and math.tointeger(value)
  if not whole then return run:fault(path, "must be a whole number") end
  return check_number(run, node, whole, path)
end

function BY_KIND.number(run, node, value, path)
  if run.coerce and type(value) == "string" then value = to_number(value) or value end
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    return run:fault(path, "must be a number")
  end
  return check_number(run, node, value, path)
end

local TRUTHS = { ["true"] = true, ["1"] = true, on = true, yes = true, ["false"] = false, ["0"] = false, off = false, no = false }

function BY_KIND.boolean(run, _, value, path)
  if run.coerce and type(value) == "string" then value = TRUTHS[value] end
  if type(value) ~= "boolean" then return run:fault(path, "must be true or false") end
  return value
end

local function is_list(value)
  return type(value) == "table" and (json.is_array(value) or (next(value) ~= nil and #value > 0))
end

function BY_KIND.list(run, node, value, path)
  if run.coerce and not is_list(value) then value = { value } end -- ?tag=a is a list of one
  if not is_list(value) then return run:fault(path, "must be a list") end
  local count = #value
  if count < (node.min or 0) or count > (node.max or math.huge) then
    return run:fault(path, ("must have %s, has %d"):format(between(node, "item"), count))
  end
  local result, seen = json.array {}, node.unique and {}
  for i = 1, count do
    local item = run:check(node.of, value[i], ("%s[%d]"):format(path, i))
    if seen and item ~= nil then
      if seen[item] then run:fault(("%s[%d]"):format(path, i), "is there twice") end
      seen[item] = true
    end
    result[i] = item
  end
  return result
end

function BY_KIND.map(run, node, value, path)
  if type(value) ~= "table" or json.is_array(value) then return run:fault(path, "must be an object") end
  local result, count = {}, 0
  for key, item in pairs(value) do
    local at = path == "" and tostring(key) or ("%s.%s"):format(path, key)
    count = count + 1
    if type(key) ~= "string" or (node.keys and not key:find(node.keys)) then
      run:fault(at, "is not a name that is allowed here")
    else
      result[key] = run:check(node.of, item, at)
    end
  end
  if node.max and count > node.max then return run:fault(path, ("must have at most %s"):format(times(node.max, "entry"))) end
  return result
end

local function check_unknown(run, node, value, path, result)
  for key, item in pairs(value) do
    if node.fields[key] == nil then
      if node.unknown == "keep" then
        result[key] = item
      else
        run:fault(path == "" and tostring(key) or ("%s.%s"):format(path, key), "is not known here")
      end
    end
  end
end

function BY_KIND.object(run, node, value, path)
  if type(value) ~= "table" or json.is_array(value) then return run:fault(path, "must be an object") end
  local result = {}
  for _, name in ipairs(node.names) do
    result[name] = run:field(node.fields[name], value[name], path == "" and name or path .. "." .. name)
  end
  if node.unknown ~= "drop" then check_unknown(run, node, value, path, result) end
  return result
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for key, item in pairs(value) do result[key] = copy(item) end
  return setmetatable(result, getmetatable(value))
end

-- A field that may be missing; json.null is.
function Run:field(node, value, path)
  if value == nil or value == NULL then
    if node.default ~= nil then return copy(node.default) end
    if not node.optional then self:fault(path, "is missing") end
    return nil
  end
  return self:check(node, value, path)
end

function Run:check(node, value, path)
  local before = #self.problems
  value = BY_KIND[node.kind](self, node, value, path)
  if #self.problems > before then return nil end
  if node.values and not node.values[value] then
    return self:fault(path, "must be one of " .. list_values(node.one_of))
  end
  if node.check then
    local result, message = node.check(value)
    if result == nil or result == false then return self:fault(path, message or "is not right") end
    if result ~= true or node.kind == "boolean" then value = result end
  end
  return value
end

return function(node, value, options)
  local run = setmetatable({ problems = json.array {}, coerce = options ~= nil and options.coerce or false }, Run)
  local result = run:field(node, value, "")
  if #run.problems > 0 then return nil, run.problems end
  return result
end
