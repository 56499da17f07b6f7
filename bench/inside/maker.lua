-- Sends a table of its own to whoever stands in the one that comes.
local actor = require "fsd.actor"

return function()
  local send, receive, me = actor.send, actor.receive, actor.self()
  while true do
    local message = receive()
    send(message[1], { me, "get", 42, "key" })
  end
end
