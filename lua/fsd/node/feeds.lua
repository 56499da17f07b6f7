-- fsd.node.feeds: what other workers are still to be told of this one: in which groups its actors are, which topics they want.
-- A feed is a queue of what has changed, each thing once; what is true of it is looked up when it is told.  So a worker that
-- takes nothing for long costs no more than one entry for each thing.  Used by fsd.node.feeder, one actor per feed.
-- All functions but those of M.hooks are to be called within core.atomic; those are.
require "fsd.actor"
local bag = require "fsd.actor.bag"
local core = require "fsd.actor.core"
local hub = require "fsd.pubsub.hub"
local members = require "fsd.group.members"
local roster = require "fsd.actor.roster"

local M = {}

local BATCH = 100 -- things told in one message: far below what a message may have

local feeds = {} -- pid of the feeder -> { queue = bag, is_idle }
local relay      -- pid: who takes what is published elsewhere

local function put(feed, key, thing)
  feed.queue:set(key, thing)
end

local function put_in_all(key, thing)
  for feeder, feed in pairs(feeds) do
    put(feed, key, thing)
    if feed.is_idle then
      feed.is_idle = false
      core.signal(feeder, { "$changed" })
    end
  end
end

local function membership(name, pid)
  return ("g%s\0%s"):format(tostring(pid), name), { name = name, pid = pid }
end

local function interest(topic)
  return "t" .. topic, { topic = topic }
end

local RELAY = "r"

-- What fsd.group.members and fsd.pubsub.hub call when something changes.
M.hooks = {
  on_local = function(_, name, pid) put_in_all(membership(name, pid)) end,
  on_interest = function(topic) put_in_all(interest(topic)) end,
}

function M.set_relay(pid)
  relay = pid
  put_in_all(RELAY, {})
end

local function close(feeder)
  feeds[feeder] = nil
end

-- From now on what changes is in the feed of this actor, until it ends.
function M.open(feeder)
  roster.add(feeder, close)
  feeds[feeder] = { queue = bag(), is_idle = false }
  put(feeds[feeder], RELAY, {})
end

function M.put_membership(feeder, name, pid) put(feeds[feeder], membership(name, pid)) end

function M.put_interest(feeder, topic) put(feeds[feeder], interest(topic)) end

-- What is to be told next, or nil: then the feeder gets the signal { "$changed" } when there is something.
function M.take(feeder)
  local feed, count = feeds[feeder], 0
  local batch = { groups = {}, topics = {} }
  for key, thing in feed.queue:each() do
    if count == BATCH then break end
    count = count + 1
    feed.queue:remove(key)
    if thing.pid then
      table.insert(batch.groups, { thing.name, thing.pid, members.count_here(thing.name, thing.pid) })
    elseif thing.topic then
      table.insert(batch.topics, { thing.topic, hub.is_wanted(thing.topic) })
    else
      batch.relay = relay
    end
  end
  if count > 0 then return batch end
  feed.is_idle = true
end

return M
