-- fsd.body: parsers as middleware, with the options, defaults and errors of Express's body-parser and multer:
--   app:use(fsd.body.json{ limit = "1mb" })
-- Each looks at the content type first and passes on what is not its own; else it sets req.body.
local body = require "fsd.http.body"
local core = require "fsd.body.core"
local multipart = require "fsd.http.multipart"
local options = require "fsd.http.options"
local own = require "fsd.http.core".own

local M = {}

local defaults = {
  json = { type = "application/json", strict = true },
  form = { type = "application/x-www-form-urlencoded" },
  text = { type = "text/plain" },
  raw = { type = "application/octet-stream" },
}

-- An empty body of a fitting type is an empty value, as in Express.
local empty = {
  json = function() return {} end,
  form = function() return {} end,
  text = function() return "" end,
  raw = function() return "" end,
}

for name, own in pairs(defaults) do
  local all = { limit = 100 * 1024 }
  for key, value in pairs(body.defaults[name]) do all[key] = value end
  for key, value in pairs(own) do all[key] = value end
  local who, parse = "fsd.body." .. name, body.parsers[name]

  M[name] = function(given)
    local o = options.check(who, given, body.known[name], all)
    return function(req, _, next)
      if req.body == nil and core.has_body(req) and body.fits(req, o.type) then
        local is_empty = core.length(req) == 0 and not o.verify
        if is_empty then req.body = empty[name]() else req.body = parse(req, o) end
      end
      return next()
    end
  end
end

M.multipart = multipart.new

for name, make in pairs(M) do own.note_factory(make, ("fsd.body.%s { ... }"):format(name)) end

return M
