-- store: files in a folder, and an index beside them, one line of JSON for each change: all workers append to it, and read it.
-- An application with many files keeps that in a database.
local fsd = require "fsd"

local store = {}
store.__index = store

local PREFIX <const> = "fsd-upload-"

function store.new(folder)
  return setmetatable({ folder = folder, index = folder .. "/" .. PREFIX .. "index.jsonl" }, store)
end

-- The name of a file on the disk, which nobody can guess.
function store.new_name()
  return PREFIX .. fsd.hex.encode(fsd.crypto.random_bytes(12))
end

local function append(self, change)
  local file = fsd.check(io.open(self.index, "a"))
  local line = fsd.json.encode(change) .. "\n"
  fsd.check(file:write(line)) -- less than a page: it is not mixed with what others append
  fsd.check(file:close())
end

-- Remembers a part that stands in the folder already.
function store:add(part, note)
  local id = part.path:sub(#self.folder + #PREFIX + 2)
  local name = part.filename ~= "" and part.filename or "unnamed"
  local file = { id = id, name = name:sub(1, 200), size = part.size, type = part.type, note = type(note) == "string" and note or nil }
  append(self, file)
  return file
end

-- All files, the newest first.
function store:list()
  local index = io.open(self.index)
  if not index then return {} end
  local by_id, order = {}, {}
  for line in index:lines() do
    local change = fsd.json.decode(line)
    if change.gone then by_id[change.id] = nil
    elseif not by_id[change.id] then
      by_id[change.id] = change
      table.insert(order, 1, change.id)
    end
  end
  index:close()
  local files = {}
  for _, id in ipairs(order) do files[#files + 1] = by_id[id] end
  return files
end

function store:find(id)
  for _, file in ipairs(self:list()) do
    if file.id == id then return file end
  end
end

function store:path_of(file)
  return self.folder .. "/" .. PREFIX .. file.id
end

-- Whether it was there.
function store:remove(id)
  local file = self:find(id)
  if not file then return false end
  append(self, { id = id, gone = true })
  fsd.check(os.remove(self:path_of(file)))
  return true
end

return store
