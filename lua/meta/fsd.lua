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
---@field fs fsd.fs
---@field group fsd.group
---@field hex fsd.hex
---@field http fsd.http
---@field json fsd.json
---@field jwt fsd.jwt
---@field log fsd.Log
---@field mw fsd.mw
---@field process fsd.process
---@field pubsub fsd.pubsub
---@field registry fsd.registry
---@field schema fsd.schema
---@field server fsd.server
---@field shared fsd.shared
---@field supervisor fsd.supervisor
---@field task fsd.task
---@field template fsd.template
---@field time fsd.time
---@field timer fsd.timer
---@field url fsd.url
---@field uuid fsd.uuid
---@field worker fsd.worker
---@field error fsd.error
local fsd = {}

---A new application. The main file registers its routes and ends with `return app`.
---@param options? fsd.AppOptions
---@return fsd.App
---@nodiscard
function fsd.app(options) end

---Several handlers as one, run one after the other by next.
---@param handlers fsd.HandlerList
---@return fsd.Handler
---@nodiscard
function fsd.compose(handlers) end

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

---A handler that sends the files of a folder, in C, without running any Lua. Answers GET and HEAD; what it does not find, and what it must
---not send, is left to the next handler (option fallthrough). Understands conditional requests (ETag, Last-Modified) and ranges, several of
---them, too.
---
---Nothing outside of the folder is ever sent: links that lead out of it are as if they were not there, and so are FIFOs, sockets and devices.
---Only one spelling of a path is taken: "//", "/./", "/../", backslashes, and escapes of a slash or of what nobody needs to escape ("%70") are
---refused, so that nobody goes around a handler that guards a part of the folder.
---
---The folder is looked up in the application's own one, unless its path is absolute, and has to be there when the application loads. One that has
---the application's code in it is refused.
---
---Given as a handler to app:use it needs no Lua. A handler may call it, too: files(req, res, next).
---
---Raises for a folder that can't be opened, for an option that it does not know, and for a value that an option can't have.
---@param root string
---@param options? fsd.StaticOptions
---@return fsd.Static handler
---@nodiscard
function fsd.static(root, options) end

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

---How files are sent; common to fsd.static, res:send_file and res:download.
---@class fsd.FileOptions
---@field accept_ranges? boolean whether parts of a file may be asked for; true
---@field cache_control? boolean whether Cache-Control is sent; true
---@field dotfiles? "ignore"|"allow"|"deny" what of a path with a part that begins with a dot: as if it were not there (404), sent, or refused (403); "ignore"
---@field etag? boolean whether an ETag is sent, weak, of the file's size and date; true
---@field headers? table<string, string|number> sent with each file
---@field immutable? boolean whether Cache-Control says that the file never changes; false
---@field last_modified? boolean whether Last-Modified is sent; true
---@field max_age? number|string of Cache-Control: seconds, or a time such as "1d"; 0, at most a year

---@class fsd.StaticOptions: fsd.FileOptions
---@field allow? string|string[] paths below the folder that dotfiles does not count for: "/.well-known/*"; a * at the end stands for anything
---@field extensions? string[]|string|false tried behind a name that is not there and has none: { "html" }; false
---@field fallthrough? boolean whether the next handler gets what is not found (or 400, 403, 405); false: these are errors; true
---@field hash_immutable? boolean whether names with a hash in them, as bundlers make them (app.3f2a9c1b.js), may be kept for a year; false
---@field headers? table<string, string|number>|fun(res: fsd.Response, path: string, stat: fsd.StaticStat) sent with each file; a function is called for each, in Lua, and may set them
---@field index? string[]|string|false names that stand for the folder that they are in; "index.html"
---@field listing? false folders are not listed
---@field precompressed? string[] compressed forms that may lie beside a file and are sent to who takes them, the best first: { "br", "gz", "zst" }
---@field redirect? boolean whether "/folder" leads to "/folder/"; true
---@field spa? string|false file that is sent to a browser that asks for a page (Accept: text/html) which is not there: "/index.html"; false

---@class fsd.StaticStat
---@field size integer bytes
---@field modified number seconds since 1970

---The files of a folder, made by fsd.static.
---@class fsd.Static: fsd.Native
---@overload fun(req: fsd.Request, res: fsd.Response, next: fun())

---A finished answer, made by fsd.respond.
---@class fsd.Native: userdata

return fsd
