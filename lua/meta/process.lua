---@meta fsd.process

---Other programs, run beside the worker: the task that runs one waits, the others go on. No shell is involved but in `shell`. A program is
---the leader of a process group, has default signals, no descriptor of the worker's but its three, and of the worker's environment what
---the configuration lists. When the task that waits is cancelled it is killed with its group, and it never outlives the worker. At most
---100 run at a time.
---@class fsd.process
local process = {}

---The program and its arguments are the elements 1, 2 ..., strings or numbers.
---@class fsd.process.Options
---@field [integer] string|number
---@field stdin? string what it reads; nothing by default
---@field timeout? number seconds until it gets TERM, and raises; none by default
---@field kill_after? number seconds between TERM and KILL, 5 by default
---@field env? table<string, string|number|false> variables to be set; false takes one out
---@field inherit_env? boolean whether it gets the worker's variables, true by default
---@field cwd? string the folder that it runs in
---@field max_output? integer bytes of stdout, and of stderr, up to 64 MiB; 1 MiB by default
---@field stderr? "capture"|"stdout"|"log" where its errors go: apart, to stdout, or to the daemon's own; "capture" by default
---@field check? boolean whether it raises when the program fails, false by default

---@class fsd.process.Result
---@field ok boolean whether the status is 0
---@field status? integer how it ended; nil when a signal ended it
---@field signal? string "KILL", "SEGV" ...
---@field stdout string
---@field stderr string

---Runs a program to its end; what it leaves behind in the background is not waited for.
---
---Raises `ProcessError` with the codes `process.start` (there is no such program, folder or permission), `process.timeout`,
---`process.output` (more than `max_output`), `process.failed` (with `check`) and `process.overload` (status 503). But for the first and
---the last, the Error has `stdout`, `stderr`, `exit_status` and `signal`.
---@async
---@param options fsd.process.Options
---@return fsd.process.Result
function process.run(options) end

---Runs a command of the shell, `/bin/sh -c`. Never put into it what a client has sent: `run` has no such danger.
---@async
---@param command string
---@param options? fsd.process.Options without elements
---@return fsd.process.Result
function process.shell(command, options) end

return process
