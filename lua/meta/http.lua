---@meta fsd.http

---What applications are made of.
---@class fsd.http
local http = {}

---@class fsd.AppOptions
---@field name? string yours to read: app.name

---fsd.app
---@param options? fsd.AppOptions
---@return fsd.App
---@nodiscard
function http.app(options) end

---@class fsd.RouterOptions
---@field case_sensitive? boolean whether upper and lower case differ in its paths; false
---@field merge_params? boolean whether its handlers see the parameters of what it is mounted at; false
---@field strict? boolean whether a slash at the end makes a difference; false

---fsd.router
---@param options? fsd.RouterOptions
---@return fsd.Router
---@nodiscard
function http.router(options) end

---fsd.respond
---@param body string
---@param options? fsd.RespondOptions
---@return fsd.Native
---@nodiscard
function http.respond(body, options) end

---fsd.static
---@param root string
---@param options? fsd.StaticOptions
---@return fsd.Static
---@nodiscard
function http.static(root, options) end

---@class fsd.AbortOptions
---@field expose? boolean whether the client reads the message; by default it does below status 500
---@field code? string for programs; the reason by default: "not_found"
---@field headers? table<string, string|number> sent with the answer, be it of app:on_error or the error's own page
---@field name? string "HttpError" by default
---@field cause? any the error behind it

---Ends the request with a status: raises an Error, which app:on_error gets, and whose page is sent otherwise. Never returns.
---
---Raises a string instead when the status is not 400 to 599, an option is unknown, or a header is none that can be sent.
---@param status integer 400 to 599
---@param message? string for people; the reason of the status by default
---@param options? fsd.AbortOptions
function http.abort(status, message, options) end

---The value, when it is neither nil nor false; else as http.abort.
---@generic T
---@param value T?
---@param status integer 400 to 599
---@param message? string
---@param options? fsd.AbortOptions
---@return T value
function http.assert(value, status, message, options) end

---Handles a request, or passes it on by calling next. It may wait. When nothing was sent yet, what it returns is the
---answer: a string as HTML, an integer from 200 to 599 as a status of which only the reason is sent, anything else as
---JSON. Returning res is no answer.
---@alias fsd.Handler async fun(req: fsd.Request, res: fsd.Response, next: fsd.Next): any

---Runs the handlers behind this one and returns when they have. Raises what they raise; with an argument, raises that
---argument; raises when it is called a second time, or after the request is over. The words "route" and "router" are no errors: they leave
---the route, or the router, without what is left of it.
---@alias fsd.Next async fun(err?: any|"route"|"router")

---Handlers, and lists of such.
---@alias fsd.HandlerList (fsd.Handler|fsd.Native|fsd.HandlerList)[]

---What may stand before the handlers of a route.
---@class fsd.RouteOptions
---@field name? string for app:url
---@field params? fsd.Schema|table|fsd.Handler of req.params. Requests are checked before the handlers run, and what fits stands in req.valid; see fsd.schema.handler. A function is a handler that comes before the others
---@field query? fsd.Schema|table|fsd.Handler of req.query
---@field headers? fsd.Schema|table|fsd.Handler of req.headers
---@field body? fsd.Schema|table|fsd.Handler of the body, JSON or a form

---Gets what a handler raised, always as an Error. next() or next(err) gives it to the next one outward, or the default answer.
---@alias fsd.ErrorHandler async fun(err: fsd.Error, req: fsd.Request, res: fsd.Response, next: fun(err?: any)): any

---An application. Routes are matched in the order in which they are registered, and only while the application loads:
---afterwards each of these methods raises.
---
---Paths: `/users/:id` a segment or a part of one, `/files/*rest` one or more segments, `{/:page}` an optional group,
---`\:` a plain colon. `? + ( ) [ ] !` are reserved: a path with one of them is refused with its position. A trailing
---slash and upper or lower case make no difference. All methods raise when a path or a handler is wrong.
---Names that are not listed here are yours: `app.db = db`.
---@class fsd.App
---@field locals table your own; views see them
---@field request table what req has in addition, in this application and those mounted in it: `function app.request:is_admin() ... end`
---@field response table the same of res
---@field mountpath string|string[] what it was mounted at last, "/" when it was not
---@field parent? fsd.App the application that it was mounted in last
---@field settings table<string, any> a copy of what app:set was told
---@field router fsd.App itself: an application has the methods of a router
---@field [string] any
local App = {}

---Answers GET, and HEAD without the body.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:get(path, ...) end

---Answers POST.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:post(path, ...) end

---Answers PUT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:put(path, ...) end

---Answers PATCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:patch(path, ...) end

---Answers DELETE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:delete(path, ...) end

---Answers HEAD otherwise than get does; to be registered before it.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:head(path, ...) end

---Answers OPTIONS otherwise than with the list of methods.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:options(path, ...) end

---Answers QUERY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:query(path, ...) end

---Answers every method.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:all(path, ...) end

---Answers ACL.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:acl(path, ...) end

---Answers BIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:bind(path, ...) end

---Answers CHECKOUT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:checkout(path, ...) end

---Answers CONNECT, in application:inject only: the server refuses it with 405.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:connect(path, ...) end

---Answers COPY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:copy(path, ...) end

---Answers LINK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:link(path, ...) end

---Answers LOCK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:lock(path, ...) end

---Answers MERGE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:merge(path, ...) end

---Answers MKACTIVITY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:mkactivity(path, ...) end

---Answers MKCALENDAR.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:mkcalendar(path, ...) end

---Answers MKCOL.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:mkcol(path, ...) end

---Answers MOVE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:move(path, ...) end

---Answers NOTIFY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:notify(path, ...) end

---Answers PROPFIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:propfind(path, ...) end

---Answers PROPPATCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:proppatch(path, ...) end

---Answers PURGE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:purge(path, ...) end

---Answers REBIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:rebind(path, ...) end

---Answers REPORT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:report(path, ...) end

---Answers SEARCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:search(path, ...) end

---Answers SOURCE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:source(path, ...) end

---Answers SUBSCRIBE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:subscribe(path, ...) end

---Answers TRACE, in application:inject only: the server refuses it with 405.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:trace(path, ...) end

---Answers UNBIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:unbind(path, ...) end

---Answers UNLINK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:unlink(path, ...) end

---Answers UNLOCK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:unlock(path, ...) end

---Answers UNSUBSCRIBE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:unsubscribe(path, ...) end

---Answers any other method: `app:method("M-SEARCH", "/files", handler)`.
---@param name string letters, digits and "-", in any case
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.App self
function App:method(name, path, ...) end

---A path with several methods: `app:route("/book"):get(show):post(add)`. next("route") leaves all of them.
---@param path string|string[]
---@return fsd.Route
---@nodiscard
function App:route(path) end

---Middleware, routers and other applications: for every method, on every path, or on path and all below it. What is mounted sees the rest
---of the path. It may get routes later, and may be mounted in several places, up to 7 deep.
---
---Raises for a router that would be mounted in itself.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList
---@return fsd.App self
---@overload fun(self: fsd.App, ...: fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList): fsd.App
function App:use(path, ...) end

---Another name of use.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList
---@return fsd.App self
function App:mount(path, ...) end

---What is done with a parameter of the paths that are registered here (not of those of what is mounted), before their handlers run, once a
---request and value. A function's result, unless it is nil, takes the place of the value; a second result, "route" or "router", leaves
---these as next does. A word makes a route match only values that are so: "integer" (64 bits; the value is a number then), "number" (so
---is it), "uuid", "slug" (letters, digits, "-", "_").
---@param name string
---@param what "integer"|"number"|"uuid"|"slug"|(async fun(req: fsd.Request, res: fsd.Response, value: any, name: string): any, ("route"|"router")?)
---@return fsd.App self
function App:param(name, what) end

---What answers errors of handlers here and in what is mounted here. Several are asked in their order, each when the one before it has
---called next or failed, then those of what this is mounted in. Without any the
---answer is the error's status with a JSON object `{"error": message}`, or a small HTML page for browsers. From
---status 500 on the message is the reason of the status, and the error is logged with its traceback, whatever the
---handler does. req.params has only what this is mounted at, if merge_params.
---@param handler fsd.ErrorHandler
---@return fsd.App self
function App:on_error(handler) end

---What answers a request that no handler here has answered: no route has its path, or the last one has called next. A
---known path with another method is a 405 with the header Allow and does not come here.
---@param handler fsd.Handler|fsd.Native
---@return fsd.App self
function App:not_found(handler) end

---A function that sees the requests that come here and to what is mounted here, without calling next: "request" before all middleware and
---routes, also for paths that nobody serves; "pre_handler" before the handlers of a route; "send" when the answer is given and headers can
---still be set (an answer leaves at the end of the handlers then, not when one waits; an answer in pieces with its first one, for which it
---cannot wait); "response"
---when the answer has left. In "request" and "pre_handler" it may answer or raise as a handler; what the others raise is logged.
---@param name "request"|"pre_handler"|"send"|"response"
---@param fn async fun(req: fsd.Request, res: fsd.Response)
---@return fsd.App self
function App:hook(name, fn) end

---Where it is mounted, with all that is around it: "" when it is not.
---@return string
---@nodiscard
function App:path() end

---A route of GET that answers with server-sent events: the last handler gets the stream that `res:sse()` gives, which ends with it. What
---stands before it is as in get. For options of the stream, call `res:sse{ ... }` in a handler of get.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList|fun(events: fsd.EventStream, req: fsd.Request, res: fsd.Response) the last one is the function
---@return fsd.App self
function App:sse(path, ...) end

---The URL of a route that has a name, with what it is mounted at: `app:url("user", { id = 7 })`. Values are escaped; groups of the path
---whose parameters have no values are left out. A wildcard's value is a list of segments, or a text with slashes. The query's names
---come in their order, lists give a name several times.
---
---Raises when no route has the name, a parameter is missing or empty, or while the application loads.
---@param name string
---@param params? table<string, string|number|boolean|(string|number)[]>
---@param query? table<string, string|number|boolean|(string|number|boolean)[]>
---@return string
---@nodiscard
function App:url(name, params, query) end

---All routes of the application that it belongs to, in the order in which they are tried; `fsd routes app.lua` prints them. Raises while
---the application loads.
---@return fsd.RouteInfo[]
---@nodiscard
function App:routes() end

---Returns the application, so that `return app:listen()` is as good as `return app`. Raises for a port or an address: where an application
---listens is the operator's, by `fsd run -p PORT -H ADDRESS` or the listeners of the configuration.
---@return fsd.App self
function App:listen() end

---What app:set knows. Any other name is yours: `app:set("title", "My shop")`.
---@class fsd.App.Settings
---@field case_sensitive_routing? boolean whether upper and lower case differ in paths; false
---@field strict_routing? boolean whether a slash at the end makes a difference; false
---@field method_not_allowed? boolean 405 with Allow for another method of a known path, true; false gives 404
---@field env? string "production"; "development" in `fsd run`
---@field etag? "weak"|"strong"|boolean|fun(body: string): string? how ETags are made; "weak"
---@field jsonp_callback_name? string query parameter that res:jsonp looks for; "callback"
---@field json_escape? boolean whether JSON has no `<`, `>` and `&`; false
---@field json_spaces? integer|string indentation of JSON: 0 to 10 blanks, or up to 10 blanks and tabs; 0
---@field query_parser? "simple"|"extended"|boolean|fun(query: string): table what makes req.query; "simple", false for none
---@field subdomain_offset? integer how many parts of the host name are not req.subdomains; 2
---@field trust_proxy? boolean|integer|string|string[]|fun(address: string, hop: integer): boolean which proxies are believed; those of the pool (trusted_proxies), none
---@field request_timeout? number seconds, 0.001 to 86400; that of the pool
---@field body_limit? integer|string bytes, or "2MiB"; that of the pool
---@field views? string|string[] where templates are; "views"
---@field view_engine? string extension of templates that are named without one
---@field view_cache? boolean false compiles a view whenever it is rendered; true, also in `fsd run`, where what is saved is another version of the code
---@field secret? string|string[] what signs cookies: the first one; all are accepted
---@field x_powered_by? boolean whether answers say so; false

---Changes a setting; nil restores the default. A mounted application has the settings of the one around it where it has none of its
---own. Raises when a setting that fsd knows (fsd.App.Settings) can't have that value. Any other name is the application's own; one that
---looks like a mistyped setting of fsd's is logged as a warning.
---@param name string
---@param value any
---@return fsd.App self
function App:set(name, value) end

---A setting, its default, or nil.
---@param name string
---@return any value
---@nodiscard
function App:setting(name) end

---Sets it to true.
---@param name string
---@return fsd.App self
function App:enable(name) end

---Sets it to false.
---@param name string
---@return fsd.App self
function App:disable(name) end

---Whether a setting is true, or anything else but false and nil.
---@param name string
---@return boolean
---@nodiscard
function App:enabled(name) end

---The opposite of App.enabled.
---@param name string
---@return boolean
---@nodiscard
function App:disabled(name) end

---Runs a function in a task of its own when something happens to the worker or to this code. It may wait; a worker that leaves waits for
---it as for other tasks. Only the application that the main file returns is told, but for "mount".
---
---"start": a worker has become active, or this code has taken the place of other code in it; before is the generation of that code then, and
---nil when the worker begins. Each worker runs it, and one in reserve when it takes a place over; `fsd.worker.self().slot == 0` picks one of
---a pool. When other code takes over, what "start" has begun in the old code is cancelled (reason "replaced"), so a loop goes on with
---the new code.
---
---"worker_start": as "start", but only when the worker begins. "ready": this code answers requests from now on. "reload": this code has taken
---the place of other code, whose generation it gets. "drain": the worker is to leave, and still answers. "stop": this code has answered its
---last request, or other code has taken its place, whose generation it gets. "worker_stop": the worker has answered its last request.
---"mount": at once, when this application is mounted in another one, which it gets.
---@param event "start"|"worker_start"|"ready"|"reload"|"drain"|"stop"|"worker_stop"|"mount"
---@param fn fun(other?: integer|fsd.App|fsd.Router)
---@return fsd.App self
function App:on(event, fn) end

---Runs a function before this code takes over in a worker that runs other code. When it raises, no worker takes the code over, and
---`fsdctl reload` says why. It may wait (ask a database, say), but cannot start anything.
---@param fn fun()
---@return fsd.App self
function App:on_check(fn) end

---Has views of another ending rendered by a function, which gets the path of the file, the values, and its text.
---@param ending string "mustache"
---@param fn fun(path: string, values: table, source: string): string
---@return fsd.App self
function App:engine(ending, fn) end

---Renders a view with the settings of this application (views, view_engine, view_cache) and the values of app.locals. See fsd.template.
---
---Raises as fsd.template.render does.
---@param view string
---@param values? table
---@return string text
---@nodiscard
function App:render(view, values) end

---@class fsd.InjectOptions
---@field method? string "GET"
---@field url? string path and query, "/"
---@field headers? table<string, string|number|string[]> a list sends several of one name; Host is "localhost" without one
---@field body? string|table a table goes as JSON
---@field remote_address? string the peer's IP address, "127.0.0.1"
---@field limit? integer bytes of the answer's body, 16 MiB; more raise "inject.too.large"

---@class fsd.InjectAnswer
---@field status integer
---@field headers table<string, string|string[]> by lower-case name; several of one name are joined by ", ", set-cookie is a list
---@field body string
---@field complete boolean false when the answer broke off
---@field json fun(): any the body decoded; raises as json.decode

---Sends a request to this application without a socket, and waits for the answer: for tests, and for handlers that use others.
---Limits, middleware, error handlers and compression are those of any request. Anywhere that may wait: handlers, tasks, actors.
---
---A handler may inject what injects again, also in tasks that it spawns: 16 requests deep; one more raises the Error "inject.too.deep" (508).
---@param options fsd.InjectOptions|string a text is the url
---@return fsd.InjectAnswer answer
function App:inject(options) end

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

---A part of an application with routes, middleware and errors of its own: `app:use("/api", router)`.
---@class fsd.Router
---@field [string] any
local Router = {}

---Answers GET, and HEAD without the body.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:get(path, ...) end

---Answers POST.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:post(path, ...) end

---Answers PUT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:put(path, ...) end

---Answers PATCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:patch(path, ...) end

---Answers DELETE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:delete(path, ...) end

---Answers HEAD otherwise than get does; to be registered before it.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:head(path, ...) end

---Answers OPTIONS otherwise than with the list of methods.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:options(path, ...) end

---Answers QUERY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:query(path, ...) end

---Answers every method.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:all(path, ...) end

---Answers ACL.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:acl(path, ...) end

---Answers BIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:bind(path, ...) end

---Answers CHECKOUT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:checkout(path, ...) end

---Answers CONNECT, in application:inject only: the server refuses it with 405.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:connect(path, ...) end

---Answers COPY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:copy(path, ...) end

---Answers LINK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:link(path, ...) end

---Answers LOCK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:lock(path, ...) end

---Answers MERGE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:merge(path, ...) end

---Answers MKACTIVITY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:mkactivity(path, ...) end

---Answers MKCALENDAR.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:mkcalendar(path, ...) end

---Answers MKCOL.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:mkcol(path, ...) end

---Answers MOVE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:move(path, ...) end

---Answers NOTIFY.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:notify(path, ...) end

---Answers PROPFIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:propfind(path, ...) end

---Answers PROPPATCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:proppatch(path, ...) end

---Answers PURGE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:purge(path, ...) end

---Answers REBIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:rebind(path, ...) end

---Answers REPORT.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:report(path, ...) end

---Answers SEARCH.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:search(path, ...) end

---Answers SOURCE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:source(path, ...) end

---Answers SUBSCRIBE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:subscribe(path, ...) end

---Answers TRACE, in application:inject only: the server refuses it with 405.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:trace(path, ...) end

---A route of GET that answers with server-sent events: the last handler gets the stream that `res:sse()` gives, which ends with it. What
---stands before it is as in get. For options of the stream, call `res:sse{ ... }` in a handler of get.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList|fun(events: fsd.EventStream, req: fsd.Request, res: fsd.Response) the last one is the function
---@return fsd.Router self
function Router:sse(path, ...) end

---Answers UNBIND.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:unbind(path, ...) end

---Answers UNLINK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:unlink(path, ...) end

---Answers UNLOCK.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:unlock(path, ...) end

---Answers UNSUBSCRIBE.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:unsubscribe(path, ...) end

---Answers any other method: `app:method("M-SEARCH", "/files", handler)`.
---@param name string letters, digits and "-", in any case
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList 1 to 40, run one after the other by next; lists are laid flat
---@return fsd.Router self
function Router:method(name, path, ...) end

---A path with several methods: `app:route("/book"):get(show):post(add)`. next("route") leaves all of them.
---@param path string|string[]
---@return fsd.Route
---@nodiscard
function Router:route(path) end

---Middleware, routers and other applications: for every method, on every path, or on path and all below it. What is mounted sees the rest
---of the path. It may get routes later, and may be mounted in several places, up to 7 deep.
---
---Raises for a router that would be mounted in itself.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList
---@return fsd.Router self
---@overload fun(self: fsd.Router, ...: fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList): fsd.Router
function Router:use(path, ...) end

---Another name of use.
---@param path string|string[]
---@param ... fsd.Handler|fsd.Native|fsd.Router|fsd.App|fsd.HandlerList
---@return fsd.Router self
function Router:mount(path, ...) end

---What is done with a parameter of the paths that are registered here (not of those of what is mounted), before their handlers run, once a
---request and value. A function's result, unless it is nil, takes the place of the value; a second result, "route" or "router", leaves
---these as next does. A word makes a route match only values that are so: "integer" (64 bits; the value is a number then), "number" (so
---is it), "uuid", "slug" (letters, digits, "-", "_").
---@param name string
---@param what "integer"|"number"|"uuid"|"slug"|(async fun(req: fsd.Request, res: fsd.Response, value: any, name: string): any, ("route"|"router")?)
---@return fsd.Router self
function Router:param(name, what) end

---What answers errors of handlers here and in what is mounted here. Several are asked in their order, each when the one before it has
---called next or failed, then those of what this is mounted in. Without any the
---answer is the error's status with a JSON object `{"error": message}`, or a small HTML page for browsers. From
---status 500 on the message is the reason of the status, and the error is logged with its traceback, whatever the
---handler does. req.params has only what this is mounted at, if merge_params.
---@param handler fsd.ErrorHandler
---@return fsd.Router self
function Router:on_error(handler) end

---What answers a request that no handler here has answered: no route has its path, or the last one has called next. A
---known path with another method is a 405 with the header Allow and does not come here.
---@param handler fsd.Handler|fsd.Native
---@return fsd.Router self
function Router:not_found(handler) end

---A function that sees the requests that come here and to what is mounted here, without calling next: "request" before all middleware and
---routes, also for paths that nobody serves; "pre_handler" before the handlers of a route; "send" when the answer is given and headers can
---still be set (an answer leaves at the end of the handlers then, not when one waits; an answer in pieces with its first one, for which it
---cannot wait); "response"
---when the answer has left. In "request" and "pre_handler" it may answer or raise as a handler; what the others raise is logged.
---@param name "request"|"pre_handler"|"send"|"response"
---@param fn async fun(req: fsd.Request, res: fsd.Response)
---@return fsd.Router self
function Router:hook(name, fn) end

---Where it is mounted, with all that is around it: "" when it is not.
---@return string
---@nodiscard
function Router:path() end

---The URL of a route that has a name, with what it is mounted at: `app:url("user", { id = 7 })`. Values are escaped; groups of the path
---whose parameters have no values are left out. A wildcard's value is a list of segments, or a text with slashes. The query's names
---come in their order, lists give a name several times.
---
---Raises when no route has the name, a parameter is missing or empty, or while the application loads.
---@param name string
---@param params? table<string, string|number|boolean|(string|number)[]>
---@param query? table<string, string|number|boolean|(string|number|boolean)[]>
---@return string
---@nodiscard
function Router:url(name, params, query) end

---All routes of the application that it belongs to, in the order in which they are tried; `fsd routes app.lua` prints them. Raises while
---the application loads.
---@return fsd.RouteInfo[]
---@nodiscard
function Router:routes() end

---@class fsd.RouteInfo
---@field method string "*": any
---@field path string with what it is mounted at
---@field scope string what it is mounted at, "" for nothing
---@field where string "app.lua:12"
---@field name? string
---@field params? table<string, "integer"|"number"|"uuid"|"slug"> what app:param says that its parameters are
---@field schemas? table<"params"|"query"|"headers"|"body", table> what is checked before its handlers run, as JSON Schema

---What app:route gives: a path that waits for its methods.
---@class fsd.Route
local Route = {}

---Answers GET, and HEAD without the body.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:get(...) end

---Answers POST.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:post(...) end

---Answers PUT.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:put(...) end

---Answers PATCH.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:patch(...) end

---Answers DELETE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:delete(...) end

---Answers HEAD otherwise than get does; to be registered before it.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:head(...) end

---Answers OPTIONS otherwise than with the list of methods.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:options(...) end

---Answers QUERY.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:query(...) end

---Answers every method.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:all(...) end

---Answers ACL.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:acl(...) end

---Answers BIND.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:bind(...) end

---Answers CHECKOUT.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:checkout(...) end

---Answers CONNECT, in application:inject only: the server refuses it with 405.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:connect(...) end

---Answers COPY.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:copy(...) end

---Answers LINK.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:link(...) end

---Answers LOCK.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:lock(...) end

---Answers MERGE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:merge(...) end

---Answers MKACTIVITY.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:mkactivity(...) end

---Answers MKCALENDAR.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:mkcalendar(...) end

---Answers MKCOL.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:mkcol(...) end

---Answers MOVE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:move(...) end

---Answers NOTIFY.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:notify(...) end

---Answers PROPFIND.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:propfind(...) end

---Answers PROPPATCH.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:proppatch(...) end

---Answers PURGE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:purge(...) end

---Answers REBIND.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:rebind(...) end

---Answers REPORT.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:report(...) end

---Answers SEARCH.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:search(...) end

---Answers SOURCE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:source(...) end

---Answers SUBSCRIBE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:subscribe(...) end

---Answers TRACE, in application:inject only: the server refuses it with 405.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:trace(...) end

---Answers UNBIND.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:unbind(...) end

---Answers UNLINK.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:unlink(...) end

---Answers UNLOCK.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:unlock(...) end

---Answers UNSUBSCRIBE.
---@param ... fsd.Handler|fsd.Native|fsd.RouteOptions|fsd.HandlerList
---@return fsd.Route self
function Route:unsubscribe(...) end

return http
