-- fsd.jwt.key_set: keys from a JWKS (RFC 7517), as identity providers publish them.  Keys that are not for signatures, or of a kind that
-- is not known here, are left out; what is wrong with one that should do raises.
local core = require "fsd.jwt.core"
local base64 = require "fsd.base64"
local errors = require "fsd.error"
local json = require "fsd.json"
local Key = require "fsd.jwt.key"

local M = {}

local KEYS_MAX = 100
local OF_CURVE = { ["P-256"] = "ES256", ["P-384"] = "ES384", ["P-521"] = "ES512" }
local KINDS = { RS = "RSA", ES = "EC", HS = "oct" }

local function fail(message)
  error(errors.new { name = "JwtError", code = "jwt.key", status = 500, message = "cannot read a set of keys: " .. message })
end

local function bytes_of(jwk, field)
  local value = jwk[field]
  local ok, bytes = pcall(base64.decode_url, type(value) == "string" and value or "!")
  if not ok or bytes == "" then fail(("a key has no %q in base64url"):format(field)) end
  return bytes
end

-- What a key is for when it does not say it.
local function algorithm_of(jwk, otherwise)
  if jwk.alg ~= nil then return jwk.alg end
  if jwk.kty == "EC" then return OF_CURVE[jwk.crv] end
  return otherwise
end

local function is_for_signatures(jwk)
  if jwk.use ~= nil and jwk.use ~= "sig" then return false end
  if type(jwk.key_ops) ~= "table" then return true end
  for _, operation in ipairs(jwk.key_ops) do if operation == "verify" then return true end end
  return false
end

local function read_key(jwk, otherwise)
  if type(jwk) ~= "table" then fail("a key is not an object") end
  local alg = algorithm_of(jwk, otherwise)
  local is_known = false
  for _, name in ipairs(core.algorithms) do is_known = is_known or name == alg end
  if not is_known or KINDS[alg:sub(1, 2)] ~= jwk.kty or not is_for_signatures(jwk) then return nil end
  if jwk.kid ~= nil and type(jwk.kid) ~= "string" then fail("a kid is not a string") end
  if jwk.kty == "oct" then return Key.wrap(core.secret(alg, bytes_of(jwk, "k")), jwk.kid) end
  local first, second = "n", "e"
  if jwk.kty == "EC" then first, second = "x", "y" end
  return Key.wrap(core.numbers(alg, bytes_of(jwk, first), bytes_of(jwk, second)), jwk.kid)
end

-- jwt.keys(text or table [, { alg = "RS256" }]) -> list of keys
function M.read(source, options)
  if options ~= nil and (type(options) ~= "table" or (options.alg ~= nil and type(options.alg) ~= "string")) then
    error("jwt.keys: options must be a table, and alg a string", 2)
  end
  for name in pairs(options or {}) do
    if name ~= "alg" then error(("jwt.keys: unknown option %q"):format(tostring(name)), 2) end
  end
  local set = source
  if type(source) == "string" then set = json.decode(source) end
  if type(source) ~= "string" and type(source) ~= "table" then error("jwt.keys: JSON or a table is needed, got " .. type(source), 2) end
  if type(set) ~= "table" or type(set.keys) ~= "table" then fail('it has no list "keys"') end
  if #set.keys > KEYS_MAX then fail("it has more than 100 keys") end
  local keys = {}
  for _, jwk in ipairs(set.keys) do keys[#keys + 1] = read_key(jwk, options and options.alg) end
  return keys
end

return M
