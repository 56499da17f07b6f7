-- fsd.fs: files and folders.  What calls the system stands in C (worker/toolbox/mod_fs.c).  Holds no application state.
local core = require "fsd.fs.core"
local task = require "fsd.task"

local M = {}

local READ_MAX = 64 * 1024 * 1024
local CHUNK_MAX = 256 * 1024
local LONG = 1024 * 1024
local DEPTH_MAX = 200 -- of a tree that is removed: each level holds a descriptor

local function check_options(name, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then error(("fs.%s: options must be a table, got %s"):format(name, type(options)), 3) end
  for key, value in pairs(options) do
    local expected = known[key]
    if expected == nil then error(("fs.%s: unknown option %q"):format(name, tostring(key)), 3) end
    if type(value) ~= expected then
      error(("fs.%s: option %q must be a %s, got %s"):format(name, key, expected, type(value)), 3)
    end
  end
  return options
end

local function folder_of(path)
  local folder = path:match("^(.*)/[^/]+$")
  return folder == "" and "/" or folder or "."
end

-- fs.open(path [, "r" | "w" | "a" | "r+" | "x" [, mode]]) -> file
function M.open(path, how, mode)
  if how == "dir" then error('fs.open: must be "r", "w", "a", "r+" or "x"', 2) end
  return core.open(path, how or "r", mode)
end

-- fs.read(path [, max]) -> data
function M.read(path, max)
  local file <close> = core.open(path, "r")
  return core.read_all(file, max or READ_MAX)
end

-- for piece in fs.chunks(path [, size]) do
function M.chunks(path, size)
  local file = core.open(path, "r")
  return function()
    return file:read(size or CHUNK_MAX)
  end, nil, nil, file
end

local function sync_folder(path)
  local folder <close> = core.open(folder_of(path), "dir")
  folder:sync()
end

-- The system may write all of a long file when it replaces another, and takes its time to free that one.
local function replace(temporary, path, size, known)
  local is_long = size > LONG or (known ~= nil and known.size > LONG)
  return (is_long and core.replace or core.rename)(temporary, path)
end

-- A file that is removed unless it was given its name.
local function remover(path)
  return setmetatable({ path = path }, { __close = function(self) if self.path then core.remove(self.path) end end })
end

local function write_atomically(path, data, options)
  local known = core.stat(path, true)
  local mode = options.mode or (known and known.mode)
  local file, temporary = core.temporary(folder_of(path), ".fsd-", mode and 384 or 438)
  local file <close> = file
  local rest <close> = remover(temporary)
  if mode then core.set_mode(file, mode) end
  file:write(data)
  if options.sync ~= false then file:sync() end
  file:close()
  replace(temporary, path, #data, known)
  rest.path = nil
  if options.sync ~= false then sync_folder(path) end
end

local WRITE_OPTIONS = { atomic = "boolean", mode = "number", sync = "boolean" }

-- fs.write(path, data [, { atomic = false, mode = 384, sync = false }])
function M.write(path, data, options)
  options = check_options("write", options, WRITE_OPTIONS)
  if type(data) ~= "string" then error("fs.write: data must be a string, got " .. type(data), 2) end
  if type(path) ~= "string" or path == "" then error("fs.write: a path is needed, got " .. type(path), 2) end
  if options.atomic ~= false then return write_atomically(path, data, options) end
  local file <close> = core.open(path, "w", options.mode)
  file:write(data)
  if options.sync then file:sync() end
  file:close()
end

local APPEND_OPTIONS = { mode = "number", sync = "boolean" }

-- fs.append(path, data [, { sync = true }])
function M.append(path, data, options)
  options = check_options("append", options, APPEND_OPTIONS)
  if type(data) ~= "string" then error("fs.append: data must be a string, got " .. type(data), 2) end
  local file <close> = core.open(path, "a", options.mode)
  file:write(data)
  if options.sync then file:sync() end
  file:close()
end

-- fs.copy(from, to [, { mode = 420, sync = true }])
function M.copy(from, to, options)
  options = check_options("copy", options, APPEND_OPTIONS)
  local source <close> = core.open(from, "r")
  local file, temporary = core.temporary(folder_of(to), ".fsd-", 384)
  local file <close> = file
  local rest <close> = remover(temporary)
  local known = core.stat(from, true) or { mode = 384, size = 0 } -- it may have been removed meanwhile
  core.copy_all(source, file)
  core.set_mode(file, options.mode or known.mode)
  if options.sync then file:sync() end
  file:close()
  replace(temporary, to, known.size, core.stat(to, true))
  rest.path = nil
end

-- fs.list(path) -> names in order, types by name
function M.list(path)
  local names, types = core.list(path)
  table.sort(names)
  return names, types
end

-- fs.stat(path [, { follow = false }]) -> table, or nil
function M.stat(path, options)
  options = check_options("stat", options, { follow = "boolean" })
  return core.stat(path, options.follow ~= false)
end

function M.exists(path)
  return core.stat(path, true) ~= nil
end

M.rename = core.rename
M.real_path = core.real_path

-- fs.mkdir(path [, { parents = true, mode = 493 }]) -> whether it was made
function M.mkdir(path, options)
  options = check_options("mkdir", options, { parents = "boolean", mode = "number" })
  local mode = options.mode or 511
  if not options.parents then return core.make(path, mode) end
  local made = core.make(path, mode, true)
  if made == nil then
    M.mkdir(folder_of((path:gsub("/+$", ""))), options)
    made = core.make(path, mode, true)
  end
  if not made and core.stat(path, true).type ~= "directory" then core.make(path, mode) end -- raises
  return made
end

-- What is in an open folder, and below.
local function empty(folder, depth)
  if depth > DEPTH_MAX then error("fs.remove: the folders are nested too deeply", 0) end
  local names, types = core.list(folder)
  for _, name in ipairs(names) do
    if types[name] == "directory" then
      local inner <close> = core.open_at(folder, name)
      empty(inner, depth + 1)
    end
    core.remove_at(folder, name, types[name] == "directory")
  end
end

-- fs.remove(path [, { recursive = true }]) -> whether it was there
function M.remove(path, options)
  options = check_options("remove", options, { recursive = "boolean" })
  local known = core.stat(path, false)
  if known == nil then return false end
  if known.type == "directory" and options.recursive then
    local folder <close> = core.open_at(nil, path)
    empty(folder, 1)
  end
  return core.remove(path, known.type == "directory")
end

local function find_temporary(options)
  return options.folder or os.getenv("TMPDIR") or "/tmp"
end

-- fs.temp_file([{ folder = "/tmp", prefix = "upload-" }]) -> path, file
function M.temp_file(options)
  options = check_options("temp_file", options, { folder = "string", prefix = "string" })
  local file, path = core.temporary(find_temporary(options), options.prefix or "fsd-", 384)
  return path, file
end

-- fs.watch(path) -> watcher; fs.watch(path, fn) -> watcher, and a task that calls fn(event)
function M.watch(path, fn)
  if fn ~= nil and type(fn) ~= "function" then error("fs.watch: a function is needed, got " .. type(fn), 2) end
  local watcher = core.watch(path)
  if fn then
    task.spawn(function()
      for event in watcher.next, watcher do fn(event) end
    end)
  end
  return watcher
end

return M
