-- fsd.mw.request_id: tells the client the id of its request, which is in every record of the log, too.
local options = require "fsd.mw.options"

local ROWS = {
  header = { "string", "x-request-id", check = function(value)
    if not value:find(options.header_name) then return "must be the name of a header" end
  end },
  generator = { "callable" },
}

return function(given)
  local o = options.read("fsd.mw.request_id", given, ROWS)
  return function(req, res, next)
    local id = req.id
    if o.generator then
      id = o.generator(req)
      req.request_id = id
    end
    res:set(o.header, id)
    next()
  end
end
