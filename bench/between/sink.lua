local actor = require "fsd.actor"
local receive = actor.receive

return function(args)
  for _ = 1, args.count do receive() end
  actor.send(args.to, "done")
end
