---@meta

---What the client has sent. The named fields cannot be set; other names are yours: `req.user = user`. After the
---request is over, every access raises.
---@class fsd.Request
---@field method string "GET"
---@field path string the path as it was sent, without the query; below app:use("/x", ...) what stands behind "/x"
---@field url string path and query
---@field base_url string what app:use("/x", ...) took off the front of both; "" in a route
---@field original_url string path and query as they were sent, whatever the handler
---@field id string the header X-Request-Id when it is usable (1 to 64 visible ASCII characters), else a new one
---@field http_version string "1.1", "2.0"
---@field params table<string, string|string[]> parameters of the path of the handler that runs, percent-decoded; a wildcard's is the list of its segments; left-out groups are absent. Reading it raises an Error of status 400 on a bad %-escape
---@field query table<string, any> parameters of the query, decoded; one that is given several times is a list. With `app:set("query_parser", "extended")` brackets nest: `a[b]=1`, `a[]=1`, `a[0]=1`; with a function it is what that returns, called with the text behind the `?`. Reading it raises an Error of status 413 for more than 1000 parameters
---@field headers table<string, string> by lower-case name; repeated ones are joined by ", " (cookie: by "; ")
---@field raw_headers string[] name, value, name, value ... as they were sent
---@field trailers table<string, string> always empty: trailers of chunked bodies are dropped
---@field xhr boolean whether X-Requested-With is XMLHttpRequest
---@field res fsd.Response the res of the same handlers
---@field state table of your own, for what middleware leaves to later handlers
---@field log fsd.Log adds request_id to every record
---@field aborted boolean whether the client has gone
---@field [string] any
local Request = {}

---A header; the name in any case. Several of one name are joined by ", " (cookie: by "; "). "Referer" and "Referrer" are the same.
---@param name string
---@return string? value
---@nodiscard
function Request:get(name) end

---Another name of Request.get.
---@param name string
---@return string? value
---@nodiscard
function Request:header(name) end

---What each header of a name says, in their order; an empty list when there is none.
---@param name string
---@return string[]
---@nodiscard
function Request:header_values(name) end

---The body as bytes, "" without one. Bodies over the limit of the configuration (1 MiB by default) were refused with
---413 before.
---
---Raises "body.gone" (status 400) when the handler has waited after answering, "aborted" when the client has gone.
---@return string
---@nodiscard
function Request:text() end

---The body as a value; the content type is not looked at.
---
---Raises "entity.parse.failed" (status 400) for anything but one JSON value, and as Request.text does.
---@param options? { null?: "absent"|"keep" } as in json.decode
---@return any value
---@nodiscard
function Request:json(options) end
