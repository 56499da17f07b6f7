-- fsd.task: tasks, and what several of them need to work together.  The parts that wait stand in C
-- (worker/lib/mod_task.c); here is what is made of them.  Holds no application state.
local core = require "fsd.task.core"

local M = {
  spawn = core.spawn, current = core.current, sleep = core.sleep, yield = core.yield, now = core.now,
  channel = core.channel, mutex = core.mutex, semaphore = core.semaphore, wait_group = core.wait_group,
  local_storage = core.local_storage,
}

-- A group is some tasks that the calling one waits for.  When the caller leaves the block that declares the group,
-- by an error or not, those that have not ended are cancelled.
local Group = {}
Group.__index = Group

function Group:__close()
  for key, handle in pairs(self.handles) do
    core.forget(handle, self.ended)
    handle:cancel(self.reason)
    self.handles[key] = nil
  end
end

local function new_group(reason)
  return setmetatable({ handles = {}, ended = core.channel(), reason = reason }, Group)
end

-- A function begins as a new task; a handle is one already.
function Group:add(key, what, ...)
  local handle = type(what) == "function" and core.spawn(what, ...) or what
  self.handles[key] = handle
  core.tell(handle, self.ended, key)
end

-- Waits for the next one that ends: its key, and what it returned.  Raises what it raised.
function Group:take()
  local key = self.ended:get()
  local handle = self.handles[key]
  self.handles[key] = nil
  return key, handle:join()
end

local function check_list(name, list)
  if type(list) ~= "table" then
    error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, type(list)), 3)
  end
  for i = 1, #list do
    if type(list[i]) ~= "function" and getmetatable(list[i]) ~= "fsd.Task" then
      error(("bad argument #1 to '%s' (item %d is neither a function nor a task)"):format(name, i), 3)
    end
  end
end

-- task.all{ fn or handle, ... } -> list of what each returned first, in their order
function M.all(list)
  check_list("all", list)
  local group <close> = new_group("another task of the same task.all has failed")
  local results, count = {}, #list
  for i = 1, count do group:add(i, list[i]) end
  for _ = 1, count do
    local i, value = group:take()
    results[i] = value
  end
  results.n = count
  return results
end

local function drop_first(_, ...) return ... end

-- task.race{ fn or handle, ... } -> what the first one that ends returns
function M.race(list)
  check_list("race", list)
  if #list == 0 then error("bad argument #1 to 'race' (an empty list: nothing would ever end)", 2) end
  local group <close> = new_group("another task of the same task.race was first")
  for i = 1, #list do group:add(i, list[i]) end
  return drop_first(group:take())
end

-- task.map(list, n, fn) -> list of fn(item, index), of which n run at a time
function M.map(list, n, fn)
  if type(list) ~= "table" then error("bad argument #1 to 'map' (table expected, got " .. type(list) .. ")", 2) end
  if math.type(n) ~= "integer" or n < 1 then error("bad argument #2 to 'map' (must be an integer of at least 1)", 2) end
  if type(fn) ~= "function" then error("bad argument #3 to 'map' (function expected, got " .. type(fn) .. ")", 2) end
  local group <close> = new_group("another task of the same task.map has failed")
  local results, count = {}, #list
  for i = 1, math.min(n, count) do group:add(i, fn, list[i], i) end
  for begun = math.min(n, count) + 1, count + math.min(n, count) do
    local i, value = group:take()
    results[i] = value
    if begun <= count then group:add(begun, fn, list[begun], begun) end
  end
  results.n = count
  return results
end

-- task.timeout(seconds, fn, ...) -> what fn returns; raises a TimeoutError, and cancels fn, when that takes longer
function M.timeout(seconds, fn, ...)
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error("bad argument #1 to 'timeout' (must be a number of seconds, not negative)", 2)
  end
  if type(fn) ~= "function" then error("bad argument #2 to 'timeout' (function expected, got " .. type(fn) .. ")", 2) end
  local group <close> = new_group("it took longer than its task.timeout")
  local handle = core.spawn(fn, ...)
  group.handles[1] = handle
  return handle:join(seconds)
end

return M
