-- fsd.node.relay: the actor that takes what was published in other workers and delivers it here.  Apart from the server, so that
-- a flood on topics does not delay what must not be lost; its mailbox drops what it has no room for.  Started by fsd.node.server.
local actor = require "fsd.actor"
local hub = require "fsd.pubsub.hub"

return function()
  while true do
    local message = actor.receive()
    hub.deliver(message.topic, message.msg, message.except)
  end
end
