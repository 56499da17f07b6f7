---@meta fsd.actor

---Actors: coroutines with a mailbox, which share nothing but messages.
---
---What an actor runs is named by module: the module returns a function, which gets the arguments of spawn, or a table with a
---method `run`. Messages, arguments, answers and exit reasons are copied. They may hold nil, booleans, numbers, strings, json.null,
---pids, refs, Errors, and tables of those without metatables (but json.array's), up to 1 MiB and 100 levels; anything else
---raises at the sender and names its place. The messages of one sender to one receiver keep their order.
---
---A request or a task may spawn, send, call and end actors; what needs a mailbox raises there.
---@class fsd.actor
local actor = {}

---Names an actor for ever. `==` and table keys work, also after it was in a message; tostring gives "<node.worker.place.serial>".
---@class fsd.Pid: userdata

---Names a monitor, or a call that waits for its answer.
---@class fsd.Ref: userdata

---@class fsd.actor.Options
---@field name? string registers it; raises an ActorError with the code "exists" when another actor has the name
---@field scope? "worker"|"node" where the name is known: in this worker (default), or in all of the daemon; then spawn waits until
---the master has given it, and the actor begins with its name
---@field link? boolean as spawn_link
---@field monitor? boolean as spawn_monitor
---@field mailbox? integer messages that may wait to be received, 10000 by default
---@field mailbox_bytes? integer bytes that they may have together, 16 MiB by default
---@field overflow? "suspend"|"drop_new"|"drop_old"|"raise" what becomes of a message that has no room; its sender waits by default
---@field memory? integer bytes that it may have, its messages counted, garbage not; if it has more it ends with a LimitError, code
---"memory". Without, or above `limits.actor_memory` of the pool: that one
---@field cpu? number seconds of CPU time that it may have in its life; then a CancelError, code "cpu", is raised in it
---@field deadline? number seconds that it may live; then a CancelError, code "timeout", is raised in it
---@field on? "local"|"any"|integer|fsd.worker.Place where it runs: here by default, in any worker of the own pool, in the one that serves this slot of it, or in this one

---Starts an actor; it begins to run at the end of this turn.
---
---A request or task that runs code which was replaced starts actors of that same code. Those that are no fsd.server end with the reason
---"replaced" when the time of their code is over (`limits.replaced` of the pool, a minute).
---
---Raises while the application loads; an ActorError with the code "limit" when the worker has 131072 actors, "shutdown"
---when it is leaving. A module that is missing or fails ends the new actor, not the caller.
---
---With options.on this may wait until another worker has answered, and raises an ActorError when it does not: "noconnection",
---"timeout" (after 5 s; the actor may have been started nevertheless), "overload".
---@param module string
---@param args? any
---@param options? fsd.actor.Options
---@return fsd.Pid pid
---@return fsd.Ref? ref when it is monitored
function actor.spawn(module, args, options) end

---Starts an actor that is linked with the caller from its begin.
---@param module string
---@param args? any
---@param options? fsd.actor.Options
---@return fsd.Pid pid
---@return fsd.Ref? ref when it is monitored as well
function actor.spawn_link(module, args, options) end

---Starts an actor that the caller monitors from its begin.
---@param module string
---@param args? any
---@param options? fsd.actor.Options
---@return fsd.Pid pid
---@return fsd.Ref ref
function actor.spawn_monitor(module, args, options) end

---The actor that runs.
---@return fsd.Pid pid
---@nodiscard
function actor.self() end

---Sends a message. When the mailbox is full and suspends its senders, this waits until there is room.
---
---Nobody learns whether a message is received: one to an actor that has ended is lost. Raises an ActorError: "noproc" for a name
---that no actor has, "overload" when there was no room until the timeout, when the mailbox is the caller's own, or when it raises.
---@async
---@param dest fsd.Pid|string a pid or a name
---@param message any
---@param timeout? number seconds to wait for room, 5 by default
function actor.send(dest, message, timeout) end

---Sends a message without ever waiting.
---@param dest fsd.Pid|string
---@param message any
---@return boolean sent
---@return string? why "busy": no room; "dropped": no room, and the mailbox drops; "noproc": no such actor; "noconnection": its worker is gone
function actor.try_send(dest, message) end

---Sends a question and waits for the answer.
---
---Raises a CallError: "timeout", "noproc" when there is no such actor, "exit" when it ends before it answers (the field
---reason says why), "overload" when its mailbox had no room, "noconnection" when its worker is gone, "calling_self". An answer that
---comes later is dropped, and a question that nobody waits for any more is not even received.
---@async
---@param dest fsd.Pid|string
---@param message any
---@param timeout? number seconds, 5 by default
---@return any answer
function actor.call(dest, message, timeout) end

---Sends a message that receive tells from others by its kind "cast".
---@async
---@param dest fsd.Pid|string
---@param message any
---@param timeout? number as in send
function actor.cast(dest, message, timeout) end

---Answers a call. Any actor, request or task may do so, once.
---@param from fsd.Ref what receive gave
---@param value any
---@return boolean answered false: nobody waits for it any more
function actor.reply(from, value) end

---The next message, or the first one that matches; the others stay in their order. Waits for it, for timeout seconds at most.
---
---With a table, a message is looked up by its first element, else by its field `type`, or by itself when it is no table; the
---function that is found there is called with the message, from and kind, and its results are returned. `after = {seconds, function}`
---says what to do when none comes. With a function, the first message for which it returns true is taken.
---
---Raises outside of an actor.
---@async
---@param match? table<any, function>|fun(message: any, from: fsd.Ref?, kind: string?): boolean
---@param timeout? number seconds; without one it waits for ever, 0 does not wait. Without a match it may be the first parameter
---@return any message nil when the time is over
---@return fsd.Ref? from of a call: for actor.reply
---@return "call"|"cast"|"system"|nil kind nil for what was sent; "system" for {"$exit", pid, reason} and {"$down", ref, pid, reason}
function actor.receive(match, timeout) end

---`exit([reason])` ends the caller: raises an ExitError, which can be caught like any other. `exit(dest, reason)` sends an exit signal.
---
---An actor that gets one ends with the reason, without running any further, unless it traps exits: then it gets the message
---{"$exit", from, reason}. The reason "normal" of another is ignored when it does not trap; "kill" cannot be trapped, and is
---told to others as "killed".
---@overload fun(reason?: any)
---@param dest fsd.Pid|string
---@param reason any
function actor.exit(dest, reason) end

---Links the caller with another actor: when one ends, the other gets an exit signal with the reason.
---
---When the other one has ended already, the caller gets the signal "noproc" if it traps exits; else this raises an ActorError
---with that code.
---@param dest fsd.Pid|string
function actor.link(dest) end

---Takes the link away.
---@param dest fsd.Pid|string
function actor.unlink(dest) end

---Whether exit signals become messages {"$exit", pid, reason}.
---@param on boolean
---@return boolean before
function actor.trap_exit(on) end

---From now on the end of the other actor is told by the message {"$down", ref, dest, reason}, at once with the reason "noproc" when
---it has ended already. Each call makes a monitor of its own.
---@param dest fsd.Pid|string
---@return fsd.Ref ref
function actor.monitor(dest) end

---Ends a monitor; with flush it also takes its message out of the mailbox.
---@param ref fsd.Ref
---@param options? { flush?: boolean }
function actor.demonitor(ref, options) end

---Gives an actor of this worker a name, until it ends. It has one at most of each scope.
---
---A name of the scope "worker" (default) is known in this worker; one of the scope "node" is known in all workers of the daemon,
---and belongs to one actor in all of them: the function waits until the master has given it. Without a pid the options may come
---second.
---
---Raises an ActorError: "exists" when another actor has the name, "noproc" when the actor has ended, "overload" when all workers
---together have 4096 names of the scope "node".
---@async
---@param name string 1 to 255 bytes
---@param pid? fsd.Pid|{ scope?: "worker"|"node" } the caller when it is left out
---@param options? { scope?: "worker"|"node" }
function actor.register(name, pid, options) end

---Takes a name away: this worker's, or when there is none the one of all workers. Raises an ActorError, "elsewhere", when an actor of
---another worker has that.
---@param name string
function actor.unregister(name) end

---The actor with a name: this worker's own, or when it has none the one of all workers. It asks nobody, so a name that was given or
---taken in another worker is seen a moment later.
---@param name string
---@return fsd.Pid? pid
---@nodiscard
function actor.whereis(name) end

---All names of a scope, "worker" by default.
---@param options? { scope?: "worker"|"node" }
---@return table<string, fsd.Pid>
---@nodiscard
function actor.registered(options) end

---Whether an actor lives. One that was told to exit does not.
---@param pid fsd.Pid
---@return boolean
---@nodiscard
function actor.alive(pid) end

---What there is to know of an actor.
---@param dest fsd.Pid|string
---@return fsd.actor.Info?
---@nodiscard
function actor.info(dest) end

---The actors of this worker.
---@param filter? { module?: string }
---@return fsd.Pid[]
---@nodiscard
function actor.list(filter) end

---@class fsd.actor.Info
---@field pid fsd.Pid
---@field module string
---@field name? string
---@field state "starting"|"ready"|"running"|"waiting"
---@field messages integer in its mailbox
---@field message_bytes integer
---@field mailbox integer how many messages there may be
---@field mailbox_bytes integer
---@field overflow string
---@field dropped integer messages that had no room
---@field memory integer bytes that it has allocated and that are not collected yet
---@field memory_limit integer what it may have; 0 is any
---@field trap_exit boolean
---@field links fsd.Pid[]
---@field monitors fsd.Pid[] whom it monitors
---@field monitored_by fsd.Pid[]

return actor
