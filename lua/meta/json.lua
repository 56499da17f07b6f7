---@meta fsd.json

---JSON (RFC 8259, strictly) from and to Lua values.
---
---* Numbers without fraction and exponent are 64-bit integers, exactly; beyond 64 bits they become
---  floats. A float is always written as one (`1.0`), so the subtype comes back.
---* Decoded arrays carry `json.array_mt`, so `[]` stays `[]`. A table of yours with the keys 1..n is an
---  array, `{}` is an object unless marked by `json.array`; mixed and sparse tables are refused.
---  A table with only integer keys and no key 1 is an object (`{[10] = "a"}` is `{"10":"a"}`).
---* Metamethods are not consulted.
---@class fsd.json
local json = {}

---What JSON calls `null`: in arrays always (they have no holes), in objects with `null = "keep"`. `tostring(json.null)` is `"null"`.
---@type lightuserdata
json.null = nil

---The metatable that marks a table as an array.
---@type table
json.array_mt = nil

---@class fsd.json.DecodeOptions
---@field null? "absent"|"keep" `null` in an object is an absent key (default), or `json.null`
---@field max_depth? integer levels of nesting, 1 to 1000, 128 by default

---Writes a value as JSON.
---
---Raises `JsonError` with the code `json.encode` (status 500) and a message that says what and where, such as
---`cannot encode a function at "items[3].cb"`: functions, userdata, coroutines, NaN, infinities, strings
---that are not UTF-8, tables of mixed or sparse keys, keys that are neither string nor integer, and more
---than 128 levels of nesting, which is how a cycle ends.
---@param value any nil is written as `null`
---@return string text
function json.encode(value) end

---Reads one JSON value; of duplicate keys the last wins.
---
---Raises `JsonError` with the code `json.decode` (status 400) and a message such as
---`invalid JSON at line 1 column 7: unexpected "x"`.
---@param text string
---@param options? fsd.json.DecodeOptions
---@return any value nil for `null`, unless it is kept
function json.decode(text, options) end

---Marks a table as an array: it is written with its elements `1..#t`, holes as `null`; other keys are
---not looked at. A table with another metatable is refused.
---@generic T: table
---@param t? T a new table without it
---@return T t
function json.array(t) end

---Whether the value is a table marked as an array.
---@param value any
---@return boolean
function json.is_array(value) end

return json
