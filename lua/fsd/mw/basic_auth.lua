-- fsd.mw.basic_auth: a name and a password in the header Authorization (RFC 7617).  Who comes in stands in req.user.  Passwords are compared
-- by hashes of one length, in a time that does not depend on what was sent, nor on whether there is such a user.
local base64 = require "fsd.base64"
local crypto = require "fsd.crypto"
local errors = require "fsd.error"
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"

local NOBODY = ("\0"):rep(32)

local ROWS = {
  users = { "table", check = function(value)
    for name, password in pairs(value) do
      if type(name) ~= "string" or name == "" or name:find "[:%c]" or type(password) ~= "string" then
        return "must be passwords by name; names have no colon"
      end
    end
  end },
  verify = { "callable" },
  realm = { "string", "Restricted", check = options.header_text },
  message = { "string", "name and password, please" },
}

local function read(req)
  local text = (req:get "authorization" or ""):match "^[Bb][Aa][Ss][Ii][Cc] +([%w+/=_-]+)%s*$"
  if not text then return nil end
  local ok, pair = pcall(base64.decode, text, { strict = false })
  if not ok then return nil end
  return pair:match "^([^:%c]*):(.*)$"
end

local function is_one_of(hashes, key, name, password)
  local wanted = hashes[crypto.hmac("sha256", key, name, "raw")] or NOBODY
  return crypto.equal(wanted, crypto.hmac("sha256", key, password, "raw"))
end

return function(given)
  local o = options.read("fsd.mw.basic_auth", given, ROWS)
  if (o.users == nil) == (o.verify == nil) then error("fsd.mw.basic_auth: expects either users or verify", 2) end
  local key, hashes = crypto.random_bytes(32), {}
  for name, password in pairs(o.users or {}) do
    hashes[crypto.hmac("sha256", key, name, "raw")] = crypto.hmac("sha256", key, password, "raw")
  end
  local challenge = ("Basic realm=%s, charset=\"UTF-8\""):format(head.quoted(o.realm))
  return function(req, _, next)
    local name, password = read(req)
    local user
    if name and o.verify then
      user = o.verify(name, password, req)
      if user == true then user = name end
    elseif name and is_one_of(hashes, key, name, password) then
      user = name
    end
    if not user then
      error(errors.new {
        name = "AuthError", code = "auth.required", status = 401, message = o.message, headers = { ["www-authenticate"] = challenge },
      }, 0)
    end
    req.user = user
    next()
  end
end
