-- The feed of a worker: hears all rooms, remembers what they said last, and answers the readers of its worker.
--
-- A reader asks for what is behind the last message that it has, and gets the answer when there is something.  So each reader
-- takes as much at a time as it can, and none can hold up the others.
local fsd = require "fsd"
local server = require "fsd.server"
local history = require "history"

local Feed = server {}

local PATIENCE_S = 20 -- then a reader gets an empty answer, and those that have left are forgotten

function Feed:init()
  self.rooms = {}
  fsd.group.join("feeds")
  fsd.pubsub.subscribe("room:*", { as = "room" })
end

-- What is known of a room.
function Feed:open(id)
  self.rooms[id] = self.rooms[id] or { messages = history.new(), readers = {} }
  return self.rooms[id]
end

function Feed:handle_call(msg, from)
  local room = self:open(msg[2])
  if msg[1] == "recent" then return room.messages.list end
  local messages = room.messages:since(msg[3]) -- "after"
  if #messages > 0 then return messages end
  table.insert(room.readers, { from = from, last = msg[3], since = fsd.now() })
  return server.noreply
end

local function answer_readers(room)
  local waiting = {}
  for _, reader in ipairs(room.readers) do
    local messages = room.messages:since(reader.last)
    if #messages > 0 or fsd.now() - reader.since > PATIENCE_S then
      server.reply(reader.from, messages)
    else
      waiting[#waiting + 1] = reader
    end
  end
  room.readers = waiting
end

-- { "room", topic, news } as it was published.  Publishing loses what somebody has no room for; the room is asked for that.
function Feed:handle_info(msg)
  local room, news = self:open(msg[2]:match("^room:(.*)")), msg[3]
  if news.after > room.messages.last and news.room then
    fsd.actor.try_send(news.room, { "since", fsd.actor.self(), room.messages.last })
  else
    for _, message in ipairs(news.messages) do
      if message.id > room.messages.last then room.messages:add(message) end
    end
  end
  answer_readers(room)
end

return Feed
