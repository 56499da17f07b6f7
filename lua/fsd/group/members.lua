-- fsd.group.members: who is in which group.  Members of this worker come and go by join and leave and when they end; those of
-- other workers are told by whoever is connected with them: feed, unfeed.  on_local hears of each change here.
-- All functions but members are to be called within core.atomic.
local bag = require "fsd.actor.bag"
local core = require "fsd.actor.core"
local roster = require "fsd.actor.roster"

local M = {
  on_local = nil, -- function(change, name, pid, count): "join" or "leave", set by what tells other workers
}

local groups = {} -- name -> { here = bag, there = bag, watchers = { ref -> pid } }; the bags: pid -> how often it joined

local function open(name)
  local group = groups[name]
  if group == nil then
    group = { here = bag(), there = bag(), watchers = {} }
    groups[name] = group
  end
  return group
end

local function close_if_empty(name)
  local group = groups[name]
  if group.here.count == 0 and group.there.count == 0 and next(group.watchers) == nil then groups[name] = nil end
end

local function tell(group, change, name, pid, count)
  local pids = {}
  for i = 1, count do pids[i] = pid end
  for ref, watcher in pairs(group.watchers) do
    core.signal(watcher, { "$group", ref, change, name, pids })
  end
end

local function add(place, change, name, pid, count)
  local group = open(name)
  group[place]:set(pid, (group[place]:get(pid) or 0) + count)
  tell(group, change, name, pid, count)
end

-- Takes so many entries out, or all: returns how many there were to take.
local function take(place, name, pid, count)
  local group = groups[name]
  local entries = group and group[place]:get(pid)
  if not entries then return 0 end
  local taken = math.min(count or entries, entries)
  if taken == entries then
    group[place]:remove(pid)
  else
    group[place]:set(pid, entries - taken)
  end
  tell(group, "leave", name, pid, taken)
  close_if_empty(name)
  return taken
end

local function announce(change, name, pid, count)
  if count > 0 and M.on_local then M.on_local(change, name, pid, count) end
end

local joined = {} -- pid -> { name -> true }, of this worker

local function leave_all(pid)
  local names = joined[pid]
  joined[pid] = nil
  for name in pairs(names or {}) do announce("leave", name, pid, take("here", name, pid)) end
end

function M.join(name, pid)
  roster.add(pid, leave_all)
  add("here", "join", name, pid, 1)
  joined[pid] = joined[pid] or {}
  joined[pid][name] = true
  announce("join", name, pid, 1)
end

function M.leave(name, pid)
  local taken = take("here", name, pid, 1)
  local group = groups[name]
  if joined[pid] and not (group and group.here:get(pid)) then joined[pid][name] = nil end
  announce("leave", name, pid, taken)
  return taken == 1
end

-- A member of another worker has joined, or left with so many of its entries.
function M.feed(name, pid, count) add("there", "join", name, pid, count) end

function M.unfeed(name, pid, count) return take("there", name, pid, count) end

local watches = {} -- ref -> { name, pid }
local watching = {} -- pid -> { ref -> true }

function M.unwatch(ref)
  local watch = watches[ref]
  if watch == nil then return end
  watches[ref], watching[watch.pid][ref] = nil, nil
  groups[watch.name].watchers[ref] = nil
  close_if_empty(watch.name)
end

local function unwatch_all(pid)
  local refs = watching[pid]
  for ref in pairs(refs or {}) do M.unwatch(ref) end
  watching[pid] = nil
end

function M.watch(name, pid)
  roster.add(pid, unwatch_all)
  local ref = core.ref()
  open(name).watchers[ref] = pid
  watches[ref] = { name = name, pid = pid }
  watching[pid] = watching[pid] or {}
  watching[pid][ref] = true
  return ref
end

-- How many entries a member of this worker has.
function M.count_here(name, pid)
  local group = groups[name]
  return group and group.here:get(pid) or 0
end

-- A list of the members, each as often as it joined.
function M.members(name, is_local)
  local group, list = groups[name], {}
  local function append(entries)
    for pid, count in entries:each() do
      for _ = 1, count do list[#list + 1] = pid end
    end
  end
  if group then
    append(group.here)
    if not is_local then append(group.there) end
  end
  return list
end

function M.names()
  local list = {}
  for name, group in pairs(groups) do
    if group.here.count + group.there.count > 0 then list[#list + 1] = name end
  end
  return list
end

return M
