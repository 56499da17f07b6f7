-- fsd.mw.bearer_auth: a token in the header Authorization (RFC 6750): one of a list, or what a function says about it.
local crypto = require "fsd.crypto"
local errors = require "fsd.error"
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"

local ROWS = {
  token = { "string|table", check = options.texts("^[%w._~+/-]+=*$", "tokens: letters, digits and -._~+/") },
  verify = { "callable" },
  realm = { "string", "Restricted", check = options.header_text },
  message = { "string", "a valid token, please" },
}

local function fail(o, code)
  local challenge = "Bearer realm=" .. head.quoted(o.realm) .. (code and (", error=\"%s\""):format(code) or "")
  error(errors.new {
    name = "AuthError", code = code == "invalid_request" and "auth.malformed" or code and "auth.refused" or "auth.required",
    status = code == "invalid_request" and 400 or 401, message = o.message, headers = { ["www-authenticate"] = challenge },
  }, 0)
end

-- All of them are compared: the time says nothing of which one it was.
local function is_one_of(hashes, key, token)
  local hash, found = crypto.hmac("sha256", key, token, "raw"), false
  for _, one in ipairs(hashes) do
    found = crypto.equal(one, hash) or found
  end
  return found
end

return function(given)
  local o = options.read("fsd.mw.bearer_auth", given, ROWS)
  if (o.token == nil) == (o.verify == nil) then error("fsd.mw.bearer_auth: expects either token or verify", 2) end
  local key, hashes = crypto.random_bytes(32), {}
  for i, token in ipairs(type(o.token) == "string" and { o.token } or o.token or {}) do
    hashes[i] = crypto.hmac("sha256", key, token, "raw")
  end
  return function(req, _, next)
    local header = req:get "authorization"
    if header == nil then fail(o, nil) end
    local token = header:match "^[Bb][Ee][Aa][Rr][Ee][Rr] +([%w._~+/-]+=*)%s*$"
    if not token then fail(o, header:find "^[Bb][Ee][Aa][Rr][Ee][Rr]%f[%s%z]" and "invalid_request" or nil) end
    local user
    if o.verify then
      user = o.verify(token, req)
    else
      user = is_one_of(hashes, key, token)
    end
    if not user then fail(o, "invalid_token") end
    req.token = token
    if user ~= true then req.user = user end
    next()
  end
end
