-- The measurements; each returns numbers by name.  Times of one operation are in nanoseconds, of the wall and of the CPU.
local fsd = require "fsd"
local actor = require "fsd.actor"

local M = {}

local function timed(count, f)
  local wall, cpu = fsd.now(), os.clock()
  f()
  return { ns = (fsd.now() - wall) / count * 1e9, cpu_ns = (os.clock() - cpu) / count * 1e9 }
end

local function resident()
  local file = io.open("/proc/self/statm")
  local pages = file:read("a"):match("%d+ (%d+)")
  file:close()
  return pages * 4096
end

local function kill(module)
  for _, pid in ipairs(actor.list { module = module }) do actor.exit(pid, "kill") end
  fsd.task.sleep(0)
end

-- so many actors that wait in receive
local function spawn_idle(count)
  local last
  for _ = 1, count do last = actor.spawn("idle") end
  repeat fsd.task.sleep(0) until actor.info(last).state == "waiting"
end

local function ping(count, peer, message)
  local send, receive = actor.send, actor.receive
  return timed(count * 2, function()
    for _ = 1, count do
      send(peer, message)
      receive()
    end
  end)
end

-- an integer to and fro; an operation is one message
function M.scalar()
  local peer = actor.spawn("pong", actor.self())
  return ping(1000000, peer, 42)
end

-- {pid, "get", 42, "key"} to and fro
function M.tuple()
  local me, send, receive, count = actor.self(), actor.send, actor.receive, 500000
  local peer = actor.spawn("maker")
  return timed(count * 2, function()
    for _ = 1, count do
      send(peer, { me, "get", 42, "key" })
      receive()
    end
  end)
end

-- a question and its answer
function M.call()
  local peer, count = actor.spawn("pong"), 300000
  return timed(count, function()
    for i = 1, count do actor.call(peer, i) end
  end)
end

-- spawn until the actor waits in receive
function M.spawn()
  local count = 100000
  local result = timed(count, function() spawn_idle(count) end)
  kill("idle")
  return result
end

-- what 100,000 actors that wait take
function M.idle()
  local count = 100000
  collectgarbage()
  collectgarbage()
  local bytes, in_lua = resident(), collectgarbage("count") * 1024
  spawn_idle(count)
  collectgarbage()
  collectgarbage()
  local result = { rss_bytes = (resident() - bytes) / count, lua_bytes = (collectgarbage("count") * 1024 - in_lua) / count }
  kill("idle")
  return result
end

-- the longest step of the garbage collector while 10,000 actors live
function M.gc()
  spawn_idle(10000)
  local longest = 0
  for _ = 1, 20 do
    repeat
      local begun = fsd.now()
      local is_over = collectgarbage("step")
      longest = math.max(longest, fsd.now() - begun)
    until is_over
  end
  kill("idle")
  return { longest_step_ms = longest * 1000 }
end

return function(what)
  local _, from = actor.receive()
  actor.reply(from, M[what]())
end
