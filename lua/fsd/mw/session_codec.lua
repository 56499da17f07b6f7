-- fsd.mw.session_codec: what stands in the cookie of a session: an id with a signature, or the session itself, sealed.  Of several secrets the
-- first one makes, and all of them are believed.
local base64 = require "fsd.base64"
local crypto = require "fsd.crypto"

local M = {}

local SIGNATURE = 43 -- characters of a SHA-256 as base64

-- A key for one purpose: what is made with it is of no use for another.
local function derive(secret, purpose)
  return crypto.hmac("sha256", secret, "fsd.mw.session " .. purpose, "raw")
end

local function keys_of(secrets, purpose)
  local keys = {}
  for i, secret in ipairs(secrets) do keys[i] = derive(secret, purpose) end
  return keys
end

local function try_decode(text)
  local ok, data = pcall(base64.decode_url, text)
  return ok and data or nil
end

-- sign(id) -> text; verify(text) -> id or nil, is_first
function M.signer(secrets, name)
  local keys = keys_of(secrets, "id " .. name)
  local function sign(id, key) return crypto.hmac("sha256", key or keys[1], id, "base64url") end
  return function(id) return id .. "." .. sign(id) end, function(text)
    local id, signature = text:match "^([%w_-]+)%.([%w_-]+)$"
    if not id or #signature ~= SIGNATURE or #id > 128 then return nil end
    for i, key in ipairs(keys) do
      if crypto.equal(sign(id, key), signature) then return id, i == 1 end
    end
    return nil
  end
end

-- seal(text) -> text; open(text) -> text or nil, is_first
function M.sealer(secrets, name)
  local keys = keys_of(secrets, "seal")
  return function(text) return base64.encode_url(crypto.seal(text, keys[1], name)) end, function(sealed)
    local data = try_decode(sealed)
    if not data then return nil end
    for i, key in ipairs(keys) do
      local text = crypto.open(data, key, name)
      if text then return text, i == 1 end
    end
    return nil
  end
end

return M
