-- fsd.timer: functions that run later, and messages that are sent later.  What counts the time stands in C
-- (worker/lib/mod_timer.c).  Holds no application state.
local core = require "fsd.timer.core"

local M = { after = core.after, every = core.every, at = core.at, cron = core.cron, cancel = core.cancel }

-- Loaded when first needed: a worker without messages needs no actors.
local actor, actors, roster

local function load_actors()
  if roster == nil then
    actor, actors, roster = require "fsd.actor", require "fsd.actor.core", require "fsd.actor.roster"
  end
end

-- f(...), whose error is the fault of the application that has called our caller.
local function check(f, ...)
  local ok, result = pcall(f, ...)
  if not ok then error(result, 3) end
  return result
end

local function check_arguments(name, seconds, least, dest)
  if type(seconds) ~= "number" or not (seconds >= least) then
    error(("bad argument #1 to '%s' (must be a number of seconds, at least %s)"):format(name, least), 3)
  end
  if type(dest) ~= "string" and getmetatable(dest) ~= "fsd.Pid" then
    error(("bad argument #2 to '%s' (pid or name expected, got %s)"):format(name, type(dest)), 3)
  end
end

-- The timers of an actor that ends end with it.  One that has ended already, and one of another worker, cannot be listed; what
-- repeats for the first ends at its first time, for the second with that worker.
local function tie(timer, dest)
  if type(dest) == "userdata" and pcall(roster.add, dest, core.cancel_tied) then core.tie(timer, dest) end
end

local function deliver_again(entry)
  local sent, why = actor.try_send(entry.dest, entry.message)
  if not sent and type(entry.dest) == "userdata" and (why == "noproc" or why == "noconnection") then
    entry.timer:cancel()
  end
end

-- timer.send_after(seconds, dest, message) -> timer
function M.send_after(seconds, dest, message)
  load_actors()
  check_arguments("send_after", seconds, 0, dest)
  local copy = check(actors.copy, message)
  local timer = check(core.after, seconds, actor.try_send, dest, copy)
  tie(timer, dest)
  return timer
end

-- timer.send_every(seconds, dest, message) -> timer
function M.send_every(seconds, dest, message)
  load_actors()
  check_arguments("send_every", seconds, 0.001, dest)
  local entry = { dest = dest, message = check(actors.copy, message) }
  entry.timer = check(core.every, seconds, deliver_again, entry)
  tie(entry.timer, dest)
  return entry.timer
end

return M
