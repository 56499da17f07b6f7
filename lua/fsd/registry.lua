-- fsd.registry: keys that living actors hold, each with a value, after Elixir's Registry.  With unique keys one actor holds a
-- key, with duplicate ones any number.  Values are copied on the way in and out.  Holds no application state but that of living
-- actors.  What changes a registry is written for core.atomic.
local actor = require "fsd.actor"
local bag = require "fsd.actor.bag"
local core = require "fsd.actor.core"
local errors = require "fsd.error"
local roster = require "fsd.actor.roster"

local Registry = {}
Registry.__index = Registry
Registry.__name = "fsd.Registry"

local M = {}

local registries = {}

local function check_key(key)
  local kind = type(key)
  if kind ~= "string" and kind ~= "boolean" and math.type(key) ~= "integer" then
    error("bad key: a string, an integer or a boolean expected", 3)
  end
end

local function release(self, key, pid)
  local holders = self.keys_held:get(key)
  if not holders or not holders:get(pid) then return false end
  holders:remove(pid)
  if holders.count == 0 then self.keys_held:remove(key) end
  return true
end

local function forget(self, pid)
  local keys = self.of_pid[pid]
  self.of_pid[pid] = nil
  for key in pairs(keys or {}) do release(self, key, pid) end
end

local function take(self, key, pid, value)
  local holders = self.keys_held:get(key)
  if holders and self.is_unique and not holders:get(pid) then
    local err = errors.new { name = "RegistryError", code = "exists", status = 409, message = ("cannot put %q: another actor holds the key"):format(tostring(key)) }
    err.pid = holders:each()()
    error(err, 0)
  end
  roster.add(pid, self.on_end)
  if not holders then
    holders = bag()
    self.keys_held:set(key, holders)
  end
  holders:set(pid, { value = value })
  self.of_pid[pid] = self.of_pid[pid] or {}
  self.of_pid[pid][key] = true
end

local function delete(self, key, pid)
  if self.of_pid[pid] then self.of_pid[pid][key] = nil end
  return release(self, key, pid)
end

function Registry:put(key, value, pid)
  check_key(key)
  core.check_loaded("put an entry")
  core.atomic(take, self, key, pid or actor.self(), core.copy(value))
end

function Registry:delete(key, pid)
  check_key(key)
  core.check_loaded("delete an entry")
  return core.atomic(delete, self, key, pid or actor.self())
end

function Registry:get(key)
  check_key(key)
  local holders = self.keys_held:get(key)
  if self.is_unique then
    if not holders then return nil end
    local pid, held = holders:each()()
    return pid, held and core.copy(held.value)
  end
  local list = {}
  if holders then
    for pid, held in holders:each() do list[#list + 1] = { pid = pid, value = core.copy(held.value) } end
  end
  return list
end

function Registry:keys(pid)
  local list = {}
  for key, holders in self.keys_held:each() do
    if pid == nil or holders:get(pid) then list[#list + 1] = key end
  end
  return list
end

-- The entries that matches(key, pid, value) is true for; all without one.
function Registry:select(matches)
  local list = {}
  for key, holders in self.keys_held:each() do
    for pid, held in holders:each() do
      local value = core.copy(held.value)
      if matches == nil or matches(key, pid, value) then list[#list + 1] = { key = key, pid = pid, value = value } end
    end
  end
  return list
end

function Registry:count()
  local count = 0
  for _, holders in self.keys_held:each() do count = count + holders.count end
  return count
end

local function make(name, is_unique)
  local self = registries[name]
  if self == nil then
    self = setmetatable({ name = name, is_unique = is_unique, keys_held = bag(), of_pid = {} }, Registry)
    self.on_end = function(pid) forget(self, pid) end
    registries[name] = self
  end
  return self
end

local KINDS = { unique = true, duplicate = false }

-- The registry of that name; the same one each time.
function M.open(name, options)
  local keys = options and options.keys or "unique"
  if type(name) ~= "string" or name == "" then error("bad name of a registry: a string expected", 2) end
  if KINDS[keys] == nil then error('bad option "keys": "unique" or "duplicate" expected', 2) end
  local self = core.atomic(make, name, KINDS[keys])
  if self.is_unique ~= KINDS[keys] then
    error(("the registry %q has %s keys already"):format(name, self.is_unique and "unique" or "duplicate"), 2)
  end
  return self
end

local default = core.atomic(make, "", true)

for _, verb in ipairs { "put", "get", "delete", "keys", "select", "count" } do
  M[verb] = function(...) return default[verb](default, ...) end
end

return M
