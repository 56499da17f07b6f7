-- fsd.supervisor.spec: what supervisors and children are told to be, judged and completed.  The same rules for
-- supervisor.start, start_child and app:supervisor.  All functions return the result, or nil and a sentence.
local config = require "fsd.config"

local M = {}

local function is_name(value) return type(value) == "string" and #value >= 1 and #value <= 255 end
local function is_count(value) return math.type(value) == "integer" and value >= 1 end
local function is_time(value) return type(value) == "number" and value >= 0 end
local function is_boolean(value) return type(value) == "boolean" end
local function is_table(value) return type(value) == "table" end

local function one_of(...)
  local words = {}
  for _, word in ipairs { ... } do words[word] = true end
  return function(value) return words[value] == true end
end

-- option -> what it must be, and how to say that
local CHILD = {
  id = { function(value) return is_name(value) or math.type(value) == "integer" end, "a string or an integer" },
  start = { is_table, "{ module, arguments }" },
  name = { is_name, "a string of 1 to 255 bytes" },
  restart = { one_of("permanent", "transient", "temporary"), '"permanent", "transient" or "temporary"' },
  shutdown = { function(value) return value == "brutal_kill" or value == "infinity" or is_time(value) end, 'seconds, "brutal_kill" or "infinity"' },
  type = { one_of("worker", "supervisor"), '"worker" or "supervisor"' },
  significant = { is_boolean, "true or false" },
  scope = { one_of("worker", "node"), '"worker" or "node"' },
  mailbox = { is_count, "an integer from 1" },
  mailbox_bytes = { is_count, "an integer from 1" },
  memory = { is_count, "an integer from 1" },
  overflow = { one_of("suspend", "drop_new", "drop_old", "raise"), '"suspend", "drop_new", "drop_old" or "raise"' },
}

local FLAGS = {
  name = CHILD.name,
  strategy = { one_of("one_for_one", "one_for_all", "rest_for_one"), '"one_for_one", "one_for_all" or "rest_for_one"' },
  intensity = { function(value) return is_time(value) and (value == math.huge or math.tointeger(value) ~= nil) end, "a number of restarts" },
  period = { function(value) return is_time(value) and value > 0 end, "seconds" },
  auto_shutdown = { one_of("never", "any_significant", "all_significant"), '"never", "any_significant" or "all_significant"' },
  children = { is_table, "a list of children" },
  timeout = { is_time, "seconds" },
}

local DYNAMIC = {
  name = CHILD.name, intensity = FLAGS.intensity, period = FLAGS.period, timeout = FLAGS.timeout,
  child = { is_table, "a child" },
  max_children = { is_count, "an integer from 1" },
}

local function judge(given, rows, what)
  if type(given) ~= "table" then return nil, ("%s must be a table"):format(what) end
  for key, value in pairs(given) do
    local row = rows[key]
    if row == nil then return nil, ("%s has an unknown option %q"):format(what, tostring(key)) end
    if not row[1](value) then return nil, ("%s has a bad option %q: %s expected"):format(what, key, row[2]) end
  end
  return given
end

local function read_shutdown(given)
  if given.shutdown == "brutal_kill" then return 0 end
  if given.shutdown == "infinity" then return math.huge end
  return given.shutdown or (given.type == "supervisor" and math.huge or 5)
end

-- A child of scope "node": what runs in each worker is its keeper.  owner: the supervisor with all its options.
local function keep(given, child, owner, what)
  if owner.name == nil or owner.simple then
    return nil, ('%s has scope "node", so its supervisor needs a name, and children with ids'):format(what)
  end
  if given.significant then return nil, ('%s has scope "node", so it can\'t be significant'):format(what) end
  local name = ("$child:%s/%s/%s"):format(config.app, owner.name, child.id)
  if not is_name(name) then return nil, ('%s has scope "node", so its id and the supervisor\'s name must be shorter'):format(what) end
  local copy = {}
  for key, value in pairs(given) do copy[key] = value end
  copy.id, copy.scope = child.id, nil
  return {
    id = child.id, module = "fsd.supervisor.keeper", type = "supervisor", options = {},
    args = { claim = name, supervisor = { name = owner.name, intensity = owner.intensity, period = owner.period, children = { copy } } },
    rules = { restart = "permanent", shutdown = math.huge, supervisor = true, significant = false },
  }
end

-- A child with all its options: id, module, args, options of spawn, rules for the machine.
function M.child(given, owner, what)
  what = what or "the child"
  local auto_shutdown = owner.auto_shutdown
  local _, err = judge(given, CHILD, what)
  if err then return nil, err end
  local start = given.start or {}
  if not is_name(start[1]) then return nil, ("%s must have start = { module, arguments }"):format(what) end
  local restart = given.restart or "permanent"
  if given.significant and restart == "permanent" then return nil, ("%s is significant, so it can't be permanent"):format(what) end
  if given.significant and auto_shutdown == "never" then
    return nil, ('%s is significant, so its supervisor needs auto_shutdown'):format(what)
  end
  local child = {
    id = given.id or given.name or start[1],
    module = start[1],
    args = start[2],
    type = given.type or "worker",
    options = {
      name = given.name, mailbox = given.mailbox, mailbox_bytes = given.mailbox_bytes, overflow = given.overflow,
      memory = given.memory,
    },
    rules = {
      restart = restart, shutdown = read_shutdown(given), supervisor = given.type == "supervisor",
      significant = given.significant or false,
    },
  }
  if given.scope == "node" then return keep(given, child, owner, what) end
  return child
end

local function whole(given)
  return {
    name = given.name, strategy = given.strategy or "one_for_one", intensity = given.intensity or 1, period = given.period or 5,
    auto_shutdown = given.auto_shutdown or "never", timeout = given.timeout, children = {},
  }
end

-- A supervisor with all its options and children.
function M.supervisor(given)
  local _, err = judge(given, FLAGS, "the supervisor")
  if err then return nil, err end
  local spec, known = whole(given), {}
  for i, child in ipairs(given.children or {}) do
    local read, why = M.child(child, spec, ("child %d"):format(i))
    if not read then return nil, why end
    if known[read.id] then return nil, ("child %d has the id %q of another one"):format(i, tostring(read.id)) end
    known[read.id] = true
    spec.children[i] = read
  end
  return spec
end

-- A supervisor whose children come and go, all of one kind.
function M.dynamic(given)
  local _, err = judge(given, DYNAMIC, "the supervisor")
  if err then return nil, err end
  local spec = whole(given)
  spec.simple = true
  local template, why = M.child(given.child, spec, "child")
  if not template then return nil, why end
  if template.options.name then return nil, "child can't have a name: there may be many of them" end
  spec.template, spec.max_children = template, given.max_children
  return spec
end

-- What `child` is there for says which of the two it is.
function M.any(given)
  if type(given) == "table" and given.child ~= nil then return M.dynamic(given) end
  return M.supervisor(given)
end

return M
