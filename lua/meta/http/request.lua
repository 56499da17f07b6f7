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
---@field deadline number? when the handler has to have answered, on the clock of fsd.now(); asking begins the time, if no wait has. nil when there is no such limit just now: it sends events, or has answered
---@field xhr boolean whether X-Requested-With is XMLHttpRequest
---@field cookies table<string, any> by name, percent-decoded; the first of a name counts, up to 200. What begins with "j:" is JSON and decoded. With the setting `secret`, signed ones are in signed_cookies only
---@field signed_cookies table<string, any> those that begin with "s:", without their signature; false when it is wrong. Raises without the setting `secret`
---@field ip string the client's address; with the setting trust_proxy what the proxies that are believed say it is. "unix:" for a Unix socket
---@field ips string[] the client's address and those of the proxies between, but the one that has connected; empty unless trust_proxy believes it
---@field protocol "http"|"https" what the client uses, as a trusted proxy says (X-Forwarded-Proto, Forwarded)
---@field secure boolean whether protocol is "https"
---@field host string? the header Host, with its port; or what a trusted proxy says (X-Forwarded-Host, Forwarded)
---@field hostname string? host without its port
---@field subdomains string[] the parts of hostname before the last two (setting subdomain_offset), the nearest first; none of an address
---@field conn { peer: fsd.Address, local_addr: fsd.Address, tls: nil } the two ends of the connection itself, whatever proxies say
---@field fresh boolean whether the client's copy is as good as the answer, by the headers ETag and Last-Modified set so far (If-None-Match, If-Modified-Since); GET, HEAD and QUERY with status 2xx or 304 only
---@field stale boolean not fresh
---@field res fsd.Response the res of the same handlers
---@field app fsd.App the application that the handler which runs belongs to
---@field route? fsd.RequestRoute the route that it belongs to; nil in middleware
---@field state table of your own, for what middleware leaves to later handlers
---@field log fsd.Log adds request_id to every record
---@field aborted boolean whether the client has gone
---@field [string] any
local Request = {}

---One end of a connection.
---@class fsd.Address
---@field host? string "127.0.0.1", "::1"; nil for a Unix socket
---@field port? integer
---@field family "inet"|"inet6"|"unix"

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

---Runs a function, in a task of its own, when the client has gone before it had the whole answer, or the answer broke off. There is no
---use in req and res then: keep what you need in variables. A handler that waits gets a CancelError with the code "aborted" besides.
---@param fn fun(outcome: fsd.Outcome)
---@return fsd.Request self
function Request:on_abort(fn) end

---Which of the types the client likes best (Accept), as it was given; false when it accepts none of them. A type is one
---("text/html"), or the name of one ("html"); they may be given in one list. Without types: all that is accepted, the best first.
---@param ... string|string[] up to 64
---@return string|string[]|false
---@nodiscard
function Request:accepts(...) end

---As Request.accepts, for Accept-Charset.
---@param ... string|string[]
---@return string|string[]|false
---@nodiscard
function Request:accepts_charsets(...) end

---As Request.accepts, for Accept-Encoding; "identity" is accepted unless it is refused.
---@param ... string|string[]
---@return string|string[]|false
---@nodiscard
function Request:accepts_encodings(...) end

---As Request.accepts, for Accept-Language: "en" fits "en-US", and the other way round.
---@param ... string|string[]
---@return string|string[]|false
---@nodiscard
function Request:accepts_languages(...) end

---Whether the body's Content-Type is one of these: a type ("text/html"), the name of one ("json", "urlencoded", "multipart"), a
---pattern ("text/*", "+json"). The first that fits, as it was given; for a pattern the type itself. Without types: the type itself.
---@param ... string|string[]
---@return string|false|nil type nil without a body, false when none fits
---@nodiscard
function Request:is(...) end

---The parts that the client asks for (Range) of something of that size in bytes.
---@param size integer
---@param options? { combine?: boolean } combine: parts that overlap or touch become one
---@return { first: integer, last: integer }[]? ranges both counted from 0, last included; the field type is the unit ("bytes"). nil without a Range
---@return "malformed"|"unsatisfiable"|"too_many"? reason why there are none; more than 16 are too many
---@nodiscard
function Request:range(size, options) end

---What all methods that read a body have in common: a body of more bytes than `limit` raises "entity.too.large" (413), a
---compressed one (gzip, deflate) is inflated up to the same limit, or to 100 times its size above 1 MiB; one in another coding,
---or any compressed one with `inflate = false`, raises "encoding.unsupported" (415); a charset that is not known raises
---"charset.unsupported" (415). When the client has gone, or the request was answered, they raise "aborted" or "body.gone" (400).
---Bodies above limits.body of the configuration (10 MiB by default) were refused with 413 before any handler ran.
---@class fsd.BodyOptions
---@field limit? integer|string bytes, or "100kb" "1mb" "64KiB" (powers of 1024)
---@field inflate? boolean whether compressed bodies are taken; true
---@field type? string|string[]|fun(req: fsd.Request): boolean content types that are taken, as "application/json" "json" "text/*" "+json"; others raise "content_type.unsupported" (415). Without it the content type is not looked at
---@field verify? fun(req: fsd.Request, body: string, charset: string?): any is called before the body is parsed; when it raises or returns false, "entity.verify.failed" (403) is raised
---@field default_charset? string of bodies that name none; "utf-8"

---@class fsd.JsonBodyOptions: fsd.BodyOptions
---@field depth? integer levels of nesting, 1 to 1000, 64 by default; more raise "entity.parse.failed" (400)
---@field strict? boolean only objects and lists are taken; false (fsd.body.json: true)
---@field reviver? fun(key: string|integer, value: any, holder: table?): any what it returns stands for the value, from the inside out; nil removes it
---@field null? "absent"|"keep" what becomes of null in objects, as in json.decode; "absent"

---@class fsd.FormBodyOptions: fsd.BodyOptions
---@field extended? boolean whether a[b]=c nests, as with the setting query_parser = "extended"; then there are at most 1000 parameters whatever the limit. false
---@field parameter_limit? integer more parameters raise "parameters.too.many" (413); 1000
---@field depth? integer brackets that nest in an extended form, 1 to 32; the rest is one name. 8
---@field charset_sentinel? boolean whether a field utf8=✓ says which charset it is; false

---@class fsd.MultipartLimits
---@field parts? integer 100; more raise "LIMIT_PART_COUNT" (413)
---@field files? integer 10; more raise "LIMIT_FILE_COUNT" (413)
---@field fields? integer 100; more raise "LIMIT_FIELD_COUNT" (413)
---@field field_nesting_depth? integer brackets in a name of an extended form, 1 to 32; 8; more raise "LIMIT_FIELD_NESTING" (400)
---@field field_array_index_limit? integer the largest n of a[n] in an extended form, 0 to 1000; 100; larger ones raise "LIMIT_FIELD_ARRAY_INDEX" (400)
---@field field_name_size? integer|string bytes, 100; longer ones raise "LIMIT_FIELD_KEY" (413)
---@field field_size? integer|string bytes, "1mb"; larger ones raise "LIMIT_FIELD_VALUE" (413)
---@field file_size? integer|string bytes, "10mb"; larger ones raise "LIMIT_FILE_SIZE" (413)
---@field header_pairs? integer of one part, 2000; more raise "LIMIT_HEADER_PAIRS" (413). All headers of a part together have at most 16 KiB

---@class fsd.PartsOptions
---@field limits? fsd.MultipartLimits
---@field inflate? boolean as in fsd.BodyOptions

---@class fsd.MultipartOptions: fsd.PartsOptions
---@field storage? "memory"|"disk"|fun(part: fsd.Part, req: fsd.Request): any "memory": part.data has the bytes; "disk": part.path is a file; a function: part.value is what it returns
---@field dir? string of "disk": the files stay there once all have arrived. Without it they are temporary, and go with the request
---@field filename? fun(part: fsd.Part, req: fsd.Request): string of "disk" with dir: the file's name; without it nobody can guess it. Never use part.filename as it is
---@field file_filter? fun(part: fsd.Part, req: fsd.Request): any a file is left out when it returns false or nil
---@field extended? boolean whether names of fields nest as in forms: a[b]=c; files keep theirs. false
---@field accept? "any"|"none"|table<string, integer> how many files of which field; others raise "LIMIT_UNEXPECTED_FILE" (400). "any"

---A part of a multipart body. It can be read as long as the body can.
---@class fsd.Part
---@field name string? of the field
---@field filename string? what the client calls the file: the last component of it, "" where that is no name; never a path. nil: it is a field
---@field type string content type, in lower case and without parameters
---@field headers table<string, string> by lower-case name
---@field size integer bytes
---@field data string? with storage = "memory"
---@field path string? with storage = "disk"
---@field value any with a function as storage
local Part = {}

---@return string bytes
---@nodiscard
function Part:read() end

---The same as Part.read.
---@return string bytes
---@nodiscard
function Part:text() end

---The part as JSON, at most 64 levels deep; raises as json.decode.
---@return any value
---@nodiscard
function Part:json() end

---Writes it to a file that must not be there yet, with mode 0600, and lets others run meanwhile. Raises "EEXIST" or "file"
---(FileError, status 500); nothing is left then.
---@param path string
---@return integer bytes written
function Part:save(path) end

---@class fsd.Form
---@field fields table<string, string|string[]> values of fields; several of one name are a list
---@field files fsd.Part[] in order

---The body as text, "" without one; what is not UTF-8 or ISO 8859-1 (which is made UTF-8) by its charset is refused. There is no
---limit but that of the configuration unless options have one. It is req.body then.
---@param options? fsd.BodyOptions
---@return string
---@nodiscard
function Request:text(options) end

---The body as bytes; charset and limit as in Request.text, but no charset is refused.
---@param options? fsd.BodyOptions
---@return string
---@nodiscard
function Request:raw(options) end

---The body as a value, which is req.body then. At most 100 kB are taken, as in Express, unless options say more; the content type
---is not looked at unless options have one. A long text is read in turns, so that others are not held up.
---
---Raises "entity.parse.failed" (status 400) for anything but one JSON value.
---@param options? fsd.JsonBodyOptions
---@return any value
---@nodiscard
function Request:json(options) end

---The body as a form (application/x-www-form-urlencoded), which is req.body then: at most 100 kB and 1000 parameters unless options say more.
---@param options? fsd.FormBodyOptions
---@return table<string, string|string[]> form values by name; several of one name are a list
---@nodiscard
function Request:form(options) end

---The parts of a multipart body, one after the other:
---
---    for part in req:parts() do part:save("/srv/files/" .. new_name()) end
---
---What is over a limit raises a MultipartError with the name of the field in `field`; what is malformed "entity.parse.failed", a
---part without a name "MISSING_FIELD_NAME", a name that is not UTF-8 "INVALID_FIELD_NAME" (all 400), another type "content_type.unsupported" (415).
---File fields that were left empty are passed over.
---@param options? fsd.PartsOptions
---@return fun(): fsd.Part?
---@nodiscard
function Request:parts(options) end

---A whole form with its files, by the rules of Request.parts; its fields are req.body then.
---@param options? fsd.MultipartOptions
---@return fsd.Form
---@nodiscard
function Request:multipart(options) end

---The next bytes of the body, fewer at the end, nil behind it.
---@param count? integer all that is left without it
---@return string?
---@nodiscard
function Request:read(count) end

---The body in pieces: `for piece in req:chunks() do ... end`
---@param size? integer bytes of each; 65536
---@return fun(): string?
---@nodiscard
function Request:chunks(size) end

---Writes the body to a file that must not be there yet, with mode 0600, and lets others run meanwhile. Raises "EEXIST" or "file"
---(FileError, status 500); nothing is left then.
---@param path string
---@return integer bytes written
function Request:save(path) end

---Runs a function in a task that belongs to the request. When the handlers have ended, the request waits for its tasks; an error in one
---of them is an error of the request, as if its handler had raised it, and cancels the others. So does a request that fails, and one whose
---client has gone. Raises as fsd.task.spawn does.
---@param fn async fun(...: any): ...
---@param ... any what the function gets
---@return fsd.Task
function Request:spawn(fn, ...) end

---@class fsd.RequestRoute
---@field path string as it was registered
---@field full_path string with what it is mounted at
---@field method? string nil: any
---@field name? string
