-- fsd.mw.timeout: how long what stands behind may take.  It runs in a task of its own, which is cancelled when its time is over: the wait
-- it is in raises a CancelError.  A handler that computes and never waits is ended by `limits.cpu` instead.
local errors = require "fsd.error"
local options = require "fsd.mw.options"
local task = require "fsd.task"

local function check_seconds(value)
  if not (value > 0 and value <= 86400) then return "must be more than 0 and at most 86400" end
end

local ROWS = {
  seconds = { "number", check = check_seconds, required = true },
  status = { "integer", 503, check = options.one_of(408, 500, 503, 504) },
  message = { "string" },
}

-- Ends the task when the request ends first: the client has gone, say.
local Guard = {}
function Guard:__close() self[1]:cancel "the request is over" end

return function(given)
  if type(given) == "number" then given = { seconds = given } end
  local o = options.read("fsd.mw.timeout", given, ROWS)
  local message = o.message or ("the answer was not ready in %g s"):format(o.seconds)
  return function(_, _, next)
    local handle = task.spawn(next)
    local guard <close> = setmetatable({ handle }, Guard)
    local ok, err = pcall(handle.join, handle, o.seconds)
    if ok then return end
    local status = handle:status()
    if status == "running" or status == "waiting" then
      local is_late = type(err) == "table" and err.name == "TimeoutError"
      if is_late then
        err = errors.new { name = "TimeoutError", code = "timeout", status = o.status, message = message }
      end
    end
    error(err, 0)
  end
end
