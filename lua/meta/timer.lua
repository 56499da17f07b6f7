---@meta fsd.timer

---Functions that run later, each time in a task of its own: it may wait, and its error is logged. And messages that are sent later.
---
---Timers are set by requests and tasks, not while the application loads: App.every and App.cron are for that. A worker that leaves runs those that repeat no more, and
---does not wait for the others. When other code takes over, they run the code that has set them: once, whenever that is; again and again until its
---time is over (`limits.replaced`, a minute). A worker can have 100,000; more raise a LimitError ("timer.limit").
---@class fsd.timer
local timer = {}

---Runs a function once.
---@param seconds number 0 or more, with fraction
---@param fn fun(...)
---@param ... any its arguments
---@return fsd.Timer
function timer.after(seconds, fn, ...) end

---Runs a function every so many seconds, the first time after as many. The schedule is fixed: it does not drift with what a run
---takes. A run that is due while the last one has not ended, or whose time has passed unseen, is left out.
---@param seconds number at least 0.001
---@param fn fun(...)
---@param ... any its arguments
---@return fsd.Timer
function timer.every(seconds, fn, ...) end

---Runs a function once at a moment of the wall clock; at once when that is over.
---@param epoch number seconds since 1970, as of fsd.time and os.time
---@param fn fun(...)
---@param ... any its arguments
---@return fsd.Timer
function timer.at(epoch, fn, ...) end

---Runs a function by a schedule like cron's: minute, hour, day of month, month, day of week (0 and 7 are Sunday), each `*` or a
---list of values, ranges and steps (`*/15`, `1-5`, `8-18/2`); months and weekdays also by their first three letters in English. Or one of
---`@hourly @daily @weekly @monthly @yearly`. Where day of month and day of week are both given, one of them is enough.
---
---The local time of the process counts. A time that the clock jumps over when summer time begins counts at the jump; of a time that
---comes twice when it ends the first counts, but a schedule of every hour runs through both. Runs do not overlap, as
---with every. Raises when the schedule cannot be read, and when no day ever fits it, such as February 30.
---@param schedule string "0 3 * * mon-fri"
---@param fn fun(...)
---@param ... any its arguments
---@return fsd.Timer
function timer.cron(schedule, fn, ...) end

---Sends a message to an actor later, as Erlang's send_after. The message is copied at once. It never waits: when the mailbox has no
---room then, or nobody has the name, the message is lost. The timers of an actor of this worker that is named by its pid end with it.
---@param seconds number 0 or more, with fraction
---@param dest fsd.Pid|string a pid or a name; who has the name counts when the message is sent
---@param message any
---@return fsd.Timer
function timer.send_after(seconds, dest, message) end

---Sends a message every so many seconds, the first time after as many; otherwise as send_after. For a name it goes on until it is
---cancelled, whether an actor has the name or not; for an actor of another worker as long as that worker is there.
---@param seconds number at least 0.001
---@param dest fsd.Pid|string a pid or a name
---@param message any
---@return fsd.Timer
function timer.send_every(seconds, dest, message) end

---The same as `t:cancel()`.
---@param t fsd.Timer
---@return boolean whether it was set
function timer.cancel(t) end

---A timer that was set.
---@class fsd.Timer
local Timer = {}

---Calls it off. A run that has begun goes on.
---@return boolean whether it was set
function Timer:cancel() end

---How long it is until it goes off, the next time if it repeats.
---@return number? seconds nil: it is not set, because it has run, was cancelled, or its actor has ended
---@nodiscard
function Timer:read() end

return timer
