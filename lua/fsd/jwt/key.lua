-- fsd.jwt.key: keys of tokens as applications see them.  A key is of one algorithm; the secret itself stays in C.
local core = require "fsd.jwt.core"

local Key = {}
Key.__index = Key
Key.__name = "fsd.jwt.Key"
Key.__metatable = "fsd.jwt.Key"

local M = {}
local known = setmetatable({}, { __mode = "k" })

-- A key around what core made.
function M.wrap(native, kid)
  local key = setmetatable({ alg = core.alg(native), kid = kid, native = native }, Key)
  known[key] = true
  return key
end

function M.is(value)
  return known[value] == true
end

local OPTIONS = { alg = true, secret = true, public = true, private = true, kid = true }

local function check(options)
  if type(options) ~= "table" then error("jwt.key: a table is needed, got " .. type(options), 3) end
  for name, value in pairs(options) do
    if not OPTIONS[name] then error(("jwt.key: unknown option %q"):format(tostring(name)), 3) end
    if type(value) ~= "string" then error(("jwt.key: option %q must be a string, got %s"):format(name, type(value)), 3) end
  end
  local given = (options.secret and 1 or 0) + (options.public and 1 or 0) + (options.private and 1 or 0)
  if given ~= 1 then error("jwt.key: one of secret, public and private is needed", 3) end
  for _, name in ipairs(core.algorithms) do if name == options.alg then return end end
  error(("jwt.key: alg must be one of %s, got %s"):format(table.concat(core.algorithms, ", "), tostring(options.alg)), 3)
end

-- jwt.key{ alg = "RS256", public = pem } -> key
function M.new(options)
  check(options)
  local native
  if options.secret then
    native = core.secret(options.alg, options.secret)
  else
    native = core.pem(options.alg, options.public and "public" or "private", options.public or options.private)
  end
  return M.wrap(native, options.kid)
end

return M
