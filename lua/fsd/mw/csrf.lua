-- fsd.mw.csrf: keeps pages of other sites from acting with our visitors' cookies.  Browsers say where a request comes from: Sec-Fetch-Site,
-- else Origin, is judged for every method that changes something.  That is enough for browsers of the last years; with `secret`,
-- a token is asked for, too: in a header, or in the form, which is parsed for it.  A request with neither Sec-Fetch-Site nor Origin is
-- no browser's, and passes unless a token is asked for.
local base64 = require "fsd.base64"
local body = require "fsd.http.body"
local crypto = require "fsd.crypto"
local errors = require "fsd.error"
local options = require "fsd.mw.options"

local BYTES = 18
local SAFE = { GET = true, HEAD = true, OPTIONS = true }

local function check_origin(origin)
  if not origin:find "^%a[%w+.-]*://[^/?#%s%c@\\*]+$" then return "must be origins such as \"https://example.org\", without a path" end
end

local ROWS = {
  origin = { "string|table|callable", {}, check = function(value)
    if type(value) == "string" then return check_origin(value) end
    if type(value) ~= "table" then return nil end
    local fault = options.texts()(value)
    for _, origin in ipairs(fault and {} or value) do fault = fault or check_origin(origin) end
    return fault
  end },
  secret = { "string|table", check = function(value)
    for _, secret in ipairs(type(value) == "string" and { value } or value) do
      if type(secret) ~= "string" or #secret < 16 then return "must be strings of 16 characters or more" end
    end
    if type(value) == "table" and #value == 0 then return "must be strings of 16 characters or more" end
  end },
  field = { "string", "_csrf" },
  header = { "string", "x-csrf-token", check = function(value)
    if not value:find(options.header_name) then return "must be the name of a header" end
  end },
  cookie = { "string", "csrf", check = function(value)
    if not value:find(options.header_name) then return "must be the name of a cookie" end
  end },
  session_field = { "string", "csrf" },
  skip = { "callable" },
}

local function refuse(code, message)
  error(errors.new { name = "CsrfError", code = code, status = 403, message = message }, 0)
end

local function to_set(origin)
  local set = {}
  for _, one in ipairs(type(origin) == "string" and { origin } or origin) do set[one:lower()] = true end
  return function(asked) return set[asked:lower()] == true end
end

-- Whether the origin is this host: by name and port only, since a proxy may have taken the TLS away.
local function is_own(req, origin)
  local host = origin:match "^%a[%w+.-]*://([^/]+)$"
  return host ~= nil and host:lower() == (req.host or req:get "host" or ""):lower()
end

local function check_source(req, is_allowed)
  local site, origin = req:get "sec-fetch-site", req:get "origin"
  if site == "same-origin" or site == "none" then return end
  if origin and origin ~= "null" and is_allowed(origin, req) then return end
  if site then refuse("csrf.site", "this request comes from another site") end
  if origin and not is_own(req, origin) then refuse("csrf.origin", "this request comes from another origin") end
end

-- What the tokens of a visitor are bound to: a random text in the session, or in a cookie of its own.
local function find_anchor(req, o)
  if req.session then return req.session[o.session_field] end
  local value = req.cookies[o.cookie]
  return type(value) == "string" and value:find "^[%w_-]+$" and #value == BYTES * 4 // 3 and value or nil
end

local function make_anchor(req, res, o)
  local anchor = base64.encode_url(crypto.random_bytes(BYTES))
  if req.session then
    req.session[o.session_field] = anchor
  else
    res:cookie(o.cookie, anchor, { path = "/", http_only = true, same_site = "lax", secure = req.secure or nil })
  end
  return anchor
end

local function sign(key, anchor, salt)
  return crypto.hmac("sha256", key, anchor .. "." .. salt, "base64url")
end

local function is_good(keys, anchor, token)
  if type(token) ~= "string" then return false end
  local salt, signature = token:match "^([%w_-]+)%.([%w_-]+)$"
  if not salt or #salt > 64 then return false end
  for _, key in ipairs(keys) do
    if crypto.equal(sign(key, anchor, salt), signature) then return true end
  end
  return false
end

-- A form that was parsed already counts as it is; of one with files, the fields in front of the first file do.
local function find_in_form(req, field)
  if type(req.body) == "table" then return req.body[field] end
  local kind = (req:get "content-type" or ""):match("^%s*([^;%s]*)"):lower()
  if kind == "application/x-www-form-urlencoded" then
    req.body = body.parsers.form(req, body.defaults.form, "fsd.body.form")
    return req.body[field]
  end
  if kind ~= "multipart/form-data" then return nil end
  for part in req:parts { limits = { file_size = math.maxinteger } } do -- who takes the file judges its size
    if part.filename then return nil end
    if part.name == field then return part:text() end
  end
end

local function check_token(req, o, keys)
  local token = req:get(o.header) or find_in_form(req, o.field)
  if token == nil then refuse("csrf.token", ("this request has no token: field %q, or header %s"):format(o.field, o.header)) end
  local bound = find_anchor(req, o)
  if not bound or not is_good(keys, bound, token) then refuse("csrf.token", "the form is too old, please load it again") end
end

local function to_keys(secret)
  local keys = {}
  for i, one in ipairs(type(secret) == "string" and { secret } or secret or {}) do keys[i] = crypto.hmac("sha256", one, "fsd.mw.csrf", "raw") end
  return keys
end

return function(given)
  local o = options.read("fsd.mw.csrf", given, ROWS)
  local is_allowed = type(o.origin) == "function" and o.origin or to_set(o.origin)
  local keys = to_keys(o.secret)
  return function(req, res, next)
    if o.skip and o.skip(req, res) then return next() end
    local anchor
    if #keys > 0 then
      -- a token for forms of this visitor, another one each time: compressed pages tell nothing of it
      function req.csrf_token()
        anchor = anchor or find_anchor(req, o) or make_anchor(req, res, o)
        local salt = base64.encode_url(crypto.random_bytes(9))
        return salt .. "." .. sign(keys[1], anchor, salt)
      end
    end
    if not SAFE[req.method] then
      check_source(req, is_allowed)
      if #keys > 0 then check_token(req, o, keys) end
    end
    next()
  end
end
