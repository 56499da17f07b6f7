-- fsd.supervisor.keeper: a child of scope "node", as each worker's supervisor has it.  It claims a name for the child that one actor in
-- all workers can have, and waits for it.  Who gets it runs the child, as the supervisor of that one child; the others wait
-- until the name is free: because the keeper that had it was told to end, has given up, or its worker is gone.
local actor = require "fsd.actor"
local change = require "fsd.supervisor.change"
local core = require "fsd.actor.core"
local log = require "fsd.log"
local specs = require "fsd.supervisor.spec"
local start = require "fsd.actor.start"

local M = {}

local RETRY_S = 5 -- when there are too many names

local function read(supervisor)
  local spec, why = specs.supervisor(supervisor)
  if not spec then return nil, why end
  local child = spec.children[1]
  if child.options.name then child.options.scope = "node" end
  return spec
end

-- Returns when the name is had, and ends the actor when its parent says so.
local function wait(args, parent)
  local name = args.claim
  local retry_s
  while true do
    local msg, from, kind = actor.receive(retry_s)
    if msg == nil and kind == nil then
      retry_s = nil
      core.claim(name)
    elseif kind == "call" then
      actor.reply(from, { "failed", "not_supported" })
    elseif kind == "system" and msg[1] == "$named" then
      return
    elseif kind == "system" and msg[1] == change.DECLARED then
      args.supervisor = msg[2]
    elseif kind == "system" and msg[1] == "$taken" then
      log:error("cannot wait for a child of scope node: there are too many names for all workers", { name = name })
      retry_s = RETRY_S
    end
    local reason = start.order_to_end(msg, kind, parent)
    if reason ~= nil then actor.exit(reason) end
  end
end

-- args: { claim = the name, supervisor = options of a supervisor with the child }
function M:run(envelope)
  local args, parent, announce = start.begin(envelope)
  actor.trap_exit(true)
  core.claim(args.claim)
  announce "started" -- behind the claim, which the master so has before this worker serves
  wait(args, parent)
  local spec, why = read(args.supervisor)
  if not spec then error(why, 0) end
  require "fsd.supervisor.actor" (spec, parent, function() end, read)
end

start.register(M)

return M
