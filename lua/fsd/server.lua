-- fsd.server: an actor as a server, after OTP's gen_server: the loop is here, an application writes what happens.
--   local Counter = require "fsd.server" {}
--   function Counter:init(args) self.n = args.from end
--   function Counter:handle_call(msg, from) self.n = self.n + msg; return self.n end
--   return Counter
-- What server{} returns holds no values itself: methods are kept apart, because a name in `api` means the method inside the
-- server and a function that calls the server outside of it.  Holds no application state.
local actor = require "fsd.actor"
local core = require "fsd.actor.core"
local errors = require "fsd.error.core"
local log = require "fsd.log"
local start = require "fsd.actor.start"
local task = require "fsd.task"

local server = {
  call = actor.call,
  cast = actor.cast,
  reply = actor.reply,
}

-- What a callback may return beside, or instead of, an answer.
local Order = { __name = "fsd.server.Order" }
local function order(kind, fields)
  fields.kind = kind
  return setmetatable(fields, Order)
end

server.noreply = order("noreply", {})
server.ignore = order("ignore", {})

function server.stop(reason, ...)
  return order("stop", { reason = reason == nil and "normal" or reason, has_reply = select("#", ...) > 0, reply = (...) })
end

function server.timeout(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0) then error("server.timeout expects seconds, 0 or more", 2) end
  return order("timeout", { seconds = seconds })
end

function server.continue(value)
  return order("continue", { value = value })
end

local function is_order(value)
  return type(value) == "table" and getmetatable(value) == Order
end

local CALLBACKS = {
  init = true, handle_call = true, handle_cast = true, handle_info = true, handle_continue = true, terminate = true,
  code_change = true,
}

local classes = setmetatable({}, { __mode = "k" }) -- what server{} returned -> how it works inside

local function find_name(class)
  for name, module in pairs(core.loaded() or {}) do
    if module == class.S then return name end
  end
end

-- The name under which the application required it, or nil.
local function name_of(class)
  if class.module == nil then class.module = core.atomic(find_name, class) end
  return class.module
end

-- One server that runs: self is what the callbacks get.
local Running = {}
Running.__index = Running

-- Does as a callback wants; true: the server is to end.
function Running:obey(wish)
  if not is_order(wish) then return end
  if wish.kind == "stop" then
    self.reason = wish.reason
    return true
  elseif wish.kind == "timeout" then
    self.due = task.now() + wish.seconds
  elseif wish.kind == "continue" then
    self.continuation = wish
  end
end

local function obey_one(running, first, second)
  if first == server.noreply then first = second end
  return running:obey(first)
end

function Running:answer(from, reply, wish)
  if is_order(reply) and reply ~= server.noreply then
    if reply.kind ~= "stop" then
      error(("handle_call must return the answer, or server.noreply, in front of server.%s"):format(reply.kind), 0)
    end
    if reply.has_reply then actor.reply(from, reply.reply) end
    return self:obey(reply)
  end
  if reply ~= server.noreply then actor.reply(from, reply) end
  return self:obey(wish)
end

function Running:ask(name, ...)
  local method = self.class.methods[name]
  if method == nil then error(("the server %q has no %s"):format(name_of(self.class) or "?", name), 0) end
  return method(self.state, ...)
end

-- The newest version of its module; nil and an Error, and true when there is none any more.
function Running:find_latest(name)
  if not name then return nil, errors.wrap { message = "no module has this server as its value" }, true end
  local ok, latest = xpcall(core.loader(), errors.traceback, name)
  if not ok then
    return nil, latest, latest.message:find(("module '%s' not found"):format(name), 1, true) ~= nil
  end
  local class = classes[latest]
  if not class then return nil, errors.wrap { message = ("module %q is no server any more"):format(name) }, true end
  return class
end

-- What was cut has no place in its message.
local function say_where(err)
  local place = err.name == "CancelError" and (err.traceback or ""):match "\n%s*([^%s:%[]+:%d+): in "
  if place then err.message = ("code_change has not ended in time, at %s"):format(place) end
  return err
end

function Running:refuse(generation)
  self.refused = generation
  core.refuse_code()
end

-- Continues with the newest version of its module; when that fails, with the one it has: nil and an Error.  Where there is none, the
-- server ends when the time of the old code is over.
function Running:change_code(old_generation)
  core.begin_code()
  local name, current = name_of(self.class), core.generation()
  local class, err, is_gone = self:find_latest(name)
  if is_gone then core.unfollow_code() end
  if not class then
    if not is_gone then self:refuse(current) end
    return nil, err
  end
  local state = setmetatable({}, class.meta)
  if class.methods.code_change then
    local changed, why = xpcall(class.methods.code_change, errors.traceback, state, self.state, old_generation)
    if not changed then
      self:refuse(current)
      return nil, say_where(why)
    end
  else
    for key, value in pairs(self.state) do state[key] = value end
  end
  class.module = name
  self.class, self.state = class, state
  core.has_new_code()
  return true
end

local SYSTEM = {
  get_state = function(running)
    local copy = {}
    for key, value in pairs(running.state) do copy[key] = value end
    local ok, err = pcall(core.copy, copy)
    return ok and { true, copy } or { false, err }
  end,
  change_code = function(running, old_generation)
    local changed, err = running:change_code(old_generation)
    return { changed or false, err and err.message }
  end,
}

function Running:on_call(msg, from)
  local word = type(msg) == "table" and msg[1]
  if word == "$api" and self.class.api[msg[2]] then
    local args = msg[3]
    return self:answer(from, self:ask(msg[2], table.unpack(args, 1, args.n)))
  elseif word == "$system" and SYSTEM[msg[2]] then
    actor.reply(from, SYSTEM[msg[2]](self, msg[3]))
    return
  end
  return self:answer(from, self:ask("handle_call", msg, from))
end

function Running:on_info(msg)
  if self.class.methods.handle_info then return obey_one(self, self.class.methods.handle_info(self.state, msg)) end
  log:warning("a server got a message that it has no handle_info for", {
    module = name_of(self.class), actor = tostring(actor.self()), type = type(msg) == "table" and tostring(msg[1]) or type(msg),
  })
end

function Running:on_message(msg, from, kind)
  if kind == "call" then return self:on_call(msg, from) end
  if kind == "cast" then return obey_one(self, self:ask("handle_cast", msg)) end
  if kind == "system" and msg[1] == "$code_change" then
    local current, own = core.generation()
    if own == current then return end -- it was told of two changes, and has moved already
    if self.refused == current then return core.refuse_code() end -- or has tried this code already
    local changed, err = self:change_code(msg[2])
    if not changed then
      log:error("a server stays on its old code: " .. err.message,
        { module = name_of(self.class), actor = tostring(actor.self()), traceback = err.traceback })
    end
    return
  end
  local reason = start.order_to_end(msg, kind, self.parent)
  if reason ~= nil then
    self.reason = reason
    return true
  end
  return self:on_info(msg)
end

-- The next message; a timeout is the message "timeout", and any message ends it.
function Running:receive()
  local due = self.due
  if due == nil then return actor.receive() end
  self.due = nil
  local msg, from, kind = actor.receive(math.max(due - task.now(), 0))
  if msg == nil and kind == nil and task.now() >= due then return "timeout" end
  return msg, from, kind
end

function Running:loop()
  local ended = false
  while not ended do
    local continuation = self.continuation
    if continuation then
      self.continuation = nil
      ended = obey_one(self, self:ask("handle_continue", continuation.value))
    else
      ended = self:on_message(self:receive())
    end
  end
end

-- Runs a part of the server's life; what it raises ends the server, after terminate.
function Running:guard(f, ...)
  local ok, err = xpcall(f, errors.traceback, ...)
  if ok then return err end
  self:terminate(err.name == "ExitError" and err.reason or err)
  error(err, 0)
end

function Running:terminate(reason)
  if self.class.methods.terminate then self.class.methods.terminate(self.state, reason) end
end

local function is_quiet(reason)
  return reason == "normal" or reason == "shutdown" or type(reason) == "table" and reason[1] == "shutdown"
end

function Running:finish()
  local reason = self.reason
  self:terminate(reason)
  if not is_quiet(reason) then
    log:error("server stopped: " .. (type(reason) == "table" and reason.message or tostring(reason)),
      { module = name_of(self.class), actor = tostring(actor.self()) })
  end
  actor.exit(reason)
end

-- What is called last holds nothing of the code that the server began with.
local function live(running)
  running:guard(running.loop, running)
  running:finish()
end

-- What an actor with this module does.
local function run(S, envelope)
  local class = classes[S]
  name_of(class) -- while it is to be found
  core.follow_code()
  local args, parent, tell = start.begin(envelope)
  local running = setmetatable({ class = class, state = setmetatable({}, class.meta), parent = parent }, Running)
  local wish = class.methods.init and class.methods.init(running.state, args)
  if wish == server.ignore then
    tell "ignored"
    return
  end
  if running:obey(wish) then
    tell("failed", running.reason)
    actor.exit(running.reason)
  end
  tell "started"
  return live(running)
end

local START_OPTIONS = {
  args = true, name = true, timeout = true, mailbox = true, mailbox_bytes = true, overflow = true, memory = true,
  on = true,
}

local function start_server(class, spawn, options)
  options = options or {}
  if core.loaded() == nil then
    error("cannot start a server while code is being loaded: what shall run from the start is declared with app:supervisor{...}", 3)
  end
  if name_of(class) == nil then
    error("cannot start: no module has this server as its value; actors are started by the name of a module", 3)
  end
  local spawn_options = {}
  for key, value in pairs(options) do
    if not START_OPTIONS[key] then error(("unknown option %q"):format(tostring(key)), 3) end
    if key ~= "args" and key ~= "timeout" then spawn_options[key] = value end
  end
  return start.start(spawn, class.module, options.args, spawn_options, options.timeout)
end

local function set_api(class, names)
  if type(names) ~= "table" then error("api must be a list of names of methods", 3) end
  class.api, class.clients = {}, {}
  for _, name in ipairs(names) do
    if type(name) ~= "string" or CALLBACKS[name] or class.own[name] then
      error(("api cannot have %q: it has a meaning of its own"):format(tostring(name)), 3)
    end
    class.api[name] = true
    class.clients[name] = function(dest, ...)
      return actor.call(dest, { "$api", name, table.pack(...) }, class.timeout)
    end
  end
end

local OPTIONS = { timeout = "number" }

-- server{ timeout = } -> a server to be filled with callbacks
local function define(_, options)
  for key, value in pairs(options or {}) do
    if OPTIONS[key] == nil then error(("unknown option %q"):format(tostring(key)), 2) end
    if type(value) ~= OPTIONS[key] then error(("bad option %q: a %s expected"):format(key, OPTIONS[key]), 2) end
  end
  local class = { methods = {}, api = {}, clients = {}, timeout = options and options.timeout }
  class.meta = { __index = class.methods }
  class.own = {
    run = run,
    start = function(given) return start_server(class, actor.spawn, given) end,
    start_link = function(given) return start_server(class, actor.spawn_link, given) end,
    start_monitor = function(given) return start_server(class, actor.spawn_monitor, given) end,
  }
  local S = setmetatable({}, {
    __index = function(_, name) return class.own[name] or class.clients[name] or class.methods[name] end,
    __newindex = function(_, name, value)
      if class.own[name] then error(("%q is the server's own"):format(name), 2) end
      if name == "api" then set_api(class, value) else class.methods[name] = value end
    end,
  })
  class.S, classes[S] = S, class
  start.register(S)
  return S
end

-- For debugging: a copy of the server's state.
function server.get_state(dest, timeout)
  local answer = actor.call(dest, { "$system", "get_state" }, timeout)
  if not answer[1] then error(answer[2], 2) end
  return answer[2]
end

-- Lets the server go on with the newest version of its module; raises when its code_change fails.
function server.change_code(dest, old_generation, timeout)
  local answer = actor.call(dest, { "$system", "change_code", old_generation }, timeout)
  if not answer[1] then error(answer[2], 2) end
end

return setmetatable(server, { __call = define })
