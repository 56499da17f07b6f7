-- fsd.mw.rate_limit: so many requests of one client in so many seconds.  The counters stand in a shared dictionary, so all workers count
-- together: a counter of each worker would let through as many times more as there are workers.  Windows begin at multiples
-- of their length, the same in each worker, and one atomic `incr` counts a request.
local crypto = require "fsd.crypto"
local errors = require "fsd.error"
local network = require "fsd.mw.network"
local options = require "fsd.mw.options"
local shared = require "fsd.shared"
local clock = require "fsd.task.core".time

local KEY_MAX = 256

local ROWS = {
  window = { "number", 60, check = options.at_least(1) },
  limit = { "integer|callable", 100, check = options.at_least(0) },
  key = { "callable" },
  name = { "string", "" },
  store = { "string", "shared", check = options.one_of("shared") },
  dictionary = { "string", "limits" },
  ipv6_subnet = { "integer", 64, check = function(value)
    if value < 32 or value > 128 then return "must be from 32 to 128" end
  end },
  status = { "integer", 429, check = function(value)
    if value < 400 or value > 599 then return "must be from 400 to 599" end
  end },
  message = { "any", "too many requests, please try again later" },
  handler = { "callable" },
  standard_headers = { "string|false", "draft-8", check = options.one_of(false, "draft-6", "draft-7", "draft-8") },
  legacy_headers = { "boolean", false },
  identifier = { "string", check = function(value)
    if not value:find "^[%w ._-]+$" then return "must be letters, digits, blanks and ._-" end
  end },
  skip = { "callable" },
  skip_successful = { "boolean", false },
  skip_failed = { "boolean", false },
  was_successful = { "callable" },
  pass_on_store_error = { "boolean", false },
}

local function default_key(subnet)
  return function(req) return network.prefix(req.ip or "unix", subnet) end
end

-- Keys of dictionaries have a length; what is longer, a token say, is counted by its hash.
local function to_key(prefix, key)
  if type(key) ~= "string" and type(key) ~= "number" then
    error("fsd.mw.rate_limit: key must return a string or number, got " .. type(key), 0)
  end
  key = tostring(key)
  if #key > KEY_MAX then key = "#" .. crypto.hash("sha256", key) end
  return prefix .. key
end

local WRITERS = {
  ["draft-6"] = function(headers, _, limit, remaining, reset, window)
    headers["ratelimit-policy"] = ("%d;w=%d"):format(limit, window)
    headers["ratelimit-limit"], headers["ratelimit-remaining"], headers["ratelimit-reset"] = limit, remaining, reset
  end,
  ["draft-7"] = function(headers, _, limit, remaining, reset, window)
    headers["ratelimit-policy"] = ("%d;w=%d"):format(limit, window)
    headers["ratelimit"] = ("limit=%d, remaining=%d, reset=%d"):format(limit, remaining, reset)
  end,
  ["draft-8"] = function(headers, identifier, limit, remaining, reset, window)
    headers["ratelimit-policy"] = ('"%s";q=%d;w=%d'):format(identifier, limit, window)
    headers["ratelimit"] = ('"%s";r=%d;t=%d'):format(identifier, remaining, reset)
  end,
}

local function make_headers(o, limit, used, reset)
  local headers, remaining = {}, math.max(limit - used, 0)
  local seconds = math.max(math.ceil(reset), 1)
  local window = math.ceil(o.window)
  if o.standard_headers then
    local identifier = o.identifier or ("%d-in-%ds"):format(limit, window)
    WRITERS[o.standard_headers](headers, identifier, limit, remaining, seconds, window)
  end
  if o.legacy_headers then
    headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"] = limit, remaining
    headers["x-ratelimit-reset"] = math.ceil(clock() + reset)
  end
  if used > limit then headers["retry-after"] = seconds end
  return headers
end

local function refuse(o, req, res, next, headers)
  if o.handler then return o.handler(req, res, next) end
  local message = o.message
  if type(message) == "function" then message = message(req, res) end
  if type(message) == "table" then
    return res:status(o.status):json(message)
  end
  for name, value in pairs(headers) do headers[name] = tostring(value) end
  error(errors.new { name = "LimitError", code = "rate_limited", status = o.status, message = tostring(message), headers = headers }, 0)
end

-- Runs the rest, and takes the count back when such requests are not to count.
local function run_and_judge(o, dictionary, key, req, res, next)
  local ok, err = pcall(next)
  local good
  if o.was_successful then
    good = ok and o.was_successful(req, res)
  else
    good = ok and res.status_code < 400
  end
  if (good and o.skip_successful) or (not good and o.skip_failed) then dictionary:incr(key, -1) end
  if not ok then error(err, 0) end
end

return function(given)
  local o = options.read("fsd.mw.rate_limit", given, ROWS)
  local dictionary = shared(o.dictionary)
  local key_of = o.key or default_key(o.ipv6_subnet)
  local limit_part = type(o.limit) == "number" and tostring(o.limit) or "fn"
  local prefix = table.concat({ "rate", o.name, ("%g"):format(o.window), limit_part, "" }, ":")
  local judges = o.skip_successful or o.skip_failed

  local function count(req, res)
    local now = clock()
    local index = now // o.window
    local key = to_key(prefix .. ("%d:"):format(index), key_of(req, res))
    return key, dictionary:incr(key, 1, 0, o.window * 2), (index + 1) * o.window - now
  end

  return function(req, res, next)
    if o.skip and o.skip(req, res) then return next() end
    local ok, key, used, reset = pcall(count, req, res)
    if not ok then
      local is_store = type(key) == "table" and key.name == "SharedError"
      if is_store and o.pass_on_store_error then return next() end
      error(key, 0)
    end
    local limit = type(o.limit) == "number" and o.limit or o.limit(req, res)
    used = math.tointeger(used) or used
    local headers = make_headers(o, limit, used, reset)
    res:set(headers)
    req.rate_limit = { limit = limit, used = used, remaining = math.max(limit - used, 0), reset = reset, key = key }
    if used > limit then return refuse(o, req, res, next, headers) end
    if judges then return run_and_judge(o, dictionary, key, req, res, next) end
    next()
  end
end
