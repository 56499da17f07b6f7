-- store: notes in memory, in the order of their making.
--
-- A note is { id, title, text, tags, created_at, updated_at }.  Whoever gets one from here reads it
-- and changes it through the store only.
--
-- Requests run at the same time: another one may come in between any two steps, also of one line.  What takes more than one step
-- happens under the store's mutex.
local fsd = require "fsd"
local json = require "fsd.json"
local task = require "fsd.task"

local Store = {}
Store.__index = Store

local function now()
  return os.date("!%Y-%m-%dT%H:%M:%SZ")
end

-- options.limit: how many notes there may be
function Store.new(options)
  return setmetatable({ limit = options.limit, next_id = 1, order = {}, by_id = {}, mutex = task.mutex() }, Store)
end

local function create(self, fields)
  if #self.order >= self.limit then
    error(fsd.error {
      status = 507, code = "store.full", message = ("there are %d notes already"):format(self.limit),
    })
  end
  local time = now()
  local note = {
    id = self.next_id, title = fields.title, text = fields.text, tags = fields.tags,
    created_at = time, updated_at = time,
  }
  self.next_id = note.id + 1
  self.order[#self.order + 1] = note
  self.by_id[note.id] = note
  return note
end

function Store:create(fields)
  return self.mutex:with(create, self, fields)
end

-- nil when there is none
function Store:find(id)
  return self.by_id[id]
end

-- Takes over the fields that are there.
function Store:update(note, fields)
  for key, value in pairs(fields) do note[key] = value end
  note.updated_at = now()
  return note
end

local function delete(self, note)
  self.by_id[note.id] = nil
  for index, other in ipairs(self.order) do
    if other == note then
      table.remove(self.order, index)
      return
    end
  end
end

function Store:delete(note)
  self.mutex:with(delete, self, note)
end

-- lower() knows ASCII letters only, which is enough for an example
local function matches(note, word)
  if note.title:lower():find(word, 1, true) or note.text:lower():find(word, 1, true) then return true end
  for _, tag in ipairs(note.tags) do
    if tag:lower() == word then return true end
  end
  return false
end

local function list(self, query)
  local word = query.q and query.q:lower()
  local found, total = json.array {}, 0 -- marked as an array, so that an empty page is [] and not {}
  for index = #self.order, 1, -1 do
    local note = self.order[index]
    if not word or matches(note, word) then
      total = total + 1
      if total > query.offset and #found < query.limit then found[#found + 1] = note end
    end
  end
  return found, total
end

-- query: { q, limit, offset } -> a page of the notes that match, newest first, and how many match in all
function Store:list(query)
  return self.mutex:with(list, self, query)
end

return Store
