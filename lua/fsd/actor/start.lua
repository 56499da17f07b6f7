-- fsd.actor.start: how an actor that is more than a loop (a server, a supervisor) begins, so that whoever starts it knows
-- when its init is over and what came of it.  The argument of the actor is an envelope then, which says how to tell:
-- by the answer to a call (start), or by a signal to its supervisor.  Used by fsd.server and fsd.supervisor.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error"

local M = {}

local ENVELOPE, ASK, ACK = "$start", "$init", "$ack"
local ASK_S = 60 -- the question follows the spawn at once, unless whoever asks was ended in between

local behaviours = setmetatable({}, { __mode = "k" })

-- Modules that tell how they began are registered here: their `run` calls begin.
function M.register(module)
  behaviours[module] = true
end

function M.is_behaviour(module)
  return behaviours[module] == true
end

-- The argument for an actor that a supervisor starts; the signal is { "$ack", pid, word[, reason] }, word is "started",
-- "ignored" or "failed".
function M.envelope(args)
  return { [ENVELOPE] = "signal", args = args, parent = actor.self() }
end

M.ACK = ACK

-- A reason in words, for messages and the log.
function M.text_of(reason)
  if type(reason) ~= "table" then return tostring(reason) end
  if reason[1] == "failed_to_start_child" then return ("child %q: %s"):format(tostring(reason[2]), M.text_of(reason[3])) end
  if reason.message then return tostring(reason.message) end
  return ("{%s}"):format(tostring(reason[1]))
end

local function fail(module, code, reason)
  local err = errors.new {
    name = "StartError", code = code, status = 503,
    message = ("cannot start %q: %s"):format(module, code == "timeout" and "its init takes too long" or M.text_of(reason)),
  }
  err.reason = reason
  error(err, 0)
end

-- Spawns the module and waits until its init is over: returns the pid and what spawn gave with it; nil when it ignored
-- its start.  Raises a StartError.  spawn is one of fsd.actor's.
function M.start(spawn, module, args, options, timeout)
  local parent = spawn == actor.spawn_link and actor.self() or nil
  local pid, ref = spawn(module, { [ENVELOPE] = "call", args = args, parent = parent }, options)
  local ok, answer = pcall(actor.call, pid, ASK, timeout or math.huge)
  if not ok then
    if answer.code == "timeout" then actor.exit(pid, "kill") end
    fail(module, answer.code == "timeout" and "timeout" or "start", answer.reason or answer.code or answer)
  end
  if answer[1] == "started" then return pid, ref end
  if answer[1] == "ignored" then return nil end
  fail(module, "start", answer[2])
end

local function is_question(msg, _, kind)
  return kind == "call" and msg == ASK
end

local function tell_nobody() end

-- In the actor: opens its argument.  Returns what init gets, the pid of the parent if it has one, and the function that
-- tells how it began: tell(word[, reason]).
function M.begin(envelope)
  if type(envelope) ~= "table" or envelope[ENVELOPE] == nil then return envelope, nil, tell_nobody end
  local parent = envelope.parent
  if envelope[ENVELOPE] == "signal" then
    return envelope.args, parent, function(word, reason)
      core.signal(parent, { ACK, actor.self(), word, reason })
    end
  end
  local _, from = actor.receive(is_question, ASK_S)
  if from == nil then actor.exit "noproc" end
  return envelope.args, parent, function(word, reason) actor.reply(from, { word, reason }) end
end

-- Whether a message is the order of its parent, or of the worker, to end: returns the reason then.
function M.order_to_end(msg, kind, parent)
  if kind == "system" and msg[1] == "$exit" and (msg[2] == parent or msg[2] == core.worker()) then return msg[3] end
end

return M
