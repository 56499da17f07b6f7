---@meta fsd.log

---Structured log records. The module itself is a logger: `fsd.log:info("user added", { id = 7 })`.
---
---Each method takes a message and a table of fields, or the table alone; fields whose keys are not strings are left
---out. A message is cut at 8192 bytes. Below the level of the configuration (`info` by default) a call does next to
---nothing. Logging never waits: when the daemon is behind, records are dropped, and a later one says how many.
---
---`print` writes a record of the level info.
---@class fsd.Log
---@field fields? table<string, any> what each record gets; set by Log.with
local Log = {}

---Something failed and a person must act.
---@param message any
---@param fields? table<string, any>
---@overload fun(self: fsd.Log, fields: table<string, any>)
function Log:error(message, fields) end

---Something is wrong, and it went on without it.
---@param message any
---@param fields? table<string, any>
---@overload fun(self: fsd.Log, fields: table<string, any>)
function Log:warning(message, fields) end

---Rare and worth knowing.
---@param message any
---@param fields? table<string, any>
---@overload fun(self: fsd.Log, fields: table<string, any>)
function Log:notice(message, fields) end

---What goes on.
---@param message any
---@param fields? table<string, any>
---@overload fun(self: fsd.Log, fields: table<string, any>)
function Log:info(message, fields) end

---For the one who looks for a mistake.
---@param message any
---@param fields? table<string, any>
---@overload fun(self: fsd.Log, fields: table<string, any>)
function Log:debug(message, fields) end

---A logger that adds these fields to every record, after those of its parent.
---@param fields table<string, any>
---@return fsd.Log
---@nodiscard
function Log:with(fields) end

return Log
