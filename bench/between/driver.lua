-- Measures with the actors that it starts in the other worker.
local fsd = require "fsd"
local actor = require "fsd.actor"
local worker = require "fsd.worker"
local send, receive = actor.send, actor.receive

local M = {}

local function elsewhere(module, args)
  for _, place in ipairs(worker.list()) do
    if not place.is_self then return actor.spawn(module, args, { on = place }) end
  end
  error("there is no other worker")
end

local function flood(count)
  local peer = elsewhere("sink", { to = actor.self(), count = count })
  local begun = fsd.now()
  for _ = 1, count do send(peer, { "get", 42, "key" }) end
  receive()
  return count / (fsd.now() - begun)
end

-- from the first send until the other side says that it has received the last one
function M.oneway()
  flood(10000)
  return { per_second = flood(1000000) }
end

local function bounce(peer, count)
  local begun = fsd.now()
  for _ = 1, count do
    send(peer, { "get", 42, "key" })
    receive()
  end
  return (fsd.now() - begun) / count * 1e6
end

function M.roundtrip()
  local peer = elsewhere("echo", { to = actor.self() })
  bounce(peer, 1000)
  return { us = bounce(peer, 20000) }
end

return function(what)
  local _, from = receive()
  actor.reply(from, M[what]())
end
