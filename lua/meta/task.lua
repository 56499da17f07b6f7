---@meta fsd.task

---Several things at once in one worker: tasks, and what they need to work together. What waits lets everything else run.
---
---A wait raises a CancelError when its task is to end: "cancelled" by Task.cancel, "aborted" when the client of a request has gone,
---"timeout" when the deadline of a request has passed, "shutdown" when the worker leaves. `<close>` variables and pcall work as always; what
---still waits one second later is closed by force. Waiting raises outside of a request or task, and within a C function that cannot
---be interrupted.
---
---A limit is in seconds; when it passes the wait raises a TimeoutError with the code "timeout".
---@class fsd.task
local task = {}

---Runs a function in a task of its own, which begins when the caller waits or ends.
---
---The task goes on when the request that has spawned it ends. An error that nobody joins is logged a second after it ended the task. A
---worker that leaves waits for its tasks as long as for idle connections (`drain` of the pool), then cancels them.
---Raises while the application loads (there is App.on for that), and a LimitError ("task.limit") when 100,000 tasks have not ended.
---@param fn fun(...): ...
---@param ... any its arguments
---@return fsd.Task
function task.spawn(fn, ...) end

---The spawned task that calls; nil in a request.
---@return fsd.Task?
---@nodiscard
function task.current() end

---Waits; everything else runs meanwhile.
---@async
---@param seconds number 0 or more, with fraction
function task.sleep(seconds) end

---Lets everything else that can run do so once, in turn.
---@async
function task.yield() end

---Waits for all of some tasks. The first error cancels the others and is raised; so does an end of the caller.
---@async
---@param list (fsd.Task|fun(): any)[] a function begins as a new task
---@return { [integer]: any, n: integer } results the first value that each returned, in the order of the list
function task.all(list) end

---Waits for the first of some tasks to end, and cancels the others.
---@async
---@param list (fsd.Task|fun(): any)[] at least one; a function begins as a new task
---@return any ... what it returned; when it failed, its error is raised
function task.race(list) end

---Calls fn(item, index) for each item, in tasks of which at most n run at a time. The first error cancels those that
---run and is raised.
---@async
---@generic T, R
---@param list T[]
---@param n integer at least 1
---@param fn fun(item: T, index: integer): R
---@return { [integer]: R, n: integer } results in the order of the list
function task.map(list, n, fn) end

---Calls a function in a task of its own, for at most so long: then it is cancelled, and a TimeoutError raised.
---@async
---@param seconds number
---@param fn fun(...): ...
---@param ... any its arguments
---@return any ... what it returns
function task.timeout(seconds, fn, ...) end

---A queue of values between tasks.
---@param capacity? integer how many values may wait in it; 0, the default: who puts one waits until it is taken
---@return fsd.Channel
---@nodiscard
function task.channel(capacity) end

---A lock that one task holds at a time; those who wait get it in turn. It is unlocked at the latest when the task that holds it ends.
---@return fsd.Mutex
---@nodiscard
function task.mutex() end

---A lock that several may hold at a time; those who wait get it in turn. Unlike a mutex it is not given back by the end of a task.
---@param count integer how many, at least 1
---@return fsd.Semaphore
---@nodiscard
function task.semaphore(count) end

---A count of things that are under way.
---@return fsd.WaitGroup
---@nodiscard
function task.wait_group() end

---Values of the task that uses it: each request, actor and task finds its own, and they go when it ends. For what many functions need
---and none wants to pass on, such as the number of a request in log lines. A new task begins without any. Using it raises while the application
---loads.
---@type table<any, any>
task.local_storage = {}

---Seconds on the monotonic clock, the one that sleep counts on: good for differences, without meaning as a date.
---Also fsd.now.
---@return number seconds
---@nodiscard
function task.now() end

---A task that was spawned.
---@class fsd.Task
local Task = {}

---Waits for its end. Any number may join, also later.
---@async
---@param limit? number
---@return any ... what its function returned; when it failed, its error is raised, with the traceback of where that was
function Task:join(limit) end

---Raises a CancelError in its wait, or in its next one. One that has not begun does not run.
---@param reason? any field `reason` of that error, for the task itself and for who joins it
---@return boolean whether it had not ended
function Task:cancel(reason) end

---How it is: "cancelled" is one that a CancelError has ended; one that catches it is "done" or "failed" in the end.
---@return "running"|"waiting"|"done"|"failed"|"cancelled"
---@nodiscard
function Task:status() end

---@class fsd.Channel
local Channel = {}

---Puts a value, and waits while the channel is full. Raises a ChannelError ("channel.closed") when it is closed.
---@async
---@param value any not nil
---@param limit? number
function Channel:put(value, limit) end

---Takes the value that was put first, and waits while there is none.
---@async
---@param limit? number
---@return any value nil: the channel is closed and empty
function Channel:get(limit) end

---As put, without waiting.
---@param value any not nil
---@return boolean whether there was room, or somebody who waited for it
function Channel:try_put(value) end

---As get, without waiting.
---@return any value nil: there was none
function Channel:try_get() end

---For loops: `for value in channel:values() do`. Ends when the channel is closed and empty.
---@return fun(channel: fsd.Channel): any
---@return fsd.Channel
function Channel:values() end

---No more can be put. What lies in it can be got; who waits to put gets an error, who waits to get gets nil.
function Channel:close() end

---@class fsd.Mutex
local Mutex = {}

---Waits until it is free. Raises when this task holds it already.
---@async
---@param limit? number
---@return fsd.Guard guard for `local guard <close> = mutex:lock()`: unlocks at the end of the block, whatever happens
function Mutex:lock(limit) end

---As lock, without waiting.
---@return fsd.Guard? guard nil: another task holds it
function Mutex:try_lock() end

---Raises when this task does not hold it.
function Mutex:unlock() end

---Locks, calls a function and unlocks, whatever happens.
---@async
---@param fn fun(...): ...
---@param ... any its arguments
---@return any ... what it returns
function Mutex:with(fn, ...) end

---@class fsd.Semaphore
local Semaphore = {}

---Waits until there is a place.
---@async
---@param limit? number
---@return fsd.Guard guard for `local guard <close> = semaphore:acquire()`: releases at the end of the block
function Semaphore:acquire(limit) end

---As acquire, without waiting.
---@return fsd.Guard? guard nil: there is no place
function Semaphore:try_acquire() end

---Gives a place back; any task may. Raises when nobody has one.
function Semaphore:release() end

---Acquires, calls a function and releases, whatever happens.
---@async
---@param fn fun(...): ...
---@param ... any its arguments
---@return any ... what it returns
function Semaphore:with(fn, ...) end

---Gives back, when it is closed, what it was made for. After unlock or release it does nothing.
---@class fsd.Guard: userdata

---@class fsd.WaitGroup
local WaitGroup = {}

---@param count? integer 1 by default
function WaitGroup:add(count) end

---One of them is over.
function WaitGroup:done() end

---Waits until as many are done as were added.
---@async
---@param limit? number
function WaitGroup:wait(limit) end

return task
