-- A room: gives each message its number, remembers the last ones, and publishes them.
--
-- There is one of each name in all workers.  What it knows dies with its worker; but the feeds of the other workers have heard
-- what it said, and the next one begins with that.
local fsd = require "fsd"
local server = require "fsd.server"
local history = require "history"

local Room = server {}
Room.api = { "say", "where" }

local SILENCE_S = 2

function Room:init(args)
  self.topic = "room:" .. args.id
  self.messages = history.new()
  return server.continue(args.id)
end

-- Asks the feeds, which may take a while where a worker is ill: nobody waits for this room to start meanwhile.
function Room:handle_continue(id)
  for _, feed in ipairs(fsd.group.members("feeds")) do
    local messages = fsd.try(fsd.actor.call, feed, { "recent", id }, 1) -- nil: it does not answer
    if messages then self.messages:merge(messages) end
  end
  return self:publish(self.messages.last, {})
end

-- after is the number of the message before these: whoever does not have that one has missed something.
function Room:publish(after, messages)
  fsd.pubsub.publish(self.topic, { room = fsd.actor.self(), after = after, messages = messages })
  return server.timeout(SILENCE_S)
end

-- A number is the time in milliseconds, so that those of the next room are above those that this one may take to its grave.
function Room:say(message)
  local said = self.messages:find(message.key)
  if said then return said, server.timeout(SILENCE_S) end
  local before = self.messages.last
  local id = math.max(before + 1, math.floor(fsd.time() * 1000))
  said = { id = id, who = message.who, text = message.text, key = message.key }
  self.messages:add(said)
  return said, self:publish(before, { said })
end

function Room:where()
  return fsd.worker.self().slot, server.timeout(SILENCE_S)
end

-- { "since", feed, number } of a feed that has missed something; or it was silent for a while: once more how far it is, for those
-- who missed the last message.
function Room:handle_info(msg)
  if msg == "timeout" then return self:publish(self.messages.last, {}) end
  local after = msg[3]
  fsd.actor.try_send(msg[2], { "room", self.topic, { after = after, messages = self.messages:since(after) } })
  return server.timeout(SILENCE_S)
end

return Room
