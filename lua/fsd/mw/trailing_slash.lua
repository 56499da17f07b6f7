-- fsd.mw.trailing_slash: one address for each page: "/a/" is redirected to "/a", or the other way round.  What it redirects to is always a
-- path of this host: "//evil.example/" must not become "//evil.example", which browsers take for another host.
local options = require "fsd.mw.options"

local ROWS = {
  mode = { "string", "trim", check = options.one_of("trim", "append") },
  status = { "integer", 308, check = options.one_of(301, 302, 307, 308) },
}

-- One slash in front; browsers take "\" for one.
local function to_local(path)
  return "/" .. path:gsub("^[/\\]+", "")
end

-- Is it one by its name, as /app.css is?  A pattern for the whole path could be made to try very many ways.
local function is_file(path)
  return (path:match "^.*/(.*)$" or path):find ".%." ~= nil
end

return function(given)
  if type(given) == "string" then given = { mode = given } end
  local o = options.read("fsd.mw.trailing_slash", given, ROWS)
  return function(req, res, next)
    local path, query = req.original_url:match "^([^?]*)(.*)$"
    local target
    if o.mode == "trim" and path:find "[^/\\][/\\]+$" then
      target = path:match "^.*[^/\\]"
    elseif o.mode == "append" and not path:find "/$" and not is_file(path) then
      target = path .. "/"
    end
    if target and (req.method == "GET" or req.method == "HEAD" or o.status >= 307) then
      return res:redirect(o.status, to_local(target) .. query)
    end
    next()
  end
end
