local actor = require "fsd.actor"
local send, receive = actor.send, actor.receive

return function(args)
  while true do send(args.to, receive()) end
end
