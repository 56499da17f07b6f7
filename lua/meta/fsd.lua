---@meta fsd

---The entry to everything: `local fsd = require "fsd"`.
---
---The other modules are fields of it, loaded when first used: `fsd.json` is `require "fsd.json"`.
---Times are in seconds, as numbers that may have a fraction. What fails raises an `fsd.Error`; nil means only
---"nothing there".
---@class fsd
---@field actor fsd.actor
---@field base64 fsd.base64
---@field body fsd.body
---@field config fsd.config
---@field crypto fsd.crypto
---@field group fsd.group
---@field hex fsd.hex
---@field http fsd.http
---@field json fsd.json
---@field jwt fsd.jwt
---@field log fsd.Log
---@field pubsub fsd.pubsub
---@field registry fsd.registry
---@field schema fsd.schema
---@field server fsd.server
---@field shared fsd.shared
---@field supervisor fsd.supervisor
---@field task fsd.task
---@field template fsd.template
---@field timer fsd.timer
---@field worker fsd.worker
---@field error fsd.error
local fsd = {}

---A new application. The main file registers its routes and ends with `return app`.
---@param options? fsd.AppOptions
---@return fsd.App
---@nodiscard
function fsd.app(options) end

---A new router, to be mounted in an application or in another router: `app:use("/api", router)`.
---@param options? fsd.RouterOptions
---@return fsd.Router
---@nodiscard
function fsd.router(options) end

---A handler that always gives the same answer, in C, without running any Lua.
---
---Raises when the status is not 200 to 599, or when the type has control characters.
---@param body string
---@param options? fsd.RespondOptions
---@return fsd.Native handler for app:get and the other methods, app:use and app:not_found
---@nodiscard
function fsd.respond(body, options) end

---Calls f and catches what it raises: returns what f returns, or nil and the Error, which has a traceback.
---f may wait.
---@async
---@generic T
---@param f fun(...): T
---@param ... any arguments of f
---@return T? value
---@return fsd.Error? err
function fsd.try(f, ...) end

---Turns the `nil, err` of other libraries into an error: `local file = fsd.check(io.open(path))`.
---
---Raises an Error made from err when value is nil or false; without err its message is "check failed".
---@generic T
---@param value T?
---@param err? any
---@param ... any
---@return T value
---@return any ... the other arguments
function fsd.check(value, err, ...) end

---Seconds on the monotonic clock: `local begin = fsd.now() ... fsd.now() - begin`. Without meaning as a date.
---@return number seconds
---@nodiscard
function fsd.now() end

---Seconds since 1970 on the wall clock, with fraction; it may be set, also backwards.
---@return number seconds
---@nodiscard
function fsd.time() end

---A table that belongs to this worker and not to one version of the code: every call with the same name returns the same
---table, also after `fsdctl reload` has put other code in place. The first call decides what is in it.
---
---A table that code has made which is then rejected (`fsdctl reload` says so) goes with that code; what such code has changed in a table that was
---there stays changed. So let the top level of modules ask for tables only, and change them where code runs.
---
---Keep data in it, not functions: a function keeps the code alive that it was made by. Changes are seen by the old code, too,
---as long as that has requests. Each worker has its own.
---@param name string 1 to 255 bytes
---@param initial? table an empty one by default; of no meaning when there is one of that name
---@return table
---@nodiscard
function fsd.state(name, initial) end

---@class fsd.RespondOptions
---@field status? integer 200 to 599, 200 by default
---@field type? string content type, "text/plain; charset=utf-8" by default

---A finished answer, made by fsd.respond.
---@class fsd.Native: userdata

return fsd
