---@meta fsd.supervisor

---Actors that start, watch and restart others, after OTP's supervisor.
---
---A supervisor starts its children in order, each when the init of the one before is over, and ends them in reverse order. When a
---child ends, the strategy and the child's `restart` say what happens; when more than `intensity` restarts come within
---`period` seconds, the supervisor ends its children and itself with the reason "shutdown", and its own supervisor decides.
---A child that ends with the reason "replaced", because its code was, is restarted unless it is temporary, and that does not count.
---What shall run as long as the application does is declared with `app:supervisor{...}`; the functions here are for running code.
---@class fsd.supervisor
local supervisor = {}

---@class fsd.supervisor.Options
---@field name? string the name of the supervisor in the worker
---@field strategy? string "one_for_one" (default): restart that child; "one_for_all": all; "rest_for_one": it and those behind it
---@field intensity? number restarts that are allowed within the period; 1
---@field period? number seconds; 5
---@field auto_shutdown? string "never" (default), "any_significant", "all_significant": end when significant children have ended
---@field children? fsd.supervisor.Child[]
---@field timeout? number seconds that all may take to start; no limit

---@class fsd.supervisor.Child
---@field start table { module, arguments }: an fsd.server, a supervisor (`{"fsd.supervisor", {children = ...}}`) or any module of an actor
---@field id? string|integer its name or its module when it is left out
---@field name? string the name of the actor
---@field restart? string "permanent" (default): always; "transient": unless it ended with "normal", "shutdown" or `{"shutdown", ...}`; "temporary": never, and it is forgotten
---@field shutdown? number|string seconds to end after the exit signal "shutdown" before it is killed (5), "brutal_kill", or "infinity" (of supervisors)
---@field type? string "worker" (default) or "supervisor"
---@field significant? boolean see auto_shutdown; not with permanent
---@field scope? "worker"|"node" "worker" (default): one in each worker; "node": one in all workers of the daemon that run this
---application, and its `name` is known in all. The supervisor must have a name
---@field mailbox? integer as for actor.spawn
---@field mailbox_bytes? integer as for actor.spawn
---@field overflow? string as for actor.spawn
---@field memory? integer as for actor.spawn

---@class fsd.supervisor.DynamicOptions
---@field child fsd.supervisor.Child what all its children are; without id and name
---@field name? string
---@field intensity? number
---@field period? number
---@field max_children? integer
---@field timeout? number

---@class fsd.supervisor.ChildInfo
---@field id? string|integer nil under a dynamic supervisor
---@field pid? fsd.Pid
---@field state string "running", "starting", "stopping", "killing", "restarting" or "stopped"
---@field type string
---@field module string

---Starts a supervisor, and waits until all its children have started.
---
---Raises a StartError when one does not start; its `reason` is `{"failed_to_start_child", id, why}`.
---@async
---@param options fsd.supervisor.Options
---@return fsd.Pid pid
function supervisor.start(options) end

---As start, linked with the actor that calls: when that ends, so do the supervisor and its children.
---@async
---@param options fsd.supervisor.Options
---@return fsd.Pid pid
function supervisor.start_link(options) end

---Starts a supervisor whose children come by start_child only: any number, all of one kind, forgotten when they have ended, and
---ended all at once.
---@async
---@param options fsd.supervisor.DynamicOptions
---@return fsd.Pid pid
function supervisor.dynamic(options) end

---As dynamic, linked with the actor that calls.
---@async
---@param options fsd.supervisor.DynamicOptions
---@return fsd.Pid pid
function supervisor.dynamic_link(options) end

---Starts one more child.
---
---Raises a SupervisorError: "already_started" (with the `pid`), "already_present", "start_failed" (with the `reason`),
---"max_children".
---@async
---@param dest fsd.Pid|string
---@param child any a fsd.supervisor.Child; under a dynamic supervisor the arguments of the new one
---@param timeout? number seconds; no limit
---@return fsd.Pid? pid nil when it ignored its start
function supervisor.start_child(dest, child, timeout) end

---Ends a child. It is not restarted, but stays known (under a dynamic supervisor, and when it is temporary, it is forgotten).
---
---Raises a SupervisorError: "not_found".
---@async
---@param dest fsd.Pid|string
---@param id any its id; under a dynamic supervisor its pid
---@param timeout? number seconds; no limit
function supervisor.terminate_child(dest, id, timeout) end

---Starts a child that does not run.
---
---Raises a SupervisorError: "not_found", "running", "restarting", "start_failed".
---@async
---@param dest fsd.Pid|string
---@param id string|integer
---@param timeout? number seconds; no limit
---@return fsd.Pid? pid
function supervisor.restart_child(dest, id, timeout) end

---Forgets a child that does not run.
---
---Raises a SupervisorError: "not_found", "running", "restarting".
---@async
---@param dest fsd.Pid|string
---@param id string|integer
---@param timeout? number seconds; no limit
function supervisor.delete_child(dest, id, timeout) end

---The children in the order in which they start.
---@async
---@param dest fsd.Pid|string
---@param timeout? number seconds; no limit
---@return fsd.supervisor.ChildInfo[]
---@nodiscard
function supervisor.which_children(dest, timeout) end

---How many there are: `specs` known, `active` running, `supervisors` and `workers` among the known.
---@async
---@param dest fsd.Pid|string
---@param timeout? number seconds; no limit
---@return table counts
---@nodiscard
function supervisor.count_children(dest, timeout) end

---Ends a supervisor: returns when its children and it have ended.
---@async
---@param dest fsd.Pid|string
---@param timeout? number seconds; no limit
function supervisor.stop(dest, timeout) end

---What an actor with the module "fsd.supervisor" does; for children that are supervisors themselves:
---`{ id = "inner", type = "supervisor", start = { "fsd.supervisor", { children = { ... } } } }`.
---@async
---@param options fsd.supervisor.Options
function supervisor:run(options) end

return supervisor
