---@meta

---Server-sent events, as clients see them; a variable of it may be <close>. When the worker leaves, the stream ends with
---a hint when to come back, and the handler is cancelled with "shutdown".
---@class fsd.EventStream
---@field closed boolean whether it is over: closed, the client has gone, or the handler has ended
---@field last_event_id? string what the client says it has got last, the header Last-Event-ID; in the handler of new code, the id of the last event that was sent
---@field state table yours; the handler of new code finds it as the one before has left it, and it may be replaced by another table
local EventStream = {}

---One event. Strings and numbers as data are sent as they are, anything else as JSON; retry is in seconds, at most 300.
---@class fsd.Event
---@field event? string|number its name; no line breaks, no NUL
---@field data? any any lines; empty when only a name is given
---@field id? string|number no line breaks, no NUL
---@field retry? number

---Sends an event, a string or number alone as its data. Waits as Response.write does, and raises the same.
---
---Raises when event or id has a line break or NUL, or there is nothing to send; "json.encode" (status 500) as
---Response.json does.
---@async
---@param event string|number|fsd.Event
function EventStream:send(event) end

---Sends an event if it can be done without waiting. Raises as EventStream.send does.
---@param event string|number|fsd.Event
---@return boolean sent false: the client is slow
function EventStream:try_send(event) end

---Sends what clients skip.
---@async
---@param text string
function EventStream:comment(text) end

---Ends the stream; more than once does no harm.
function EventStream:close() end
