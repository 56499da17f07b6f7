-- Messages to an actor of another worker: GET /oneway and GET /roundtrip answer with numbers by name.
local fsd = require "fsd"
local actor = require "fsd.actor"
local worker = require "fsd.worker"

local app = fsd.app()

-- how many workers an actor could be started in
app:get("/places", function() return { count = #worker.list() } end)

app:get("/:what", function(req)
  local pid = actor.spawn("driver", req.params.what)
  return actor.call(pid, "go", 300)
end)

return app
