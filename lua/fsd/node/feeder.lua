-- fsd.node.feeder: the actor that tells one other worker of this one's groups and topics.  It waits where that worker is slow, so
-- that nobody else has to.  Its first message says that nothing told before is true any more; then comes all there is.
-- Started by fsd.node.server for each worker that says hello; ends with the other one.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local feeds = require "fsd.node.feeds"
local hub = require "fsd.pubsub.hub"
local members = require "fsd.group.members"

-- What comes or goes meanwhile stands in the feed already.
local function put_all(me)
  for _, name in ipairs(core.atomic(members.names)) do
    for _, pid in ipairs(members.members(name, true)) do core.atomic(feeds.put_membership, me, name, pid) end
  end
  for _, topic in ipairs(core.atomic(hub.topics)) do core.atomic(feeds.put_interest, me, topic) end
end

-- false: the other one is gone.
local function tell(peer, from, batch)
  return (pcall(actor.send, peer, { "$node", "state", from, batch }, math.huge))
end

-- peer is the pid of the other worker, from that of this one.
return function(args)
  local me = actor.self()
  actor.monitor(args.peer)
  core.atomic(feeds.open, me)
  if not tell(args.peer, args.from, { is_first = true, groups = {}, topics = {} }) then return end
  put_all(me)
  while true do
    local batch = core.atomic(feeds.take, me)
    if batch then
      if not tell(args.peer, args.from, batch) then return end
    elseif actor.receive()[1] == "$down" then
      return
    end
  end
end
