-- fsd.timer.scheduler: runs what app:every and app:cron have declared for one of all workers.  A child of scope "node" of the
-- supervisor that worker/lib/declared.c declares, so it is in one worker at a time; the timers end with it.
local actor = require "fsd.actor"
local actors = require "fsd.actor.core"
local core = require "fsd.timer.core"
local roster = require "fsd.actor.roster"

-- before: what it had returned for the code before.  Timers that both have go on by the same clock.
local function begin(before)
  local timers = core.start_declared(before)
  for _, timer in ipairs(timers.started) do
    if timer then core.tie(timer, actor.self()) end
  end
  return timers
end

return function()
  roster.add(actor.self(), core.cancel_tied)
  actors.follow_code()
  local timers = begin()
  while true do
    local msg, _, kind = actor.receive()
    if kind == "system" and msg[1] == "$code_change" then timers = begin(timers) end
  end
end
