-- Notes: one set of URLs that answers programs with JSON, and browsers with pages.
--
--   build/release/fsd run examples/notes/app.lua -p 8080 -w 2 --shared notes=64MiB,limits
--
-- The notes stand in memory that all workers share: a restart of the daemon forgets them.  A real application keeps them
-- in a database; only lib/store.lua would change.
local fsd = require "fsd"

local app = fsd.app()
local mw = fsd.mw

app:set("trust_proxy", "loopback") -- a proxy on this machine may say who its client is
app:on_check(fsd.template.check)   -- a page that does not compile is not deployed

function app.locals.url(...) return app:url(...) end -- for the views

app:use(mw.request_id())
app:use(mw.secure_headers {
  content_security_policy = { style_src = { "'self'" }, upgrade_insecure_requests = false },
  strict_transport_security = false, -- these two are for where there is TLS
})
app:use(fsd.static("public", { max_age = "1h" }))

-- What changes something: at most so much of it, and not from the pages of other sites.
app:use(mw.rate_limit {
  name = "writes", window = 60, limit = 600,
  skip = function(req) return req.method == "GET" or req.method == "HEAD" end,
})
app:use(mw.csrf())
app:use(mw.method_override { form = "_method" }) -- a form can only POST; its hidden field may say PUT or DELETE

app:get("/", function(_, res) res:redirect(app:url("notes")) end)
app:use("/notes", require "routes.notes")

app:not_found(function(req) fsd.http.abort(404, "nothing at " .. req.path, { code = "path.missing" }) end)

-- Errors have one shape.  What is our own fault is logged by fsd, and not told: next() is its default answer.
app:on_error(function(err, req, res, next)
  if err.status >= 500 and not err.expose then return next() end
  res:status(err.status)
  if req:accepts("json", "html") == "html" then return res:render("error", { err = err }) end
  res:json { error = err.message, code = err.code, problems = err.problems }
end)

return app
