-- fsd.supervisor.change: a supervisor goes on by what other code declares, as OTP's does in code_change.  Children are compared by their
-- ids: those that both declare go on, whatever has changed of them counts from their next start, or end, on; what is declared no
-- more is ended, the last one first; what is new is started, in order, and a start that fails is one more failed restart.  Beyond OTP,
-- whose release handler says which children to end and to start.  Children of start_child stay.
-- What both declare and does not run stays so: it was terminated, or has ended as it may.
local core = require "fsd.actor.core"
local log = require "fsd.log"

local M = { DECLARED = "$declared" } -- the signal { DECLARED, what it declares }

local SUPERVISOR, KEEPER = "fsd.supervisor", "fsd.supervisor.keeper"

-- A child with the same id goes on only as what it is: an actor, a supervisor of one of the two kinds, the keeper of one name.
local function kind_of(child)
  if child.module == KEEPER then return child.args.claim end
  if child.module ~= SUPERVISOR then return "actor" end
  return type(child.args) == "table" and child.args.child ~= nil and "dynamic" or "supervisor"
end

-- Supervisors compare what is theirs themselves.
local function pass_on(child)
  if child.pid == nil then return end
  if child.module == KEEPER then
    core.signal(child.pid, { M.DECLARED, child.args.supervisor })
  elseif child.module == SUPERVISOR then
    core.signal(child.pid, { M.DECLARED, child.args or {} })
  end
end

local function update(self, index, new, args)
  local child = self.children[index]
  child.module, child.args, child.type, child.options, child.rules = new.module, args, new.type, new.options, new.rules
  self.machine:request("specify", index, new.rules)
  pass_on(child)
end

local function update_all(self, template)
  for index, child in pairs(self.children) do
    update(self, index, template, child.has_own_args and child.args or template.args)
  end
end

local function index_ids(children)
  local by_id = {}
  for _, child in ipairs(children) do by_id[child.id] = child end
  return by_id
end

-- Those that shall end, the last one first.
local function find_gone(self, old, wanted)
  local steps = {}
  for i = #old.children, 1, -1 do
    local id = old.children[i].id
    local index = self.by_id[id]
    local child = index and self.children[index]
    if child and (wanted[id] == nil or kind_of(wanted[id]) ~= kind_of(child)) then
      steps[#steps + 1] = { kind = "drop", index = index, child = child }
      self.by_id[id] = nil
    end
  end
  return steps
end

-- Those that an earlier change has not started yet: they start in their new order, as what they are now.
local function withdraw_starts(self)
  local waiting = {}
  for _, request in ipairs(self:withdraw "recover") do waiting[request.child] = request end
  return waiting
end

-- Adds to steps those that shall start, and brings the others up to date.
local function take_over(self, spec, was_declared, steps)
  local waiting = withdraw_starts(self)
  for _, child in ipairs(spec.children) do
    local index = self.by_id[child.id]
    if index then
      update(self, index, child, child.args)
      steps[#steps + 1] = waiting[self.children[index]]
    elseif not was_declared[child.id] then
      index = self:number(child)
      self.machine:request("include", index, child.rules)
      steps[#steps + 1] = { kind = "recover", index = index, child = child }
    end
  end
end

-- The declared ones in their order, then all others in theirs.
local function arrange(self, spec)
  local rest, declared = {}, {}
  for _, child in ipairs(spec.children) do declared[#declared + 1] = self.by_id[child.id] end
  local is_declared = {}
  for _, index in ipairs(declared) do is_declared[index] = true end
  for _, index in ipairs(self.machine:list()) do
    if not is_declared[index] then rest[#rest + 1] = index end
  end
  for _, index in ipairs(declared) do self.machine:request("put_last", index) end
  for _, index in ipairs(rest) do self.machine:request("put_last", index) end
end

-- What has not been started yet starts as what it is now, or not at all; a supervisor that is starting does the same.
local function foretell(self, spec)
  local wanted, declared = index_ids(spec.children), index_ids(self.spec.children)
  for id, index in pairs(self.by_id) do
    local child, new = self.children[index], wanted[id]
    local is_same = new ~= nil and kind_of(new) == kind_of(child)
    if child.pid == nil and is_same then
      child.module, child.args, child.type, child.options, child.is_gone = new.module, new.args, new.type, new.options, nil
    elseif child.pid == nil and declared[id] then
      child.is_gone = true
    elseif is_same and self.machine:state(index) == "starting" then
      pass_on { pid = child.pid, module = new.module, args = new.args }
    end
  end
end

-- Comes before what an earlier change has not started yet: that could be there no more.
function M.declare(self, what)
  self:insert({ kind = "change", what = what }, "recover")
  local spec = self.read(what)
  if spec and not spec.simple and not self.spec.simple then foretell(self, spec) end
end

-- What follows are requests of the supervisor: begun when its machine is idle.

function M.begin(self, request)
  local old = self.spec
  local spec, why = self.read(request.what)
  if not spec or (spec.simple or false) ~= (old.simple or false) then
    log:error("a supervisor goes on as it is: " .. (why or "it can't become one of the other kind"))
    return
  end
  spec.is_root, spec.name = old.is_root, old.name
  self.spec = spec
  self.machine:change(spec)
  if spec.simple then return update_all(self, spec.template) end
  local wanted, was_declared = index_ids(spec.children), index_ids(old.children)
  local steps = find_gone(self, old, wanted)
  for _, step in ipairs(steps) do was_declared[step.child.id] = nil end
  take_over(self, spec, was_declared, steps)
  arrange(self, spec)
  for i = #steps, 1, -1 do self:prepend(steps[i]) end
end

-- Ends a child, and comes again to forget it.
function M.drop(self, request)
  if self.children[request.index] ~= request.child then return end -- temporary ones are forgotten already
  if request.is_told and not self.machine:request("delete", request.index) then
    self:forget(request.index)
    return
  end
  request.is_told = true
  self:prepend(request)
  self.machine:request("terminate", request.index)
end

function M.recover(self, request)
  if self.children[request.index] == request.child then self.machine:request("recover", request.index) end
end

return M
