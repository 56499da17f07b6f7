---@meta fsd.registry

---Keys that actors hold, each with a value, after Elixir's Registry. The functions here are those of one registry with unique
---keys that is always there; registry.open makes more. Each worker has its own: actors of other workers are not found here. What
---an actor holds is gone when it ends.
---@class fsd.registry
local registry = {}

---A registry of its own.
---@class fsd.Registry
local Registry = {}

---@class fsd.registry.Options
---@field keys? string "unique" (default): one actor holds a key; "duplicate": any number

---The registry of that name, which is made when it is not there. With duplicate keys get returns a list of `{pid=, value=}`.
---@param name string
---@param options? fsd.registry.Options
---@return fsd.Registry
function registry.open(name, options) end

---Holds a key, or changes its value.
---
---Raises a RegistryError, "exists", with the `pid`, when another actor holds it; an ActorError, "noproc", when the actor has ended.
---@param key string|integer|boolean
---@param value? any copied
---@param pid? fsd.Pid an actor of this worker; the one that calls
function registry.put(key, value, pid) end

---Who holds a key; nil: nobody.
---@param key string|integer|boolean
---@return fsd.Pid? pid
---@return any value a copy
---@nodiscard
function registry.get(key) end

---Gives a key up.
---@param key string|integer|boolean
---@param pid? fsd.Pid the actor that calls
---@return boolean was_held
function registry.delete(key, pid) end

---The keys that are held, in the order in which they were taken.
---@param pid? fsd.Pid only those of this actor
---@return any[]
---@nodiscard
function registry.keys(pid) end

---All entries, or those that a function wants.
---@param matches? fun(key, pid, value): boolean
---@return table[] entries `{key=, pid=, value=}`
---@nodiscard
function registry.select(matches) end

---How many entries there are.
---@return integer
---@nodiscard
function registry.count() end

return registry
