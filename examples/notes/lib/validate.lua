-- validate: what a client may send.
--
-- Each function returns a clean table, with only what is known, or raises an Error of status 422 that
-- has a list of everything that is wrong: problems = { { path = "tags[2]", message = "..." }, ... }.
local fsd = require "fsd"
local json = require "fsd.json"

local M = {}

local TITLE_MAX, TEXT_MAX, TAG_MAX, TAGS_MAX = 200, 10000, 30, 10
local LIMIT_DEFAULT, LIMIT_MAX = 20, 100

local Problems = {}
Problems.__index = Problems

local function new_problems()
  return setmetatable({ list = json.array {} }, Problems)
end

function Problems:add(path, message, ...)
  self.list[#self.list + 1] = { path = path, message = message:format(...) }
end

function Problems:check()
  if #self.list == 0 then return end
  error(fsd.error {
    status = 422, code = "validation", message = "the request is not valid", problems = self.list,
  })
end

-- Checks one text; returns it, or nil after a problem.  Lengths are in characters.
local function check_text(problems, path, value, min, max)
  if type(value) ~= "string" then
    problems:add(path, "must be a string")
    return nil
  end
  local length = utf8.len(value) -- the JSON decoder lets only valid UTF-8 through
  if length < min or length > max then
    problems:add(path, "must have %d to %d characters, has %d", min, max, length)
    return nil
  end
  return value
end

local function check_tags(problems, path, value)
  if not json.is_array(value) then
    problems:add(path, "must be a list of strings")
    return nil
  end
  if #value > TAGS_MAX then problems:add(path, "must have at most %d tags, has %d", TAGS_MAX, #value) end
  for index, tag in ipairs(value) do
    check_text(problems, ("%s[%d]"):format(path, index), tag, 1, TAG_MAX)
  end
  return value
end

local fields = {
  title = function(problems, value) return check_text(problems, "title", value, 1, TITLE_MAX) end,
  text = function(problems, value) return check_text(problems, "text", value, 0, TEXT_MAX) end,
  tags = function(problems, value) return check_tags(problems, "tags", value) end,
}

-- Checks the fields that are there.
local function check_fields(problems, body)
  local clean = {}
  if type(body) ~= "table" or json.is_array(body) then
    problems:add("", "must be an object")
    problems:check()
  end
  for name, value in pairs(body) do
    local check = fields[name]
    if check then
      clean[name] = check(problems, value)
    else
      problems:add(name, "is not a field of a note")
    end
  end
  return clean
end

-- A whole note: POST and PUT.
function M.note(body)
  local problems = new_problems()
  local clean = check_fields(problems, body)
  if body.title == nil then problems:add("title", "is missing") end
  problems:check()
  clean.text = clean.text or ""
  clean.tags = clean.tags or json.array {}
  return clean
end

-- Some fields of a note: PATCH.
function M.changes(body)
  local problems = new_problems()
  local clean = check_fields(problems, body)
  problems:check()
  return clean
end

local function check_number(problems, query, name, default, min, max)
  local text = query[name]
  if text == nil then return default end
  -- a parameter that is given twice is a list
  local number = type(text) == "string" and text:find("^%d+$") and math.tointeger(tonumber(text))
  if not number or number < min or number > max then
    problems:add(name, "must be a whole number from %d to %d", min, max)
    return default
  end
  return number
end

-- The query of the list: q, limit, offset.
function M.list_query(query)
  local problems = new_problems()
  if query.q ~= nil and type(query.q) ~= "string" then problems:add("q", "must be given once") end
  local clean = {
    q = query.q ~= "" and query.q or nil,
    limit = check_number(problems, query, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX),
    offset = check_number(problems, query, "offset", 0, 0, math.maxinteger),
  }
  problems:check()
  return clean
end

return M
