-- fsd.mw.body_limit: a smaller limit for bodies than the configuration's, for some paths.
local errors = require "fsd.error"
local options = require "fsd.mw.options"

local UNITS = { b = 1, kb = 1024, kib = 1024, mb = 1024 ^ 2, mib = 1024 ^ 2, gb = 1024 ^ 3, gib = 1024 ^ 3 }

-- 1000, "100kb", "1MiB" -> bytes, or nil
local function to_bytes(value)
  if math.type(value) == "integer" then return value >= 0 and value or nil end
  local number, unit = tostring(value):match "^(%d+%.?%d*)%s*(%a*)$"
  local factor = UNITS[(unit == "" and "b" or unit or ""):lower()]
  return number and factor and math.tointeger(tonumber(number) * factor // 1) or nil
end

local ROWS = {
  limit = { "integer|string", required = true, check = function(value)
    if not to_bytes(value) then return "must be a number of bytes, such as 65536 or \"64kb\"" end
  end },
}

return function(given)
  if type(given) == "number" or type(given) == "string" then given = { limit = given } end
  local o = options.read("fsd.mw.body_limit", given, ROWS)
  local limit = to_bytes(o.limit)
  local function refuse()
    error(errors.new {
      name = "HttpError", code = "entity.too.large", status = 413, message = ("the body has more than %d bytes"):format(limit),
    }, 0)
  end
  return function(req, _, next)
    local length = req:get "content-length"
    if length and (tonumber(length) or 0) > limit then refuse() end
    if not length and #req:text() > limit then refuse() end -- in chunks: it is complete by now
    next()
  end
end
