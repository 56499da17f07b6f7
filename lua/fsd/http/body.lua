-- The methods of req that read its body.  Where the bytes are and what they mean is worker/http/body; here are the
-- options, and in which order things are looked at: content type, coding, size, verify, charset, parser.
-- req:json() and req:text() begin in C (request_body.c), and come here with what is not plain.
local core = require "fsd.body.core"
local errors = require "fsd.error"
local options = require "fsd.http.options"
local task = require "fsd.task.core"
local Request = require "fsd.http.core".methods("request")

local M = {}

local PIECE <const> = 256 * 1024 -- of what is written before others may run

local common = {
  limit = "bytes", inflate = "boolean", type = "string table function", verify = "function", default_charset = "string",
}

local function with(more)
  local known = {}
  for name, kind in pairs(common) do known[name] = kind end
  for name, kind in pairs(more) do known[name] = kind end
  return known
end

M.known = {
  json = with { depth = { min = 1, max = 1000 }, strict = "boolean", reviver = "function", null = { "absent", "keep" } },
  form = with { extended = "boolean", parameter_limit = "count", depth = { min = 1, max = 32 }, charset_sentinel = "boolean" },
  text = common,
  raw = common,
}

M.defaults = {
  json = { limit = 100 * 1024, inflate = true, strict = false, null = "absent", depth = 64 },
  form = { limit = 100 * 1024, inflate = true, extended = false, parameter_limit = 1000, depth = 8, charset_sentinel = false },
  text = { inflate = true },
  raw = { inflate = true },
}

local function fail(status, code, message, more)
  local fields = more or {}
  fields.name, fields.status, fields.code, fields.message = fields.name or "HttpError", status, code, message
  error(errors.new(fields), 0)
end
M.fail = fail

local short = {
  json = "application/json", text = "text/plain", txt = "text/plain", html = "text/html", xml = "application/xml",
  urlencoded = "application/x-www-form-urlencoded", form = "application/x-www-form-urlencoded",
  multipart = "multipart/*", bin = "application/octet-stream",
}

-- Whether the content type is one of those wanted: a pattern or short word, a list of these, or a function of req.
function M.fits(req, wanted)
  if type(wanted) == "function" then return wanted(req) and true or false end
  local header = core.header(req, "content-type")
  local found = header and core.media_type(header) or ""
  if found == "" then return false end
  for _, pattern in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    pattern = short[pattern] or pattern:lower()
    if pattern:sub(1, 1) == "+" then pattern = "*/*" .. pattern end
    if core.media_fits(found, pattern) then return true end
  end
  return false
end

local codings = { gzip = "gzip", ["x-gzip"] = "gzip", deflate = "deflate" }

local function inflate(req, o, limit)
  local coding = core.header(req, "content-encoding")
  coding = coding and coding:lower()
  if coding == nil or coding == "identity" then return end
  if not o.inflate then fail(415, "encoding.unsupported", "the body is compressed, which is not taken here") end
  if not codings[coding] then fail(415, "encoding.unsupported", ("unsupported content encoding %q"):format(coding)) end
  if not core.is_inflated(req) and core.length(req) > 0 then core.inflate(req, codings[coding], limit) end
end

-- The charset that the client says, in lower case, or the default.
local function charset_of(req, o)
  local header = core.header(req, "content-type")
  local charset = header and core.parameter(header, "charset")
  return (charset or o.default_charset or "utf-8"):lower()
end

local function refuse_charset(charset)
  fail(415, "charset.unsupported", ("unsupported charset %q"):format(charset:upper()))
end

local unicode = { ["utf-8"] = true, ["us-ascii"] = true, ascii = true, utf8 = true }
local latin1 = { ["iso-8859-1"] = true, latin1 = true }

local function verify(req, o, charset)
  if not o.verify then return end
  local bytes = core.slice(req, 0, core.length(req))
  local found, result = pcall(o.verify, req, bytes, charset)
  if found and result ~= false then return end
  local message = found and "the body was not verified" or (errors.wrap(result).message or "the body was not verified")
  fail(403, "entity.verify.failed", message, { cause = not found and result or nil })
end

-- What all parsers do first; who is the one that the message names.
local function prepare(req, o, who)
  if o.type and who and not M.fits(req, o.type) then
    fail(415, "content_type.unsupported", "the body has a content type that is not taken here")
  end
  local limit = o.limit or core.limit(req)
  inflate(req, o, limit)
  if core.length(req) > limit then
    fail(413, "entity.too.large", ("the body has %d bytes, more than the limit of %d%s"):format(core.length(req), limit,
      o.limit and who and ("; %s { limit = \"1mb\" } takes more"):format(who) or ""))
  end
end
M.prepare = prepare

-- As JSON.parse does: from the inside out; what the reviver returns stands for the value, nil removes it.
local function revive(reviver, holder, key, value)
  if type(value) == "table" then
    local keys = {}
    for name in pairs(value) do keys[#keys + 1] = name end
    for _, name in ipairs(keys) do value[name] = revive(reviver, value, name, value[name]) end
  end
  return reviver(key, value, holder)
end

local parsers = {}

function parsers.json(req, o, who)
  prepare(req, o, who)
  local charset = charset_of(req, o)
  if not unicode[charset] then refuse_charset(charset) end
  verify(req, o, charset)
  local value = core.json(req, o.null == "keep", o.strict, o.depth)
  if o.reviver then value = revive(o.reviver, nil, "", value) end
  return value
end

-- Very old pages say by a hidden field in which charset they are: utf8=✓, or its number where that had no room.
local function charset_by_sentinel(bytes)
  for value in ("&" .. bytes):gmatch("&utf8=([^&]*)") do
    value = value:lower()
    if value == "%e2%9c%93" then return "utf-8" end
    if value == "%26%2310003%3b" then return "iso-8859-1" end
  end
end

local function to_utf8(value)
  if type(value) == "string" then
    return (value:gsub("[\x80-\xff]", function(byte) return utf8.char(byte:byte()) end))
  end
  local converted = setmetatable({}, getmetatable(value))
  for key, inner in pairs(value) do converted[type(key) == "string" and to_utf8(key) or key] = to_utf8(inner) end
  return converted
end

function parsers.form(req, o, who)
  prepare(req, o, who)
  local charset = charset_of(req, o)
  if not unicode[charset] and not latin1[charset] then refuse_charset(charset) end
  verify(req, o, charset)
  if o.charset_sentinel then charset = charset_by_sentinel(core.slice(req, 0, core.length(req))) or charset end
  if not o.extended then return core.form(req, o.parameter_limit, latin1[charset] or false) end
  local form = core.form_nested(req, o.parameter_limit, o.depth)
  return latin1[charset] and to_utf8(form) or form
end

function parsers.text(req, o, who)
  prepare(req, o, who)
  local charset = charset_of(req, o)
  if not unicode[charset] and not latin1[charset] then refuse_charset(charset) end
  verify(req, o, charset)
  local bytes = core.slice(req, 0, core.length(req))
  return latin1[charset] and to_utf8(bytes) or bytes
end

function parsers.raw(req, o, who)
  prepare(req, o, who)
  verify(req, o)
  return core.slice(req, 0, core.length(req))
end

M.parsers = parsers

-- req:json(options) and its like: parse, and remember in req.body what came out.
local function method(name)
  local who = "req:" .. name
  return function(req, given)
    local o = options.check(who, given, M.known[name], M.defaults[name])
    local value = parsers[name](req, o, who)
    req.body = value
    return value
  end
end

M.json, M.text = method "json", method "text"
Request.form, Request.raw = method "form", method "raw"

-- How far req:read has come; a req that is forgotten takes its number with it.
local positions = setmetatable({}, { __mode = "k" })

-- req:read(n) -> the next n bytes, fewer at the end, nil behind it; req:read() -> all that is left
function Request:read(count)
  if count ~= nil and (math.type(count) ~= "integer" or count < 1) then
    error("req:read expects a number of bytes above 0", 2)
  end
  prepare(self, M.defaults.raw)
  local first = positions[self] or 0
  local left = core.length(self) - first
  if left == 0 then return nil end
  count = math.min(count or left, left)
  positions[self] = first + count
  return core.slice(self, first, count)
end

-- for piece in req:chunks(size) do
function Request:chunks(size)
  if size == nil then size = 64 * 1024 end
  if math.type(size) ~= "integer" or size < 1 then error("req:chunks expects a number of bytes above 0", 2) end
  return function() return self:read(size) end
end

-- Writes a piece of the body to a file that is not there yet; what fails leaves none.
function M.save(req, path, first, length)
  if type(path) ~= "string" then error("a path is expected, not a " .. type(path), 3) end
  local file = core.create(req, path, true)
  M.write(req, file, first, length)
  core.keep(file)
end

function M.write(req, file, first, length)
  while length > 0 do
    local count = math.min(length, PIECE)
    core.write(req, file, first, count)
    first, length = first + count, length - count
    if length > 0 then task.yield() end
  end
  core.close(file)
end

-- req:save(path) -> bytes written
function Request:save(path)
  prepare(self, M.defaults.raw)
  local length = core.length(self)
  M.save(self, path, 0, length)
  return length
end

return M
