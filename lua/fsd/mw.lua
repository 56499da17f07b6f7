-- fsd.mw: the middleware that everybody adds.  Each is a file of lua/fsd/mw/, loaded when it is first named:
--   app:use(fsd.mw.cors { origin = "https://example.org" })
-- Holds no state of applications.
local own = require "fsd.http.core".own
local text = require "fsd.text.core"

local NAMES = {
  "basic_auth", "bearer_auth", "body_limit", "cors", "csrf", "ip_restriction", "jwt", "language", "method_override", "openapi",
  "rate_limit", "request_id", "secure_headers", "session", "timeout", "timing", "trailing_slash",
}

local known = {}
for _, name in ipairs(NAMES) do known[name] = true end

local function find(self, name)
  if not known[name] then
    local meant = text.nearest(tostring(name), NAMES)
    error(("fsd.mw has no \"%s\"%s"):format(tostring(name), meant and ("; did you mean \"%s\"?"):format(meant) or ""), 2)
  end
  local make = require("fsd.mw." .. name)
  own.note_factory(make, ("fsd.mw.%s { ... }"):format(name))
  rawset(self, name, make)
  return make
end

return setmetatable({}, {
  __index = find,
  __pairs = function(self)
    for _, name in ipairs(NAMES) do local _ = self[name] end
    return next, self, nil
  end,
})
