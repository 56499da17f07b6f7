-- Sends back what comes, or an answer.
local actor = require "fsd.actor"
local send, receive, reply = actor.send, actor.receive, actor.reply

return function(to)
  while true do
    local message, from = receive()
    if from then
      reply(from, message)
    else
      send(to, message)
    end
  end
end
