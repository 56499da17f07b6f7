-- fsd.mw.method_override: forms can only POST; a header, a field of the form or one of the query says which method is meant.  Only POST is
-- changed, and only to the methods of the list, so a link can't delete.  It must stand in front of the routes: see the guide.
local body = require "fsd.http.body"
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"

local ROWS = {
  header = { "string|false", "x-http-method-override", check = function(value)
    if value and not value:find(options.header_name) then return "must be the name of a header" end
  end },
  form = { "string|false", false },
  query = { "string|false", false },
  limit = { "integer|string", body.defaults.form.limit, check = options.size },
  methods = { "table", { "PUT", "PATCH", "DELETE" }, check = options.texts("^%u+$", "methods in capitals") },
}

local function from_form(req, name, parser)
  local type = (req:get "content-type" or ""):match("^%s*([^;%s]*)"):lower()
  if type ~= "application/x-www-form-urlencoded" then return nil end
  req.body = body.parsers.form(req, parser, "fsd.mw.method_override")
  return req.body[name]
end

return function(given)
  local o = options.read("fsd.mw.method_override", given, ROWS)
  local allowed, parser = {}, {}
  for name, value in pairs(body.defaults.form) do parser[name] = value end
  parser.limit = options.to_bytes(o.limit)
  for _, method in ipairs(o.methods) do allowed[method] = true end
  return function(req, _, next)
    if req.method == "POST" then
      local wanted = o.header and req:get(o.header) or o.query and req.query[o.query] or o.form and from_form(req, o.form, parser)
      if type(wanted) == "string" and allowed[wanted:upper()] then
        head.set_method(req, wanted:upper())
      end
    end
    next()
  end
end
