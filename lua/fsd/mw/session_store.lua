-- fsd.mw.session_store: where sessions are kept, by store:
--   load(req_cookie) -> session's data, id, needs_save | nil
--   save(id, data, before, is_new) -> the cookie's value, or nil when the session has been ended meanwhile
--   touch(id), destroy(id)
-- "shared": in a dictionary that all workers share; the cookie has the signed id.  A save changes only the fields that the request has changed, in
-- one atomic step with what stands there now, so requests of one session that run at the same time do not undo each other.
-- "cookie": in the cookie itself, sealed.
local codec = require "fsd.mw.session_codec"
local crypto = require "fsd.crypto"
local errors = require "fsd.error"
local json = require "fsd.json"
local shared = require "fsd.shared"
local clock = require "fsd.task.core".time

local M = {}

local COOKIE_MAX = 4096 - 256 -- bytes of a value; browsers take 4096 with name and attributes
local TRIES = 50

local function fail(code, message)
  error(errors.new { name = "SessionError", code = code, status = 500, message = message }, 0)
end

-- Data of the fields that differ, field by field as JSON; nil for one that is gone.
function M.changes(before, data)
  local changed, count = {}, 0
  for name, value in next, data do
    local text = json.encode(value)
    if before[name] ~= text then
      changed[name] = text
      count = count + 1
    end
  end
  for name in next, before do
    if data[name] == nil then
      changed[name] = false
      count = count + 1
    end
  end
  return changed, count
end

-- The fields of a session as JSON each: how it is kept, and what a change is found by.
function M.fields(data)
  local fields = {}
  for name, value in next, data do fields[name] = json.encode(value) end
  return fields
end

local function to_data(fields)
  local data = {}
  for name, text in pairs(fields) do data[name] = json.decode(text) end
  return data
end

local Shared = {}
Shared.__index = Shared

-- The id is not in the dictionary: who reads that can't take over a session.
function Shared:key(id)
  return self.prefix .. crypto.hash("sha256", id, "base64url")
end

function Shared:load(value)
  local id, is_first = self.verify(value)
  if not id then return nil end
  local text = self.dictionary:get(self:key(id))
  if type(text) ~= "string" then return nil end
  return to_data(json.decode(text)), id, not is_first
end

function Shared:save(id, data, before, is_new)
  local key = self:key(id)
  if is_new then
    self.dictionary:set(key, json.encode(M.fields(data)), self.ttl)
    return self.sign(id)
  end
  local changed = M.changes(before, data)
  for _ = 1, TRIES do
    local old = self.dictionary:get(key)
    if old == nil then return nil end -- another request has ended it: it stays so
    local fields = json.decode(old)
    for name, text in pairs(changed) do fields[name] = text or nil end
    if self.dictionary:cas(key, old, json.encode(fields), self.ttl) then return self.sign(id) end
  end
  fail("session.busy", "the session is changed by too many requests at a time")
end

function Shared:touch(id) self.dictionary:expire(self:key(id), self.ttl) end
function Shared:destroy(id) self.dictionary:delete(self:key(id)) end
function Shared:sign_id(id) return self.sign(id) end

local Cookie = {}
Cookie.__index = Cookie

function Cookie:load(value)
  local text, is_first = self.open(value)
  if not text then return nil end
  local ok, record = pcall(json.decode, text)
  if not ok or type(record) ~= "table" or type(record.t) ~= "number" or type(record.d) ~= "table" then return nil end
  local age = clock() - record.t
  if age > self.ttl then return nil end
  return record.d, record.i, not is_first
end

function Cookie:save(id, data)
  local value = self.seal(json.encode { i = id, t = math.floor(clock()), d = data })
  if #value > COOKIE_MAX then
    fail("session.too_large", ("the session has %d bytes as a cookie, more than %d: keep it small, or use store = \"shared\""):format(
      #value, COOKIE_MAX))
  end
  return value
end

function Cookie:touch() end
function Cookie:destroy() end

function M.open(o, secrets)
  if o.store == "shared" then
    local sign, verify = codec.signer(secrets, o.name)
    return setmetatable({
      dictionary = shared(o.dictionary), prefix = "session:" .. o.name .. ":", sign = sign, verify = verify, ttl = o.ttl,
    }, Shared)
  end
  local seal, open = codec.sealer(secrets, o.name)
  return setmetatable({ seal = seal, open = open, ttl = o.ttl, is_cookie = true }, Cookie)
end

return M
