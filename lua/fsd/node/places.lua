-- fsd.node.places: the workers that an actor may run in, and which one the option `on` means.
-- Used by fsd.worker and fsd.node.spawn.
require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error"
local worker = require "fsd.worker.core"

local M = {}

local function is_before(a, b)
  if a.pool ~= b.pool then return a.pool < b.pool end
  return a.slot < b.slot
end

-- All that have joined and serve a slot, with the pids of the workers.
local function collect()
  local own, places = worker.self(), {}
  if own.slot then
    places[1] = { slot = own.slot, pool = own.pool, incarnation = own.incarnation, is_self = true }
  end
  for _, member in ipairs(core.members()) do
    places[#places + 1] = {
      slot = member.slot, pool = member.pool, incarnation = member.incarnation, is_self = false, pid = member.pid,
    }
  end
  table.sort(places, is_before)
  return places
end

function M.list()
  local places = collect()
  for _, place in ipairs(places) do place.pid = nil end
  return places
end

local turn = 0 -- of those that may be anywhere: each gets the next worker of the pool

local function find_any()
  local pool, own = worker.self().pool, {}
  for _, place in ipairs(collect()) do
    if place.pool == pool then own[#own + 1] = place end
  end
  if #own == 0 then return end -- a standby, which serves no slot: here
  turn = turn % #own + 1
  return own[turn].pid
end

local function fail(what)
  error(errors.new {
    name = "ActorError", code = "noconnection", status = 503, message = "cannot spawn an actor: no worker " .. what,
  }, 0)
end

local function find_slot(slot)
  local pool = worker.self().pool
  for _, place in ipairs(collect()) do
    if place.pool == pool and place.slot == slot then return place.pid end
  end
  fail(("serves slot %d of pool %q"):format(slot, pool))
end

local function find_incarnation(incarnation)
  for _, place in ipairs(collect()) do
    if place.incarnation == incarnation then return place.pid end
  end
  fail(("has the incarnation %d"):format(incarnation))
end

-- The pid of the worker that is meant; nil: this one.
function M.find(on)
  if on == nil or on == "local" then return nil end
  if on == "any" then return find_any() end
  if math.type(on) == "integer" then return find_slot(on) end
  if type(on) == "table" and math.type(on.incarnation) == "integer" then return find_incarnation(on.incarnation) end
  error('bad option "on": "local", "any", a slot or an entry of worker.list() expected', 0)
end

return M
