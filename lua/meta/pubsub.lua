---@meta fsd.pubsub

---Messages for whoever wants a topic. Publishing never waits: a subscriber whose mailbox is full gets what its policy says
---(actor.spawn's `overflow`): with "suspend" and "raise" the message is lost for it.
---@class fsd.pubsub
local pubsub = {}

---@class fsd.pubsub.Options
---@field as? any messages come as `{as, topic, msg}`; without it, as they were published
---@field pid? fsd.Pid an actor of this worker; the one that calls

---Subscribes until unsubscribe, or until the actor ends. A second subscription to the same topic replaces the first one.
---@param topic string 1 to 255 bytes; with a * at its end all topics that begin so: "room:*"
---@param options? fsd.pubsub.Options
function pubsub.subscribe(topic, options) end

---Ends a subscription.
---@param topic string what was subscribed to
---@param pid? fsd.Pid the actor that calls
---@return boolean was_subscribed
function pubsub.unsubscribe(topic, pid) end

---Sends a copy of the message to each subscription that matches. For requests and tasks, too.
---@param topic string
---@param msg any
---@return integer sent in this worker
---@return integer lost in this worker, because a mailbox was full
function pubsub.publish(topic, msg) end

---As publish, but one actor does not get it: usually the one that publishes.
---@param pid fsd.Pid
---@param topic string
---@param msg any
---@return integer sent
---@return integer lost
function pubsub.publish_from(pid, topic, msg) end

---As publish, in this worker only.
---@param topic string
---@param msg any
---@return integer sent
---@return integer lost
function pubsub.local_publish(topic, msg) end

---The topics and patterns that somebody in this worker subscribed to.
---@return string[]
---@nodiscard
function pubsub.topics() end

return pubsub
