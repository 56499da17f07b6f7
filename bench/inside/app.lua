-- What actors cost: GET /NAME runs one measurement and answers with numbers by name (bench/actor/run.py asks for them).
local fsd = require "fsd"
local actor = require "fsd.actor"

local app = fsd.app()

app:get("/:what", function(req)
  local pid = actor.spawn("measure", req.params.what)
  return actor.call(pid, "go", 300)
end)

return app
