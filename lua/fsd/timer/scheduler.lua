-- fsd.timer.scheduler: runs what app:every and app:cron have declared for one of all workers.  A child of scope "node" of the
-- supervisor that worker/lib/declared.c declares, so it is in one worker at a time; the timers end with it.
local actor = require "fsd.actor"
local core = require "fsd.timer.core"
local roster = require "fsd.actor.roster"

return function()
  roster.add(actor.self(), core.cancel_tied)
  for _, timer in ipairs(core.start_declared()) do core.tie(timer, actor.self()) end
  while true do actor.receive() end
end
