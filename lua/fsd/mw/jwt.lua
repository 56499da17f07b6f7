-- fsd.mw.jwt: a signed token in the header Authorization, or in a cookie.  The algorithm is the key's, never the token's.  Its claims
-- stand in req.jwt.  A cookie is sent by browsers on their own: with one, fsd.mw.csrf must stand in front.
local errors = require "fsd.error"
local head = require "fsd.mw.head"
local jwt = require "fsd.jwt"
local options = require "fsd.mw.options"

local ROWS = {
  keys = { "table|userdata|callable", required = true },
  cookie = { "string", check = function(value)
    if not value:find(options.header_name) then return "must be the name of a cookie" end
  end },
  issuer = { "string|table", check = options.texts() },
  audience = { "string|table", check = options.texts() },
  subject = { "string" },
  required = { "table", check = options.texts() },
  max_age = { "number", check = options.at_least(0) },
  leeway = { "number", 0, check = options.at_least(0) },
  optional = { "boolean", false },
  is_revoked = { "callable" },
  realm = { "string", "Restricted", check = options.header_text },
  message = { "string", "a valid token, please" },
}

local function fail(o, code, reason)
  local challenge = "Bearer realm=" .. head.quoted(o.realm)
  if reason then challenge = challenge .. ', error="invalid_token", error_description=' .. head.quoted((reason:gsub("[^\32-\126]", "?"))) end
  error(errors.new {
    name = "AuthError", code = code, status = 401, message = o.message, headers = { ["www-authenticate"] = challenge },
  }, 0)
end

local function find_token(req, o)
  local header = req:get "authorization"
  if header then
    local token = header:match "^[Bb][Ee][Aa][Rr][Ee][Rr] +([%w._~+/-]+=*)%s*$"
    if token or not o.cookie then return token, true end
  end
  local value = o.cookie and req.cookies[o.cookie]
  if type(value) == "string" then return value, true end
  return nil, header ~= nil
end

return function(given)
  local o = options.read("fsd.mw.jwt", given, ROWS)
  local checks = {
    issuer = o.issuer, audience = o.audience, subject = o.subject, required = o.required, max_age = o.max_age, leeway = o.leeway,
  }
  return function(req, _, next)
    local token, was_given = find_token(req, o)
    if not was_given and o.optional then return next() end
    if not token then fail(o, "auth.required") end
    local ok, claims = pcall(jwt.verify, token, o.keys, checks)
    if not ok then
      local is_jwt = type(claims) == "table" and claims.name == "JwtError" and claims.status == 401
      if not is_jwt then error(claims, 0) end
      fail(o, claims.code, claims.message)
    end
    if o.is_revoked and o.is_revoked(claims, req) then fail(o, "jwt.revoked", "the token was revoked") end
    req.jwt = claims
    next()
  end
end
