-- The application of the system tests: answers, waits, fails and dies as it is told.
local fsd = require "fsd"
local config = require "fsd.config"
local log = require "fsd.log"
local task = require "fsd.task"
local worker = require "fsd.worker"

local VERSION = "1"
local app = fsd.app()

app:use(function(req, res, next)
  local self = worker.self()
  res:set("x-worker", self.pid)
  res:set("x-slot", self.slot)
  res:set("x-version", VERSION)
  next()
end)

app:get("/", function(req, res) res:send("hello") end)
app:post("/", function(req, res) res:send(req:text()) end)
app:get("/config", function(req, res)
  res:json { settings = config.settings, env = config.env, app = config.app, pool = config.pool, getenv = os.getenv("KEY") }
end)
app:get("/slow/:seconds", function(req, res)
  log:notice("slow began")
  task.sleep(tonumber(req.params.seconds))
  res:send("slow")
end)
-- slow as well, until the file is there that the body names
app:post("/until", function(req, res)
  local path = req:text()
  log:notice("slow began")
  local file = io.open(path)
  while not file do
    task.sleep(0.01)
    file = io.open(path)
  end
  file:close()
  res:send("slow")
end)
app:get("/big/:kib", function(req, res) res:send(string.rep("x", 1024 * tonumber(req.params.kib))) end)
app:get("/exit/:code", function(req, res) os.exit(tonumber(req.params.code)) end)
app:get("/hold", function(req, res)
  local mark <close> = setmetatable({}, { __close = function() log:notice("hold was closed") end })
  log:notice("hold began")
  task.sleep(60)
end)
app:get("/smuggled", function(req, res)
  log:error("a smuggled request was served")
  res:send("smuggled")
end)
app:post("/print", function(req, res)
  print(req:text(), 2, nil, true)
  res:send("printed")
end)
app:post("/log", function(req, res)
  log:warning(req:text(), { number = 1, yes = true, text = req:text() })
  res:send("logged")
end)
app:get("/flood/:records", function(req, res)
  for i = 1, tonumber(req.params.records) do log:info("flood", { number = i, text = string.rep("x", 200) }) end
  res:send("flooded")
end)

return app
