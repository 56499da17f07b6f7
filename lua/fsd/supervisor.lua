-- fsd.supervisor: actors that start, watch and restart others, after OTP's supervisor.
-- Here is what others ask of one; the supervisor itself is fsd.supervisor.actor.  Holds no application state.
local actor = require "fsd.actor"
local errors = require "fsd.error"
local specs = require "fsd.supervisor.spec"
local start = require "fsd.actor.start"

local M = {}

local MODULE = "fsd.supervisor"

-- What an actor with this module does: args are what start{} takes, or dynamic{}.
function M:run(envelope)
  local args, parent, announce = start.begin(envelope)
  local spec, why = specs.any(args)
  if not spec then error(why, 0) end
  require "fsd.supervisor.actor" (spec, parent, announce)
end

start.register(M)

local function begin(spawn, read, options)
  local spec, why = read(options)
  if not spec then error(why, 3) end
  return (start.start(spawn, MODULE, options, { name = spec.name }, spec.timeout))
end

function M.start(options) return begin(actor.spawn, specs.supervisor, options) end

function M.start_link(options) return begin(actor.spawn_link, specs.supervisor, options) end

function M.dynamic(options) return begin(actor.spawn, specs.dynamic, options) end

function M.dynamic_link(options) return begin(actor.spawn_link, specs.dynamic, options) end

local MESSAGES = {
  already_started = "a child with this id runs already",
  already_present = "there is a child with this id already; it does not run",
  not_found = "there is no such child",
  running = "the child is running",
  restarting = "the child is being restarted",
  not_supported = "a dynamic supervisor keeps no child that does not run",
  start_failed = "the child did not start",
  max_children = "there are as many children as there may be",
  shutdown = "the supervisor is ending",
}

local function fail(doing, code, extra)
  if code == "bad_child" then error(extra, 3) end
  local message = ("cannot %s: %s"):format(doing, MESSAGES[code] or code)
  if code == "start_failed" then
    message = ("%s: %s"):format(message, type(extra) == "table" and extra.message or tostring(extra))
  end
  local err = errors.new { name = "SupervisorError", code = code, status = 503, message = message }
  if code == "start_failed" then err.reason = extra end
  if code == "already_started" then err.pid = extra end
  error(err, 0)
end

local function ask(dest, doing, what, timeout)
  local answer = actor.call(dest, { "$supervisor", doing, what }, timeout or math.huge)
  if answer[1] ~= "ok" then fail((doing:gsub("_", " ")), answer[2], answer[3]) end
  return answer[2]
end

-- what is a child, or the arguments of one for a dynamic supervisor.
function M.start_child(dest, what, timeout) return ask(dest, "start_child", what, timeout) end

function M.terminate_child(dest, id, timeout) ask(dest, "terminate_child", id, timeout) end

function M.restart_child(dest, id, timeout) return ask(dest, "restart_child", id, timeout) end

function M.delete_child(dest, id, timeout) ask(dest, "delete_child", id, timeout) end

function M.which_children(dest, timeout) return ask(dest, "which_children", nil, timeout) end

function M.count_children(dest, timeout) return ask(dest, "count_children", nil, timeout) end

-- Ends a supervisor and its children; returns when they have ended.
function M.stop(dest, timeout)
  local ok, err = pcall(actor.call, dest, { "$supervisor", "stop" }, timeout or math.huge)
  if not ok and err.code ~= "exit" then error(err, 0) end
end

return M
