-- Login: accounts with passwords, sessions, forms that other sites cannot send, a limit on guessing.
--
--   build/release/fsd run examples/login/app.lua -p 8080 --shared users,sessions,limits
--
-- Accounts and sessions stand in memory that all workers share: a restart forgets them.  A real application keeps accounts in
-- a database; only lib/users.lua would change.
local fsd = require "fsd"
local users = require "users"

local S = fsd.schema
local app = fsd.app()

local SECRET = fsd.config.env.SECRET -- in the configuration: apps.NAME.env
if not SECRET then
  SECRET = "for development only, everybody knows it"
  fsd.log:warning("SECRET is not set: sessions can be forged")
end

app:use(fsd.mw.secure_headers {
  content_security_policy = { style_src = { "'nonce'" }, script_src = "'none'" },
  strict_transport_security = false, -- set it where there is TLS
})
app:use(fsd.mw.session { secret = SECRET, ttl = 3600, cookie = { same_site = "lax" } })
app:use(fsd.mw.csrf { secret = SECRET })
app:on_check(fsd.template.check) -- a page that does not compile is not deployed

local function show(req, res, view, values)
  values = values or {}
  values.csrf, values.user = req.csrf_token(), req.session.user
  res:set("cache-control", "no-store"):render(view, values)
end

local function need_login(req, res, next)
  if not req.session.user then return res:redirect(303, "/login") end
  next()
end

-- Guessing is slow for one address, and for one account from whatever address.
local by_address = fsd.mw.rate_limit { name = "login address", window = 60, limit = 100 }
local by_account = fsd.mw.rate_limit {
  name = "login account", window = 900, limit = 10, skip_successful = true,
  key = function(req) return tostring(req:form().name or ""):lower() end,
}

-- Another id for who is known now: one that somebody else has put into the browser before is worth nothing.
local function log_in(req, res, name)
  req.session:regenerate()
  req.session.user = name
  res:redirect(303, "/")
end

app:get("/", need_login, function(req, res) show(req, res, "home") end)

app:get("/signup", function(req, res) show(req, res, "signup") end)

local Account = S {
  name = { "string", trim = true, min = 2, max = 40, pattern = "^[%w._-]+$" },
  password = { "string", min = 10, max = 200 },
}

app:post("/signup", by_address, function(req, res)
  local form = req:form()
  local account, problems = Account:check(form)
  if not problems and not users.create(account.name, account.password) then
    problems = { { path = "name", message = "is taken" } }
  end
  if problems then
    res:status(422)
    return show(req, res, "signup", { name = form.name, problems = problems })
  end
  log_in(req, res, account.name)
end)

app:get("/login", function(req, res) show(req, res, "login") end)

app:post("/login", by_address, by_account, function(req, res)
  local form = req:form()
  local name = users.verify(form.name, form.password)
  if not name then
    res:status(401) -- the same words whether there is such a name or not
    return show(req, res, "login", { name = form.name, failed = true })
  end
  log_in(req, res, name)
end)

app:post("/logout", function(req, res)
  req.session:destroy()
  res:redirect(303, "/login")
end)

app:on_error(function(err, req, res)
  local words = err.status < 500 and err.message or "something went wrong"
  res:status(err.status):render("error", { words = words })
end)

return app
