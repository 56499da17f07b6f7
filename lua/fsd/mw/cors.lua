-- fsd.mw.cors: which other sites' pages may read answers.  A page of an origin that is not allowed gets the answer without the
-- headers, and its browser keeps it from reading; so this protects readers, not the server: see fsd.mw.csrf for that.
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"

local METHODS = { "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE" }
local TOKEN = options.header_name

local function check_origin(origin)
  if origin == "*" or origin == "null" then return nil end
  local host = origin:match "^%a[%w+.-]*://([^/?#%s%c@\\]+)$"
  if not host then return "must be an origin such as \"https://example.org\", without a path" end
  local stars = select(2, host:gsub("%*", ""))
  if stars > 0 and not (stars == 1 and host:find "^%*%.[%w-]+%.") then
    return "may have one \"*\", in place of the first names of a host: \"https://*.example.org\""
  end
end

local function check_origins(value)
  if type(value) == "string" then return check_origin(value) end
  if type(value) ~= "table" then return nil end
  local fault = options.texts()(value)
  for _, origin in ipairs(fault and {} or value) do
    if origin == "*" then return "must not have \"*\" in a list" end
    fault = fault or check_origin(origin)
  end
  return fault
end

local ROWS = {
  origin = { "string|boolean|table|callable", "*", check = check_origins },
  methods = { "string|table", METHODS, check = options.texts("^[%w!#$%%&'*+.^_`|~, -]+$", "methods") },
  allowed_headers = { "string|table", check = options.texts("^[%w!#$%%&'*+.^_`|~, -]+$", "names of headers") },
  exposed_headers = { "string|table", check = options.texts("^[%w!#$%%&'*+.^_`|~, -]+$", "names of headers") },
  credentials = { "boolean", false },
  max_age = { "integer", check = options.at_least(0) },
  preflight_continue = { "boolean", false },
  options_success_status = { "integer", 204, check = function(value)
    if value < 200 or value > 299 then return "must be a status from 200 to 299" end
  end },
}

local function join(value)
  return type(value) == "table" and table.concat(value, ", ") or value
end

-- origin -> whether it is one of the strings
local function one_of(list)
  local exact, below = {}, {}
  for _, origin in ipairs(list) do
    local scheme, rest = origin:match "^(.-://)%*(%..+)$"
    if scheme then
      below[#below + 1] = { scheme = scheme:lower(), rest = rest:lower() }
    else
      exact[origin:lower()] = true
    end
  end
  return function(origin)
    origin = origin:lower()
    if exact[origin] then return true end
    for _, one in ipairs(below) do
      local names = origin:sub(#one.scheme + 1, -#one.rest - 1)
      if origin:sub(1, #one.scheme) == one.scheme and origin:sub(-#one.rest) == one.rest and names:find "^[%w-][%w.-]*$" then
        return true
      end
    end
    return false
  end
end

-- (origin, req) -> what Access-Control-Allow-Origin says, or nil
local function to_judge(origin)
  if origin == "*" then return nil end
  if type(origin) == "boolean" then return function(asked) return origin and asked or nil end end
  if type(origin) == "string" then origin = { origin } end
  if type(origin) == "table" and getmetatable(origin) == nil then
    local is_one = one_of(origin)
    return function(asked) return is_one(asked) and asked or nil end
  end
  return function(asked, req)
    local allowed = origin(asked, req)
    if allowed == true then return asked end
    return allowed or nil
  end
end

local function set_common(res, o, allowed)
  res:set("access-control-allow-origin", allowed)
  if o.credentials then res:set("access-control-allow-credentials", "true") end
end

local function set_preflight(req, res, o)
  res:set("access-control-allow-methods", o.methods)
  local headers = o.allowed_headers
  if headers == nil then
    headers = req:get "access-control-request-headers"
    head.vary(res, "Access-Control-Request-Headers")
  end
  if headers and headers ~= "" and headers:find "^[%w!#$%%&'*+.^_`|~, -]+$" then res:set("access-control-allow-headers", headers) end
  if o.max_age then res:set("access-control-max-age", o.max_age) end
end

return function(given)
  local o = options.read("fsd.mw.cors", given, ROWS)
  if o.credentials and (o.origin == "*" or o.origin == true) then
    error("fsd.mw.cors: with credentials, origin must name the sites that may read answers, as their users: any site could do so"
      .. " otherwise", 2)
  end
  o.methods, o.allowed_headers, o.exposed_headers = join(o.methods), join(o.allowed_headers), join(o.exposed_headers)
  local judge = to_judge(o.origin)
  return function(req, res, next)
    local asked = req:get "origin"
    local allowed = "*"
    if judge then
      head.vary(res, "Origin")
      allowed = asked and judge(asked, req)
    end
    local is_preflight = req.method == "OPTIONS" and asked and req:get "access-control-request-method" ~= nil
    if allowed then
      set_common(res, o, allowed)
      if is_preflight then
        set_preflight(req, res, o)
      elseif o.exposed_headers then
        res:set("access-control-expose-headers", o.exposed_headers)
      end
    end
    if is_preflight and not o.preflight_continue then
      res:status(o.options_success_status):finish()
      return
    end
    next()
  end
end
