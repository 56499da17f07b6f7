-- fsd.node.sources: what other workers have told of themselves, and the way of a published message to those that want its topic.
-- All that one has told is taken back when it is gone.  Workers are named by their pids.
-- Changed by fsd.node.server alone; forward is called by whoever publishes.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local members = require "fsd.group.members"

local M = {}

local sources = {}  -- pid of a worker -> { relay = pid, groups = { name -> { pid -> count } }, topics = { topic -> true } }
local exact = {}    -- topic -> { source -> true }
local prefixes = {} -- what stands before the * -> the same
local lengths = {}  -- of the prefixes in use -> how many there are

local function count_length(length, change)
  local count = (lengths[length] or 0) + change
  lengths[length] = count > 0 and count or nil
end

local function add_route(topic, source)
  local is_prefix = topic:sub(-1) == "*"
  local routes, key = is_prefix and prefixes or exact, is_prefix and topic:sub(1, -2) or topic
  if routes[key] == nil then
    routes[key] = {}
    if is_prefix then count_length(#key, 1) end
  end
  routes[key][source] = true
end

local function remove_route(topic, source)
  local is_prefix = topic:sub(-1) == "*"
  local routes, key = is_prefix and prefixes or exact, is_prefix and topic:sub(1, -2) or topic
  routes[key][source] = nil
  if next(routes[key]) == nil then
    routes[key] = nil
    if is_prefix then count_length(#key, -1) end
  end
end

local function set_interest(source, topic, is_wanted)
  if is_wanted and not source.topics[topic] then
    source.topics[topic] = true
    add_route(topic, source)
  elseif not is_wanted and source.topics[topic] then
    source.topics[topic] = nil
    remove_route(topic, source)
  end
end

-- The actor is so often in the group now.
local function set_membership(source, name, pid, count)
  local group = source.groups[name] or {}
  local before = group[pid] or 0
  group[pid] = count > 0 and count or nil
  source.groups[name] = next(group) ~= nil and group or nil
  if count > before then
    members.feed(name, pid, count - before)
  elseif count < before then
    members.unfeed(name, pid, before - count)
  end
end

-- One thing after the other, because nobody else runs while one is taken back.
local function forget(source)
  source.relay = nil
  for topic in pairs(source.topics) do core.atomic(set_interest, source, topic, false) end
  for name, group in pairs(source.groups) do
    for pid in pairs(group) do core.atomic(set_membership, source, name, pid, 0) end
  end
end

function M.is_open(peer)
  return sources[peer] ~= nil
end

-- From now on what this worker tells is believed.
function M.open(peer)
  sources[peer] = { groups = {}, topics = {} }
end

function M.close(peer)
  local source = sources[peer]
  sources[peer] = nil
  if source then forget(source) end
end

-- What a server before this one has left.
function M.close_all()
  for peer in pairs(sources) do M.close(peer) end
end

-- What a feeder has told (fsd.node.feeds.take).  Nothing from workers that are not known, or not any more.
function M.apply(peer, batch)
  local source = sources[peer]
  if source == nil then return end
  if batch.is_first then forget(source) end
  if batch.relay then source.relay = batch.relay end
  for _, entry in ipairs(batch.groups) do core.atomic(set_membership, source, entry[1], entry[2], entry[3]) end
  for _, entry in ipairs(batch.topics) do core.atomic(set_interest, source, entry[1], entry[2]) end
end

-- The relays of the workers that want a topic, each once.
local function find_relays(topic)
  local found, relays = {}, {}
  local function collect(routes)
    for source in pairs(routes or {}) do
      if source.relay and not found[source] then
        found[source] = true
        relays[#relays + 1] = source.relay
      end
    end
  end
  collect(exact[topic])
  for length in pairs(lengths) do
    if length <= #topic then collect(prefixes[topic:sub(1, length)]) end
  end
  return relays
end

-- One message for each worker in which somebody wants the topic: returns how many took it, and how many had no room.
function M.forward(topic, msg, except)
  local counts = { 0, 0 }
  if exact[topic] == nil and next(lengths) == nil then return 0, 0 end
  for _, relay in ipairs(core.atomic(find_relays, topic)) do
    local outcome = actor.try_send(relay, { topic = topic, msg = msg, except = except }) and 1 or 2
    counts[outcome] = counts[outcome] + 1
  end
  return counts[1], counts[2]
end

return M
