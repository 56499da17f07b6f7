-- Requests of an ordinary kind, and beside them loops that never end by themselves: the limit of CPU time ends them.
local fsd = require "fsd"
local worker = require "fsd.worker"

local app = fsd.app()

app:get("/", function(_, res) res:type("text"):send("Hello, World!") end)

app:get("/endless", function()
  while true do end
end)

-- turns of the loop by how long they took
app:get("/lag", function() return worker.lag().counts end)

return app
