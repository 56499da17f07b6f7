-- fsd.mw.timing: what took how long, as Server-Timing, which browsers show beside their own times.  It tells strangers how the server works:
-- `enabled` says when.
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"
local now = require "fsd.task.core".now

local ROWS = {
  enabled = { "boolean|callable", true },
  total = { "string|false", "total", check = function(value)
    if value and not value:find(options.header_name) then return "must be a name without blanks" end
  end },
  cross_origin = { "string|boolean", false, check = options.header_text },
}

local Timing = {}
Timing.__index = Timing

local function check_name(name, level)
  if type(name) ~= "string" or not name:find(options.header_name) then
    error(("the name of a timing must be one without blanks, got %s"):format(tostring(name)), level + 1)
  end
end

-- Adds a time in seconds, or only a name with words: timing:add("cache", nil, "hit")
function Timing:add(name, seconds, description)
  check_name(name, 2)
  local part = name
  if description ~= nil then part = part .. ";desc=" .. head.quoted((tostring(description):gsub("[%c\127]", " "))) end
  if seconds ~= nil then part = part .. (";dur=%.3f"):format(seconds * 1000) end
  self.parts[#self.parts + 1] = part
  return self
end

function Timing:start(name)
  check_name(name, 2)
  self.begun[name] = now()
  return self
end

function Timing:stop(name, description)
  local begun = self.begun[name]
  if begun == nil then error(("timing %q was not started"):format(tostring(name)), 2) end
  self.begun[name] = nil
  return self:add(name, now() - begun, description)
end

-- Measures a function, and returns what that returns.
function Timing:measure(name, fn, ...)
  check_name(name, 2)
  local begun = now()
  local function finish(...)
    self:add(name, now() - begun)
    return ...
  end
  return finish(fn(...))
end

return function(given)
  local o = options.read("fsd.mw.timing", given, ROWS)
  return function(req, res, next)
    local timing = setmetatable({ parts = {}, begun = {} }, Timing)
    local begun = now()
    req.timing = timing
    head.before(res, function()
      local enabled = o.enabled
      if type(enabled) ~= "boolean" then enabled = enabled(req, res) end
      if not enabled then return end
      if o.total then timing:add(o.total, now() - begun) end
      if #timing.parts > 0 then res:set("server-timing", table.concat(timing.parts, ", ")) end
      if o.cross_origin then res:set("timing-allow-origin", o.cross_origin == true and "*" or o.cross_origin) end
    end)
    next()
  end
end
