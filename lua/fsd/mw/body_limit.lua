-- fsd.mw.body_limit: a smaller limit for bodies than the configuration's, for some paths.
local errors = require "fsd.error"
local options = require "fsd.mw.options"

local ROWS = { limit = { "integer|string", required = true, check = options.size } }

return function(given)
  if type(given) == "number" or type(given) == "string" then given = { limit = given } end
  local o = options.read("fsd.mw.body_limit", given, ROWS)
  local limit = options.to_bytes(o.limit)
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
