-- fsd.actor.bag: keys in the order in which they came, each with a value that is not nil.  One may go through it while it changes, and even
-- be preempted on the way: `for key, value in bag:each() do`.  What is taken out meanwhile is left out, what comes meanwhile
-- is not seen, and nothing else is missed.  Used by fsd.group, fsd.pubsub and fsd.registry, which change it within core.atomic.
local Bag = {}
Bag.__index = Bag

local COMPACT_FROM = 16
local GONE = {} -- stands where a key was taken out

local function new()
  return setmetatable({ keys = {}, last = 0, count = 0, places = {}, values = {} }, Bag)
end

function Bag:get(key)
  return self.values[key]
end

function Bag:set(key, value)
  if self.places[key] == nil then
    self.last = self.last + 1
    self.count = self.count + 1
    self.keys[self.last] = key
    self.places[key] = self.last
  end
  self.values[key] = value
end

-- Whoever goes through the keys goes on with the old list.
local function compact(self)
  local keys, count = {}, 0
  for i = 1, self.last do
    local key = self.keys[i]
    if key ~= GONE then
      count = count + 1
      keys[count] = key
      self.places[key] = count
    end
  end
  self.keys, self.last = keys, count
end

function Bag:remove(key)
  local place = self.places[key]
  if place == nil then return end
  self.keys[place] = GONE
  self.places[key], self.values[key] = nil, nil
  self.count = self.count - 1
  if self.last > COMPACT_FROM and self.count < self.last // 2 then compact(self) end
end

function Bag:each()
  local keys, last, i = self.keys, self.last, 0
  return function()
    while i < last do
      i = i + 1
      local key = keys[i]
      local value = self.values[key]
      if value ~= nil then return key, value end
    end
  end
end

return new
