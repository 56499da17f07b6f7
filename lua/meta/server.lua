---@meta fsd.server

---An actor as a server, after OTP's gen_server: the loop is fsd's, the application says what happens.
---
---`local Counter = require "fsd.server" {}` stands in a module of its own, which returns it; the callbacks are functions of
---it. The server runs when somebody starts it: `require("counter").start()`, or a supervisor.
---@class fsd.server
---@field noreply fsd.server.Order from handle_call: nobody is answered now; `server.reply(from, value)` does it later
---@field ignore fsd.server.Order from init: it does not want to run; start returns nil, and a supervisor goes on without it
---@overload fun(options?: fsd.server.Options): fsd.Server
local server = {}

---@class fsd.server.Options
---@field timeout? number seconds that the functions of `api` wait for their answers; 5

---What a callback may return to say what happens next; made by the functions here.
---@class fsd.server.Order

---What `server{}` returns. All callbacks may be left out; `self` is the state of the one server that runs, a table.
---@class fsd.Server
---@field api string[] names of methods that become functions for others: `Counter.api = { "add" }` makes `Counter.add(dest, ...)`, which calls `Counter:add(...)` in the server
---@field init? fun(self, args): fsd.server.Order? start waits for its end; an error fails the start
---@field handle_call? fun(self, msg, from): any, fsd.server.Order? what it returns is the answer
---@field handle_cast? fun(self, msg): fsd.server.Order?
---@field handle_info? fun(self, msg): fsd.server.Order? everything else: plain messages, `{"$down", ...}`, `{"$exit", ...}`, "timeout"
---@field handle_continue? fun(self, value): fsd.server.Order? runs before the next message, see server.continue
---@field terminate? fun(self, reason) when it stops itself, after an error, and when it traps exits and its parent ends
---@field code_change? fun(self, old, old_generation) in the new version of the module: takes over what it needs of the old state. When it raises, or has not ended when the time of the old code is over (`limits.replaced`, a minute), the server goes on with its old code and state. Without it the fields of the old state are those of the new one
local Server = {}

---Starts the server, and waits until its init is over.
---
---Raises a StartError ("start", with the `reason`; "timeout") when it does not come up, and an ActorError ("exists") when its
---name is taken.
---@async
---@param options? fsd.server.StartOptions
---@return fsd.Pid? pid nil when init returned server.ignore
function Server.start(options) end

---As start, and links it with the actor that calls, which is its parent then.
---@async
---@param options? fsd.server.StartOptions
---@return fsd.Pid? pid
function Server.start_link(options) end

---As start, and monitors it.
---@async
---@param options? fsd.server.StartOptions
---@return fsd.Pid? pid
---@return fsd.Ref ref
function Server.start_monitor(options) end

---@class fsd.server.StartOptions
---@field args? any for init; copied
---@field name? string its name in the worker
---@field timeout? number seconds that init may take; no limit
---@field mailbox? integer as for actor.spawn
---@field mailbox_bytes? integer as for actor.spawn
---@field overflow? string as for actor.spawn
---@field memory? integer as for actor.spawn
---@field on? "local"|"any"|integer|fsd.worker.Place as for actor.spawn

---Asks a server and waits for the answer; the same as actor.call.
---@async
---@param dest fsd.Pid|string
---@param msg any
---@param timeout? number seconds; 5
---@return any answer
function server.call(dest, msg, timeout) end

---Tells a server something; the same as actor.cast.
---@async
---@param dest fsd.Pid|string
---@param msg any
---@param timeout? number seconds to wait for room in its mailbox; 5
function server.cast(dest, msg, timeout) end

---Answers a call; the same as actor.reply.
---@param from fsd.Ref what handle_call got
---@param value any
---@return boolean was_awaited false: nobody waits any more, and the answer is dropped
function server.reply(from, value) end

---The server ends with this reason, after terminate. A reason other than "normal", "shutdown" or `{"shutdown", ...}` is logged
---as an error.
---@param reason? any "normal"
---@param ... any from handle_call: the answer. Without one the call fails.
---@return fsd.server.Order
---@nodiscard
function server.stop(reason, ...) end

---When no message comes for so long, handle_info gets "timeout". Any message ends it.
---
---From handle_call it stands behind the answer: `return value, server.timeout(5)`.
---@param seconds number
---@return fsd.server.Order
---@nodiscard
function server.timeout(seconds) end

---handle_continue(value) runs before the next message: for what takes long and shall not keep whoever started or called waiting.
---
---From handle_call it stands behind the answer: `return value, server.continue(x)`.
---@param value any
---@return fsd.server.Order
---@nodiscard
function server.continue(value) end

---A copy of a server's state, for debugging. Raises when there is something in it that can't be copied.
---@async
---@param dest fsd.Pid|string
---@param timeout? number seconds; 5
---@return table state
---@nodiscard
function server.get_state(dest, timeout) end

---Lets a server go on with the newest version of its module, through code_change; raises when that fails, and then it goes on
---with the version it has.
---@async
---@param dest fsd.Pid|string
---@param old_generation? any handed to code_change
---@param timeout? number seconds; 5
function server.change_code(dest, old_generation, timeout) end

return server
