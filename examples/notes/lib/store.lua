-- store: the notes, in memory that all workers share (fsd.shared).
--
-- A note is { id, version, title, text, tags, created_at, updated_at }.  It is kept as JSON, so that `cas` can compare it: a
-- change is made to what was read, or not at all, whichever workers try at the same time.
local fsd = require "fsd"
local json = require "fsd.json"

local M = {}

local LIMIT = 500

local dictionary = fsd.shared("notes")

local function key_of(id) return ("note:%d"):format(id) end

local function now() return os.date("!%Y-%m-%dT%H:%M:%SZ") end

local function ids()
  local found = {}
  for _, key in ipairs(dictionary:keys()) do
    found[#found + 1] = math.tointeger(key:match "^note:(%d+)$")
  end
  table.sort(found, function(a, b) return a > b end) -- newest first
  return found
end

function M.create(fields)
  if #ids() >= LIMIT then
    fsd.http.abort(507, ("there are %d notes already"):format(LIMIT), { code = "store.full", expose = true })
  end
  local time = now()
  local note = {
    id = dictionary:incr("last id", 1, 0), version = 1, title = fields.title, text = fields.text, tags = fields.tags,
    created_at = time, updated_at = time,
  }
  dictionary:set(key_of(note.id), json.encode(note))
  return note
end

-- nil when there is none
function M.find(id)
  local text = dictionary:get(key_of(id))
  return text and json.decode(text)
end

-- Puts what make(note) returns in the place of the note; nil deletes it.  When another request was faster, it begins again
-- with what that one has made.  check(note) raises if the note is not to be changed.
local function swap(id, check, make)
  while true do
    local old = dictionary:get(key_of(id))
    if not old then return nil end
    local note = json.decode(old)
    check(note)
    local new = make(note)
    if dictionary:cas(key_of(id), old, new and json.encode(new)) then return note end
  end
end

-- Takes over the fields that are there.  Returns the note, or nil when there is none.
function M.change(id, fields, check)
  return swap(id, check, function(note)
    note.title, note.text, note.tags = fields.title or note.title, fields.text or note.text, fields.tags or note.tags
    note.version, note.updated_at = note.version + 1, now()
    return note
  end)
end

function M.delete(id, check)
  return swap(id, check, function() return nil end)
end

-- lower() knows ASCII letters only, which is enough for an example
local function matches(note, word)
  if note.title:lower():find(word, 1, true) or note.text:lower():find(word, 1, true) then return true end
  for _, tag in ipairs(note.tags) do
    if tag:lower() == word then return true end
  end
  return false
end

-- query: { q, limit, offset } -> a page of the notes that match, newest first, and how many match in all
function M.list(query)
  local word = (query.q or ""):lower()
  local found, total = json.array {}, 0 -- marked as an array, so that an empty page is [] and not {}
  for _, id in ipairs(ids()) do
    local note = M.find(id) -- another request may have deleted it just now
    if note and matches(note, word) then
      total = total + 1
      if total > query.offset and #found < query.limit then found[#found + 1] = note end
    end
  end
  return found, total
end

return M
