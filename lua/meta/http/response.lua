---@meta

---The answer. It leaves when the handler returns or waits. Setters return res, senders return nothing. After the
---answer was given both raise "headers_sent" (status 500); when the client has gone they do nothing. Names that are
---not listed here are yours: `res.started = true`.
---@class fsd.Response
---@field status_code integer the status as set so far, 200 at first
---@field headers_sent boolean whether the answer was given
---@field [string] any
local Response = {}

---Sets the status, 200 by default.
---
---Raises when it is not an integer from 200 to 999.
---@param code integer
---@return fsd.Response self
function Response:status(code) end

---Sets one header, or each of a table; a second call replaces the first.
---
---Raises when the name is not a header's name, or one that the server sets (content-length, transfer-encoding,
---connection, keep-alive, upgrade, trailer, te, date, server), and when the value has a line break or another control
---character.
---@param name string
---@param value string|number|boolean|table a table must have __tostring
---@return fsd.Response self
---@overload fun(self: fsd.Response, headers: table<string, string|number|boolean|table>): fsd.Response
function Response:set(name, value) end

---Another name of Response.set.
---@param name string
---@param value string|number|boolean|table
---@return fsd.Response self
---@overload fun(self: fsd.Response, headers: table<string, string|number|boolean|table>): fsd.Response
function Response:header(name, value) end

---A header as set so far; the name in any case. nil after the answer has left.
---@param name string
---@return string? value
---@nodiscard
function Response:get(name) end

---Sets the content type.
---
---Raises when it is neither a content type nor a short name (html, json, text, txt, css, js, xml, csv, md, form, bin,
---png, jpg, jpeg, gif, webp, svg, ico, pdf, wasm, zip).
---@param type string "application/pdf" or "pdf"
---@return fsd.Response self
function Response:type(type) end

---Sends a string (as text/html unless a type is set), any other value as JSON, or an empty body.
---
---Raises "json.encode" (status 500) as Response.json does.
---@param value? any
function Response:send(value) end

---Sends a value as JSON, as application/json unless a type is set.
---
---Raises "json.encode" (status 500) for what JSON does not have: functions, NaN, tables of mixed keys.
---@param value any
function Response:json(value) end

---Sends bytes without adding a content type; ends an answer that write has begun, and may wait then.
---@async
---@param bytes? string
function Response:finish(bytes) end

---Adds a piece to the answer; the first one fixes status and headers, also an empty one. Waits while 64 KiB are held for
---a client that does not take them. Ended by finish, or with the handler; an error in between cuts the connection.
---HEAD, 204, 205 and 304 have no body: what is written is dropped.
---
---Raises "aborted" (CancelError) when the client has gone, "shutdown" after the end of a stream of events in a drain,
---"headers_sent" when the answer was given already, "torn" after a longer piece was cancelled half way.
---@async
---@param chunk string|number
function Response:write(chunk) end

---Waits until the head and all that was written have left the worker. Raises as Response.write does.
---@async
function Response:flush() end

---Answers with server-sent events; the status must be 200. The stream ends with the handler.
---
---When the code is replaced, the stream goes on: the handler's wait (fsd.task.sleep, Channel:get) raises "reload" (CancelError), and
---when it has ended, the request is handled once more by the new code. What that sets in the head is dropped, and sse gives
---the same stream.
---
---Raises "headers_sent" when the answer was given already, "aborted" when the client has gone.
---@param options? { keepalive?: number|false, retry?: number } seconds: comments while nothing else is sent (15), and how long clients wait before they connect again
---@return fsd.EventStream
---@nodiscard
function Response:sse(options) end

---Sends a status, with its reason as plain text.
---@param code integer 200 to 999
function Response:send_status(code) end

---Sends a redirect, 302 unless said otherwise. What cannot stand in a URL is escaped. Do not take
---it from the client unchecked.
---
---Raises when the status is not 300 to 399.
---@param status integer
---@param url string
---@overload fun(self: fsd.Response, url: string)
function Response:redirect(status, url) end

---Sends a view, as text/html unless a type is set; it sees values, then res.locals, then app.locals. See fsd.template.
---
---Raises as fsd.template.render does.
---@param view string "user/show"
---@param values? table
function Response:render(view, values) end
