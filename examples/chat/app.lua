-- Chat: rooms that live in one of several workers each, and readers in all of them.
--
--   build/release/fsd run examples/chat/app.lua -p 8080 -w 3
--
-- A message goes from the browser to its room (lib/room.lua), wherever that runs; the room publishes it; the feed of each worker
-- (lib/feed.lua) takes it; and from there it goes to the readers of that worker as server-sent events.
local fsd = require "fsd"
local actor = require "fsd.actor"
local Room = require "room"
local page = require "page"

local app = fsd.app()
local rooms = { "lobby", "lua", "music" }

-- One actor of this name in all workers: when its worker dies, another one starts it again.
local function room_child(id)
  return { id = id, start = { "room", { id = id } }, name = "room:" .. id, scope = "node" }
end

local children = { { id = "feed", start = { "feed" }, name = "feed" } }
for _, id in ipairs(rooms) do children[#children + 1] = room_child(id) end
app:supervisor { name = "chat", intensity = 5, period = 10, children = children }

local function find_room(req)
  for _, id in ipairs(rooms) do
    if id == req.params.id then return id end
  end
  error(fsd.error { status = 404, code = "room.missing", message = "no room " .. req.params.id })
end

local function check_text(name, value, max)
  if type(value) ~= "string" or #value < 1 or #value > max then
    error(fsd.error { status = 422, code = "validation", message = ("%s must have 1 to %d bytes"):format(name, max) })
  end
end

app:get("/", fsd.respond(page, { type = "text/html; charset=utf-8" }))

-- Where the rooms are.  One whose worker has just died is nowhere, for a moment.
app:get("/rooms", function()
  local found = {}
  for i, id in ipairs(rooms) do
    found[i] = { id = id, worker = fsd.try(Room.where, "room:" .. id) }
  end
  return found
end)

-- What is said in a room, from the first message that is remembered, or behind the last one that the browser has got.
app:get("/rooms/:id/events", function(req, res)
  local room = find_room(req)
  local events = res:sse { retry = 1 }
  local last = tonumber(events.last_event_id) or 0
  events:send { event = "worker", data = fsd.worker.self().slot }
  while true do
    for _, message in ipairs(actor.call("feed", { "after", room, last }, math.huge)) do
      events:send { id = message.id, data = message }
      last = message.id
    end
    fsd.task.sleep(0) -- all is sent: when the code was replaced, the new handler goes on from here
  end
end)

-- Whoever gets no answer, or 503, says it again with the same key: it is heard once.
app:post("/rooms/:id/messages", function(req, res)
  local room, message = find_room(req), req:json()
  check_text("who", message.who, 40)
  check_text("text", message.text, 2000)
  check_text("key", message.key, 40)
  res:status(201):json(Room.say("room:" .. room, message))
end)

return app
