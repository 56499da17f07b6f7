-- The last messages of a room, in their order: what rooms and feeds remember.
local History = {}
History.__index = History

local KEPT = 200

local function new()
  return setmetatable({ list = {}, by_key = {}, last = 0 }, History)
end

-- A message that is newer than all others.  One that was said again, because its room had died, is heard once.
function History:add(message)
  self.last = message.id
  if self.by_key[message.key] then return end
  self.list[#self.list + 1] = message
  self.by_key[message.key] = message
  if #self.list > KEPT then self.by_key[table.remove(self.list, 1).key] = nil end
end

-- Those of a list that are not there yet, wherever they belong.
function History:merge(messages)
  local all, known = {}, {}
  for _, list in ipairs { self.list, messages } do
    for _, message in ipairs(list) do
      if not known[message.id] then all[#all + 1] = message end
      known[message.id] = true
    end
  end
  table.sort(all, function(a, b) return a.id < b.id end)
  local merged = new()
  for _, message in ipairs(all) do merged:add(message) end
  self.list, self.by_key, self.last = merged.list, merged.by_key, merged.last
end

-- The messages behind the one with this number.
function History:since(id)
  local first = #self.list + 1
  while first > 1 and self.list[first - 1].id > id do first = first - 1 end
  return table.move(self.list, first, #self.list, 1, {})
end

-- What was said with this key.
function History:find(key)
  return self.by_key[key]
end

return { new = new }
