-- The smallest complete application: build/release/fsd run examples/hello/app.lua
local fsd = require "fsd"

local app = fsd.app()

app:use(function(req, res, next)
  res:set("x-app", "hello")
  next()
end)

app:get("/", function(req, res) res:send("Hello, World!") end)

app:get("/users/:id/posts/:post", function(req, res)
  res:json { id = req.params.id, post = req.params.post }
end)

app:post("/echo", function(req, res) res:json(req:json()) end)

app:on_error(function(err, req, res)
  res:status(err.status or 500):json { error = err.message }
end)

return app
