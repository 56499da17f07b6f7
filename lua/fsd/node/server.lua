-- fsd.node.server: the actor that speaks for a worker with the others, after Erlang's pg.  core.serve() makes it the one that gets
-- what is sent to the worker's own pid.
--   {"$node", "hello", from}          another worker wants to be told of this one: it gets a feeder
--   {"$node", "state", from, batch}   what another worker's feeder tells: fsd.node.sources
--   call {"$spawn", ...}              another worker wants an actor to run here: fsd.node.spawn
-- Each of two workers says hello when it learns of the other one, or hears its hello.  One that has no server yet gets no hello, but
-- then the monitor of it tells, and it says hello itself as soon as it has one.
-- Started in each worker when it begins to serve; ends with the worker.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local feeds = require "fsd.node.feeds"
local hub = require "fsd.pubsub.hub"
local members = require "fsd.group.members"
local sources = require "fsd.node.sources"
local spawn = require "fsd.node.spawn"
local start = require "fsd.actor.start"
local task = require "fsd.task"

local RETRY_S = 1 -- after a connection was lost between two that live, or the hello had no room
local RELAY_MAILBOX = 10000

local Node = {}
Node.__index = Node

function Node:connect(peer)
  if sources.is_open(peer) then return end
  sources.open(peer)
  self.watched[peer] = actor.monitor(peer)
  if not actor.try_send(peer, { "$node", "hello", self.me }) then self:try_later(peer) end
end

-- The next one is a new connection, with a hello of its own.
function Node:try_later(peer)
  if self:disconnect(peer) then self.retry_at = task.now() + RETRY_S end
end

-- true when it was connected.
function Node:disconnect(peer)
  local ref = self.watched[peer]
  if ref == nil then return false end
  self.watched[peer] = nil
  actor.demonitor(ref, { flush = true })
  sources.close(peer)
  return true
end

function Node:reconnect()
  self.retry_at = nil
  for _, member in ipairs(core.members()) do self:connect(member.pid) end
end

-- A second hello is that of a new connection: all is told again.
function Node:feed(peer)
  local before = self.feeders[peer]
  if before then actor.exit(before, "kill") end
  local ok, feeder = pcall(actor.spawn_link, "fsd.node.feeder", { peer = peer, from = self.me })
  if ok then
    self.feeders[peer] = feeder
  elseif feeder.code ~= "shutdown" then -- a worker that leaves has nothing to tell any more
    error(feeder, 0)
  end
end

function Node:start_relay()
  self.relay = actor.spawn_link("fsd.node.relay", nil, { mailbox = RELAY_MAILBOX, overflow = "drop_new" })
  core.atomic(feeds.set_relay, self.relay)
end

-- One of the own actors has ended: with all others of the worker, or by a fault.  A pause, so that one that stays costs little.
function Node:on_exit(pid, reason)
  if reason == "shutdown" then return end
  if pid == self.relay then
    task.sleep(RETRY_S)
    self:start_relay()
    return
  end
  for peer, feeder in pairs(self.feeders) do
    if feeder == pid then
      self.feeders[peer] = nil
      if reason ~= "normal" then
        task.sleep(RETRY_S)
        self:feed(peer)
      end
      return
    end
  end
end

local NEWS = {
  hello = function(node, peer)
    node:feed(peer)
    node:connect(peer)
  end,
  state = function(_, peer, batch) sources.apply(peer, batch) end,
}

local SIGNALS = {
  ["$member"] = function(node, msg)
    if msg[2] == "up" then node:connect(msg[3]) else node:disconnect(msg[3]) end
  end,
  ["$down"] = function(node, msg) node:try_later(msg[3]) end,
  ["$exit"] = function(node, msg) node:on_exit(msg[2], msg[3]) end,
}

-- A name of all workers is the master's to give: others do not wait for that.
function Node:spawn(msg, from)
  if type(msg.options) == "table" and msg.options.scope == "node" then
    task.spawn(function() actor.reply(from, spawn.answer(msg)) end)
  else
    actor.reply(from, spawn.answer(msg))
  end
end

function Node:on_message(msg, from, kind)
  if type(msg) ~= "table" then return end
  if kind == "system" then
    local act = SIGNALS[msg[1]]
    if act then act(self, msg) end
  elseif kind == "call" then
    if msg[1] == "$spawn" then self:spawn(msg, from) end
  elseif msg[1] == "$node" and NEWS[msg[2]] then
    NEWS[msg[2]](self, msg[3], msg[4])
  end
end

local function begin()
  actor.trap_exit(true)
  core.serve()
  sources.close_all()
  members.on_local = feeds.hooks.on_local
  hub.on_interest, hub.forward = feeds.hooks.on_interest, sources.forward
  local node = setmetatable({ me = core.worker_pid(), feeders = {}, watched = {} }, Node)
  node:start_relay()
  node:reconnect()
  return node
end

return function()
  local node = begin()
  while true do
    local wait_s = node.retry_at and math.max(node.retry_at - task.now(), 0)
    local msg, from, kind = actor.receive(wait_s or math.huge)
    if start.order_to_end(msg, kind) then return end
    if msg ~= nil then node:on_message(msg, from, kind) end
    if node.retry_at and task.now() >= node.retry_at then node:reconnect() end
  end
end
