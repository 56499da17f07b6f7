---@meta fsd.uuid

---UUIDs (RFC 9562).
---@class fsd.uuid
local uuid = {}

---What a UUID says.
---@class fsd.uuid.Parsed
---@field text string in small letters
---@field bytes string 16 bytes
---@field version integer
---@field time? number of version 7: seconds since 1970

---A random one, which nobody can guess.
---@return string
function uuid.v4() end

---One that begins with the time: each that a worker makes is greater than those before, so that an index of a database grows at one end.
---It tells when it was made.
---@return string
function uuid.v7() end

---Whether the value is a string in the form `01234567-89ab-7cde-8fab-0123456789ab`, of any version, with letters of either case.
---@param value any
---@return boolean
function uuid.is(value) end

---Raises `UuidError` with the code `uuid.parse` (status 400) when it is none.
---@param text string
---@return fsd.uuid.Parsed
function uuid.parse(text) end

---The text of a UUID of 16 bytes.
---@param bytes string
---@return string
function uuid.format(bytes) end

return uuid
