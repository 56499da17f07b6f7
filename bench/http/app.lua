-- The endpoints of the benchmark contract (scripts/bench measures them beside nginx + lua).
local fsd = require "fsd"

local app = fsd.app()

app:get("/", function(req, res) res:type("text"):send("Hello, World!") end)

app:get("/json", function(req, res) res:json { message = "Hello, World!" } end)

app:get("/users/:id/posts/:post", function(req, res)
  local params = req.params
  res:json { id = params.id, post = params.post }
end)

app:post("/echo", function(req, res) res:json(req:json()) end)

-- 100,000 iterations of plain Lua arithmetic and table access: how long one handler holds a worker
app:get("/spin", function(req, res)
  local t, s = {}, 0
  for i = 1, 100000 do
    t[i % 64] = i
    s = s + (t[(i * 7) % 64] or 0) % 13
  end
  res:type("text"):send(tostring(s))
end)

return app
