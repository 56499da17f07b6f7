---@meta fsd.group

---Named groups of actors of all workers, after Erlang's pg. An actor that joins n times is n times in the group; when it ends, it
---leaves with all its entries at once, and so do those of a worker that ends. Other workers learn of changes a moment later.
---@class fsd.group
local group = {}

---Raises an ActorError, "noproc", when the actor has ended.
---@param name string 1 to 255 bytes; the group needs not to be made before
---@param pid? fsd.Pid an actor of this worker; the one that calls
function group.join(name, pid) end

---Takes one entry back.
---@param name string
---@param pid? fsd.Pid the actor that calls
---@return boolean was_in
function group.leave(name, pid) end

---All members, each as often as it joined; those of this worker come first.
---@param name string
---@return fsd.Pid[]
---@nodiscard
function group.members(name) end

---The members in this worker.
---@param name string
---@return fsd.Pid[]
---@nodiscard
function group.local_members(name) end

---The names of the groups that have members, in whatever worker.
---@return string[]
---@nodiscard
function group.names() end

---From now on the actor that calls gets `{"$group", ref, "join" | "leave", name, pids}` for each change; a pid stands in pids as
---often as it joined or left. These messages come as system messages, also into a full mailbox.
---@param name string
---@return fsd.Ref ref
---@return fsd.Pid[] members those that are in already
function group.monitor(name) end

---Ends a monitor of a group; messages that were sent stay in the mailbox.
---@param ref fsd.Ref
function group.demonitor(ref) end

return group
