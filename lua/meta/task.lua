---@meta fsd.task

---Waiting without blocking the worker.
---@class fsd.task
local task = {}

---Waits; other requests run meanwhile.
---
---Raises a CancelError when the request ends first: "aborted" when the client has gone, "timeout" when the deadline
---of the request has passed. `<close>` variables and pcall work as always; what
---still waits one second later is closed by force. Works in coroutines of your own, too. Raises when called outside of a request, or
---from within a C function such as table.sort.
---@async
---@param seconds number 0 or more, with fraction
function task.sleep(seconds) end

---Seconds on the monotonic clock, the one that sleep counts on: good for differences, without meaning as a date.
---Also fsd.now.
---@return number seconds
---@nodiscard
function task.now() end

return task
