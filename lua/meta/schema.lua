---@meta fsd.schema

---What a body, a query or a message must look like. `S{ name = "string" }` is short for `S.new{ name = "string" }`.
---
---A field is a type's name, `{ type, options }`, a table of fields, or another schema. Types: string, integer, number, boolean, list, map
---(keys of any name), object, any. A field must be there unless it is `optional` or has a `default`; null is as if it were not there.
---
---    local User = S {
---      name = { "string", min = 1, max = 100 },
---      age = { "integer", min = 0, max = 150, optional = true },
---      tags = { "list", of = "string", max = 10, default = {} },
---      address = { street = "string", city = "string" },
---    }
---
---Options of every field: optional, default, description, example, check (`function(value) -> true, another value, or nil and a sentence`).
---
---* string: min, max (characters), pattern (of Lua), one_of, format (email, uuid, date, date-time, uri), trim
---* integer, number: min, max, one_of
---* list: of, min, max, unique
---* map: of, keys (a pattern), max
---* object: fields, unknown ("drop" what the schema does not know, the default; "refuse"; "keep")
---
---A mistake in a schema raises when it is made.
---@class fsd.schema
---@overload fun(fields: table|string, options?: { unknown?: "drop"|"refuse"|"keep" }): fsd.Schema
local schema = {}

---Makes a schema of the fields of an object, or of one value: `S.new{ "list", of = "string" }`.
---@param fields table|string
---@param options? { unknown?: "drop"|"refuse"|"keep" } of an object
---@return fsd.Schema
---@nodiscard
function schema.new(fields, options) end

---Whether a value is a schema.
---@param value any
---@return boolean
---@nodiscard
function schema.is(value) end

---A middleware that checks requests: params, query and headers, whose strings are converted, and the body, JSON or a form. What is checked
---stands in `req.valid`: `req.valid.body.name`.
---
---It raises a ValidationError `validation` (status 400), whose `problems` are a list of `{ path, message, source }`, at most 20 of each
---source; `validation.type` (status 415) for a body of another type; what Request.json raises.
---@param parts { body?: fsd.Schema|table, query?: fsd.Schema|table, params?: fsd.Schema|table, headers?: fsd.Schema|table }
---@return fsd.Handler
---@nodiscard
function schema.handler(parts) end

---@class fsd.schema.Problem
---@field path string "address.street", "tags[2]" (the first item is 1), "" for the value itself
---@field message string "must be a string"
---@field source? "params"|"query"|"headers"|"body" in a request

---@class fsd.Schema
local Schema = {}

---Checks a value, and gives a new one: of what the schema knows, with defaults. With coerce, strings become the numbers and
---booleans that they say, and one value a list.
---@param value any
---@param options? { coerce?: boolean }
---@return any value nil when there are problems
---@return fsd.schema.Problem[]? problems at most 20
---@nodiscard
function Schema:check(value, options) end

---Checks a value as check does.
---
---Raises a ValidationError `validation` (status 400) with the field `problems`.
---@param value any
---@param options? { coerce?: boolean }
---@return any value
function Schema:assert(value, options) end

---The schema as JSON Schema (2020-12). Patterns and functions are left out.
---@return table
---@nodiscard
function Schema:json_schema() end

return schema
