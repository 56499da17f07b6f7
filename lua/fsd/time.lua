-- fsd.time: the clock, and dates as text.  Called, it is the clock.  Reading dates stands in C (worker/toolbox/moment.c), writing them is
-- strftime's.  Holds no application state.
local core = require "fsd.time.core"
local wall_time = require "fsd.task.core".time
local errors = require "fsd.error"

local M = { now = wall_time }

local LAST = 253402300799 -- of the year 9999
local FIRST = -62167219200 -- of the year 0

local function fail(code, message)
  error(errors.new { name = "TimeError", code = code, status = 400, message = message })
end

-- "Z", "+02:00", "local" or seconds as seconds east of Greenwich.
local function offset_of(name, zone, seconds)
  if zone == nil or zone == "Z" or zone == "UTC" then return 0 end
  if zone == "local" then
    local sign, hours, minutes = os.date("%z", seconds):match("^([+-])(%d%d)(%d%d)$")
    return (sign == "-" and -1 or 1) * (hours * 3600 + minutes * 60) // 1
  end
  if math.type(zone) == "integer" and zone > -86400 and zone < 86400 then return zone end
  local sign, hours, minutes = tostring(zone):match("^([+-])(%d%d):?(%d%d)$")
  if not sign or hours > "23" or minutes > "59" then
    error(("time.%s: a zone is \"Z\", \"+02:00\", \"local\" or seconds, got %s"):format(name, tostring(zone)), 3)
  end
  return (sign == "-" and -1 or 1) * (tonumber(hours) * 3600 + tonumber(minutes) * 60)
end

local function offset_text(offset, colon)
  local minutes = math.abs(offset) // 60
  return ("%s%02d%s%02d"):format(offset < 0 and "-" or "+", minutes // 60, colon, minutes % 60)
end

local function check_seconds(name, seconds)
  if type(seconds) ~= "number" or not (seconds >= FIRST and seconds <= LAST) then
    error(("time.%s: seconds since 1970, of the years 0 to 9999, are needed, got %s"):format(name, tostring(seconds)), 3)
  end
end

local FORMAT_OPTIONS = { zone = true, digits = true }

-- time.format([seconds [, { zone = "+02:00", digits = 3 }]]) -> "2026-11-22T18:30:00.000+02:00"
function M.format(seconds, options)
  seconds = seconds or wall_time() // 1
  check_seconds("format", seconds)
  for name in pairs(options or {}) do
    if not FORMAT_OPTIONS[name] then error(("time.format: unknown option %q"):format(tostring(name)), 2) end
  end
  local digits = options and options.digits or 0
  if math.type(digits) ~= "integer" or digits < 0 or digits > 9 then error("time.format: digits must be an integer from 0 to 9", 2) end
  local whole = math.floor(seconds)
  local offset = offset_of("format", options and options.zone, whole)
  -- cut, not rounded, so that it is never later than it was; the half bit is what a float has lost
  local fraction = digits == 0 and "" or (".%%0%dd"):format(digits):format(math.min((seconds - whole) * 10 ^ digits + 1e-4, 10 ^ digits - 1) // 1 | 0)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole + offset):gsub("^%d+", function(year) return ("%04d"):format(year) end) .. fraction
    .. (offset == 0 and "Z" or offset_text(offset, ":"))
end

-- time.parse("2026-11-22T18:30:00+02:00") -> seconds, offset
function M.parse(text)
  if type(text) ~= "string" then error("time.parse: a string is needed, got " .. type(text), 2) end
  local seconds, offset = core.parse(text)
  if seconds == nil then fail("time.parse", "that is no date of RFC 3339 or ISO 8601") end
  return seconds, offset
end

-- time.http([seconds]) -> "Sun, 06 Nov 1994 08:49:37 GMT"
function M.http(seconds)
  seconds = seconds or wall_time()
  check_seconds("http", seconds)
  return (os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(seconds)))
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- time.parse_http("Sun, 06 Nov 1994 08:49:37 GMT") -> seconds
function M.parse_http(text)
  if type(text) ~= "string" then error("time.parse_http: a string is needed, got " .. type(text), 2) end
  local day, month, year, hour, minute, second = text:match("^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  local begin = day and MONTHS[month] and core.seconds(math.tointeger(year), MONTHS[month], math.tointeger(day))
  if not begin or hour > "23" or minute > "59" or second > "60" then fail("time.parse", "that is no date of HTTP") end
  return begin + math.tointeger(hour) * 3600 + math.tointeger(minute) * 60 + math.tointeger(second)
end

-- time.strftime("%d.%m.%Y %H:%M %z" [, seconds [, zone]]) -> text
function M.strftime(format, seconds, zone)
  if type(format) ~= "string" then error("time.strftime: a string is needed, got " .. type(format), 2) end
  seconds = seconds or wall_time()
  check_seconds("strftime", seconds)
  local whole = math.floor(seconds)
  local offset = offset_of("strftime", zone, whole)
  local names = { z = offset_text(offset, ""), Z = offset == 0 and "UTC" or offset_text(offset, ":"), s = tostring(whole) }
  format = format:gsub("%%(.)", function(what) return names[what] or "%" .. what end)
  local ok, text = pcall(os.date, "!" .. format, whole + offset)
  if not ok then error("time.strftime: " .. tostring(text):gsub("^.*%((.*)%)$", "%1"), 2) end
  return text
end

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

-- time.duration("1h30m") -> 5400
function M.duration(text)
  if type(text) ~= "string" then error("time.duration: a string is needed, got " .. type(text), 2) end
  local total, at = 0, 1
  while at <= #text do
    local number, unit, next_at = text:match("^(%d+%.?%d*)(%a+)()", at)
    if not number or not UNITS[unit] or #number > 15 then at = nil break end
    total, at = total + tonumber(number) * UNITS[unit], next_at
  end
  if not at or text == "" then fail("time.duration", 'that is no duration, such as "250ms", "5m" or "1h30m"') end
  return math.tointeger(total) or total
end

return setmetatable(M, { __call = function() return wall_time() end })
