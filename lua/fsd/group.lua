-- fsd.group: named groups of actors, after Erlang's pg.  An actor that joins n times is n times in it, and leaves when it
-- ends.  Holds no application state but the memberships of living actors (fsd.group.members).
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local members = require "fsd.group.members"

local M = {}

local function check_name(name)
  if type(name) ~= "string" or #name < 1 or #name > 255 then
    error("bad name of a group: a string of 1 to 255 bytes expected", 3)
  end
end

-- The pid that was given, or the caller's own.
local function resolve(pid)
  return pid or actor.self()
end

function M.join(name, pid)
  check_name(name)
  core.check_loaded("join a group")
  core.atomic(members.join, name, resolve(pid))
end

function M.leave(name, pid)
  check_name(name)
  core.check_loaded("leave a group")
  return core.atomic(members.leave, name, resolve(pid))
end

function M.members(name)
  check_name(name)
  return members.members(name, false)
end

function M.local_members(name)
  check_name(name)
  return members.members(name, true)
end

function M.names()
  return core.atomic(members.names)
end

local function monitor(name, pid)
  return members.watch(name, pid), members.members(name, false)
end

-- From now on the caller gets { "$group", ref, "join" | "leave", name, pids }.
function M.monitor(name)
  check_name(name)
  return core.atomic(monitor, name, actor.self())
end

function M.demonitor(ref)
  core.atomic(members.unwatch, ref)
end

return M
