-- app:inject{ method =, url =, headers =, body =, remote_address =, limit = } -> answer: a request without a socket.
-- Everything else is as for a request from outside: limits, middleware, error handlers, filters.
local core = require "fsd.http.core"
local json = require "fsd.json"

local App, own = core.methods "app", core.own

local OPTIONS = { "method", "url", "headers", "body", "remote_address", "limit" }
local LIMIT = 16 * 1024 * 1024

-- Both answer.json() and answer:json().
local function add_json(answer)
  function answer.json() return json.decode(answer.body) end
  return answer
end

local function add_value(headers, name, value)
  if type(value) == "number" or type(value) == "boolean" then value = tostring(value) end
  if type(name) ~= "string" or type(value) ~= "string" then
    error(("app:inject: header %s must be a string or a list of strings"):format(tostring(name)), 4)
  end
  headers[#headers + 1] = name
  headers[#headers + 1] = value
end

-- The headers as a flat list, sorted by name, because a table has no order.
local function flatten(given)
  local names, headers, has_type = {}, {}, false
  for name in pairs(given or {}) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local value = given[name]
    has_type = has_type or tostring(name):lower() == "content-type"
    for _, one in ipairs(type(value) == "table" and value or { value }) do add_value(headers, name, one) end
  end
  return headers, has_type
end

-- By lower-case name; several of one name are joined, but set-cookie is a list.
local function gather(flat)
  local headers = {}
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    if name == "set-cookie" then
      headers[name] = headers[name] or json.array {}
      table.insert(headers[name], value)
    else
      headers[name] = headers[name] and headers[name] .. ", " .. value or value
    end
  end
  return headers
end

local function check(options)
  if type(options) == "string" then return { url = options } end
  if type(options) ~= "table" then error("app:inject: a table expected, got a " .. type(options), 3) end
  local fault = own.option_fault(options, "app:inject", OPTIONS)
  if fault then error(fault, 3) end
  for _, name in ipairs { "method", "url", "remote_address" } do
    if options[name] ~= nil and type(options[name]) ~= "string" then
      error(("app:inject: %s must be a string, got a %s"):format(name, type(options[name])), 3)
    end
  end
  if options.headers ~= nil and type(options.headers) ~= "table" then error("app:inject: headers must be a table", 3) end
  if options.limit ~= nil and math.type(options.limit) ~= "integer" then
    error("app:inject: limit must be a number of bytes", 3)
  end
  return options
end

function App:inject(options)
  options = check(options)
  local headers, has_type = flatten(options.headers)
  local body = options.body
  if type(body) == "table" then
    body = json.encode(body)
    if not has_type then add_value(headers, "content-type", "application/json") end
  elseif body ~= nil and type(body) ~= "string" then
    error("app:inject: body must be a string, or a table for JSON", 2)
  end
  local method = (options.method or "GET"):upper()
  local status, flat, bytes, complete =
    own.inject(self, method, options.url or "/", headers, body, options.remote_address, options.limit or LIMIT)
  return add_json { status = status, headers = gather(flat), body = bytes, complete = complete }
end
