---@meta fsd.pubsub

---Messages for whoever wants a topic, in all workers. Publishing never waits: a subscriber whose mailbox is full gets what its
---policy says (actor.spawn's `overflow`): with "suspend" and "raise" the message is lost for it. A worker in which somebody wants
---the topic gets the message once. What one actor publishes, a subscriber gets in that order.
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
---@return integer sent subscriptions in this worker that got it
---@return integer lost subscriptions in this worker that did not, because a mailbox was full
---@return integer reached other workers that it is on its way to
---@return integer missed other workers that had no room for it
function pubsub.publish(topic, msg) end

---As publish, but one actor does not get it: usually the one that publishes.
---@param pid fsd.Pid
---@param topic string
---@param msg any
---@return integer sent
---@return integer lost
---@return integer reached
---@return integer missed
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
