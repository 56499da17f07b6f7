---@meta

---The answer. It leaves when the handler returns or waits. Setters return res, senders return nothing. After the
---answer was given both raise "headers_sent" (status 500); when the client has gone they do nothing. Names that are
---not listed here are yours: `res.started = true`.
---@class fsd.Response
---@field status_code integer the status as set so far, 200 at first; to be set as by Response.status
---@field headers_sent boolean whether the answer was given
---@field req fsd.Request the request that it answers
---@field app fsd.App the application that the handler which runs belongs to
---@field locals table yours; views see it
---@field [string] any
local Response = {}

---Sets the status, 200 by default.
---
---Raises when it is not an integer from 200 to 999.
---@param code integer
---@return fsd.Response self
function Response:status(code) end

---@alias fsd.HeaderValue string|number|boolean|table a table is a list of values, each a header of its own, or has __tostring

---Sets one header, or each of a table; a second call replaces the first. A Content-Type that is text gets
---`; charset=utf-8` unless it has a charset.
---
---Raises when the name is not a header's name, or one that the server sets (content-length, transfer-encoding,
---connection, keep-alive, upgrade, trailer, te, date, server), and when the value has a line break or another control
---character.
---@param name string
---@param value fsd.HeaderValue
---@return fsd.Response self
---@overload fun(self: fsd.Response, headers: table<string, fsd.HeaderValue>): fsd.Response
function Response:set(name, value) end

---Another name of Response.set.
---@param name string
---@param value fsd.HeaderValue
---@return fsd.Response self
---@overload fun(self: fsd.Response, headers: table<string, fsd.HeaderValue>): fsd.Response
function Response:header(name, value) end

---A header as set so far, a list where there are several of that name; the name in any case. nil after the answer has left.
---@param name string
---@return string|string[]|nil value
---@nodiscard
function Response:get(name) end

---Adds a header beside those of the same name. Raises as Response.set does.
---@param name string
---@param value fsd.HeaderValue
---@return fsd.Response self
function Response:append(name, value) end

---Takes a header back, all of that name.
---@param name string
---@return fsd.Response self
function Response:unset(name) end

---Whether a header of that name is set, in any case.
---@param name string
---@return boolean
---@nodiscard
function Response:has(name) end

---Sets the header Location. What cannot stand in a URL is escaped.
---@param url string
---@return fsd.Response self
function Response:location(url) end

---Adds names to the header Vary, each once: `res:vary("Accept, Origin")`, `res:vary{ "Accept" }`; "*" stands for all.
---
---Raises when one of them is not a header's name.
---@param names string|string[]
---@return fsd.Response self
function Response:vary(names) end

---Adds to the header Link: `res:links{ next = "/page/3", last = { "/page/9", "/end" } }`, sorted by relation. What cannot stand
---in a URL is escaped.
---
---Raises for a relation with a quote, a backslash or a control character.
---@param links table<string, string|string[]> relation to URL
---@return fsd.Response self
function Response:links(links) end

---This answer is not compressed, whatever the configuration says (pools.*.compress). For answers that have a secret, such as a token,
---beside text that the client has sent: the compressed length would tell of the secret, byte by byte.
---@return fsd.Response self
function Response:no_compress() end

---Makes the answer a download: sets Content-Disposition, and with a name the content type by what it ends with
---(application/octet-stream when that is unknown). Of a path the part behind the last "/" counts. Names that are not plain
---ASCII are sent as RFC 6266 says.
---@param name? string
---@return fsd.Response self
function Response:attachment(name) end

---Sets the content type; text gets `; charset=utf-8` unless it has a charset.
---
---Raises when it is neither a content type nor a short name: what files end with (html, json, txt, png ...), "text", "form", "bin".
---@param type string "application/pdf" or "pdf"
---@return fsd.Response self
function Response:type(type) end

---Another name of Response.type.
---@param type string
---@return fsd.Response self
function Response:content_type(type) end

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

---Sends a status, with its reason as plain text; with the number, where it has none.
---@param code integer 200 to 999
function Response:send_status(code) end

---Options of res:send_file and res:download.
---@class fsd.SendFileOptions: fsd.FileOptions
---@field root? string folder that the path is below; nothing outside of it is ever found. A relative one is in the application's folder
---@field first? integer number of the first byte to send, from 0 on: what is behind and before is as if it were not there
---@field last? integer number of the last one

---Answers with a file: with its content type (by its name), Last-Modified and ETag, unless the handler has set them. Understands conditional
---requests and ranges, several of them, too. The path is a name and no URL: nothing is decoded.
---
---Raises an HttpError, whose field path is the path, and which the client sees as its status: 404 "not_found" when there is no such file (or
---one with a part that begins with a dot, see dotfiles), 403 "forbidden" for what may not be read, and for ".." in the path, 400 "bad_path"
---for a NUL in it, 412 "precondition_failed", 416 "range_not_satisfiable", 503 "overloaded" and 500 "file_failed". Raises for a path that is
---neither absolute nor below a root, and for options as fsd.static does.
---@param path string absolute, or below the option root
---@param options? fsd.SendFileOptions
function Response:send_file(path, options) end

---The same for a file that is to be saved: Content-Disposition says attachment and the name.
---@param path string
---@param filename? string what it is to be called; the last part of the path by default
---@param options? fsd.SendFileOptions
---@overload fun(self: fsd.Response, path: string, options: fsd.SendFileOptions)
function Response:download(path, filename, options) end

---Sends a redirect, 302 unless said otherwise, with a body that says where to, as text or HTML by what the client accepts. What
---cannot stand in a URL is escaped. Do not take it from the client unchecked.
---
---Raises when the status is not 300 to 399.
---@param status integer
---@param url string
---@overload fun(self: fsd.Response, url: string)
function Response:redirect(status, url) end

---Sends a view, as text/html unless a type is set; it sees values, csp_nonce, then res.locals, then app.locals. See fsd.template.
---
---Raises as fsd.template.render does.
---@param view string "user/show"
---@param values? table
function Response:render(view, values) end

---As Response.redirect, to the page that the client comes from (Referer), if that is one of the same host; else to fallback.
---@param status integer
---@param fallback string
---@overload fun(self: fsd.Response, fallback: string)
function Response:redirect_back(status, fallback) end

---@class fsd.CookieOptions
---@field domain? string
---@field path? string "/"; "" for none
---@field expires? integer a time as of os.time(); without it, and max_age, the cookie lives until the browser is closed
---@field max_age? number seconds; goes before expires
---@field http_only? boolean not for scripts in the page
---@field secure? boolean over HTTPS only
---@field same_site? "lax"|"strict"|"none"|boolean true: "strict"
---@field partitioned? boolean
---@field priority? "low"|"medium"|"high"
---@field signed? boolean with a signature by the first secret of the setting `secret`: for req.signed_cookies
---@field encode? fun(value: string): string instead of encodeURIComponent

---Sets a cookie, beside others. A table goes as JSON, other values as text. Raises for what cannot stand in a cookie, an unknown option,
---and a cookie longer than 4096 bytes, which browsers drop.
---@param name string
---@param value any
---@param options? fsd.CookieOptions
---@return fsd.Response
function Response:cookie(name, value, options) end

---Takes a cookie away; domain and path must be those that it was set with. max_age and expires are not looked at.
---@param name string
---@param options? fsd.CookieOptions
---@return fsd.Response
function Response:clear_cookie(name, options) end

---Answers in the form that the client likes best (Accept): sets the content type and Vary, and calls its function with req and
---res. The names are those of Response.type, or content types. Of forms that are equally good the first in alphabetical order
---counts; `{ "json", fn }` in the list part stand before those, in their own order. `default` answers when none is accepted.
---
---Raises "not_acceptable" (status 406) when none is, and there is no default.
---@async
---@param forms table<string|integer, fun(req: fsd.Request, res: fsd.Response): any>
---@return any result what the function has returned
function Response:format(forms) end

---Sends a value as JSON; when the query has a parameter `callback` (setting jsonp_callback_name), as a script that calls that
---function with the value. Characters that a function's name can't have are left out of it. For old clients: CORS is the better way.
---
---Raises "json.encode" (status 500) as Response.json does.
---@param value any
function Response:jsonp(value) end

---Answers in pieces, which the function writes: `res:stream(function(w) w:write("a") end)`; w is res. The answer ends when it
---returns.
---@async
---@param fn fun(w: fsd.Response)
function Response:stream(fn) end

---Accepted and dropped: the library for HTTP cannot send a 103.
---
---Raises for headers that could not be sent.
---@param headers table<string, string|number>
---@return fsd.Response self
function Response:early_hints(headers) end

---Raises "not_supported" (status 501): it comes with connections of TCP.
function Response:hijack() end

---Another task will answer: the handler may return before. The request lives on, with its deadline, until res:send, res:finish or
---another sender is called, wherever that is.
---@return fsd.Response self
function Response:detach() end

---@class fsd.Outcome how a request ended
---@field status integer of the answer; 499 when the client had gone before there was one
---@field complete boolean whether all of the answer was handed over to the kernel

---Runs a function, in a task of its own, when all of the answer was handed over to the kernel ("finish"), or when the request is over,
---however it ended ("close", after that). There is no use in req and res then: keep what you need in variables. What the function
---raises is logged.
---@param event "finish"|"close"
---@param fn fun(outcome: fsd.Outcome)
---@return fsd.Response self
function Response:on(event, fn) end

---Adds a header behind the body of an answer in pieces (res:write), for clients of HTTP/1.1 that say `TE: trailers`; for others, and
---for an answer that is given whole, it is dropped. What is added before the first piece is announced in the head; an answer with
---such trailers is not compressed.
---
---Raises when the name or the value cannot be sent, and for a header that has to be known before the body.
---@param name string
---@param value string|number
---@return fsd.Response self
function Response:trailer(name, value) end
