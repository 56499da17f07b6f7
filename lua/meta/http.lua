---@meta fsd.http

---What applications are made of.
---@class fsd.http
local http = {}

---fsd.app
---@param options? table none has a meaning yet
---@return fsd.App
---@nodiscard
function http.app(options) end

---fsd.respond
---@param body string
---@param options? fsd.RespondOptions
---@return fsd.Native
---@nodiscard
function http.respond(body, options) end

---Handles a request, or passes it on by calling next. It may wait. When nothing was sent yet, what it returns is the
---answer: a string as HTML, an integer from 200 to 599 as a status of which only the reason is sent, anything else as
---JSON. Returning res is no answer.
---@alias fsd.Handler async fun(req: fsd.Request, res: fsd.Response, next: fsd.Next): any

---Runs the handlers behind this one and returns when they have. Raises what they raise; with an argument, raises that
---argument; raises when it is called a second time, or after the request is over.
---@alias fsd.Next async fun(err?: any)

---Gets what a handler raised, always as an Error. next() or next(err) gives the default answer.
---@alias fsd.ErrorHandler async fun(err: fsd.Error, req: fsd.Request, res: fsd.Response, next: fun(err?: any)): any

---An application. Routes are matched in the order in which they are registered, and only while the application loads:
---afterwards each of these methods raises.
---
---Paths: `/users/:id` a segment or a part of one, `/files/*rest` one or more segments, `{/:page}` an optional group,
---`\:` a plain colon. `? + ( ) [ ] !` are reserved: a path with one of them is refused with its position. A trailing
---slash and upper or lower case make no difference. All methods raise when a path or a handler is wrong.
---@class fsd.App
local App = {}

---Answers GET, and HEAD without the body.
---@param path string
---@param ... fsd.Handler|fsd.Native 1 to 40, run one after the other by next
---@return fsd.App self
function App:get(path, ...) end

---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:post(path, ...) end

---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:put(path, ...) end

---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:patch(path, ...) end

---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:delete(path, ...) end

---Answers HEAD otherwise than app:get does; to be registered before it.
---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:head(path, ...) end

---Answers OPTIONS otherwise than with the list of methods.
---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:options(path, ...) end

---Answers every method.
---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:all(path, ...) end

---Answers any other method: `app:method("PROPFIND", "/files", handler)`.
---@param name string letters, digits and "-", in any case
---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
function App:method(name, path, ...) end

---Middleware: runs for every method, on every path, or on path and all below it.
---@param path string
---@param ... fsd.Handler|fsd.Native
---@return fsd.App self
---@overload fun(self: fsd.App, ...: fsd.Handler|fsd.Native): fsd.App
function App:use(path, ...) end

---What answers errors; a later call replaces an earlier one. Without it, and for errors of the handler itself, the
---answer is the error's status with a JSON object `{"error": message}`, or a small HTML page for browsers. From
---status 500 on the message is the reason of the status, and the error is logged with its traceback, whatever the
---handler does.
---@param handler fsd.ErrorHandler
---@return fsd.App self
function App:on_error(handler) end

---What answers a request that no handler has answered: no route has its path, or the last one has called next. A
---known path with another method is a 405 with the header Allow and does not come here.
---@param handler fsd.Handler|fsd.Native
---@return fsd.App self
function App:not_found(handler) end

---Runs a function in a task of its own when a worker has become active. Each worker runs it, and one in reserve when it takes a
---place over; `fsd.worker.self().slot == 0` picks one of a pool. When other code takes over in a worker, what its old code began
---so is cancelled (reason "replaced"), and the functions of the new code run; before is the generation of that old code then, and nil
---when the worker begins. So a loop goes on with the new code, and what is to be done once in a worker's life looks at before.
---@param event "start"
---@param fn fun(before?: integer)
---@return fsd.App self
function App:on(event, fn) end

---Runs a function before this code takes over in a worker that runs other code. When it raises, no worker takes the code over, and
---`fsdctl reload` says why. It may wait (ask a database, say), but cannot start anything.
---@param fn fun()
---@return fsd.App self
function App:on_check(fn) end

---Declares a supervisor: it is started in each worker before that serves, with its children, in the order of the declarations, and
---ended in reverse order when the worker leaves, after its last request. Options with `child` are those of fsd.supervisor.dynamic,
---all others those of fsd.supervisor.start. When it does not start, or ends (it does when there are more restarts than it
---allows), the worker ends with exit code 1, and its pool starts another one.
---
---When other code takes over in a worker that runs, children are compared by id, supervisors by name: those that both declare go on,
---and what has changed of them counts from their next start; what is gone is ended; what is new is started.
---@param options fsd.supervisor.Options|fsd.supervisor.DynamicOptions
---@return fsd.App self
function App:supervisor(options) end

---@class fsd.App.TimerOptions
---@field scope? "worker"|"node" in each worker, the default; or in one of all that run the application. When that one ends, another one goes on; a time that passes in between is left out
---@field id? string when other code takes over, a timer of the same id and the same times goes on without a gap, whatever its scope; without ids the same times are enough. Other times are counted anew

---As fsd.timer.every, in each worker, from when it has become active.
---@param seconds number at least 0.001
---@param fn fun()
---@param options? fsd.App.TimerOptions
---@return fsd.App self
function App:every(seconds, fn, options) end

---As fsd.timer.cron, in each worker, from when it has become active. The application does not load with a schedule that cannot be read.
---@param schedule string "0 3 * * mon-fri"
---@param fn fun()
---@param options? fsd.App.TimerOptions
---@return fsd.App self
function App:cron(schedule, fn, options) end

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
---@field query table<string, string|string[]> parameters of the query, decoded; one that is given several times is a list. Reading it raises an Error of status 413 for more than 1000 parameters
---@field headers table<string, string> by lower-case name; repeated ones are joined by ", " (cookie: by "; ")
---@field state table of your own, for what middleware leaves to later handlers
---@field log fsd.Log adds request_id to every record
---@field aborted boolean whether the client has gone
---@field [string] any
local Request = {}

---A header; the name in any case.
---@param name string
---@return string? value
---@nodiscard
function Request:get(name) end

---Another name of Request.get.
---@param name string
---@return string? value
---@nodiscard
function Request:header(name) end

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

---Server-sent events, as clients see them; a variable of it may be <close>. When the worker leaves, the stream ends with
---a hint when to come back, and the handler is cancelled with "shutdown".
---@class fsd.EventStream
---@field closed boolean whether it is over: closed, the client has gone, or the handler has ended
---@field last_event_id? string what the client says it has got last, the header Last-Event-ID; in the handler of new code, the id of the last event that was sent
---@field state table yours; the handler of new code finds it as the one before has left it, and it may be replaced by another table
local EventStream = {}

---One event. Strings and numbers as data are sent as they are, anything else as JSON; retry is in seconds, at most 300.
---@class fsd.Event
---@field event? string|number its name; no line breaks, no NUL
---@field data? any any lines; empty when only a name is given
---@field id? string|number no line breaks, no NUL
---@field retry? number

---Sends an event, a string or number alone as its data. Waits as Response.write does, and raises the same.
---
---Raises when event or id has a line break or NUL, or there is nothing to send; "json.encode" (status 500) as
---Response.json does.
---@async
---@param event string|number|fsd.Event
function EventStream:send(event) end

---Sends an event if it can be done without waiting. Raises as EventStream.send does.
---@param event string|number|fsd.Event
---@return boolean sent false: the client is slow
function EventStream:try_send(event) end

---Sends what clients skip.
---@async
---@param text string
function EventStream:comment(text) end

---Ends the stream; more than once does no harm.
function EventStream:close() end

return http
