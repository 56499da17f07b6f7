---@meta fsd.mw

---The middleware that everybody adds: `app:use(fsd.mw.cors { origin = "https://example.org" })`. Each is loaded when it is first named. An
---option that is not known, or has a value that it cannot have, raises when the middleware is made.
---@class fsd.mw
local mw = {}

---@class fsd.mw.CorsOptions
---@field origin? string|boolean|string[]|fun(origin: string, req: fsd.Request): boolean|string|nil who may read: "*" (the default), an origin, several, `"https://*.example.org"` for all names below; true: every one; false: none; a function returns true or what the header says
---@field methods? string|string[] GET, HEAD, PUT, PATCH, POST, DELETE by default
---@field allowed_headers? string|string[] headers that may be sent; by default those that the preflight asks for
---@field exposed_headers? string|string[] headers that scripts may read
---@field credentials? boolean whether answers may be read that were made for the user; false. Then origin must name sites
---@field max_age? integer seconds for which a preflight counts
---@field preflight_continue? boolean whether handlers see preflights; false
---@field options_success_status? integer of preflights, 204

---Which other sites' pages may read answers (npm's cors). It protects readers; what may be changed is for fsd.mw.csrf.
---@param options? fsd.mw.CorsOptions
---@return fsd.Handler
---@nodiscard
function mw.cors(options) end

---@class fsd.mw.HstsOptions
---@field max_age? integer seconds, 31536000
---@field include_subdomains? boolean true
---@field preload? boolean false

---Each is a string that is sent so, false for nothing, or true for the default.
---@class fsd.mw.SecureHeadersOptions
---@field content_security_policy? table<string, string|string[]|false>|string|false directives by name (script_src ...), over helmet's; the source `"'nonce'"` becomes one that `res.csp_nonce` has, another one each time
---@field csp_report_only? boolean whether browsers only report; false
---@field csp_use_defaults? boolean whether directives that are not named are helmet's; true
---@field strict_transport_security? fsd.mw.HstsOptions|string|false
---@field cross_origin_embedder_policy? string|false false
---@field cross_origin_opener_policy? string|boolean "same-origin"
---@field cross_origin_resource_policy? string|boolean "same-origin"
---@field origin_agent_cluster? string|boolean "?1"
---@field permissions_policy? string|false false
---@field referrer_policy? string|boolean "no-referrer"
---@field x_content_type_options? string|boolean "nosniff"
---@field x_dns_prefetch_control? string|boolean "off"
---@field x_download_options? string|boolean "noopen"
---@field x_frame_options? string|boolean "SAMEORIGIN"
---@field x_permitted_cross_domain_policies? string|boolean "none"
---@field x_xss_protection? string|boolean "0"

---What browsers should not do with our pages: the headers and defaults of helmet.
---@param options? fsd.mw.SecureHeadersOptions
---@return fsd.Handler
---@nodiscard
function mw.secure_headers(options) end

---@class fsd.mw.RequestIdOptions
---@field header? string "x-request-id"
---@field generator? fun(req: fsd.Request): string another id than req.id; it stands in req.request_id

---Tells the client the id of its request.
---@param options? fsd.mw.RequestIdOptions
---@return fsd.Handler
---@nodiscard
function mw.request_id(options) end

---@class fsd.mw.OpenapiOptions
---@field title string of the application
---@field version string of it
---@field description? string

---The routes of the application with what their schemas check, as a document of OpenAPI 3.1 in JSON; routes of all methods are not in it.
---    app:get("/openapi.json", fsd.mw.openapi { title = "Shop", version = "1.0" })
---@param options fsd.mw.OpenapiOptions
---@return fsd.Handler
---@nodiscard
function mw.openapi(options) end

---@class fsd.mw.TimingOptions
---@field enabled? boolean|fun(req: fsd.Request, res: fsd.Response): boolean who is told; true
---@field total? string|false name of the time of all, "total"
---@field cross_origin? string|boolean which origins' scripts may read it: Timing-Allow-Origin; false

---@class fsd.mw.Timing
---@field add fun(self: fsd.mw.Timing, name: string, seconds?: number, description?: string): fsd.mw.Timing
---@field start fun(self: fsd.mw.Timing, name: string): fsd.mw.Timing
---@field stop fun(self: fsd.mw.Timing, name: string, description?: string): fsd.mw.Timing
---@field measure fun(self: fsd.mw.Timing, name: string, fn: fun(...): ...): any returns what fn returns

---What took how long, as Server-Timing. `req.timing` takes more: `req.timing:measure("db", query)`.
---@param options? fsd.mw.TimingOptions
---@return fsd.Handler
---@nodiscard
function mw.timing(options) end

---@class fsd.mw.TimeoutOptions
---@field seconds number more than 0, at most 86400
---@field status? 408|500|503|504 503
---@field message? string

---How long what stands behind may take; then it is cancelled, and a TimeoutError "timeout" is the answer. It cannot undo what was sent.
---@param options number|fsd.mw.TimeoutOptions
---@return fsd.Handler
---@nodiscard
function mw.timeout(options) end

---@class fsd.mw.BodyLimitOptions
---@field limit integer|string bytes, or "64kb"

---A smaller limit for bodies than the configuration's: above it, "entity.too.large" (status 413).
---@param options integer|string|fsd.mw.BodyLimitOptions
---@return fsd.Handler
---@nodiscard
function mw.body_limit(options) end

---@class fsd.mw.MethodOverrideOptions
---@field header? string|false "x-http-method-override"
---@field query? string|false name of a parameter of the query; false
---@field form? string|false name of a field of a form; false
---@field limit? integer|string of a form that is read for its field, in bytes, or "64kb"; 102400
---@field methods? string[] what POST may become: PUT, PATCH, DELETE

---Lets a form, which can only POST, name another method. It must stand in front of the routes.
---@param options? fsd.mw.MethodOverrideOptions
---@return fsd.Handler
---@nodiscard
function mw.method_override(options) end

---@class fsd.mw.TrailingSlashOptions
---@field mode? "trim"|"append" "trim"
---@field status? 301|302|307|308 308

---Redirects "/a/" to "/a", or the other way round; never to another host.
---@param options? "trim"|"append"|fsd.mw.TrailingSlashOptions
---@return fsd.Handler
---@nodiscard
function mw.trailing_slash(options) end

---@class fsd.mw.IpRestrictionOptions
---@field allow? string|string[] addresses and networks ("10.0.0.0/8", "2001:db8::/32"); without it everybody who is not denied
---@field deny? string|string[] goes before allow
---@field status? 401|403|404 403
---@field message? string
---@field handler? fsd.Handler answers instead

---Who may come, by req.ip; others get "ip.refused". An IPv4 address within IPv6 is the same as the IPv4 address.
---@param options? fsd.mw.IpRestrictionOptions
---@return fsd.Handler
---@nodiscard
function mw.ip_restriction(options) end

---@class fsd.mw.BasicAuthOptions
---@field users? table<string, string> passwords by name
---@field verify? fun(name: string, password: string, req: fsd.Request): any true, or what req.user becomes; may wait
---@field realm? string "Restricted"
---@field message? string

---A name and a password (RFC 7617); `req.user` is the name. Else AuthError "auth.required" (status 401).
---@param options fsd.mw.BasicAuthOptions with either users or verify
---@return fsd.Handler
---@nodiscard
function mw.basic_auth(options) end

---@class fsd.mw.BearerAuthOptions
---@field token? string|string[]
---@field verify? fun(token: string, req: fsd.Request): any true, or what req.user becomes; may wait
---@field realm? string "Restricted"
---@field message? string

---A token (RFC 6750), which is in `req.token` then. Else AuthError "auth.required" or "auth.refused" (status 401), "auth.malformed" (400).
---@param options fsd.mw.BearerAuthOptions with either token or verify
---@return fsd.Handler
---@nodiscard
function mw.bearer_auth(options) end

---@class fsd.mw.JwtOptions
---@field keys fsd.jwt.Key|fsd.jwt.Key[]|fun(header: table): fsd.jwt.Key|fsd.jwt.Key[]|nil
---@field cookie? string name of a cookie that may have the token, too
---@field issuer? string|string[] as in fsd.jwt.verify, like the next ones
---@field audience? string|string[]
---@field subject? string
---@field required? string[]
---@field max_age? number seconds
---@field leeway? number seconds, 0
---@field optional? boolean whether requests without a token go on; false
---@field is_revoked? fun(claims: table, req: fsd.Request): boolean may wait
---@field realm? string "Restricted"
---@field message? string

---A signed token, whose claims are in `req.jwt` then. Else AuthError (status 401) "auth.required", "jwt.revoked", or with the code of fsd.jwt.
---@param options fsd.mw.JwtOptions
---@return fsd.Handler
---@nodiscard
function mw.jwt(options) end

---@class fsd.mw.LanguageOptions
---@field supported string[] "en", "de-CH"; the first is the fallback
---@field fallback? string
---@field query? string|false name of a parameter that says it; "lang"
---@field cookie? string|false name of a cookie that says it; "lang"
---@field header? boolean whether Accept-Language counts; true

---Which language a client gets: `req.language`, and the header Content-Language.
---@param options fsd.mw.LanguageOptions
---@return fsd.Handler
---@nodiscard
function mw.language(options) end

---@class fsd.mw.RateLimitOptions
---@field window? number seconds, 60; windows begin at multiples of it
---@field limit? integer|fun(req: fsd.Request, res: fsd.Response): integer 100
---@field key? fun(req: fsd.Request, res: fsd.Response): string|number who is counted; the address by default
---@field name? string limiters of the same name, window and limit count together; ""
---@field dictionary? string the shared dictionary, "limits"
---@field store? "shared"
---@field ipv6_subnet? integer bits of an IPv6 address that count, 32 to 128; 64, which is what one customer has
---@field status? integer 429
---@field message? string|table|fun(req: fsd.Request, res: fsd.Response): string|table a table is sent as JSON
---@field handler? fsd.Handler answers instead
---@field standard_headers? "draft-6"|"draft-7"|"draft-8"|false RateLimit headers as in that draft of the IETF; "draft-8"
---@field legacy_headers? boolean X-RateLimit-*; false
---@field identifier? string name of the limit in draft-8
---@field skip? fun(req: fsd.Request, res: fsd.Response): boolean
---@field skip_successful? boolean whether answers below 400 are not counted; false
---@field skip_failed? boolean whether errors and answers from 400 on are not counted; false
---@field was_successful? fun(req: fsd.Request, res: fsd.Response): boolean
---@field pass_on_store_error? boolean whether requests pass when the dictionary fails; false

---So many requests of one client in a time, counted by all workers together; then LimitError "rate_limited". `req.rate_limit` has limit, used,
---remaining, reset (seconds), key. Windows are fixed, as in express-rate-limit: where two of them meet, a client may make twice the limit of
---requests in less than the time of one.
---@param options? fsd.mw.RateLimitOptions
---@return fsd.Handler
---@nodiscard
function mw.rate_limit(options) end

---@class fsd.mw.SessionCookie
---@field path? string "/"
---@field domain? string
---@field http_only? boolean true
---@field secure? boolean|"auto" "auto": when the request came by TLS
---@field same_site? "lax"|"strict"|"none"|false "lax"
---@field max_age? integer seconds; without it the browser forgets the session when it is closed
---@field partitioned? boolean false
---@field priority? "low"|"medium"|"high"

---@class fsd.mw.SessionOptions
---@field secret string|string[] 16 characters or more; the first one signs, and all are believed
---@field store? "shared"|"cookie" in a shared dictionary, or sealed in the cookie; "shared"
---@field dictionary? string the shared dictionary, "sessions"
---@field name? string of the cookie, "sid"
---@field ttl? number seconds without a request after which a session ends; cookie.max_age, or 86400
---@field rolling? boolean whether each answer sets the cookie again; false
---@field genid? fun(req: fsd.Request): string another id than 192 random bits
---@field cookie? fsd.mw.SessionCookie

---What is remembered of a visitor: a table whose fields are the application's, and are saved before the head of the answer leaves. It has no
---fields of these names.
---@class fsd.mw.Session
---@field id string
---@field is_new boolean
---@field cookie fsd.mw.SessionCookie
---@field regenerate fun(self: fsd.mw.Session, options?: { keep?: boolean }): fsd.mw.Session another id, and no fields; with keep they stay. To be called at login
---@field destroy fun(self: fsd.mw.Session) ends it
---@field reload fun(self: fsd.mw.Session): fsd.mw.Session? what is kept now
---@field save fun(self: fsd.mw.Session): fsd.mw.Session now
---@field touch fun(self: fsd.mw.Session): fsd.mw.Session keeps it for another ttl, and sets the cookie again
---@field [string] any

---Sessions: `req.session`. Raises SessionError "session.too_large" (a cookie), "session.busy".
---@param options fsd.mw.SessionOptions
---@return fsd.Handler
---@nodiscard
function mw.session(options) end

---@class fsd.mw.CsrfOptions
---@field origin? string|string[]|fun(origin: string, req: fsd.Request): boolean further sites whose pages may act
---@field secret? string|string[] 16 characters or more: a token is asked for, too
---@field field? string of the form, "_csrf"; of one with files, in front of the first file
---@field header? string "x-csrf-token"
---@field cookie? string without a session, "csrf"
---@field session_field? string with a session, "csrf"
---@field skip? fun(req: fsd.Request, res: fsd.Response): boolean

---Keeps pages of other sites from acting with our visitors' cookies: CsrfError "csrf.site", "csrf.origin", "csrf.token" (status 403). With a
---secret, `req.csrf_token()` gives a token for a form; behind fsd.mw.session it is bound to the session.
---@param options? fsd.mw.CsrfOptions
---@return fsd.Handler
---@nodiscard
function mw.csrf(options) end

return mw
