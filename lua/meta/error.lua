---@meta fsd.error

---Structured errors. `error(fsd.error{ status = 404, code = "user.missing", message = "no such user" })` ends a
---request with that status; see fsd.App.on_error.
---@class fsd.error
---@overload fun(fields: fsd.ErrorFields): fsd.Error
local M = {}

---What an error is made from. Other fields are kept as they are.
---@class fsd.ErrorFields
---@field message string
---@field status? integer 500 by default
---@field code? string "error" by default
---@field name? string "Error" by default
---@field cause? any
---@field [string] any

---Every failure looks like this: those that fsd raises, and what a handler gets of those that an application raises.
---A raised string becomes the message of one; a raised table with a message or a status becomes one itself; anything
---else becomes its cause.
---@class fsd.Error
---@field name string what kind: "Error", "HttpError", "JsonError", "CancelError", "PatternError" or one of your own
---@field code string what happened, for programs: "json.decode", "timeout", "error" when nobody said
---@field status integer HTTP status that it ends a request with
---@field message string for people; below status 500 the client reads it
---@field traceback? string where it was raised
---@field cause? any the error behind this one, see fsd.error.wrap
local Error = {}

---Whether the name or the code of the error is word.
---@param word string
---@return boolean
---@nodiscard
function Error:is(word) end

---Raises the error again, with the traceback of the first time.
---Never returns.
function Error:rethrow() end

---The same as calling the module: a new Error, not raised yet. The fields are copied.
---
---Raises when there is no message.
---@param fields fsd.ErrorFields
---@return fsd.Error
---@nodiscard
function M.new(fields) end

---Says what was going on: an Error with the message `doing: what it was`, the same name, code and status, and err as
---its cause. Without doing it only makes sure that err is an Error.
---@param err any
---@param doing? string "while saving the user"
---@return fsd.Error
---@nodiscard
function M.wrap(err, doing) end

---fsd.try
---@async
---@generic T
---@param f fun(...): T
---@param ... any
---@return T? value
---@return fsd.Error? err
function M.try(f, ...) end

---fsd.check
---@generic T
---@param value T?
---@param err? any
---@param ... any
---@return T value
---@return any ...
function M.check(value, err, ...) end

return M
