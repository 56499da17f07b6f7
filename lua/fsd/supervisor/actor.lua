-- fsd.supervisor.actor: the actor that a supervisor is.  The rules are common/supervise's, a machine in C that says what is
-- to be done next; this file does it and tells the machine what happened.  Nothing here waits but the one receive: a child
-- that starts slowly tells by a signal that it has begun, so that orders to end are never kept waiting.
-- Requests wait in a queue until the machine is idle, as OTP's would wait in the mailbox.  So does what other code declares, which
-- change.lua turns into requests.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error.core"
local log = require "fsd.log"
local change = require "fsd.supervisor.change"
local machines = require "fsd.supervisor.core"
local specs = require "fsd.supervisor.spec"
local start = require "fsd.actor.start"

local Supervisor = {}
Supervisor.__index = Supervisor

function Supervisor:log(level, text, fields)
  fields = fields or {}
  fields.supervisor = self.spec.name or tostring(self.pid)
  log[level](log, text, fields)
end

local function label(child)
  return tostring(child.id or child.module)
end

-- The children have numbers in the machine; those of children that are gone are used again.
function Supervisor:number(child)
  local index = table.remove(self.unused)
  if index == nil then
    index = self.next_index
    self.next_index = index + 1
  end
  self.children[index] = child
  if child.id ~= nil then self.by_id[child.id] = index end
  return index
end

function Supervisor:forget(index)
  local child = self.children[index]
  if child.id ~= nil and self.by_id[child.id] == index then self.by_id[child.id] = nil end
  self.children[index] = nil
  self.unused[#self.unused + 1] = index
end

function Supervisor:release(child)
  self.by_pid[child.pid] = nil
  child.pid = nil
end

-- What came of a child: for the machine, and for whoever waits for it.
function Supervisor:tell(index, news, reason)
  local current = self.current
  self.machine:tell(index, news)
  self.children[index].reason = reason
  if current and current.index == index then
    current.news, current.reason, current.pid = news, reason, self.children[index].pid
  end
end

function Supervisor:fail_start(index, reason)
  local child = self.children[index]
  self.failed, child.reason = child, reason
  if not (self.current and self.current.index == index) then -- else it is told to the one who asked
    self:log("error", ("cannot start child %q: %s"):format(label(child), start.text_of(reason)), { module = child.module })
  end
  self:tell(index, "failed", reason)
end

-- What the machine wants done.
local DO = {}

function DO.start(self, index)
  local child = self.children[index]
  if child.is_gone then return self:tell(index, "ignored") end
  local loaded, module = xpcall(core.loader(), errors.traceback, child.module)
  if not loaded then return self:fail_start(index, module) end
  local tells = start.is_behaviour(module)
  local args = tells and start.envelope(child.args) or child.args
  local spawned, pid = pcall(actor.spawn_link, child.module, args, child.options)
  if not spawned then return self:fail_start(index, pid) end
  child.pid, child.generation = pid, (core.generation())
  self.by_pid[pid] = index
  if not tells then self:tell(index, "started") end
end

-- The monitor is for a child that has unlinked itself.
function DO.stop(self, index)
  local pid = self.children[index].pid
  actor.monitor(pid)
  actor.exit(pid, "shutdown")
end

function DO.kill(self, index)
  local child = self.children[index]
  if child.rules.shutdown > 0 then
    self:log("warning", ("child %q was killed: it did not end within %g s"):format(label(child), child.rules.shutdown))
  end
  actor.monitor(child.pid)
  actor.exit(child.pid, "kill")
end

function DO.retry(self)
  self.is_retrying = true
end

function DO.forget(self, index)
  self:forget(index)
end

function DO.ready(self)
  self.announce "started"
end

DO["end"] = function(self, why)
  self.ended = why
end

-- Tells the one whose request is over.
function Supervisor:settle()
  local current = self.current
  if current == nil or not (current.news or self.machine:is_idle()) then return end
  self.current = nil
  if current.kind ~= "terminate_child" and current.news ~= "started" and current.news ~= "ignored" then
    actor.reply(current.from, { "failed", "start_failed", current.reason })
  else
    actor.reply(current.from, { "ok", current.pid })
  end
end

function Supervisor:pump()
  if self.is_retrying then -- requests come before the next try
    self.is_retrying = false
    self:begin_request()
  end
  repeat
    local action, index = self.machine:next()
    if action then DO[action](self, index) end
    self:settle()
    if not action and self:begin_request() then action = "again" end
  until not action or self.is_retrying or self.ended
end

-- Once in each generation the worker may end a child because its code was replaced; who says so again is like any that fails.
local function class_of(reason, child)
  if reason == "normal" then return "normal" end
  local word = type(reason) == "table" and reason.name == "CancelError" and reason.code or reason
  if word == "replaced" and child.generation ~= (core.generation()) then return "replaced" end
  if reason == "shutdown" or type(reason) == "table" and reason[1] == "shutdown" then return "shutdown" end
  return "abnormal"
end

function Supervisor:on_exit(pid, reason)
  local index = self.by_pid[pid]
  if index == nil then return end
  local child = self.children[index]
  local state = self.machine:state(index)
  self:release(child)
  if state == "starting" then return self:fail_start(index, reason) end
  if state == "running" and not (reason == "normal" and child.rules.restart ~= "permanent") then
    self:log(class_of(reason, child) == "abnormal" and "warning" or "notice", ("child %q has ended: %s"):format(label(child), start.text_of(reason)),
      { module = child.module, actor = tostring(pid) })
  end
  if state == "running" then self.last = child end
  self:tell(index, class_of(reason, child), reason)
end

function Supervisor:on_ack(pid, word, reason)
  local index = self.by_pid[pid]
  if index == nil then return end
  if word ~= "started" then self:release(self.children[index]) end
  if word == "failed" then return self:fail_start(index, reason) end
  self:tell(index, word, reason)
end

-- Requests.  Each returns true when it is under way, or answers.
local REQUESTS = {}

local function refuse(from, word, extra)
  actor.reply(from, { "failed", word, extra })
end

function Supervisor:find(id)
  if self.spec.simple then return self.by_pid[id] end
  return self.by_id[id]
end

function Supervisor:read_child(args)
  if not self.spec.simple then return specs.child(args, self.spec) end
  local child = {}
  for key, value in pairs(self.spec.template) do child[key] = value end
  child.id, child.has_own_args = nil, args ~= nil
  if args ~= nil then child.args = args end
  return child
end

function REQUESTS.start_child(self, request)
  local limit = self.spec.max_children
  if limit and self.next_index - #self.unused >= limit then return refuse(request.from, "max_children") end
  local child, why = self:read_child(request.what)
  if not child then return refuse(request.from, "bad_child", why) end
  local index = child.id ~= nil and self.by_id[child.id]
  if index then
    local word = self.machine:request("start", index, child.rules)
    return refuse(request.from, word == "running" and "already_started" or "already_present", self.children[index].pid)
  end
  index = self:number(child)
  local word = self.machine:request("start", index, child.rules)
  if word then
    self:forget(index)
    return refuse(request.from, word)
  end
  request.index = index
  return true
end

local function on_child(kind)
  return function(self, request)
    local index = self:find(request.what)
    if index == nil then return refuse(request.from, "not_found") end
    local word = self.machine:request(kind, index)
    if word then return refuse(request.from, word) end
    request.index = index
    return true
  end
end

REQUESTS.terminate_child = on_child "terminate"
REQUESTS.restart_child = on_child "restart"

function REQUESTS.delete_child(self, request)
  local index = self:find(request.what)
  if index == nil then return refuse(request.from, "not_found") end
  local word = self.machine:request("delete", index)
  if word then return refuse(request.from, word) end
  self:forget(index)
  actor.reply(request.from, { "ok" })
end

-- What others may ask for; the rest is the supervisor's own.
local ASKABLE = {}
for kind in pairs(REQUESTS) do ASKABLE[kind] = true end

REQUESTS.change, REQUESTS.drop, REQUESTS.recover = change.begin, change.drop, change.recover

-- To be the next one.
function Supervisor:prepend(request)
  self.first_request = self.first_request - 1
  self.requests[self.first_request] = request
end

function Supervisor:append(request)
  self.last_request = self.last_request + 1
  self.requests[self.last_request] = request
end

-- In front of the first one of that kind; to be the last one when there is none.
function Supervisor:insert(request, kind)
  local place = self.first_request
  while self.requests[place] and self.requests[place].kind ~= kind do place = place + 1 end
  self.last_request = self.last_request + 1
  table.move(self.requests, place, self.last_request - 1, place + 1)
  self.requests[place] = request
end

-- Takes all of that kind out of the queue, and returns them in order.
function Supervisor:withdraw(kind)
  local taken, kept = {}, {}
  for i = self.first_request, self.last_request do
    local list = self.requests[i].kind == kind and taken or kept
    list[#list + 1] = self.requests[i]
  end
  self.requests, self.first_request, self.last_request = kept, 1, #kept
  return taken
end

function Supervisor:begin_request()
  local request = self.requests[self.first_request]
  if request == nil or self.current or not self.machine:is_idle() then return false end
  self.requests[self.first_request] = nil
  self.first_request = self.first_request + 1
  if REQUESTS[request.kind](self, request) then self.current = request end
  return true
end

-- What is asked of it and needs no queue.
local READS = {}

function READS.which_children(self)
  local list = {}
  for i, index in ipairs(self.machine:list()) do
    local child = self.children[index]
    local state = self.machine:state(index)
    list[i] = {
      id = child.id, pid = child.pid, type = child.type, module = child.module,
      state = (state == "retrying" or state == "died") and "restarting" or child.pid and state or "stopped",
    }
  end
  return list
end

function READS.count_children(self)
  local specs, active, supervisors, workers = self.machine:counts()
  return { specs = specs, active = active, supervisors = supervisors, workers = workers }
end

function Supervisor:on_call(msg, from)
  local kind = type(msg) == "table" and msg[1] == "$supervisor" and msg[2]
  if READS[kind] then
    actor.reply(from, { "ok", READS[kind](self) })
  elseif ASKABLE[kind] then
    self:append { kind = kind, what = msg[3], from = from }
  elseif kind == "stop" then
    self.reason = "shutdown"
    self.machine:stop()
  else
    refuse(from, "not_supported")
  end
end

function Supervisor:on_message(msg, from, kind)
  if kind == "call" then return self:on_call(msg, from) end
  if kind ~= "system" then return end
  local reason = start.order_to_end(msg, kind, self.parent)
  if reason ~= nil then
    self.reason = reason
    self.machine:stop()
  elseif msg[1] == "$exit" then
    self:on_exit(msg[2], msg[3])
  elseif msg[1] == "$down" then
    self:on_exit(msg[3], msg[4])
  elseif msg[1] == start.ACK then
    self:on_ack(msg[2], msg[3], msg[4])
  elseif msg[1] == change.DECLARED then
    change.declare(self, msg[2])
  end
end

local ENDS = {}

function ENDS.told() end

function ENDS.start_failed(self)
  self.announce("failed", { "failed_to_start_child", self.failed.id, self.failed.reason })
end

function ENDS.intensity(self)
  if self.spec.is_root then
    self:log("error", ("the application's supervisor %q has ended: %s"):format(label(self.last), start.text_of(self.last.reason)))
    return
  end
  self:log("error", ("supervisor gives up: more than %s in %g s; the last one to end was %q: %s"):format(
    self.spec.intensity == 1 and "1 restart" or self.spec.intensity .. " restarts", self.spec.period,
    self.last and label(self.last) or "?", self.last and start.text_of(self.last.reason) or "?"))
end

function ENDS.auto_shutdown(self)
  self:log("notice", "supervisor ends: its significant children have ended")
end

function Supervisor:begin()
  for _, child in ipairs(self.spec.children) do self.machine:add(self:number(child), child.rules) end
  self.machine:start()
end

function Supervisor:loop()
  self:pump()
  while not self.ended do
    local msg, from, kind = actor.receive(self.is_retrying and 0 or self.machine:wake())
    if kind ~= nil then self:on_message(msg, from, kind) end
    self:pump()
  end
end

-- Runs a supervisor with a specification that fsd.supervisor.spec has made; read makes another one of what other code declares.
return function(spec, parent, announce, read)
  actor.trap_exit(true)
  local self = setmetatable({
    spec = spec, read = read or specs.any, parent = parent, announce = announce, pid = actor.self(), machine = machines.new(spec),
    children = {}, by_id = {}, by_pid = {}, unused = {}, next_index = 0,
    requests = {}, first_request = 1, last_request = 0,
  }, Supervisor)
  self:begin()
  self:loop()
  ENDS[self.ended](self)
  actor.exit(self.ended == "told" and self.reason or "shutdown")
end
