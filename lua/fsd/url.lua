-- fsd.url: URLs and queries.  The rules of RFC 3986 stand in C (worker/toolbox/url.c).  Holds no application state.
local core = require "fsd.url.core"
local errors = require "fsd.error"

local M = {}

local QUERY_PAIRS_MAX = 1000

local function fail(code, message)
  error(errors.new { name = "UrlError", code = code, status = 400, message = message })
end

local function check_text(name, text)
  if type(text) ~= "string" then error(("url.%s: a string is needed, got %s"):format(name, type(text)), 3) end
end

local function decode(text)
  return text and (core.decode(text, "component"))
end

-- url.parse("https://u:p@host:8080/a?b=c#d") -> its parts
function M.parse(text)
  check_text("parse", text)
  local scheme, user, host, port, path, query, fragment = core.split(text)
  if scheme == false then fail("url.parse", ("invalid URL: unexpected character at byte %d"):format(user)) end
  if port and tonumber(port) and tonumber(port) > 65535 then fail("url.parse", "invalid URL: there is no such port") end
  local name, password = user, nil
  if user and user:find(":", 1, true) then name, password = user:match("^(.-):(.*)$") end
  return {
    scheme = scheme and scheme:lower(), user = decode(name), password = decode(password), host = host and host:lower(),
    port = port and math.tointeger(tonumber(port)), path = path, query = query, fragment = fragment,
  }
end

-- Part by part what parse gives; query may be a table.
local PARTS = { scheme = "string", user = "string", password = "string", host = "string", port = "number", path = "string", query = "string or table",
  fragment = "string" }

local function check_parts(parts)
  if type(parts) ~= "table" then error("url.format: a table is needed, got " .. type(parts), 3) end
  for name, value in pairs(parts) do
    if not PARTS[name] then error(("url.format: unknown part %q"):format(tostring(name)), 3) end
    if not PARTS[name]:find(type(value), 1, true) then
      error(("url.format: %s must be a %s, got %s"):format(name, PARTS[name], type(value)), 3)
    end
  end
end

local function authority_of(parts)
  if not parts.host then return "" end
  local user = parts.user and core.encode(parts.user, "component") or ""
  if parts.password then user = user .. ":" .. core.encode(parts.password, "component") end
  if parts.user or parts.password then user = user .. "@" end
  return "//" .. user .. parts.host .. (parts.port and (":%d"):format(parts.port) or "")
end

-- url.format{ scheme = "https", host = "example.com", path = "/a b", query = { c = "d" } } -> text
function M.format(parts)
  check_parts(parts)
  local path, query = core.encode(parts.path or "", "whole"):gsub("[?#]", { ["?"] = "%3F", ["#"] = "%23" }), parts.query
  if parts.host and path ~= "" and path:sub(1, 1) ~= "/" then path = "/" .. path end
  if type(query) == "table" then query = M.query_encode(query) end
  local text = (parts.scheme and parts.scheme .. ":" or "") .. authority_of(parts) .. path
    .. (query and "?" .. core.encode(query, "whole"):gsub("#", "%%23") or "")
    .. (parts.fragment and "#" .. core.encode(parts.fragment, "whole"):gsub("#", "%%23") or "")
  local scheme, _, host, port, read_path = core.split(text)
  if scheme ~= parts.scheme or host ~= parts.host or port ~= (parts.port and ("%d"):format(parts.port)) or read_path ~= path then
    fail("url.format", "these parts make no URL") -- or one that says something else
  end
  return text
end

-- url.resolve("https://example.com/a/b", "../c") -> "https://example.com/c"
function M.resolve(base, reference)
  check_text("resolve", base)
  check_text("resolve", reference)
  local text, which, place = core.resolve(base, reference)
  if text == false then
    fail("url.parse", ("invalid URL: unexpected character at byte %d of the %s"):format(place, which == 1 and "base" or "reference"))
  end
  return text
end

-- What has a meaning in a URL stays as it is, and escapes, too.
function M.encode(text)
  check_text("encode", text)
  return core.encode(text, "whole")
end

-- Everything but letters, digits and -._~ is escaped: a name in a path, a value in a query.
function M.encode_component(text)
  check_text("encode_component", text)
  return core.encode(text, "component")
end

function M.decode(text)
  check_text("decode", text)
  local decoded, place = core.decode(text, "component")
  if not decoded then fail("url.decode", ("invalid escape at byte %d"):format(place)) end
  return decoded
end

local function text_of(name, value)
  if type(value) == "string" then return value end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  error(("url.query_encode: %q must be a string, a number, a boolean or a list of these, got %s"):format(name, type(value)), 4)
end

local function add_pair(pairs_of, name, value)
  pairs_of[#pairs_of + 1] = core.encode(name, "form") .. "=" .. core.encode(text_of(name, value), "form")
end

-- url.query_encode{ a = 1, b = { "x", "y z" } } -> "a=1&b=x&b=y+z", in the order of the names
function M.query_encode(query)
  if type(query) ~= "table" then error("url.query_encode: a table is needed, got " .. type(query), 2) end
  local names, pairs_of = {}, {}
  for name in pairs(query) do
    if type(name) ~= "string" then error("url.query_encode: names must be strings, got " .. type(name), 2) end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = query[name]
    for _, one in ipairs(type(value) == "table" and value or { value }) do add_pair(pairs_of, name, one) end
  end
  return table.concat(pairs_of, "&")
end

local function decode_form(text)
  local decoded, place = core.decode(text, "form")
  if not decoded then fail("url.decode", ("invalid escape at byte %d of %q"):format(place, text:sub(1, 40))) end
  return decoded
end

-- url.query_decode("a=1&b=x&b=y+z") -> { a = "1", b = { "x", "y z" } }
function M.query_decode(text)
  check_text("query_decode", text)
  local query, count = {}, 0
  for pair in text:gmatch("[^&]+") do
    count = count + 1
    if count > QUERY_PAIRS_MAX then fail("url.query", "the query has more than 1000 pairs") end
    local name, value = pair:match("^([^=]*)=(.*)$")
    name, value = decode_form(name or pair), decode_form(value or "")
    local before = query[name]
    if before == nil then
      query[name] = value
    elseif type(before) == "table" then
      before[#before + 1] = value
    else
      query[name] = { before, value }
    end
  end
  return query
end

return M
