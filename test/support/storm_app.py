"""An application in several workers whose actors send numbered messages to each other, and look what becomes of the numbers while
workers, links and mailboxes fail.  A sender has one receiver in another worker, whom it monitors.  Its messages are {epoch, number};
an epoch ends when the monitor tells of an end.  Within one:

* the numbers that the receiver sees rise, always;
* as long as the epoch has not ended, none is missing: the sender asks now and then how many have come;
* behind a break of the link the next epoch begins with the same receiver, behind the end of its worker with another one.

Every fourth receiver drops what has no room in a small mailbox: there as many must have been counted as are missing."""

# What one worker has seen, for as long as it lives; violations are what must not happen.
TALLY = '''
local M = {
  sent = 0, received = 0, -- messages
  checks = 0, waits = 0, -- questions that were answered with the right number, and those that took long
  downs = 0, breaks = 0, deaths = 0, -- what monitors told, and of what
  dropped = 0, -- messages, the most of one receiver
  pauses = 0, senders = 0, ended = 0,
  violations = {}, stops = false, pause_until = 0,
}
function M.violate(...) M.violations[#M.violations + 1] = string.format(...) end
return M
'''

SENDER = '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local task = require "fsd.task"
local worker = require "fsd.worker"
local tally = require "tally"

local BATCH, CHECK_EACH, PATIENCE_S = 20, 10, 30

local function is_there(pid)
  local incarnation = math.tointeger(tostring(pid):match("^<%d+%.(%d+)%."))
  for _, member in ipairs(core.members()) do
    if member.incarnation == incarnation then return true end
  end
  return false
end

local Sender = {}
Sender.__index = Sender

-- Each message of a monitor belongs to one that has not been told before and was not taken back.
function Sender:note_down(msg)
  for i, entry in ipairs(self.monitors) do
    if entry.ref == msg[2] then
      entry.told = entry.told + 1
      if entry.told > 1 then tally.violate("%s: a monitor has told %d times", self.name, entry.told) end
      if entry.is_over then tally.violate("%s: a monitor has told after it was taken back", self.name) end
      tally.downs = tally.downs + 1
      if i == #self.monitors then self.end_reason = msg[4] end
      return
    end
  end
  tally.violate("%s: a monitor that nobody has", self.name)
end

function Sender:watch()
  self.monitors[#self.monitors + 1] = { ref = actor.monitor(self.to), told = 0, is_over = false }
  self.epoch, self.number, self.overloads, self.end_reason = self.epoch + 1, 0, 0, nil
end

-- Another receiver, in the worker that serves the slot now.
function Sender:find()
  while not tally.stops do
    local options = { on = self.slot }
    if self.drops then options.mailbox, options.overflow = 64, "drop_new" else options.mailbox = 128 end
    local ok, pid = pcall(worker.spawn, "receiver", { from = actor.self(), name = self.name }, options)
    if ok then
      self.to = pid
      self:watch()
      return true
    end
    task.sleep(0.02)
  end
end

function Sender:look()
  local msg, from, kind = actor.receive(nil, 0)
  while msg ~= nil do
    if kind == "system" and msg[1] == "$down" then self:note_down(msg) end
    msg, from, kind = actor.receive(nil, 0)
  end
end

-- After something failed for good: the monitor must tell why, once.
function Sender:wait_end(what)
  local msg = actor.receive(function(m) return m[1] == "$down" and m[2] == self.monitors[#self.monitors].ref end, PATIENCE_S)
  if msg == nil then
    tally.violate("%s: %s, but the monitor has told nothing", self.name, what)
    self.end_reason = "silence"
  else
    self:note_down(msg)
  end
end

function Sender:send_batch()
  for _ = 1, BATCH do
    self.number = self.number + 1
    local ok, err = pcall(actor.send, self.to, { self.epoch, self.number }, PATIENCE_S)
    if not ok then
      self.number = self.number - 1
      tally.violate("%s: send has failed: %s", self.name, tostring(err))
      return
    end
  end
  tally.sent = tally.sent + BATCH
end

-- What was sent before a question has come before it, or the question fails, or the monitor tells.
function Sender:check()
  local began = task.now()
  local ok, seen = pcall(actor.call, self.to, { "seen", self.epoch }, PATIENCE_S)
  if task.now() - began > 0.02 then tally.waits = tally.waits + 1 end
  if not ok and seen.code == "overload" and self.drops then
    self.overloads = self.overloads + 1
    return
  elseif not ok then
    if seen.code ~= "noconnection" then tally.violate("%s: a call has failed: %s", self.name, tostring(seen)) end
    self:wait_end("a call has failed")
    return
  end
  self:look()
  if self.end_reason then return end -- the answer came from there nevertheless
  tally.checks = tally.checks + 1
  tally.dropped = math.max(tally.dropped, seen.dropped)
  local missing = self.number + self.overloads - seen.count - seen.dropped
  if missing ~= 0 or (seen.gaps > 0 and not self.drops) then
    tally.violate("%s: epoch %d: %d sent, %d seen, %d dropped, %d questions refused, %d gaps", self.name, self.epoch, self.number, seen.count, seen.dropped,
      self.overloads, seen.gaps)
  end
end

-- One epoch.
function Sender:run()
  local round = 0
  while self.end_reason == nil and not tally.stops do
    self:send_batch()
    round = round + 1
    if round % CHECK_EACH == 0 then self:check() else task.sleep(self.rest) end
    self:look()
  end
end

function Sender:go_on()
  if self.end_reason ~= "noconnection" then tally.violate("%s: the end of a receiver came as %s", self.name, tostring(self.end_reason)) end
  local is_break = is_there(self.to)
  local key = is_break and "breaks" or "deaths"
  tally[key] = tally[key] + 1
  if is_break and not self.drops then
    self:watch() -- the same receiver
  else -- what a receiver has dropped it does not know by epochs
    if is_break then actor.exit(self.to, "kill") end
    self:find()
  end
end

-- In order: all that was sent must have come, and the monitor that is taken back tells nothing.
function Sender:finish()
  repeat
    if self.end_reason == nil then self:check() end
    if self.end_reason ~= nil and not self.drops and is_there(self.to) then self:watch() else break end
  until false
  if self.end_reason == nil then
    local last = self.monitors[#self.monitors]
    actor.demonitor(last.ref, { flush = true })
    last.is_over = true
  end
  task.sleep(0.1)
  self:look()
  for _, entry in ipairs(self.monitors) do
    if not entry.is_over and entry.told ~= 1 then tally.violate("%s: a monitor has told %d times", self.name, entry.told) end
  end
end

return function(args)
  local self = setmetatable({ name = args.name, slot = args.slot, drops = args.drops, rest = args.rest, epoch = 0, number = 0, monitors = {} }, Sender)
  tally.senders = tally.senders + 1
  local ok, err = fsd.try(function()
    if self:find() then
      self:run()
      while not tally.stops do
        self:go_on()
        self:run()
      end
      self:finish()
    end
  end)
  if err then tally.violate("%s: %s", self.name, tostring(err)) end
  tally.ended = tally.ended + 1
end
'''

RECEIVER = '''
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local task = require "fsd.task"
local tally = require "tally"

return function(args)
  local me, from = actor.self(), args.from
  local sender_worker = math.tointeger(tostring(from):match("^<%d+%.(%d+)%."))
  local epoch, last, count, gaps = 0, 0, 0, 0
  actor.monitor(from)
  local function begin(number)
    epoch, last, count, gaps = number, 0, 0, 0
  end
  local function note(msg)
    tally.received = tally.received + 1
    if msg[1] < epoch then
      tally.violate("%s: epoch %d behind epoch %d", args.name, msg[1], epoch)
    elseif msg[1] > epoch then
      begin(msg[1])
    end
    if msg[2] <= last then
      tally.violate("%s: epoch %d: number %d behind %d", args.name, epoch, msg[2], last)
    elseif msg[2] > last + 1 then
      gaps = gaps + 1
    end
    last, count = msg[2], count + 1
  end
  local function is_sender_there()
    for _, member in ipairs(core.members()) do
      if member.incarnation == sender_worker then return true end
    end
  end
  while true do
    local msg, asker, kind = actor.receive()
    if kind == "system" then
      if msg[4] ~= "noconnection" or not is_sender_there() then return end
      actor.monitor(from)
    elseif kind == "call" then
      if msg[2] > epoch then begin(msg[2]) end
      actor.reply(asker, { count = count, gaps = gaps, dropped = actor.info(me).dropped })
    else
      note(msg)
    end
    if task.now() < tally.pause_until then
      tally.pauses = tally.pauses + 1
      task.sleep(tally.pause_until - task.now())
    end
  end
end
'''

APP = '''
local fsd = require "fsd"
local actor = require "fsd.actor"
local json = require "fsd.json"
local task = require "fsd.task"
local worker = require "fsd.worker"
local tally = require "tally"
local app = fsd.app()
app:get("/who", function() local s = worker.self() return { slot = s.slot, pid = s.pid, others = #worker.list() - 1 } end)
app:post("/begin", function(req)
  local wanted = req:json()
  local own = worker.self()
  for slot = 0, wanted.workers - 1 do
    for i = 1, slot == own.slot and 0 or wanted.senders do
      local name = ("%d.%d to %d, the %dth"):format(own.slot, own.incarnation, slot, i)
      actor.spawn("sender", { name = name, slot = slot, drops = i % 4 == 0, rest = wanted.rest })
    end
  end
  return { begun = true }
end)
app:post("/pause", function(req) tally.pause_until = task.now() + req:json().seconds return { paused = true } end)
app:post("/stop", function() tally.stops = true return { stops = true } end)
app:get("/tally", function()
  local found = {}
  for key, value in pairs(tally) do if type(value) == "number" then found[key] = value end end
  found.violations = json.array(tally.violations)
  return found
end)
return app
'''

STORM_FILES = {"app.lua": APP, "tally.lua": TALLY, "sender.lua": SENDER, "receiver.lua": RECEIVER}
