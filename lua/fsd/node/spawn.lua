-- fsd.node.spawn: actors that are started in another worker.  `at` is what asks: fsd.worker.spawn, and actor.spawn with the
-- option on.  `answer` is what fsd.node.server does there.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error"
local places = require "fsd.node.places"

local M = {}

local function fail(code, why)
  error(errors.new {
    name = "ActorError", code = code, status = 503, message = ("cannot spawn an actor in another worker: %s"):format(why),
  }, 0)
end

-- What the worker that was asked says; raises what it raised, or why it says nothing.
local function ask(peer, request)
  local ok, answer = pcall(actor.call, peer, request)
  if not ok then
    if type(answer) == "table" and answer.name == "CallError" then
      fail(answer.code, answer.code == "timeout" and "it has not answered in time" or "it is gone")
    end
    error(answer, 0)
  end
  if answer.error ~= nil then error(answer.error, 0) end
  return answer.pid
end

-- The options as the other worker gets them, and what is done here.
local function divide(options)
  local rest, link, monitor = {}, false, false
  for key, value in pairs(options) do
    if key == "link" then
      link = value
    elseif key == "monitor" then
      monitor = value
    elseif key ~= "on" then
      rest[key] = value
    end
  end
  return rest, link, monitor
end

-- As actor.spawn, where options.on says.  Returns the pid, and the ref when it is monitored.
function M.at(module, args, options, link, monitor)
  local rest, wants_link, wants_monitor = divide(options)
  link, monitor = link or wants_link, monitor or wants_monitor
  local peer = places.find(options.on)
  if peer == nil then
    rest.link, rest.monitor = link, monitor
    return actor.spawn(module, args, rest)
  end
  local parent = (link or monitor) and actor.self() or nil
  local pid = ask(peer, { "$spawn", module = module, args = args, options = rest, link = link and parent or nil })
  if monitor then return pid, actor.monitor(pid) end
  return pid
end

-- The link is there before the actor takes its first step, and known to the other one before the answer is.
function M.answer(request)
  local ok, result = pcall(actor.spawn, request.module, request.args, request.options)
  if not ok then return { error = result } end
  if request.link and not pcall(core.link, result, request.link) then actor.exit(result, "noproc") end
  return { pid = result }
end

return M
