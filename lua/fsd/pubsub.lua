-- fsd.pubsub: messages for whoever wants a topic.  Publishing never waits: what a subscriber's mailbox has no room for is lost
-- for it alone.  Holds no application state but the subscriptions of living actors (fsd.pubsub.hub).
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local hub = require "fsd.pubsub.hub"

local M = {}

local TOPIC_MAX = 255

local function check_topic(topic, may_be_pattern)
  if type(topic) ~= "string" or #topic < 1 or #topic > TOPIC_MAX then
    error("bad topic: a string of 1 to 255 bytes expected", 3)
  end
  local star = topic:find("*", 1, true)
  if star and not (may_be_pattern and star == #topic) then
    error(may_be_pattern and "bad topic: a * stands at the end only" or "bad topic: only subscriptions may have a *", 3)
  end
end

local OPTIONS = { as = true, pid = true }

function M.subscribe(topic, options)
  check_topic(topic, true)
  options = options or {}
  for key in pairs(options) do
    if not OPTIONS[key] then error(("unknown option %q"):format(tostring(key)), 2) end
  end
  core.check_loaded("subscribe")
  core.atomic(hub.subscribe, topic, options.pid or actor.self(), { as = core.copy(options.as) })
end

function M.unsubscribe(topic, pid)
  check_topic(topic, true)
  core.check_loaded("unsubscribe")
  return core.atomic(hub.unsubscribe, topic, pid or actor.self())
end

-- Returns the subscriptions here that got it and those that did not, and the same of other workers.
local function publish(except, topic, msg)
  core.check_loaded("publish")
  local reached, missed = 0, 0
  if hub.forward then reached, missed = hub.forward(topic, msg, except) end
  local sent, lost = hub.deliver(topic, msg, except)
  return sent, lost, reached, missed
end

function M.publish(topic, msg)
  check_topic(topic)
  return publish(nil, topic, msg)
end

function M.publish_from(pid, topic, msg)
  check_topic(topic)
  return publish(pid, topic, msg)
end

function M.local_publish(topic, msg)
  check_topic(topic)
  core.check_loaded("publish")
  return hub.deliver(topic, msg)
end

function M.topics()
  return core.atomic(hub.topics)
end

return M
