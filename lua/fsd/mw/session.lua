-- fsd.mw.session: what is remembered of a visitor from one request to the next: req.session, a table.  It is loaded when the request comes, and
-- saved, if it was changed, right before the head of the answer leaves.  A session without a field is not kept, and sets no cookie.
-- An id that we have not given out is never taken over, and session:regenerate() gives another one: to be called at login.
local base64 = require "fsd.base64"
local crypto = require "fsd.crypto"
local head = require "fsd.mw.head"
local options = require "fsd.mw.options"
local stores = require "fsd.mw.session_store"

local ID_BYTES = 24

local ROWS = {
  secret = { "string|table", required = true, check = function(value)
    for _, secret in ipairs(type(value) == "string" and { value } or value) do
      if type(secret) ~= "string" or #secret < 16 then return "must be strings of 16 characters or more" end
    end
    if type(value) == "table" and #value == 0 then return "must be strings of 16 characters or more" end
  end },
  store = { "string", "shared", check = options.one_of("shared", "cookie", "pg") },
  dictionary = { "string", "sessions" },
  name = { "string", "sid", check = function(value)
    if not value:find(options.header_name) then return "must be the name of a cookie" end
  end },
  ttl = { "number", check = options.at_least(1) },
  rolling = { "boolean", false },
  genid = { "callable" },
  cookie = { "table", {} },
}

local COOKIE_ROWS = {
  path = { "string", "/" },
  domain = { "string" },
  http_only = { "boolean", true },
  secure = { "boolean|string", "auto", check = options.one_of(true, false, "auto") },
  same_site = { "string|false", "lax", check = options.one_of(false, "lax", "strict", "none") },
  max_age = { "integer", check = options.at_least(1) },
  partitioned = { "boolean", false },
  priority = { "string", check = options.one_of("low", "medium", "high") },
}

local TTL = 86400

-- What there is to a session besides its fields, by the table that the application has.
local states = setmetatable({}, { __mode = "k" })

local Session = {}

local RESERVED = {}

local function make_table(data, state)
  local session = {}
  for name, value in next, data do session[name] = value end
  states[session] = state
  return setmetatable(session, Session)
end

local function wipe(session)
  for name in next, session do session[name] = nil end
end

local function fill(session, data)
  wipe(session)
  for name, value in next, data do rawset(session, name, value) end
end

local Methods = {}

-- Another id, and no fields; with keep = true the fields stay.  The old id is worth nothing from here on.
function Methods:regenerate(opts)
  local state = states[self]
  if state.id and not state.is_new then state.store:destroy(state.id) end
  state.id, state.is_new, state.before, state.is_destroyed, state.is_forced = state.genid(state.req), true, {}, false, true
  if not (opts and opts.keep) then wipe(self) end
  return self
end

-- Ends it: everywhere, and in the browser.
function Methods:destroy()
  local state = states[self]
  if state.id and not state.is_new then state.store:destroy(state.id) end
  state.is_destroyed = true
  wipe(self)
end

-- What is kept now, without what this request has changed.
function Methods:reload()
  local state = states[self]
  if state.is_new or state.store.is_cookie then
    fill(self, state.loaded or {})
    return self
  end
  local data = state.store:load(state.store:sign_id(state.id))
  if not data then
    state.is_destroyed = true
    wipe(self)
    return nil
  end
  state.before = stores.fields(data)
  fill(self, data)
  return self
end

-- Saves now, instead of when the head leaves.
function Methods:save()
  states[self].save(self)
  return self
end

-- It is kept for another ttl, although nothing was changed.
function Methods:touch()
  states[self].is_touched = true
  return self
end

for name in next, Methods do RESERVED[name] = true end
RESERVED.id, RESERVED.cookie, RESERVED.is_new = true, true, true

function Session:__index(name)
  if Methods[name] then return Methods[name] end
  local state = states[self]
  if name == "id" then return state.id end
  if name == "is_new" then return state.is_new end
  if name == "cookie" then return state.cookie end
end

function Session:__newindex(name, value)
  if RESERVED[name] then error(("session.%s is no field that can be set"):format(name), 2) end
  if type(name) ~= "string" then error("the fields of a session have strings as names", 2) end
  rawset(self, name, value)
end

local function cookie_options(state, req)
  local cookie = {}
  for name, value in next, state.cookie do cookie[name] = value or nil end
  if state.cookie.secure == "auto" then cookie.secure = req.secure or nil end
  return cookie
end

local function set_cookie(state, res, value)
  res:cookie(state.name, value, cookie_options(state, state.req))
  if not res:get "cache-control" then res:set("cache-control", "private") end
end

local function clear_cookie(state, res)
  if not state.had_cookie then return end
  local cookie = cookie_options(state, state.req)
  res:clear_cookie(state.name, cookie)
end

-- Whether the head must have a cookie, and what was saved for it.
local function save(session, state)
  local _, changed = stores.changes(state.before, session)
  local is_empty = next(session) == nil
  if state.is_new and is_empty and not state.is_forced then return nil end
  if state.is_new or changed > 0 or state.is_forced or (state.store.is_cookie and (state.rolling or state.is_touched)) then
    local value = state.store:save(state.id, session, state.before, state.is_new)
    if value == nil then
      state.is_gone = true
      return nil
    end
    local needs_cookie = state.is_new or state.is_forced or state.rolling or state.is_touched or state.store.is_cookie
    state.is_new, state.is_forced, state.before = false, false, stores.fields(session)
    return needs_cookie and value or state.value
  end
  state.store:touch(state.id)
  if state.rolling or state.is_touched then return state.value or state.store:sign_id(state.id) end
  return state.value
end

local function finish(session, state, res)
  if state.is_destroyed or state.is_gone then return clear_cookie(state, res) end
  local value = save(session, state)
  if state.is_gone then return clear_cookie(state, res) end
  if value then set_cookie(state, res, value) end
end

local function new_id()
  return base64.encode_url(crypto.random_bytes(ID_BYTES))
end

local function begin(o, store, cookie, req)
  local value = req.cookies[o.name]
  if type(value) == "table" then value = value[1] end
  local data, id, is_old_secret
  if type(value) == "string" and #value <= 4096 then data, id, is_old_secret = store:load(value) end
  local state = {
    store = store, req = req, name = o.name, cookie = cookie, rolling = o.rolling, had_cookie = value ~= nil,
    genid = o.genid or new_id, is_new = data == nil, loaded = data, before = data and stores.fields(data) or {},
    is_forced = is_old_secret and store.is_cookie or false, is_touched = is_old_secret or false,
  }
  state.id = id or state.genid(req)
  -- What an explicit save has made is told when the head leaves.
  state.save = function(session) state.value = save(session, state) or state.value end
  return make_table(data or {}, state), state
end

return function(given)
  local o = options.read("fsd.mw.session", given, ROWS)
  if o.store == "pg" then error("fsd.mw.session: store \"pg\" is not there yet; use \"shared\" or \"cookie\"", 2) end
  local cookie = options.read("fsd.mw.session: cookie", o.cookie, COOKIE_ROWS)
  if cookie.same_site == "none" and cookie.secure == false then
    error("fsd.mw.session: cookie: same_site = \"none\" needs secure: browsers refuse the cookie otherwise", 2)
  end
  o.ttl = o.ttl or cookie.max_age or TTL
  local store = stores.open(o, type(o.secret) == "string" and { o.secret } or o.secret)
  return function(req, res, next)
    local session, state = begin(o, store, cookie, req)
    req.session = session
    head.before(res, function() finish(session, state, res) end)
    next()
  end
end
