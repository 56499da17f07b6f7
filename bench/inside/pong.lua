-- Sends back what comes, a table of its own (makes), or an answer (answers).
local actor = require "fsd.actor"
local send, receive, reply, self = actor.send, actor.receive, actor.reply, actor.self

return function(args)
  local to, me = args.to, self()
  while true do
    local message, from = receive()
    if from then
      reply(from, message)
    elseif args.makes then
      send(message[1], { me, "get", 42, "key" })
    else
      send(to, message)
    end
  end
end
