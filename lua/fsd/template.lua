-- fsd.template: HTML (and other text) from templates: <%= escaped %>, <%- as it is %>, <% code %>, <%# comment %>, layouts and
-- partials.  compile.lua turns a text into a function, views.lua finds the text in the bundle of the code that runs; here stands what
-- a template is rendered with.  Holds no state of applications.
local compile = require "fsd.template.compile"
local errors = require "fsd.error"
local views = require "fsd.template.views"
local text = require "fsd.text.core"

local M = { escape = text.escape }

local DEPTH_MAX = 50 -- of includes and of layouts
local PACKED_MAX = 64 -- joined pieces at the begin of a list, before they are joined as well

-- State of one rendering; `find` is nil where there are no views.
local State = { escape = text.escape, text = text.text, concat = table.concat }
State.__index = State

local function new_state(find)
  return setmetatable({ find = find, blocks = {}, depth = 0 }, State)
end

-- Joins the pieces of a long list that are not joined yet: `packed` of them are, at its begin.  Returns how many there are then.
function State.pack(pieces, count)
  local from = (pieces.packed or 0) + 1
  if from > PACKED_MAX then from = 1 end
  pieces[from] = table.concat(pieces, "", from, count)
  pieces.packed = from
  return from
end

local function check_locals(locals, what)
  if locals ~= nil and type(locals) ~= "table" then
    error(("%s must be a table of values by name, got %s"):format(what, type(locals)), 3)
  end
end

-- The environment of a template: its values, and behind them those of whoever includes it, or the functions of Lua.
local function new_env(values, metatable)
  local env = {}
  if values ~= nil then
    for name, value in next, values do env[name] = value end
  end
  return setmetatable(env, metatable)
end

local function too_deep(name)
  error(errors.new {
    name = "TemplateError", code = "template.depth", status = 500,
    message = ("\"%s\": more than %d templates within each other; does one include itself?"):format(name, DEPTH_MAX),
  }, 0)
end

local function find_view(state, name)
  if state.find == nil then error("there are no views here: the template was compiled from a text", 3) end
  return state.find(name)
end

function State.include(state, env, name, values)
  check_locals(values, "the second argument of include")
  local render = find_view(state, name)
  if state.depth == DEPTH_MAX then too_deep(name) end
  state.depth = state.depth + 1
  local outer = state.layout -- a partial with a layout of its own is put into that alone
  state.layout = nil
  local result = state:run(render, new_env(values, { __index = env }))
  state.layout = outer
  state.depth = state.depth - 1
  return result
end

function State.set_layout(state, name, values)
  check_locals(values, "the second argument of layout")
  find_view(state, name)
  state.layout, state.layout_values = name, values
end

function State.yield(state, name, default)
  if name == nil then return state.content or "" end
  return state.blocks[name] or default or ""
end

-- Renders, and then the layouts that were asked for, from the inside out.
function State:run(render, env)
  local result = render(env, self)
  local outer, depth = self.content, 0
  while self.layout do
    local name, values = self.layout, self.layout_values
    self.layout, self.layout_values = nil, nil
    depth = depth + 1
    if depth > DEPTH_MAX then too_deep(name) end
    self.content = result
    env = new_env(values, { __index = env })
    result = find_view(self, name)(env, self)
  end
  self.content = outer
  return result
end

-- template.compile(source, { name = "mail" }) -> render, a function(values) -> string
function M.compile(source, options)
  if type(source) ~= "string" then
    error(("bad argument #1 to 'compile' (string expected, got %s)"):format(type(source)), 2)
  end
  local name = options and options.name or "template"
  local render = compile(source, name)
  local metatable = views.metatable()
  return function(values)
    check_locals(values, "the values of a template")
    return new_state(nil):run(render, new_env(values, metatable))
  end
end

-- template.render(view, values [, options]) -> string; options.layers are further tables of values, the nearest one first
function M.render(name, values, options)
  check_locals(values, "the values of a view")
  local find, render = views.finder(name, options)
  local env = new_env(nil, views.metatable())
  if options ~= nil and options.layers ~= nil then
    for i = #options.layers, 1, -1 do
      for key, value in next, options.layers[i] do env[key] = value end
    end
  end
  if values ~= nil then
    for key, value in next, values do env[key] = value end
  end
  return new_state(find):run(render, env)
end

-- template.check([options]): compiles every view; raises what is wrong with the first one that does not compile
M.check = views.check

return M
