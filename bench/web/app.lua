-- The work of bench/web.py, as fsd does it; nginx.lua, fastify.js and express.js do the same.
local fsd = require "fsd"
local template = require "fsd.template"

local app = fsd.app()

app:get("/", function(req, res) res:type("text"):send("Hello, World!") end)

app:get("/users/:id/posts/:post", function(req, res)
  local params = req.params
  res:json { id = params.id, post = params.post }
end)

app:post("/echo", function(req, res) res:json(req:json()) end)

app:use("/static", fsd.static("files")) -- web.py makes it

-- As in real life: five middlewares, then rows from somewhere, as JSON or as a page.
local real = fsd.router()
real:use(function(req, res, next)
  local started = fsd.now()
  next()
  req.took = fsd.now() - started
end)
real:use(function(req, res, next)
  res:set("x-request-id", req:get("x-request-id") or "none")
  next()
end)
real:use(function(req, res, next)
  res:set { ["x-content-type-options"] = "nosniff", ["x-frame-options"] = "DENY", ["referrer-policy"] = "no-referrer" }
  next()
end)
real:use(function(req, res, next)
  local origin = req:get("origin")
  if origin then res:set("access-control-allow-origin", origin) end
  next()
end)
real:use(function(req, res, next)
  req.user = req:get("authorization") == "Bearer secret" and "alice" or "guest"
  next()
end)

local function find_rows(user)
  local rows = {}
  for i = 1, 20 do
    rows[i] = { id = i, name = "item " .. i, owner = user, price = i * 3 + 0.25, tags = { "a", "b" }, note = "<fine> & good", ok = i % 2 == 0 }
  end
  return rows
end

real:get("/rows", function(req, res) res:json { rows = find_rows(req.user) } end)

real:get("/page", function(req, res)
  res:send(template.render("page", { title = "Items", user = req.user, rows = find_rows(req.user) }))
end)
app:use("/real", real)

return app
