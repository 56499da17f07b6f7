-- fsd.pubsub.hub: who in this worker wants which topic, and the delivery to them.  What connects workers sets `forward`, and
-- `on_interest` to know which topics are wanted here; what comes from them goes into deliver.
-- subscribe and unsubscribe are to be called within core.atomic; deliver is not, it may take long.
local actor = require "fsd.actor"
local bag = require "fsd.actor.bag"
local roster = require "fsd.actor.roster"

local M = {
  forward = nil,     -- function(topic, msg, except): takes a published message to the other workers
  on_interest = nil, -- function(topic, is_wanted): the first one has come, the last one has gone
}

local exact = {}    -- topic -> bag: pid -> what it subscribed with
local prefixes = {} -- what stands before the * -> bag
local counts = {}   -- length of a prefix -> how many there are
local lengths = {}  -- of the prefixes in use, as a list; replaced when it changes
local topics_of = {} -- pid -> { topic -> true }

local function split(topic)
  if topic:sub(-1) == "*" then return prefixes, topic:sub(1, -2) end
  return exact, topic
end

local function count_length(length, change)
  local before = counts[length] or 0
  local now = before + change
  counts[length] = now > 0 and now or nil
  if before > 0 and now > 0 then return end
  lengths = {}
  for used in pairs(counts) do lengths[#lengths + 1] = used end
end

local function on_first_or_last(topic, kind, is_wanted)
  if kind == prefixes then count_length(#topic - 1, is_wanted and 1 or -1) end
  if M.on_interest then M.on_interest(topic, is_wanted) end
end

local function remove(pid, topic)
  local kind, key = split(topic)
  local subscribers = kind[key]
  if not subscribers or not subscribers:get(pid) then return false end
  subscribers:remove(pid)
  if subscribers.count == 0 then
    kind[key] = nil
    on_first_or_last(topic, kind, false)
  end
  return true
end

local function remove_all(pid)
  local topics = topics_of[pid]
  topics_of[pid] = nil
  for topic in pairs(topics or {}) do remove(pid, topic) end
end

function M.subscribe(topic, pid, options)
  roster.add(pid, remove_all)
  local kind, key = split(topic)
  local is_first = kind[key] == nil
  kind[key] = kind[key] or bag()
  kind[key]:set(pid, options)
  topics_of[pid] = topics_of[pid] or {}
  topics_of[pid][topic] = true
  if is_first then on_first_or_last(topic, kind, true) end
end

function M.unsubscribe(topic, pid)
  if topics_of[pid] then topics_of[pid][topic] = nil end
  return remove(pid, topic)
end

local function send_to_all(subscribers, topic, msg, except, counts)
  for pid, options in subscribers:each() do
    if pid ~= except then
      local sent = actor.try_send(pid, options.as ~= nil and { options.as, topic, msg } or msg)
      local outcome = sent and 1 or 2
      counts[outcome] = counts[outcome] + 1
    end
  end
end

-- Sends to all subscribers here but one: returns how many got it, and how many mailboxes had no room.
function M.deliver(topic, msg, except)
  local counts = { 0, 0 }
  if exact[topic] then send_to_all(exact[topic], topic, msg, except, counts) end
  for _, length in ipairs(lengths) do
    local subscribers = length <= #topic and prefixes[topic:sub(1, length)]
    if subscribers then send_to_all(subscribers, topic, msg, except, counts) end
  end
  return counts[1], counts[2]
end

-- Whether somebody here subscribed to this very topic or pattern.
function M.is_wanted(topic)
  local kind, key = split(topic)
  return kind[key] ~= nil
end

-- The topics and patterns that somebody here subscribed to.
function M.topics()
  local list = {}
  for topic in pairs(exact) do list[#list + 1] = topic end
  for prefix in pairs(prefixes) do list[#list + 1] = prefix .. "*" end
  table.sort(list)
  return list
end

return M
