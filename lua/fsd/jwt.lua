-- fsd.jwt: JSON Web Tokens that are signed.  Keys and signatures stand in C (worker/toolbox/mod_jwt.c, libjwt), the JSON of key sets in
-- jwt/key_set.lua; what claims mean stands here.  The algorithm is the key's: what a token says of itself only has to agree.
local core = require "fsd.jwt.core"
local errors = require "fsd.error"
local json = require "fsd.json"
local wall_time = require "fsd.task.core".time
local Key = require "fsd.jwt.key"
local key_set = require "fsd.jwt.key_set"

local M = { key = Key.new, keys = key_set.read }

local LEEWAY_MAX = 60 -- seconds; clocks that differ more are to be mended
local CANDIDATES_MAX = 8 -- each one that is tried costs

local function fail(code, message)
  error(errors.new { name = "JwtError", code = "jwt." .. code, status = 401, message = message })
end

local function check_options(name, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then error(("%s: options must be a table, got %s"):format(name, type(options)), 3) end
  for key, value in pairs(options) do
    local expected = known[key]
    if expected == nil then error(("%s: unknown option %q"):format(name, tostring(key)), 3) end
    if not expected:find(type(value), 1, true) then
      error(("%s: option %q must be a %s, got %s"):format(name, key, expected, type(value)), 3)
    end
  end
  return options
end

local SIGN_OPTIONS = {
  expires_in = "number", not_before_in = "number", issued_at = "boolean", issuer = "string", audience = "string or table",
  subject = "string", id = "string", kid = "string", header = "table",
}

local function set_claim(claims, name, value)
  if value == nil then return end
  if claims[name] ~= nil then error(("jwt.sign: the claim %q is given twice"):format(name), 3) end
  claims[name] = value
end

-- alg and kid are the key's, and libjwt writes typ.
local function check_header(header)
  for name in pairs(header) do
    if type(name) ~= "string" or name == "alg" or name == "kid" or name == "typ" then
      error(("jwt.sign: the header may not say %q"):format(tostring(name)), 3)
    end
  end
end

-- jwt.sign({ sub = "42" }, key, { expires_in = 3600 }) -> token
function M.sign(claims, key, options)
  if type(claims) ~= "table" then error("jwt.sign: claims must be a table, got " .. type(claims), 2) end
  if not Key.is(key) then error("jwt.sign: a key of jwt.key is needed, got " .. type(key), 2) end
  if not core.can_sign(key.native) then error("jwt.sign: a public key cannot sign", 2) end
  options = check_options("jwt.sign", options, SIGN_OPTIONS)
  local full, header, now = {}, {}, math.floor(wall_time())
  for name, value in pairs(claims) do full[name] = value end
  for name, value in pairs(options.header or {}) do header[name] = value end
  check_header(header)
  header.kid = options.kid or key.kid
  if options.issued_at ~= false and full.iat == nil then full.iat = now end
  set_claim(full, "exp", options.expires_in and now + math.ceil(options.expires_in))
  set_claim(full, "nbf", options.not_before_in and now + math.floor(options.not_before_in))
  set_claim(full, "iss", options.issuer)
  set_claim(full, "aud", type(options.audience) == "table" and json.array(options.audience) or options.audience)
  set_claim(full, "sub", options.subject)
  set_claim(full, "jti", options.id)
  local token = core.sign(key.native, json.encode(header), json.encode(full))
  if token == nil then error("jwt.sign: these claims cannot be signed", 2) end
  return token
end

local function decode_object(text)
  local ok, value = pcall(json.decode, text, { max_depth = 32 })
  return ok and type(value) == "table" and not json.is_array(value) and value or nil
end

-- The head and the claims of a text that has the form of a token.
local function take_apart(token)
  local head_text, claims_text = core.split(token)
  local header = head_text and decode_object(head_text)
  local claims = claims_text and decode_object(claims_text)
  if not header or not claims then fail("malformed", "that is not a token") end
  if type(header.alg) ~= "string" or (header.kid ~= nil and type(header.kid) ~= "string") then
    fail("malformed", "the head of the token is not as it has to be")
  end
  if header.typ ~= nil and (type(header.typ) ~= "string" or header.typ:lower() ~= "jwt") then
    fail("malformed", "the token is of a type that is not known here") -- libjwt 1.10 takes no other
  end
  if header.crit ~= nil then fail("malformed", "the token wants something that is not known here") end
  return header, claims
end

local function list_keys(keys, header)
  if type(keys) == "function" then keys = keys(header) end
  if keys == nil then return {} end
  if Key.is(keys) then return { keys } end
  if type(keys) ~= "table" then error("jwt.verify: keys of jwt.key or jwt.keys are needed, got " .. type(keys), 3) end
  for _, key in ipairs(keys) do
    if not Key.is(key) then error("jwt.verify: keys of jwt.key or jwt.keys are needed, got a list of " .. type(key), 3) end
  end
  return keys
end

-- Those keys that the token may be of.
local function find_candidates(keys, header)
  local candidates, has_algorithm = {}, false
  for _, key in ipairs(keys) do
    if core.alg(key.native) == header.alg then
      has_algorithm = true
      if key.kid == nil or header.kid == nil or key.kid == header.kid then candidates[#candidates + 1] = key end
    end
  end
  if not has_algorithm then fail("algorithm", "no key here is for the token's algorithm") end
  if #candidates == 0 then fail("unknown_key", "the token is of a key that is not known here") end
  return candidates
end

local function check_signature(token, candidates)
  for i = 1, math.min(#candidates, CANDIDATES_MAX) do
    if core.verify(candidates[i].native, token) then return candidates[i] end
  end
  fail("signature", "the token's signature is not right")
end

local function time_of(claims, name)
  local value = claims[name]
  if value ~= nil and (type(value) ~= "number" or value ~= value) then fail("malformed", ("the claim %q is no time"):format(name)) end
  return value
end

local function check_times(claims, options)
  local now, leeway = options.now or wall_time(), options.leeway or 0
  local expires, not_before, issued = time_of(claims, "exp"), time_of(claims, "nbf"), time_of(claims, "iat")
  if expires and now >= expires + leeway then fail("expired", "the token has expired") end
  if not_before and now < not_before - leeway then fail("not_before", "the token is not valid yet") end
  if issued and now < issued - leeway then fail("not_before", "the token was issued in the future") end
  if options.max_age then
    if not issued then fail("missing", 'the token has no claim "iat"') end
    if now >= issued + options.max_age + leeway then fail("expired", "the token is too old") end
  end
end

local function contains(list, value)
  if type(list) ~= "table" then return list == value end
  for _, one in ipairs(list) do if one == value then return true end end
  return false
end

local function check_audience(claim, wanted)
  for _, one in ipairs(type(claim) == "table" and claim or { claim }) do
    if type(one) == "string" and contains(wanted, one) then return end
  end
  fail("audience", "the token is not for this service")
end

local VERIFY_OPTIONS = {
  issuer = "string or table", audience = "string or table", subject = "string", leeway = "number", max_age = "number", now = "number",
  required = "table",
}

local function check_claims(claims, options)
  for _, name in ipairs(options.required or {}) do
    if claims[name] == nil then fail("missing", ("the token has no claim %q"):format(name)) end
  end
  check_times(claims, options)
  if options.issuer and (type(claims.iss) ~= "string" or not contains(options.issuer, claims.iss)) then
    fail("issuer", "the token is of another issuer")
  end
  if options.audience then check_audience(claims.aud, options.audience) end
  if options.subject and claims.sub ~= options.subject then fail("subject", "the token is about somebody else") end
end

-- jwt.verify(token, keys, { issuer = "..." }) -> claims, header, key
function M.verify(token, keys, options)
  options = check_options("jwt.verify", options, VERIFY_OPTIONS)
  local leeway = options.leeway or 0
  if not (leeway >= 0 and leeway <= LEEWAY_MAX) then error("jwt.verify: leeway must be from 0 to 60 seconds", 2) end
  if type(token) ~= "string" then fail("malformed", "that is not a token") end
  local header, claims = take_apart(token)
  local key = check_signature(token, find_candidates(list_keys(keys, header), header))
  check_claims(claims, options)
  return claims, header, key
end

-- jwt.peek(token) -> claims, header: what anybody may have written
function M.peek(token)
  if type(token) ~= "string" then fail("malformed", "that is not a token") end
  local header, claims = take_apart(token)
  return claims, header
end

return M
